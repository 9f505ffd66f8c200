"""What a setting's text must be, beyond being a string: a type's annotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Syntax:
    """`Annotated[str, Syntax("atom", parse_atom)]`: a string that `check` takes.

    `check` raises ValueError where it does not; the error's text says why. `name` is what
    such a string is called, in messages and as `format` in the JSON schema.
    """

    name: str
    check: Callable[[str], object]
