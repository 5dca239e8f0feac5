"""identity classification, the plan, readiness, dry run and rehearsal"""

from birthdb.release import Release

revision = "stage2"
down_revision = "stage1"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    release.downgrade(evidence=())
