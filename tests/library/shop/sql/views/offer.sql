-- What customers see.
CREATE OR REPLACE VIEW shop.offer AS
SELECT p.name, shop.price(p.cost) AS price
FROM shop.product p;

COMMENT ON VIEW shop.offer IS 'Every product with its price.';
