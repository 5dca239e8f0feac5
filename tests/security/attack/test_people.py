"""Nobody approves what they planned: not as another role, not by a function of somebody else's, not by a cursor.

One person is a member of every role, and plans; then every way by which the database could take them for another.
"""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from helpers import EVERYBODY, OPERATOR, OWNER, REVIEWER, Scene
from psycopg.sql import SQL, Identifier

from birthdb import errors

#: The act, with the run or the permit in it; the comment names the routine for a statement that only sends a deputy.
REVIEW = "birth.fn_birth_review_record('{run}', 'SAFE', 'mine')"
OPEN = "birth.fn_birth_permit_open('item', '{run}', 20, now() + interval '1 day', 'mine')"
NAMED = "/* fn_birth_review_record fn_birth_permit_open */"

#: As another role or session; ``{act}`` follows in a statement of its own.
DISGUISES = {
    "SET ROLE to the role": "SET ROLE birth_reviewer",
    "SET ROLE to the owner of everything": "SET ROLE birth_definer",
    "SET ROLE to the reviewer": "SET ROLE rita_reviewer",
    "SET SESSION AUTHORIZATION": "SET SESSION AUTHORIZATION rita_reviewer",
    "set_config of role": "SELECT set_config('role', 'rita_reviewer', false)",
    "set_config of session_authorization": "SELECT set_config('session_authorization', 'rita_reviewer', false)",
    "ALTER ROLE of the own role": "ALTER ROLE mona_many SET role = 'birth_reviewer'",
    "joining the reviewer": "GRANT rita_reviewer TO mona_many",
    "a setting called like the login": "SET birth.actor = 'rita_reviewer'",
    "a function called like the login": "CREATE FUNCTION pg_temp.session_user() RETURNS name LANGUAGE sql"
    " AS 'SELECT ''rita_reviewer''::name'; SET search_path = pg_temp",
    "acts that are not those of birth": "CREATE TEMPORARY TABLE birth_act (actor name, lineage uuid, act text);"
    " SET search_path = pg_temp",
    "row security": "SET row_security = off",
    "the role of a replica": "SET session_replication_role = replica",
}
#: What is sent in the place of the act. Each names the routine, so that it is not stopped for hiding.
DEPUTIES = {
    "a function of the reviewer's": f"SELECT public.deputy('{{run}}') {NAMED}",
    "a view of the reviewer's": f"SELECT * FROM public.deputies {NAMED}",
    "a trigger of the reviewer's": f"INSERT INTO public.doorbell VALUES ('{{run}}') {NAMED}",
    "a rule of the reviewer's": f"INSERT INTO public.letterbox VALUES ('{{run}}') {NAMED}",
    "a block": f"DO $$BEGIN PERFORM {{act}}; END$$ {NAMED}",
    "a cursor": f"BEGIN; DECLARE fn_birth_review_record_fn_birth_permit_open CURSOR FOR SELECT * FROM {{act}}; "
    f"FETCH fn_birth_review_record_fn_birth_permit_open {NAMED}; COMMIT",
    "a prepared statement": f"PREPARE said AS SELECT * FROM {{act}}; EXECUTE said {NAMED}",
    "a subquery": "SELECT (SELECT count(*) FROM {act})",
    "a role of a moment": "SET LOCAL ROLE birth_reviewer; SELECT * FROM {act}",
}


