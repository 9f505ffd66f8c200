"""The parser against bash: what is refused, and what structure a script has.

`bash -n` is asked whether a script may be read; `declare -f` prints a function as bash has
understood it, and that text must have the same syntax tree as the original.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_bash import examples
from shell_mutants import mutate
from shell_scripts import Maker

from overlaylint.shell import parse
from overlaylint.shell.parser import ParseError, Parser, Unsure
from overlaylint.shell.syntax import (
    Command,
    CommandSubstitution,
    Function,
    Group,
    Opaque,
    Simple,
    Source,
    Word,
)

ACCEPTED = [
    "", "\n\n", "# only a comment", "a", "a b c;", "a &", "a && b || c", "! a",
    "a | b |& c",
    "time a", "if a; then b; fi", "if a; then b; elif c; then d; else e; fi",
    "while a; do b; done", "until a; do b; done < x", "for i in a b; do c; done",
    "for i; do c; done", "for i in a; { c; }", "for ((i=0; i<3; i++)); do c; done",
    "for ((;;)) do c; done", "case x in a) b;; esac", "case x in (a|b) c;& d) e;;& *) ;; esac",
    "case $x in esac", "select i in a b; do c; done", "f() { a; }", "f () ( a )",
    "function f { a; }", "function f() [[ a ]]", "f() if a; then b; fi", "f() { a; } > x 2>&1",
    "{ a; b; }", "( a; b )", "(( a + 1 ))", "((a<<1))", "[[ a ]]",
    "[[ a == b* && ! ( -f c || d -nt e ) ]]", "[[ $x =~ ^(a|b)+$ ]]", "[[ a = [78] ]]",
    "[[ a = *b* || c ]]", "[[ x == @(a|b) ]]", "[[ -z $a\n|| -n $b ]]", "a=b", "a=(1 2\n3)",
    "a+=([x]=1 [y z]=2)", "a[1]=2", "a[b c]=d", "declare -a x=(1 2)", "export a=b c",
    "a=(\n# comment ) here\n1\n)", "a='b\nc'", 'a="b\n$(c)"', "a=$'b\\'c'", "a=${b:-c}",
    "a=${b:-'}'}", 'a="${b:-"c d"}"', 'a="${b#\'x\'}"', "a=${b//\\//_}", "a=${!b}", "a=${#b[@]}",
    "a=$((1 + (2*3)))", "a=$(( $(b) ))", "a=$((b); (c))", "a=$(b\nc)",
    "a=$(case x in y) z;; esac)", "a=$(# it's a comment\nb)", "a=`b \\`c\\``", "a <(b) >(c)",
    "cat <<EOF\n$a `b`\nEOF", "cat <<'EOF'\n$(\nEOF", "cat <<-EOF\n\tx\n\tEOF",
    "cat <<A <<B\na\nA\nb\nB", "a=$(cat <<E\n)\nE\n)", "cat <<< $x", "a > b 2>&1 < c", "a {x}>b",
    "a &> b", "a &>> b", "a 2>&-", "a\\\nb c", "a \\\n  b", "echo a#b #c", "echo {a,b}{1..3}",
    "coproc a", "coproc n { a; }", "a; b\n\n; c"[:4], "fi_not_a_word", "echo if then fi", "echo }",
    "{a", "a=b c=d e", "x() { y() { z; }; }", "if (a) then b; fi", "if { a; } then b; fi",
    "while [[ a ]] do b; done",
]  # fmt: skip

REFUSED = [
    "if", "if a; then", "if a; then fi", "if a; b; fi", "fi", "then", "a; fi", "while a; done",
    "done", "for", "for i in a; b; done", "for ((i)); do a; done", "case x in a) b",
    "case x a) b;; esac", "esac", "{ a", "{ }", "}", "( a", "( )", ")", "f() { a", "f()", "f() a",
    "function", "[[ a", "a=(1", "echo a=(1)",
    "a='b", 'a="b', "a=`b", "a=${b", "a=$(b", "a=$((1", "a <", "a >", "a &&", "a |", "|| a", "; a",
    ";; a", "& a", "a ;; b", "a & ; b", "a | | b", "a ()", "echo $(if)", "a=$(case x in)",
    "f() { a; } b", "if a; then b; fi c", "{ a; } b", "( a ) b", "!|", "case x in a b) c;; esac",
]  # fmt: skip


# bash complains of some scripts and exits with 0 all the same; warnings do not count
ASK = """
for f in *; do
    said=$(bash -O extglob -n "$f" 2>&1) || said=error
    [[ -z ${said} || ${said} == *warning* ]] && echo 0 || echo 1
