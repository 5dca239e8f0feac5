"""The login that migrates, and databases whose schema app is under the gate."""

from collections.abc import Callable, Iterator

import pytest
from integration.gate.deployer import DEPLOYER
from support import Cluster, Database
from world import World

from birthdb import api


@pytest.fixture
def deployer(server: Cluster, template: Database) -> Iterator[Callable[..., None]]:
    """The login that migrates; return what gives it roles, which belong to the whole server."""
    server.login(DEPLOYER)

    def grant(*roles: str) -> None:
        for role in roles:
            server.execute(f"GRANT {role} TO {DEPLOYER}".encode())

    yield grant
    server.execute(f"DROP ROLE {DEPLOYER}".encode())


@pytest.fixture
def ungranted(deployer: object, world: World) -> World:
    """A database whose schema app is under the gate, and the login that makes tables in it has no role of ours."""
    world.admin.execute(f"GRANT CREATE, USAGE ON SCHEMA app TO {DEPLOYER}; GRANT CREATE ON SCHEMA public TO {DEPLOYER}")
    api.gate_scope(world.steward, "app", "enforce", "a test")
    return world


@pytest.fixture
def gated(deployer: Callable[..., None], ungranted: World) -> World:
    """The same, and it may ask the gate."""
    deployer("birth_source_owner")
    return ungranted


@pytest.fixture
def steward(deployer: Callable[..., None], gated: World) -> World:
    """The same, and it is a steward."""
    deployer("birth_steward")
    return gated
