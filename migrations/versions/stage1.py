"""the contract, policy, identity and register, the first permit and ledger"""

from birthdb.release import Release

revision = "stage1"
down_revision = "stage0"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    release.downgrade(evidence=("birth_admission_permit", "birth_backfill_ledger"))
