"""Code of the application that writes down as whom it ran; none of it may ever run as birth_definer."""

from world import World

#: ``app.quiet`` says that it is immutable, so that the planner may evaluate it, and still writes.
SPY = """
CREATE TABLE app.ran (who text, what text);
GRANT INSERT ON app.ran TO PUBLIC;
CREATE FUNCTION app.spy(what text) RETURNS text LANGUAGE plpgsql AS
  'BEGIN INSERT INTO app.ran VALUES (current_user, what); RETURN ''spied''; END';
CREATE FUNCTION app.quiet(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN app.spy(what); END';
CREATE TYPE app.mood AS ENUM ('a', 'b');
CREATE FUNCTION app.told(app.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN app.spy(''cast''); END';
CREATE CAST (app.mood AS text) WITH FUNCTION app.told(app.mood);
CREATE FUNCTION app.differs(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
  'BEGIN PERFORM app.spy(''operator''); RETURN true; END';
CREATE OPERATOR app.<<>> (LEFTARG = text, RIGHTARG = text, FUNCTION = app.differs);
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO PUBLIC;
"""


def spied(world: World) -> World:
    """Put the spying code there, as the application."""
    world.owner.execute(SPY.encode())
    return world


def ran_as(world: World) -> set[str]:
    """Return as whom it ran."""
    return {row[0] for row in world.admin.execute("SELECT who FROM app.ran")}
