-- What the shop sells.
CREATE TABLE shop.product (
  name  text COLLATE "C" PRIMARY KEY,
  cost  numeric NOT NULL,
  -- A product that costs nothing is a mistake.
  CONSTRAINT product_cost CHECK (cost > 0)
);

COMMENT ON TABLE shop.product IS 'What the shop sells.';
COMMENT ON COLUMN shop.product.name IS 'What it is called.';
COMMENT ON COLUMN shop.product.cost IS 'What the shop paid for it.';
