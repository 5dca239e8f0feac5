"""lifecycle: what ends is recorded, and a code is never used twice"""

from birthdb.release import Release

revision = "stage5"
down_revision = "stage4"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    # The tables whose rows are evidence, of those that this release brought.
    release.downgrade(evidence=("birth_death",))
