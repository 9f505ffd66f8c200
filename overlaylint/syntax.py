"""What a setting must be beyond its type: annotations that the loader and the schema read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from overlaylint.records import dataclass


@dataclass(frozen=True, slots=True)
class Syntax:
    """`Annotated[str, Syntax("atom", parse_atom)]`: a string that `check` takes.

    `check` raises ValueError where it does not; the error's text says why. `name` is what
    such a string is called, in messages and as `format` in the JSON schema; where a regular
    expression says all of it, that is `pattern`.
    """

    name: str
    check: Callable[[str], object]
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """`Annotated[tuple[str, ...], NotEmpty()]`: a list with something in it."""


def _text(value: str) -> None:
    if not value.strip():
        raise ValueError("it is empty")


def _name(value: str) -> None:
    if re.fullmatch(_NAME, value) is None:
        raise ValueError("it has to be words of small letters and digits with `-` between them")


def _regex(value: str) -> None:
    from overlaylint.shell.regexes import Undecidable, search

    try:
        search(((value, False),), "")
    except Undecidable as error:
        raise ValueError(str(error)) from error


def _atom(text: str) -> None:
    from overlaylint.overlay.atom import parse_atom

    if parse_atom(text).blocker:
        raise ValueError("a blocker asks for nothing")


_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"

#: A string that is not blank.
Text = Annotated[str, Syntax("text", _text, r"\S")]

#: What a rule is called.
Name = Annotated[str, Syntax("name", _name, f"^{_NAME}$")]

#: An extended regular expression (POSIX), as `[[ x =~ y ]]` takes it. It is matched without
#: backtracking, for the configuration may be a stranger's.
Regex = Annotated[str, Syntax("regular expression", _regex)]

#: A dependency (PMS 8.3) that is no blocker.
Atom = Annotated[str, Syntax("atom", _atom)]

#: A list with something in it.
Texts = Annotated[tuple[Text, ...], NotEmpty()]

#: A string, or several.
OneOrMore = Text | Texts


def each(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return what a setting holds that may be one string or several."""
    return (value,) if isinstance(value, str) else value
