"""Regular expressions for text with unknown gaps in it, that never take long.

An overlay may write dozens of unknown pieces into one word. `.*` for each of them would make a
match that fails try every way to share a name out between them.
"""

from __future__ import annotations

from collections.abc import Iterable

#: A gap that may be anything.
ANYTHING = ".*"
#: A gap that may be all but a slash.
PART_OF_A_NAME = "[^/]*"


def with_gaps(parts: Iterable[str]) -> str:
    """Return the regular expression, to be matched up to the end, of gaps and what is between.

    What stands between the gaps is regular expressions without repetition. Nothing is gained by
    coming back to one that has matched where it first does, so each of them, but the one at the
    end, is atomic, as in Python's fnmatch. Behind PART_OF_A_NAME that is only so while no other
    place is taken for what is before it.
    """
    runs: list[list[str]] = [[""]]
    gap = ""
    for part in parts:
        if part in (ANYTHING, PART_OF_A_NAME):
            gap = ANYTHING if ANYTHING in (gap, part) else PART_OF_A_NAME
            continue
        _open(runs, gap)
        gap = ""
        runs[-1][-1] += part
    _open(runs, gap)
    *others, last = runs
    *found, end = [_run(run, is_last=False) for run in others] + [_run(last, is_last=True)]
    if not found:
        return end
    return "".join((found[0], *(f"(?>.*?{one})" for one in found[1:]), ANYTHING, end))


def _open(runs: list[list[str]], gap: str) -> None:
    if gap == ANYTHING:
        runs.append([""])
    elif gap:
        runs[-1].append("")


def _run(pieces: list[str], *, is_last: bool) -> str:
    """Return pieces with parts of names between them."""
    first, *others = pieces
    end = f"{PART_OF_A_NAME}{others.pop()}" if is_last and others else ""
    return "".join((first, *(f"(?>[^/]*?{one})" for one in others), end))
