"""`printf`, `echo -e` and quoting, held against bash."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from real_bash import bash, examples

from overlaylint.shell.printing import (
    PrintingProblem,
    TooExpensive,
    Undecidable,
    format_printf,
    interpret_escapes,
    quote,
    quote_word,
)

_PRINTF = """
a=("$a" "$b" "$c"); printf -v r "$f" "${a[@]:0:n}"; s=$?; printf '%s\\0' "$s" "$r"
"""
# Text that is an option to `echo` stays text behind a dot.
_OTHERS = """
r=$(echo -ne ".$t"; echo .)
printf '%s\\0' "${r#.}" "$(printf %b "$t"; echo .)" "${t@Q}"
printf '%q\\0' "$t"
"""


def _compare(form: str, *arguments: str) -> bool:
    """Compare with bash; return whether it was decided."""
    try:
        ours = ["0", format_printf(form, arguments)]
    except PrintingProblem as problem:
        ours = ["1", problem.output]
    except Undecidable:
        return False
    three = (*arguments, "", "", "")[:3]
    for locale in ("C", "C.UTF-8"):
        theirs = bash("f n a b c", _PRINTF, locale=locale).ask(form, str(len(arguments)), *three)
        assert ours == theirs
    return True


@pytest.mark.parametrize(
    "form",
    [
        "", "a", "%s", "%s\\n", "%s %s\\n", "%d", "%5d|", "%-5d|", "%05d|", "%+d", "% d", "%.3d",
        "%5.3d|", "%05.3d|", "%x", "%#x", "%#X", "%08x", "%#08x", "%o", "%#o", "%u", "%i", "%c",
        "%5c|", "%-5c|", "%s-%s", "%%", "100%", "%5%", "%y", "%", "%5", "%l", "%ld", "%hhd",
        "%.2s", "%5s|", "%-5s|", "%.s|", "%05s|", "%5.1s|", "%*d|", "%-*s|", "%.*s|", "%*.*d|",
        "%b", "%5b|", "%.1b|", "%q", "%8q|", "%Q", "%'d", "%+s", "%#s", "%.0d|", "%#.0o|",
        "%#.0x|", "%+u", "a\\tb", "\\101\\0101\\x41", "\\x", "\\c", '\\"\\\'\\?', "\\q", "a\\",
        "\\e[0m", "%d %d %s", "%s%%", "%.10d", "%-05d|", "%- 5d|", "%+ d", "%x %X", "%.-3d|",
        "é%s", "%3s|é",
    ],
)  # fmt: skip
def test_formats(form: str) -> None:
    """One of each kind, with arguments of each kind."""
    _compare(form)
    for argument in (
        "", "a", "5", "-7", "abc", "0x1F", "010", "08", "'a", '"b', "'", " 5", "5 ", "0", "+3",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999", "a\\nb", "a b'c",
        "\\0101x", "\\101x", "x\\cy", "1e3", "-", "é", "0x", "-0x10", "~", "18446744073709551616",
    ):  # fmt: skip
        _compare(form, argument)
    _compare(form, "1", "2")
    _compare(form, "5", "-3", "abc")
    _compare(form, "x\\cy", "b", "")


_format = st.lists(
    st.one_of(
        st.builds(
            "%{}{}{}{}{}".format,
            st.sampled_from(["", "", "-", "0", "+", " ", "#", "-0", "'"]),
            st.sampled_from(["", "", "5", "*", "12"]),
            st.sampled_from(["", "", ".2", ".*", ".", ".0"]),
            st.sampled_from(["", "", "l", "hh", "j"]),
            st.sampled_from("ssddiuoxXcbqQ%y"),
        ),
        st.sampled_from(["a", " ", "%%", "\\n", "\\t", "\\x41", "\\101", "\\c", "\\", "é", "\\\\"]),
    ),
    max_size=4,
).map("".join)
_argument = st.one_of(
    st.sampled_from(["", "a", "-5", "3", "0x1f", "017", "'a", "a b", "x\\ty", "\\c", "12abc", "é"]),
    st.integers(-(1 << 64), 1 << 64).map(str),
    st.text(st.sampled_from("ab \\'\"$n01x#~=:"), max_size=5),
)


@examples(600)
@given(_format, st.lists(_argument, max_size=3))
@example("%s %d\n", ["a", "1", "b"])
def test_generated_formats(form: str, arguments: list[str]) -> None:
    """Formats and arguments of all kinds, in both locales."""
    _compare(form, *arguments)


_escapes = st.lists(
    st.sampled_from(
        [
            *("\\", "\\", "0", "1", "7", "8", "x", "4", "f", "n", "c", "e", "E", "'", '"', "?"),
            *(
                "u0041",
                "u00e9",
                " ",
                "a",
                "~",
                "#",
                "=",
                ":",
                "\n",
                "\x01",
                "\x7f",
                "$",
                "`",
                "!",
                "é",
            ),
        ]
    ),
    max_size=6,
).map("".join)


@examples(600)
@given(st.one_of(_escapes, st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=5)))
@example("'")
@example("-E")
def test_generated_texts(text: str) -> None:
    """Escapes and quoting, in both locales."""
    ours: list[str | None] = []
    for function in (
        lambda: interpret_escapes(text),
        lambda: interpret_escapes(text, for_printf=True),
        lambda: quote(text),
        lambda: quote_word(text),
    ):
        try:
            result = function()
        except Undecidable:
            ours.append(None)
        else:
            # `echo` after it keeps the newlines that command substitution would take off
            ours.append(result[0] + "." if isinstance(result, tuple) else result)
    for locale in ("C", "C.UTF-8"):
        theirs = bash("t", _OTHERS, locale=locale).ask(text)
        for mine, other in zip(ours, theirs, strict=True):
            assert mine is None or mine == other


def test_what_ends_output() -> None:
    r"""`\c` is reported."""
    assert interpret_escapes("a\\cb") == ("a", True)
    assert interpret_escapes("a\\nb") == ("a\nb", False)
    assert format_printf("%b,", ["a\\cb", "c"]) == "a"


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ("%f", ["1"]),
        ("%(%Y)T", ["-1"]),
        ("%n", ["x"]),
        ("%c", []),
        ("\\0", []),
        ("\\u00e9", []),
        ("%d", ["'é"]),
        ("%q", ["é"]),
    ],
)
def test_undecided(form: str, arguments: list[str]) -> None:
    """What depends on the time, the locale or the processor."""
    with pytest.raises(Undecidable):
        format_printf(form, arguments)


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ("%999999999d", []),
        ("%*d", ["999999999999999"]),
        ("%.*d", ["-3000000000"]),
        ("%50000s" * 100, []),
        ("%d", ["1" * 5000]),
        ("%s" * 3, ["x" * 10_000] * 1000),
    ],
)
def test_hostile_formats_end(form: str, arguments: list[str]) -> None:
    """Nothing is printed without end."""
    with pytest.raises(TooExpensive):
        format_printf(form, arguments)
