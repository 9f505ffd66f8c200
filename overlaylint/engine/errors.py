"""What keeps overlaylint from doing its job: every one ends in one line and exit status 2."""

from __future__ import annotations

from collections.abc import Iterable


class UsageError(Exception):
    """The user asked for something that is not there; the text says what, and what is."""


class ConfigurationError(UsageError):
    """The configuration can't be read, or holds something it can't hold."""


def nearest(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean ...?` with the word most like `word`, or nothing."""
    # difflib is slow to import, and only a mistake needs it.
    from difflib import get_close_matches

    found = get_close_matches(word, sorted(words), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""