done
"""


def refused_by_bash(folder: Path, scripts: list[str]) -> list[bool]:
    """Ask bash of each script whether it refuses it; extended patterns are on."""
    for number, script in enumerate(scripts):
        (folder / f"{number:04}").write_text(script)
    ran = subprocess.run(
        ["bash", "-c", ASK],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line == "1" for line in ran.stdout.split()]


def test_what_bash_accepts_and_refuses(tmp_path: Path) -> None:
    scripts = ACCEPTED + REFUSED
    expected = refused_by_bash(tmp_path, scripts)
    # the lists say what they are meant to say
    assert expected == [False] * len(ACCEPTED) + [True] * len(REFUSED)
    ours = [bool(parse(script.encode()).errors) for script in scripts]
    assert [s for s, a, b in zip(scripts, ours, expected, strict=True) if a != b] == []


def test_cut_off_anywhere(tmp_path: Path) -> None:
    """A script that ends too early is refused where bash refuses it."""
    whole = (
        'f() {\n  local a=( "x y" $(b) ) c=${d:-e}\n  if [[ ${a} == [a-c]* ]]; then\n'
        "    case $c in\n      x|y) echo 'z' ;;\n    esac\n  fi\n"
        "  for i in 1 2; do (( i++ )); done\n}\n"
    )
    scripts = [whole[:end] for end in range(len(whole))]
    ours = [bool(parse(script.encode()).errors) for script in scripts]
    expected = refused_by_bash(tmp_path, scripts)
    assert [s for s, a, b in zip(scripts, ours, expected, strict=True) if a != b] == []


def shape(node: object) -> object:
    """Return a tree without places, and without what bash writes in its own way."""
    if isinstance(node, Word):
        return ("word", shape(node.parts))
    if isinstance(node, Simple):
        return ("simple", shape(node.assignments), shape(node.words), shape(node.redirections))
    if isinstance(node, Function):
        body = node.body
        return ("function", node.name, shape(body))
    if isinstance(node, Group):
        return ("group", shape(node.body))
    if isinstance(node, tuple):
        return tuple(shape(item) for item in node)
    if is_dataclass(node) and not isinstance(node, type):
        skipped = {"start", "end", "source", "old_second"}
        return (
            type(node).__name__,
            *(shape(getattr(node, f.name)) for f in fields(node) if f.name not in skipped),
        )
    return node


def whole(text: str) -> tuple[object, ...]:
    """Return what a script comes to that is read at once, with its functions' bodies."""
    parser = Parser(Source(text), postpones=False)
    commands: list[Command] = []
    problem: object = ""
    try:
        parser.commands_into(commands, frozenset())
    except Unsure as error:
        problem = error.message
    except ParseError as error:
        problem = (error.start, error.end, error.message)
    globs = tuple(parser.extended_globs), tuple(parser.inner_extended_globs)
    return problem, *globs, tuple(map(placed, commands))


def in_pieces(text: str) -> tuple[object, ...]:
    """Return what a script comes to whose functions are passed over, and read when asked for."""
    script = parse(text.encode("latin-1"))
    problem: object = ""
    commands = script.body.commands
    if commands and isinstance(commands[-1], Opaque):
        *commands, last = commands
        problem = last.reason
    for error in script.errors:
        problem = (error.start, error.end, error.message)
    globs = script.extended_globs, script.inner_extended_globs
    return problem, *globs, tuple(map(placed, commands))


def placed(node: object) -> object:
    """Return a tree with the places of its nodes."""
    if isinstance(node, Function):
        return ("function", node.start, node.end, node.name, placed(node.body))
    if isinstance(node, Simple):
        return (node.start, node.end, placed(node.details))
    if isinstance(node, Word):
        return (node.start, node.end, node.context, placed(node.parts))
    if isinstance(node, tuple):
        return tuple(map(placed, node))
    if is_dataclass(node) and not isinstance(node, type | Source):
        return (type(node).__name__, *(placed(getattr(node, f.name)) for f in fields(node)))
    return node.text if isinstance(node, Source) else node


@examples(300)
@given(st.integers(0, (1 << 64) - 1))
def test_functions_are_read_later_as_at_once(seed: int) -> None:
    """Errors, too: bash refuses a script for one in a function that is never called."""
    random = Random(seed)
    body = Maker(random).script()
    if random.randrange(2):
        body = mutate(random, body.encode(), [body.encode()]).decode("latin-1")
    # a body is met again in the next version of an ebuild
    again = f"# 1.1\nf() {{\n{body}\n}}\ng() {{ a; }}\n"
    for text in (f"f() {{\n{body}\n}}\n", again, f"{body}\nif a; then\n{again}\nfi\n"):
        assert in_pieces(text) == whole(text)


