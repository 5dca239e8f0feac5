"""For Django: ``manage.py migrate`` fails while a table of a gated schema is not governed (specification, 5.1).

One line of your ``AppConfig.ready``::

    birthdb.django.gate_after_migrate(self)

Django sends ``post_migrate`` when every migration has committed. So this finds an undecided table and does not prevent
it. To prevent it, end the migration with ``migrations.RunSQL("SELECT birth.fn_birth_gate()", migrations.RunSQL.noop)``.
"""

from typing import Any

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import DatabaseError, connections
from django.db.models.signals import post_migrate

from birthdb.gate import refusal


def gate_after_migrate(app: AppConfig, *schemas: str, using: str = "default") -> None:
    """Ask the gate whenever ``migrate`` has ended on the database ``using``; without ``schemas`` of every schema.

    ``app`` is one of your applications that has a module ``models``: Django tells no other that ``migrate`` has ended.
    For any other this raises ImproperlyConfigured. ``migrate`` then raises CommandError when a table is not governed,
    naming each with the statement to send, and where birthdb is not released or the login may not ask.
    """

    if app.models_module is None:
        raise ImproperlyConfigured(f"{app.name} has no module models: Django would never ask the gate after migrate")

    def asked(*, using: str, **_: Any) -> None:
        if using == database:
            _ask(using, schemas)

    database = using
    post_migrate.connect(asked, sender=app, weak=False, dispatch_uid=("birthdb.django", app.label, using, schemas))


def _ask(using: str, schemas: tuple[str, ...]) -> None:
    try:
        with connections[using].cursor() as cursor:
            for schema in schemas or (None,):
                cursor.execute("SELECT birth.fn_birth_gate(%s)", [schema])
    except DatabaseError as exc:
        raise CommandError(refusal(exc.__cause__ or exc, "gate_after_migrate")) from exc
