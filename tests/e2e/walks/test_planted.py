"""The walks find what they are for. Here a few faults that are planted; ``make test-long`` plants all of them."""

from model.planted import FAULTS, found
from model.stage import Stage
from sample import some

#: A bound, a clock, a verdict, a stop.
_HERE = (
    "a batch does not count the rows that it spends",
    "an expired permit admits",
    "a failed run goes on without a new verdict",
    "a stop is heard by the next attempt",
)


@some("fault", _HERE, most=2)
def test_a_planted_fault_is_found(stage: Stage, fault: str) -> None:
    assert found(stage, FAULTS[fault])


def test_every_fault_can_be_planted(stage: Stage) -> None:
    for name, fault in FAULTS.items():
        source = stage.scene.value("SELECT pg_get_functiondef(%s::regproc)", (f"birth.{fault.routine}",))
        assert source.count(fault.old) == 1, name
