"""Where a variable is assigned, and an eclass inherited, for rules that point at one word."""

from __future__ import annotations

import re

from overlaylint.finding import Span
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import Evaluator, span_of
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.interpreter import Interpreter
from overlaylint.shell.values import Variable

_BETWEEN_WORDS = b" \t\r\n\"'()"
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


def word_with(ebuild: Ebuild, places: tuple[Span, ...], text: str) -> Span | None:
    """Return the word in one of `places`, the last one first, that a text is written out in."""
    wanted = text.encode("utf-8", "surrogateescape")
    for place in reversed(places):
        data = ebuild.repository.tree.read(place.path)
        start = data.find(wanted, place.start, place.end)
        if start < 0:
            continue
        end = start + len(wanted)
        while start > place.start and data[start - 1] not in _BETWEEN_WORDS:
            start -= 1
        while end < place.end and data[end] not in _BETWEEN_WORDS:
            end += 1
        return Span(place.path, start, end)
    return None


def inherits(ebuild: Ebuild) -> tuple[Span, ...]:
    """Return where the ebuild itself inherits, in order of running; see `assignments`."""
    found: dict[Span, None] = {}

    class Noting(Evaluator):
        """Notes the commands that no eclass runs."""

        def inherit(self, shell: Interpreter, invocation: Invocation) -> Status:
            if self.depth == 0:
                start, end = invocation.start, invocation.end
                place = span_of(ebuild.repository, invocation.source, start, end)
                if not place.repository:
                    found[place] = None
            return super().inherit(shell, invocation)

    Noting(ebuild).evaluate()
    return tuple(found)


def word_in(ebuild: Ebuild, place: Span, word: str) -> Span | None:
    """Return where a word is written out in a command."""
    text = ebuild.repository.tree.read(place.path)[place.start : place.end]
    wanted = word.encode("utf-8", "surrogateescape")
    for match in _WORD.finditer(text):
        if match.group() == wanted:
            return Span(place.path, place.start + match.start(), place.start + match.end())
    return None
