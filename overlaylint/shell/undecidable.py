"""What the modules of this package raise where they can't answer exactly.

Evaluation turns it into an unknown value with a reason. It never means that bash would fail:
that has exceptions of its own.
"""

from __future__ import annotations


class Undecidable(Exception):
    """What bash would do can't be told exactly; `reason` says why, in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooExpensive(Undecidable):
    """The answer would take more work than a checked file may ask for."""


class Unreadable(Undecidable):
    """Bash reads the text otherwise, or not at all: that concerns all substitutions around it."""
