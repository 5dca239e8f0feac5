"""the dangerous operations frozen, and the guards that prove it"""

from birthdb.release import Release

revision = "stage0"
down_revision = "baseline"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    release.downgrade(evidence=())
