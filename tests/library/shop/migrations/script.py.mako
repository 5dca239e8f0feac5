"""${message}"""

from pgcontract.release import Release

revision = "${up_revision}"
down_revision = ${f'"{down_revision}"' if down_revision else None}
branch_labels = None
depends_on = None

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    # The tables and columns that this release brought and whose values are evidence.
    release.downgrade(evidence=${evidence})
