"""the bounded writer and its driver, permit, ledger, review, receipts, compensation"""

from birthdb.release import Release

revision = "stage2_5"
down_revision = "stage2"
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    release.downgrade(
        evidence=("birth_admission_permit_v2", "birth_backfill_ledger_v2", "birth_review", "birth_receipt"),
    )
