"""Patterns, held against bash."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from real_bash import bash, examples

from overlaylint.shell.patterns import (
    Piece,
    TooExpensive,
    Undecidable,
    compile_pattern,
    has_wildcard,
)

# Pieces alternate between unquoted and quoted.
_PATTERN = '$p1"$q1"$p2"$q2"$p3'
_BODY = f"""
if [[ $options == *e* ]]; then shopt -s extglob; else shopt -u extglob; fi
if [[ $options == *i* ]]; then shopt -s nocasematch; else shopt -u nocasematch; fi
case $x in ({_PATTERN}) r=1 ;; (*) r=0 ;; esac
printf '%s\\0' $r
shopt -u nocasematch
printf '%s\\0' "${{x#{_PATTERN}}}" "${{x##{_PATTERN}}}" "${{x%{_PATTERN}}}" "${{x%%{_PATTERN}}}"
p={_PATTERN}
printf '%s\\0' "${{x/{_PATTERN}/<&>}}" "${{x//{_PATTERN}/<&>}}"
printf '%s\\0' "${{x/#{_PATTERN}/<&>}}" "${{x/%{_PATTERN}/<&>}}"
"""
_NAMES = "x options p1 q1 p2 q2 p3"
_KEYWORDS = [
    {"everywhere": False, "anchor": ""},
    {"everywhere": True, "anchor": ""},
    {"everywhere": False, "anchor": "#"},
    {"everywhere": False, "anchor": "%"},
]


def _ours(x: str, pieces: tuple[Piece, ...], *, extended: bool, ignore_case: bool) -> list[str]:
    """The same answers as bash prints, with a question mark for what isn't decided."""
    answers: list[str] = []

    def add(answer: object) -> None:
        try:
            answers.append(answer())  # type: ignore[operator]
        except Undecidable:
            answers.append("undecided")

    def plain() -> object:
        return compile_pattern(pieces, extended=extended)

    def folded() -> object:
        return compile_pattern(pieces, extended=extended, ignore_case=ignore_case)

    add(lambda: str(int(folded().matches(x))))
    for longest in (False, True):
        add(lambda longest=longest: plain().remove_prefix(x, longest))
    for longest in (False, True):
        add(lambda longest=longest: plain().remove_suffix(x, longest))
    for keywords in _KEYWORDS:
        add(lambda keywords=keywords: plain().replace(x, "<&>", **keywords))
    return answers


def _pieces(texts: tuple[str, str, str, str, str]) -> tuple[Piece, ...]:
    return tuple((text, bool(number % 2)) for number, text in enumerate(texts))


def _compare(x: str, options: str, texts: tuple[str, str, str, str, str]) -> int:
    """Compare with bash; return how many answers were not decided."""
    pieces = _pieces(texts)
    ours = _ours(x, pieces, extended="e" in options, ignore_case="i" in options)
    theirs = bash(_NAMES, _BODY).ask(x, options, *texts)
    # ${x/#/...} with an empty pattern and the like are the caller's to tell apart
    if texts[0][:1] in ("/", "#", "%") or not texts[0]:
        ours, theirs = ours[:5], theirs[:5]
    undecided = [answer == "undecided" for answer in ours]
    assert [a for a, skip in zip(ours, undecided, strict=True) if not skip] == [
        a for a, skip in zip(theirs, undecided, strict=True) if not skip
    ]
    return sum(undecided)


_COMMON = [
    "*", "?", "a", "a*", "*a", "*a*", "a*b", "[0-9]*", "*[0-9]", "[!0-9]*", ".*", "*.*", "*/",
    "*/*", "[[:space:]]*", "*[[:alpha:]]*", "[a-c]", "[^a-c]?", "a?b", "*a*b*", "[]a]", "[!]a]",
    "[-a]", "[a-]", "[", "[*", "a[", "]", "\\a", "\\*", "a\\*", "*\\*", "[\\]]", "[[]", "-", "_*",
    "[._-]*", "*[a-z]", "??", "a[[:digit:].]*", "[[=a=]b]", "[[.a.]-c]", "[[.-.]a]",
]  # fmt: skip
_COMMON_EXTENDED = [
    "@(a|b)", "?(a)b", "*(a)", "+(a)", "!(a)", "!(a|b*)", "+([0-9])", "*@(a|b)*", "*+(a)", "@(a|*)",
    "a@(b|c)*", "+(a|b)c", "*(a|b)*(c)", "!(*a*)", "a!(b)", "@(!(a)|b)", "+(?)", "@(a(b|c)d)",
    "@()", "*(|a)", "?(a*)", "@(a|ab)c", "**(a)b", "*?(a)b", "!(a)!(b)", "+(+(a))", "*(*(a)b)",
    "@([a)]|b)", "*!(a)", "*@(|a)", "(a)", "@(a", "+([!/])", "*+([0-9.])", "@(a|b)*@(b|c)",
]  # fmt: skip
_TEXTS = [
    "", "a", "b", "ab", "aab", "a*b", "1.2.3", "a.b/c.d", " x", "[a]", "a[b", "]", "-", "\\", "a\\",
    "abcabc", "aaaa", "A.b", "a(b", "(a)", "a-b_c", "1abc", "bab", "*", "x*", "[*",
]  # fmt: skip


