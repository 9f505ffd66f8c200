"""Brace expansion, held against bash."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from real_bash import bash, examples

from overlaylint.shell.braces import TooExpensive, TooManyWords, Undecidable, expand_braces
from overlaylint.shell.parser import parse
from overlaylint.shell.syntax import (
    DoubleQuoted,
    Parameter,
    Part,
    Quoted,
    Simple,
    Text,
    Tilde,
    Word,
)

_VALUES = {"a": "1", "ab": "2", "ac": "3", "x": "5", "b": "6"}
_ASSIGNMENTS = " ".join(f"{name}={value}" for name, value in _VALUES.items())
_BODY = f"""
set -f; HOME=/home; unset ${{!a@}} ${{!b@}} ${{!x@}}; {_ASSIGNMENTS}
words=(failed); eval "words=($word)"
for w in "${{words[@]}}"; do printf '%s\\0' "$w"; done
"""


def _parts(word: str) -> tuple[Part, ...]:
    script = parse(f": {word}".encode())
    (command,) = script.body.commands
    assert isinstance(command, Simple)
    _, parsed = command.words
    assert isinstance(parsed, Word)
    return parsed.parts


def _value(parts: tuple[Part, ...]) -> str:
    """What the parts come to."""
    result = ""
    for part in parts:
        if isinstance(part, Text | Quoted):
            result += part.text
        elif isinstance(part, DoubleQuoted):
            result += _value(part.parts)
        elif isinstance(part, Tilde) and not any(map(str.isdigit, part.text)):
            result += "/home" if part.text == "~" else part.text
        elif isinstance(part, Parameter) and not part.operator:
            result += _VALUES.get(part.name, "")
        else:
            raise Undecidable("not a part of these tests")
    return result


def _compare(word: str) -> bool:
    """Compare with bash; return whether it was decided."""
    parts = _parts(word)
    try:
        words = expand_braces(parts, 2000)
        ours = [_value(word) for word in words]
    except Undecidable:
        return False
    # an empty word that has no quotes vanishes afterwards
    kept = [
        value
        for value, made in zip(ours, words, strict=True)
        if value or any(isinstance(part, Quoted | DoubleQuoted) for part in made)
    ]
    assert kept == bash("word", _BODY).ask(word)
    return True


@pytest.mark.parametrize(
    "word",
    [
        "{a,b}", "x{a,b}y", "{a,b}{c,d}", "{a,{b,c}}", "{a,b{c,d}e}", "{a}", "{}", "{},a", "{,a}",
        "{a,}", "{,}", "{a,b", "a,b}", "{{a,b}", "{a,b}}", "a{b", "x{}y", "{a,{}}", "{a{b,c}", "{",
        "}", "{a..e}", "{e..a}", "{a..e..2}", "{1..5}", "{5..1}", "{-2..2}", "{01..10}",
        "{1..010}", "{-01..2}", "{1..10..3}", "{10..1..3}", "{1..10..-3}", "{1..10..0}",
        "{1..3..}", "{1..}", "{..3}", "{1...3}", "{1..3.}", "{a..9}", "{A..C}", "{+1..+3}",
        "{1..3..1..1}", "{a..b,c}", "{1..3}{a,b}", "{1..x}{a,b}", "{x..}y{a,b}", "{1..{a,b}}",
        "{{1..2},{3..4}}", "{a..bb}", "{1..99999999999}",
        "{9223372036854775806..9223372036854775807}", "{-9..99999999999999999999}", "{0..00}",
        "{-0..1}", "{-00..1}", "{007..2147483650..2147483640}", "{a,b}.{tar,gz}", "'{a,b}'",
        '"{a,b}"', "\\{a,b}", "{a\\,b}", "{'a,b',c}", '{"a,b"}', "{a,b\\}", "{$a,$x}",
        '{"$a",${x}}', "$a{b,c}", "${a}{b,c}", "$a{b,c}d", "{$a,x}b", "$x{1,2}", "$a{,b}",
        "{1..$x}", "{$a..$x}", "{1..$x}{a,b}", '{"1"..3}', "{a,$x}..{1..2}", "~/{a,b}", "{~,a}/x",
        "~{/a,/b}", "{~/a,b}", "x{~,a}", "{~,}", "{a,b}~", '~"a"{b,c}', "{a,b}$",
        "a{b,c}{d,e}{f,g}", "{{a},b}", "{a},b}", "{{a,b},}", "{a,b}{", "}{a,b}", "{{}},a}",
        "{{,},}", "{a,b}\\ {c,d}", "@{a,b}", "{a.,b}", "{..,..}", "{a..}", "{.,.}", "{é,ü}",
        "{a..é}", "{'',a}", '{"",}',
    ],
)  # fmt: skip
def test_words(word: str) -> None:
    """One of each kind."""
    assert _compare(word)


_text = st.lists(
    st.sampled_from(
        [
            *"{}{},ab13-0x~/é.",
            *(
                "..",
                "$a",
                "${x}",
                '"b,"',
                "\\,",
                "'{'",
                "\\}",
                '"$x"',
                "{a,b}",
                "{1..3}",
                "{a,",
                ",b}",
            ),
        ]
    ),
    min_size=2,
    max_size=9,
).map("".join)


@examples(800)
@given(_text)
@example("{$,a}b")
def test_generated_words(word: str) -> None:
    """Braces in all kinds of places."""
    _compare(word)


@pytest.mark.parametrize("word", ["{$,a}b", "{Z..a}", "{1..','}", "{a,$'b\\'c'}", "{a,${x:-'}'}}"])
def test_undecided(word: str) -> None:
    """What bash would read again, or otherwise than it is."""
    with pytest.raises(Undecidable):
        expand_braces(_parts(word), 100)


def test_no_braces() -> None:
    """A word without braces comes back as it is."""
    for word in ("a", '"{a,b}"', "a{b}c", "{a}", "${x}", "}{,"):
        parts = _parts(word)
        (result,) = expand_braces(parts, 1)
        assert result is parts


def test_an_empty_alternative_is_an_empty_word() -> None:
    """Word splitting drops it later."""
    assert expand_braces((Text("{,a}"),), 10) == [(), (Text("a"),)]


@pytest.mark.parametrize("word", ["{1..100}", "{1..999999999}", "{a,b}" * 30, "{{1..50},{1..50}}"])
def test_too_many_words(word: str) -> None:
    """The words are counted before they are made."""
    with pytest.raises(TooManyWords):
        expand_braces((Text(word),), 99)


@pytest.mark.parametrize(
    "word",
    ["{" * 20000 + ",}", "{a," * 5000 + "}" * 5000, "{1..1}" * 10000, "{," * 30000, "{},}" * 9000],
)
def test_hostile_words_end(word: str) -> None:
    """Each ends soon, with or without an answer."""
    with contextlib.suppress(TooExpensive):
        assert len(expand_braces((Text(word),), 1000)) <= 1000
