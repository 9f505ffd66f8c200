"""How much one evaluation may cost: a script that wants more ends as unknown."""

from __future__ import annotations

MAXIMUM_STEPS = 200_000
MAXIMUM_TEXT = 1 << 20  # characters of one value
MAXIMUM_CALLS = 120  # functions, sourced files and substitutions within each other


class Exhausted(Exception):
    """The budget of an evaluation is spent: everything is unknown."""