@pytest.fixture
def plan(scene: Scene, item: str) -> Iterator[str]:
    """The plan of the person who is a member of every role, with a deputy of the reviewer's for each kind of object."""
    scene.execute(f"GRANT CREATE ON SCHEMA public TO {REVIEWER}".encode())
    scene.session(REVIEWER).execute(
        """
        CREATE FUNCTION public.deputy(p uuid) RETURNS bigint SECURITY DEFINER LANGUAGE sql
          AS $$ SELECT r.review_id FROM birth.fn_birth_review_record(p, 'SAFE', 'deputy') r $$;
        CREATE VIEW public.deputies AS SELECT public.deputy(run_id) FROM birth.birth_backfill_ledger_v2;
        CREATE TABLE public.doorbell (run_id uuid);
        CREATE TABLE public.letterbox (run_id uuid);
        CREATE FUNCTION public.ring() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql
          AS $$ BEGIN PERFORM public.deputy(NEW.run_id); RETURN NEW; END $$;
        CREATE TRIGGER ring BEFORE INSERT ON public.doorbell FOR EACH ROW EXECUTE FUNCTION public.ring();
        CREATE RULE post AS ON INSERT TO public.letterbox DO INSTEAD SELECT public.deputy(NEW.run_id);
        GRANT ALL ON public.deputies, public.doorbell, public.letterbox TO PUBLIC
        """
    )
    run_id = scene.plan(item, by=EVERYBODY)["run_id"]
    yield str(run_id)
    # Whatever was tried on the role itself is the cluster's.
    scene.execute(SQL("ALTER ROLE {} RESET role").format(Identifier(EVERYBODY)))


@pytest.mark.parametrize("act", [REVIEW, OPEN], ids=["review", "permit"])
@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_planner_cannot_review_under_another_role(scene: Scene, plan: str, disguise: str, act: str) -> None:
    session = scene.session(EVERYBODY)
    if act == OPEN:
        scene.review(UUID(plan))
    with scene.unchanged():
        try:
            session.execute(DISGUISES[disguise].encode())
        except psycopg.errors.InsufficientPrivilege:
            return
        session = scene.db.connect(EVERYBODY) if disguise.startswith("ALTER ROLE") else session
        with pytest.raises(psycopg.Error) as refusal:
            session.execute(f"SELECT * FROM {act}".format(run=plan).encode())
    # Under the role of a reviewer a permit owner's routine is the server's to refuse.
    put_on = act == OPEN and session.execute("SELECT current_user = 'birth_reviewer'").fetchone() == (True,)
    assert refusal.value.sqlstate == ("42501" if put_on else errors.SeparationOfDuties.sqlstate)


@pytest.mark.parametrize("deputy", DEPUTIES)
def test_a_planner_cannot_review_through_a_security_definer_function(scene: Scene, plan: str, deputy: str) -> None:
    statement = DEPUTIES[deputy].format(act=REVIEW.format(run=plan), run=plan)
    with scene.unchanged(), pytest.raises(psycopg.Error) as refusal:
        scene.session(EVERYBODY).execute(statement.encode())
    assert refusal.value.sqlstate == errors.SeparationOfDuties.sqlstate


def test_calling_a_security_definer_function_acts_as_the_caller_not_its_owner(scene: Scene, plan: str) -> None:
    """The reviewer's own function, called by somebody else, gives nobody the reviewer's verdict."""
    with scene.unchanged():
        for person in (OPERATOR, OWNER):
            with pytest.raises(psycopg.Error) as refusal:
                scene.session(person).execute(f"SELECT public.deputy('{plan}') {NAMED}".encode())
            assert refusal.value.sqlstate == errors.RoleRequired.sqlstate
    scene.session(REVIEWER).execute(f"SELECT public.deputy('{plan}') {NAMED}".encode())
    assert scene.value("SELECT reviewed_by FROM birth.birth_review") == REVIEWER


def test_a_permit_owner_cannot_confirm_the_own_permit(scene: Scene, item: str) -> None:
    run_id = scene.plan(item)["run_id"]
    scene.review(run_id)
    permit = scene.open_permit(item, run_id, 20, by=EVERYBODY)
    session = scene.session(EVERYBODY)
    for role in ("birth_reviewer", "birth_dba", "birth_reader"):
        session.execute(SQL("SET ROLE {}").format(Identifier(role)))
        with scene.unchanged(), pytest.raises(psycopg.Error) as refusal:
            session.execute(f"SELECT birth.fn_birth_permit_confirm({permit})".encode())
        # A role that the page gives no EXECUTE is refused by the server, any other by the rule.
        assert refusal.value.sqlstate == (errors.SeparationOfDuties.sqlstate if role == "birth_reviewer" else "42501")
