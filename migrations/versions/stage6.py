"""rows that come again are found by their codes, however small the registry was when it was analysed"""

from birthdb.release import Release

revision = "stage6"
down_revision = "stage5"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    # The tables and columns that this release brought and whose values are evidence.
    release.downgrade(evidence=())