@pytest.mark.parametrize("text", _TEXTS)
def test_common_patterns(text: str) -> None:
    """The forms that eclasses use, and those that trouble bash."""
    undecided = 0
    for pattern in _COMMON:
        undecided += _compare(text, "", (pattern, "", "", "", ""))
        undecided += _compare(text, "i", (pattern, "", "", "", ""))
    for pattern in _COMMON + _COMMON_EXTENDED:
        undecided += _compare(text, "e", (pattern, "", "", "", ""))
    for pattern in _COMMON:
        _compare(text, "", ("", pattern, "", "", ""))
        _compare(text, "", (pattern, "*", "", "[", "]"))
    assert undecided < 0.05 * 9 * (2 * len(_COMMON) + len(_COMMON + _COMMON_EXTENDED))


_characters = st.sampled_from("aabbcA1.*?[]!^-\\/ ")
_text = st.text(st.sampled_from("aaabbcA1.*?[]!^-\\/ ("), max_size=8)
_plain = st.text(_characters, max_size=4)
_piece = st.lists(
    st.one_of(
        _plain,
        st.sampled_from(
            [
                "*",
                "?",
                "[ab]",
                "[!a]",
                "[a-c]",
                "[[:alpha:]]",
                "[^]a]",
                "[a\\]b]",
                "[b-a]",
                "[",
                "-",
            ]
        ),
    ),
    max_size=4,
).map("".join)