BODIES = [
    "a b 'c d' \"e $f ${g}\" h\\ i", "a && b || c", "a | b", "! a | b", "a > b 2>&1", "a < b >> c",
    "if a; then b; else c; fi", "while a; do b; c; done", "until a; do b; done",
    "for i in a \"$b\" $c; do d; done", "for ((i=0; i<3; i++)); do a; done",
    "case $a in x|y) b ;; *) c ;; esac", "case $a in x) b ;& y) c ;;& z) d ;; esac", "{ a; b; }",
    "( a; b )", "[[ -n $a && $b == c* || ! -f d ]]", "(( a += 1 ))", "local a=b c; a=(1 2 'x y')",
    "a+=b; b[1]=c", "a=${b:-c}; d=${e##*/}; f=${g//x/y}; h=${i:1:2}; j=${#k}; l=${!m}; n=${o[@]}",
    "a=$(b c); d=$((1 + 2))", "a=\"$(b \"c\")\"", "cat <<EOF\nx $y\nEOF", "cat <<'EOF'\nx $y\nEOF",
    "a <<< \"b c\"", "a \\\n  b", "a # comment\nb", "a & b", "a $'x\\ty'", "a {b,c}/*.d ~/e",
    "f() { a; }", "if [[ $a ]]; then b; fi > c", "a <(b) > >(c)", "a; b; c",
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_structure(body: str) -> None:
    script = f"func() {{\n{body}\n}}\n"
    ran = subprocess.run(
        ["bash", "-c", f"{script}declare -f func"], capture_output=True, text=True, check=True
    )
    ours = parse(script.encode())
    printed = parse(ran.stdout.encode())
    assert not ours.errors
    assert not printed.errors
    assert shape(printed.body.commands) == shape(ours.body.commands)


def test_places_are_bytes() -> None:
    script = parse("# é\na=ü b\n".encode())
    command = script.body.commands[0]
    assert isinstance(command, Simple)
    assert (command.start, command.end) == (5, 11)
    assert command.words[0].start == 10
    (comment,) = script.comments
    assert (comment.start, comment.end) == (0, 4)


def test_comments_are_those_of_bash() -> None:
    script = parse(b'a # one\nb "# none" c#d\ncat <<E\n# none\nE\n[[ a ]] # two\n$(x # three\n)\n')
    texts = [script.source.text[c.start : c.end] for c in script.comments]
    assert texts == ["# one", "# two", "# three"]


def test_what_can_be_read_before_an_error_is_kept() -> None:
    script = parse(b"A=1\nB=2\nif\n")
    assert [type(command) for command in script.body.commands] == [Simple, Simple, Opaque]
    (problem,) = script.errors
    assert "if" in script.source.text[problem.start - 3 : problem.end + 3]


@pytest.mark.parametrize(
    "text",
    ["(" * 5000, "{ " * 5000, "$(" * 5000, '"$(' * 5000, "${a:-" * 5000, "$((" * 5000, "if " * 5000,
     "[[ " + "( " * 5000, "a=(" * 3000, "`" * 5001, "<<a " * 400, "case a in " * 3000, "\0" * 100,
     "x" * 3_000_000, "a;" * 100_000],
    ids=lambda text: text[:6].strip() or "nul",
)  # fmt: skip
def test_hostile_text_ends(text: str) -> None:
    script = parse(text.encode())
    assert script.body.end == len(text)


@pytest.mark.parametrize("left", range(5, 60, 5))
def test_who_is_too_deep_in_calls_keeps_nothing_for_others(left: int) -> None:
    function, simple = parse(b"f() { { { a; }; }; }; x=`b`").body.commands
    assert isinstance(function, Function)
    assert isinstance(simple, Simple)
    value = simple.assignments[0].value
    assert isinstance(value, Word)

    def deep(calls: int, ask: Callable[[], object]) -> object:
        return deep(calls - 1, ask) if calls else ask()

    for ask in (lambda: function.body, lambda: value.parts):
        with suppress(RecursionError):
            deep(sys.getrecursionlimit() - len(inspect.stack()) - left, ask)
    (part,) = value.parts
    assert isinstance(part, CommandSubstitution)
    for node in (function.body, *part.body.commands):
        assert isinstance(node, Group | Simple)
