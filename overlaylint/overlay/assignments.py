"""Where a variable is assigned in global scope, for rules that point at one word of it."""

from __future__ import annotations

import re

from overlaylint.finding import Span
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import Evaluator, span_of
from overlaylint.shell.values import Variable

_WORD = re.compile(rb"[^\s\"']+")


def assignments(ebuild: Ebuild, name: str) -> tuple[Span, ...]:
    """Return where a variable is assigned in the ebuild's own repository, in order of running.

    This evaluates the ebuild once more, since an evaluation does not keep values that were
    replaced: it is for rules that have found something.
    """
    found: dict[Span, None] = {}

    def note(assigned: str, variable: Variable) -> None:
        if assigned == name and variable.source is not None:
            place = span_of(ebuild.repository, variable.source, variable.start, variable.end)
            if not place.repository:
                found[place] = None

    Evaluator(ebuild).evaluate(note)
    return tuple(found)


def written_word(ebuild: Ebuild, places: tuple[Span, ...], word: str) -> Span | None:
    """Return where a word of the value is written out in one of `places`, the last one first."""
    wanted = word.encode("utf-8", "surrogateescape")
    for place in reversed(places):
        text = ebuild.repository.tree.read(place.path)[place.start : place.end]
        _, _, value = text.partition(b"=")
        shift = place.start + len(text) - len(value)
        for match in _WORD.finditer(value):
            if match.group() == wanted:
                return Span(place.path, shift + match.start(), shift + match.end())
    return None
