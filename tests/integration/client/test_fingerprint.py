"""Fingerprints in Python: the hashes are PostgreSQL's."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import Cluster

from birthdb.audit.fingerprint import Fingerprint, hasher, sum_of

SEEDS = st.integers(-(2**63), 2**63 - 1)
#: What a text of the database can hold.
CODES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(codes=st.lists(CODES, max_size=40), seed=SEEDS)
@example(codes=["x" * length for length in range(40)], seed=0)
@example(codes=["é" * length for length in range(40)], seed=-1)
def test_a_hash_equals_that_of_the_server(server: Cluster, codes: list[str], seed: int) -> None:
    told = server.execute(
        "SELECT hashtextextended(u.code, %s) FROM unnest(%s::text[]) WITH ORDINALITY AS u(code, n) ORDER BY u.n",
        (seed, codes),
    )
    computed = hasher(seed)
    assert [computed(code.encode()) for code in codes] == [value for (value,) in told]


@given(st.lists(st.tuples(st.just(1), SEEDS, SEEDS)))
def test_fingerprints_are_additive_and_independent_of_order(of_one: list[tuple[int, int, int]]) -> None:
    each = [Fingerprint(*one) for one in of_one]
    whole = sum_of(each)
    assert whole == sum_of(reversed(each))
    assert whole.births == len(each)
    for one in each:
        whole = whole.minus(one)
    assert whole == Fingerprint()
