"""a discount, and a way to stock products"""

from pgcontract.release import Release

revision = "sale"
down_revision = "opening"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    release.downgrade(evidence=())
