"""Which variables a function could assign."""

from __future__ import annotations

import pytest

from overlaylint.shell.effects import assigned_names
from overlaylint.shell.parser import parse
from overlaylint.shell.syntax import Function

NAMES = {
    "a=1; b+=2; export c=3; local d=4": {"a", "b", "c"},
    "read -r a b; for c in x; do :; done": {"a", "b", "c"},
    "IFS=: read -r a": {"a"},
    "( a=1 ); b=1": {"b"},
    "local old=$IFS; IFS=:; g; IFS=${old}": set(),
    'old="$IFS"; IFS=:; for i in x; do break; done; IFS="$old"': {"old", "i"},
    "if g; then local old=$IFS; IFS=:; IFS=$old; fi": set(),
    "local old=$IFS; IFS=:; g && return; IFS=$old": {"IFS"},
    "local old=$IFS; if g; then IFS=:; fi; IFS=$old": {"IFS"},
    "local old=$IFS; IFS=:; if g; then IFS=$old; fi": {"IFS"},
    "local old=$IFS; IFS=:; old=x; IFS=$old": {"IFS"},
    "local old=$IFS; IFS=:; IFS=$old; IFS=,": {"IFS"},
    "IFS=:; local old=$IFS; IFS=$old": {"IFS"},
    "local old=$IFS; IFS=:; read -r IFS; IFS=$old": {"IFS"},
    "local old=$a; a[0]=x; a=$old": {"a"},
    "IFS=$old": {"IFS"},
}


@pytest.mark.parametrize("body", NAMES)
def test_assigned_names(body: str) -> None:
    (function,) = parse(f"f() {{ {body}; }}".encode(), "x").body.commands
    assert isinstance(function, Function)
    assert assigned_names(function, {}) == (NAMES[body], True)
