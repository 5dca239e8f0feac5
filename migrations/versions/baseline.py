"""the world that stage 0 found: registries, births, the gateway"""

from birthdb.release import Release

revision = "baseline"
down_revision = None
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    release.downgrade(evidence=("birth_registry",))
