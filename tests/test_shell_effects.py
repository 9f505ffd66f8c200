"""Which variables a function could assign."""

from __future__ import annotations

import pytest
from shell_runs import evaluate
from shell_unknowns import unknowing

from overlaylint.shell.effects import assigned_names
from overlaylint.shell.parser import parse
from overlaylint.shell.syntax import Function
from overlaylint.shell.values import Mixed

NAMES = {
    "a=1; b+=2; export c=3; local d=4": {"a", "b", "c"},
    "read -r a b; for c in x; do :; done": {"a", "b", "c", "REPLY"},
    "IFS=: read -ra a; read -ab": {"a", "b", "REPLY"},
    "( a=1 ); b=1; c=1 & d=$(e=1)": {"b", "d"},
    # where a variable is local
    "a=1; local a=2": {"a"},
    "local a; a=1; if g; then a=2; fi": set(),
    "if g; then local a; a=1; fi; a=2": {"a"},
    "local a=$(g) || return; a=2": set(),
    "g || local a; a=2": {"a"},
    "local a=$(( b++ )); { a=1; } < x": {"b"},
    "declare -g a=1; typeset -gx b": {"a", "b"},
    "declare -p a; declare -f b; a=1; b=1": {"a", "b"},
    "local old=$IFS; IFS=:; g; IFS=$old": {"IFS"},
    # what is assigned in other ways
    "(( a = 1, b++ )); for (( c = 0; c < 3; d += 1 )); do :; done": {"a", "b", "c", "d"},
    "let a=1 'b += 2' --c; a[d++]=1; e=([f--]=1)": {"a", "b", "c", "d", "e", "f"},
    "[[ a=1 -eq 1 && x = y ]]; [[ x =~ y ]]": {"a", "BASH_REMATCH"},
    '"$(( (1) + (a[x[1]] = 2) ))" ${b:=x} ${c[d++]} ${e:f=1} $[++g]': set("abdfgx"),
    "g ${a:-${b=x}} ${c/=/x} # ${d:=x}\n cat <<< ${e:=x}": {"b", "e"},
    "printf '%s' x=1; printf -v a %s x; printf -vb %s": {"a", "b"},
    "select a in x; do :; done; mapfile -t b < x": {"a", "b", "REPLY", "MAPFILE"},
    "exec {a}< x; { :; } {b}> y; coproc c { d=1; }": {"a", "b", "c", "c_PID"},
    "g() { a=1; }; cd x": {"a", "PWD", "OLDPWD"},
    "command read a; builtin local b; b=1": {"a", "REPLY"},
}

INCOMPLETE = (
    "eval x", "local -n a=b", "export $x", "(( $x = 1 ))", "let $x=1", "trap x EXIT", "read $x",
    "g ${!x:=1}", "printf -v $x y", "command -p read a", "unknown",
)  # fmt: skip


def names_of(body: str) -> tuple[frozenset[str], bool]:
    (function,) = parse(f"f() {{ {body}\n}}".encode(), "x").body.commands
    assert isinstance(function, Function)
    return assigned_names(function, {"unknown": None})


@pytest.mark.parametrize("body", NAMES)
def test_assigned_names(body: str) -> None:
    assert names_of(body) == (NAMES[body], True)


@pytest.mark.parametrize("body", INCOMPLETE)
def test_names_that_are_made_at_run_time(body: str) -> None:
    assert not names_of(body)[1]


def test_what_a_called_function_assigns() -> None:
    script = "f() { local a; g; }; g() { a=1; f; }"
    body = parse(script.encode(), "x").body.commands
    functions = {one.name: one for one in body if isinstance(one, Function)}
    assert assigned_names(functions["f"], functions) == ({"a"}, True)


def test_a_function_that_calls_itself_may_change_more_than_its_text_tells() -> None:
    script = b"a=1; b=0; c='a=2'; f() { if ask; then (( b++, b > 2 && c )); f; fi; }; f"
    shell = evaluate(script, shell=unknowing()).shell
    assert all(shell.find(name).value.__class__ is Mixed for name in "ab")
