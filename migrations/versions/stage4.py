"""governance transitions: a policy is planned, judged, permitted and undone like a run"""

from birthdb.release import Release

revision = "stage4"
down_revision = "stage3"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    # The tables whose rows are evidence, of those that this release brought.
    release.downgrade(evidence=("birth_transition",))