def _with_groups(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.builds(
        lambda kind, parts: f"{kind}({'|'.join(parts)})",
        st.sampled_from("?*+@!"),
        st.lists(inner, min_size=1, max_size=3),
    )
    return st.lists(st.one_of(inner, group), max_size=3).map("".join)


_extended_piece = _with_groups(_with_groups(_piece))


@examples(400)
@given(_text, st.sampled_from(["", "i"]), st.tuples(_piece, _plain, _piece, _plain, _piece))
@example("a*b", "", ("*", "*", "", "", ""))
def test_generated_patterns(x: str, options: str, texts: tuple[str, str, str, str, str]) -> None:
    """Patterns without groups."""
    _compare(x, options, texts)


_short = st.text(st.sampled_from("ab*1"), max_size=6)
_none = st.just("")


@examples(400)
@given(
    st.one_of(_short, _text),
    st.sampled_from(["e", "ei"]),
    st.tuples(_extended_piece, st.one_of(_none, _short), _extended_piece, _none, _none),
)
def test_generated_extended_patterns(
    x: str, options: str, texts: tuple[str, str, str, str, str]
) -> None:
    """Patterns with groups."""
    _compare(x, options, texts)


@examples(300)
@given(
    st.text(st.sampled_from("aé€1ß"), max_size=5),
    st.sampled_from(["", "e"]),
    st.tuples(
        st.lists(
            st.sampled_from(["a", "é", "?", "*", "[a-z]", "[!a]", "[[:alpha:]]", "@(a|?)", "!(é)"]),
            max_size=4,
        ).map("".join),
        st.text(st.sampled_from("aé?*"), max_size=2),
        _none,
        _none,
        _none,
    ),
)
def test_text_outside_ascii(x: str, options: str, texts: tuple[str, str, str, str, str]) -> None:
    """What is decided is the same in both locales."""
    ours = _ours(x, _pieces(texts), extended="e" in options, ignore_case=False)
    for locale in ("C", "C.UTF-8"):
        theirs = bash(_NAMES, _BODY, locale=locale).ask(x, options, *texts)
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            if mine != "undecided" and (number < 5 or texts[0]):
                assert mine == other


def test_text_outside_ascii_is_decided_where_it_can_be() -> None:
    """Literals, asterisks, and sets that no byte of the text is in."""
    assert compile_pattern([("*é*", False)], extended=False).matches("café au lait")
    digits = compile_pattern([("*[0-9]*", False)], extended=False)
    assert not digits.matches("café")
    assert compile_pattern([("*/", False)], extended=False).remove_prefix("é/ü", True) == "ü"
    with pytest.raises(Undecidable):
        compile_pattern([("caf?", False)], extended=False).matches("café")


@examples(2000)
@given(
    st.sampled_from(["", "e", "i"]),
    st.tuples(_extended_piece, _plain, _piece),
    st.lists(_text, min_size=2, max_size=4),
    st.lists(st.lists(_text, min_size=4, max_size=4), min_size=1, max_size=6),
)
@example("", ("*b*", "", ""), ["ab", ""], [["", "", "", ""]])
@example("", ("a*", "b", "*"), ["a", "", "b"], [["", "b", "", ""]])
def test_partly_known_text(
    options: str, texts: tuple[str, str, str], known: list[str], filled: list[list[str]]
) -> None:
    """What is said of a text that is partly known holds whatever the rest is."""
    try:
        pattern = compile_pattern(
            [(text, bool(number % 2)) for number, text in enumerate(texts)],
            extended="e" in options,
            ignore_case="i" in options,
        )
        answer = pattern.matches_around(known)
        for between in filled:
            whole = "".join(map("".join, zip(known[:-1], between, strict=False))) + known[-1]
            matches = pattern.matches(whole)
            assert answer in (None, matches)
            assert not matches or all(text in whole for text in pattern.texts)
    except Undecidable:
        pass


@pytest.mark.parametrize(
    ("pattern", "known", "expected"),
    [
        ("-*", ["/", ""], False),
        ("/*", ["/", ""], True),
        ("*.gz", ["", ".tar.gz"], True),
        ("*.zip", ["", ".tar.gz"], False),
        ("*.tar.*", ["", ".tar.gz"], True),
        ("*a*b*", ["b", "ca", "b"], True),
        ("*a*b*", ["b", "b", "a"], None),
        ("*[bc]*", ["a", "c"], True),
        ("a?", ["a", ""], None),
        ("a?", ["a", "bc"], False),
        ("ab", ["a", "b"], None),
        ("abc", ["a", "c"], None),
        ("abc", ["a", "d", "c"], False),
        ("ab*", ["a", ""], None),
        ("*", ["", ""], True),
        ("+(a|b)", ["a", ""], None),
    ],
)
def test_partly_known_text_is_decided(
    pattern: str, known: list[str], expected: bool | None
) -> None:
    found = compile_pattern([(pattern, False)], extended=True).matches_around(known)
    assert found is expected


def test_literal() -> None:
    """`literal` is what a pattern without wildcards matches."""
    assert compile_pattern([("a", False), ("*", True)], extended=True).literal == "a*"
    assert compile_pattern([("a\\*", False)], extended=True).literal == "a*"
    assert compile_pattern([], extended=True).literal == ""
    assert compile_pattern([("a*", False)], extended=True).literal is None
    assert compile_pattern([("a", False)], extended=True, ignore_case=True).literal is None


@pytest.mark.parametrize(
    ("pieces", "extended", "expected"),
    [
        ([("a*", False)], False, True),
        ([("a", False), ("*", True)], False, False),
        ([("a?", False)], False, True),
        ([("[a", False), ("]", True)], False, False),
        ([("[a]", False)], False, True),
        ([("[a/b]", False)], False, False),
        ([("a\\*", False)], False, False),
        ([("+(a)", False)], False, False),
        ([("+(a)", False)], True, True),
        ([("+", False), ("(a)", True)], True, False),
        ([], True, False),
    ],
)
def test_has_wildcard(pieces: list[Piece], extended: bool, expected: bool) -> None:
    """Only unquoted wildcards count."""
    assert has_wildcard(pieces, extended) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "*a" * 500,
        "*[ab]" * 500 + "c",
        "+(" * 25 + "a" + ")" * 25,
        "+(+(a|aa)|+(a|*))b",
        "!(!(!(a*)*)*)b",
        "*(a|*(a|*(a|aa)))c",
        "[" * 5000,
        "@(" * 5000,
    ],
)
def test_hostile_patterns_end(pattern: str) -> None:
    """Nothing backtracks: each gives an answer or says that it is too much."""
    for text in ("a" * 200, "ab" * 100, "a" * 3000 + "b"):
        try:
            compiled = compile_pattern([(pattern, False)], extended=True)
            compiled.matches(text)
            compiled.remove_suffix(text, False)
            compiled.replace(text, "", everywhere=True, anchor="")
        except Undecidable:
            continue


def test_too_expensive() -> None:
    """The budget is a budget."""
    with pytest.raises(TooExpensive):
        compile_pattern([("+(!(a)|!(b))x", False)], extended=True).matches("ab" * 20000)
