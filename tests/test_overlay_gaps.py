"""Text with unknown gaps: the same answers as with plain `.*`, and never a long time."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from overlaylint.overlay.gaps import ANYTHING, PART_OF_A_NAME, with_gaps

PARTS = st.lists(st.sampled_from(["a", "b", "/", "ab", "[^/]", ANYTHING, PART_OF_A_NAME]))


@given(PARTS, st.text("ab/", max_size=12))
def test_gaps_match_what_they_would_one_by_one(parts: list[str], text: str) -> None:
    plain = re.fullmatch("".join(parts), text) is not None
    assert (re.fullmatch(with_gaps(parts), text) is not None) is plain


def test_many_gaps() -> None:
    for gap in (ANYTHING, PART_OF_A_NAME):
        pattern = with_gaps(["/", *(40 * [gap, "a"]), gap, "c"])
        assert re.fullmatch(pattern, "/" + 250 * "a") is None
        assert re.fullmatch(pattern, "/" + 250 * "a" + "c") is not None
