"""products and their prices"""

from pgcontract.release import Release

revision = "opening"
down_revision = None
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    release.downgrade(evidence=("product",))
