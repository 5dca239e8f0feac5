"""the first-row gate: no table of a gated schema takes its first row before it is admitted"""

from birthdb.release import Release

revision = "stage3"
down_revision = "stage2_5"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    release.downgrade(evidence=())
