"""What is reached step by step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overlaylint.reach import reached

EDGES = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20)


@given(EDGES, st.sets(st.integers(0, 9), max_size=3))
def test_it_is_all_that_a_path_leads_to(edges: set[tuple[int, int]], start: set[int]) -> None:
    paths = set(edges) | {(one, one) for one in range(10)}
    for by in range(10):
        paths |= {(a, b) for a in range(10) for b in range(10) if {(a, by), (by, b)} <= paths}
    found = reached(start, lambda last: (to for by, to in edges if by in last))
    assert found == {to for by, to in paths if by in start}


def test_each_thing_is_asked_for_once() -> None:
    asked: list[int] = []

    def leads_to(last: frozenset[int]) -> set[int]:
        asked.extend(last)
        return {(one + 1) % 5 for one in last}

    assert reached([3], leads_to) == {0, 1, 2, 3, 4}
    assert sorted(asked) == [0, 1, 2, 3, 4]
