"""${message}"""

from birthdb.release import Release

revision = "${up_revision}"
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}

release = Release(revision)


def upgrade() -> None:
    release.upgrade()


def downgrade() -> None:
    # The tables whose rows are evidence, of those that this release brought.
    release.downgrade(evidence=${evidence})
