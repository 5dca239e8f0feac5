"""``python -m bench.pghistory_track CONNINFO``: what a Django project does to track the inserts of ``public.tracked``.

Everything is at its default, but the trigger is one by statement, the faster of the two.
"""

import sys
from typing import Any


def main() -> None:
    """Migrate, create the event table of the benchmark's model, install its trigger."""
    import django  # type: ignore[import-not-found, import-untyped, unused-ignore]
    import pghistory  # type: ignore[import-not-found, import-untyped, unused-ignore]
    import pgtrigger  # type: ignore[import-not-found, import-untyped, unused-ignore]
    from django.conf import settings  # type: ignore[import-not-found, import-untyped, unused-ignore]
    from django.core.management import call_command  # type: ignore[import-not-found, import-untyped, unused-ignore]
    from django.db import connection, models  # type: ignore[import-not-found, import-untyped, unused-ignore]
    from psycopg.conninfo import conninfo_to_dict

    where = conninfo_to_dict(sys.argv[1])
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    database: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql"}
    database |= {names[key]: value for key, value in where.items() if key in names}
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "pgtrigger", "pghistory"],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()

    class Tracked(models.Model):  # type: ignore[misc, unused-ignore]
        """The benchmark's table."""

        code = models.TextField(primary_key=True)
        title = models.TextField(null=True)

        class Meta:
            """Where it is."""

            app_label = "pghistory"
            db_table = "tracked"

    pghistory.track(pghistory.InsertEvent(), level=pgtrigger.Statement)(Tracked)
    call_command("migrate", "pghistory", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Tracked._meta.apps.get_model("pghistory", "TrackedEvent"))
    for trigger in Tracked._meta.triggers:
        trigger.install(Tracked)


if __name__ == "__main__":
    main()
