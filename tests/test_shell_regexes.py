"""Regular expressions, held against bash."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from real_bash import bash, examples

from overlaylint.shell.patterns import Piece
from overlaylint.shell.regexes import TooExpensive, Undecidable, search

_BODY = """
if [[ -n $i ]]; then shopt -s nocasematch; else shopt -u nocasematch; fi
[[ $x =~ $p1"$q1"$p2 ]]
printf '%s\\0' $? "${BASH_REMATCH[@]}"
shopt -u nocasematch
"""


def _compare(x: str, p1: str, q1: str = "", p2: str = "", *, fold: bool = False) -> bool:
    """Compare with bash in both locales; return whether it was decided."""
    pieces: list[Piece] = [(p1, False), (q1, True), (p2, False)]
    try:
        found = search(pieces, x, ignore_case=fold)
    except Undecidable:
        return False
    ours = ["1"] if found is None else ["0", *found]
    for locale in ("C", "C.UTF-8"):
        theirs = bash("i x p1 q1 p2", _BODY, locale=locale).ask("i" if fold else "", x, p1, q1, p2)
        assert ours == theirs
    return True


_VERSION = "^([0-9]+(\\.[0-9]+)*)([a-z]?)((_(alpha|beta|pre|rc|p)[0-9]*)*)(-r[0-9]+)?$"
_ATOM = (
    "/(([[:alnum:]+_-]+)-[0-9]+(\\.[0-9]+)*[a-z]?(_[[:alnum:]]+)*(-r[0-9]*)?|[[:alnum:]+_-]+)"
    ":([[:alnum:]+_.-]+)"
)


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        (_VERSION, ["1", "1.2.3", "1.2a_rc1_p20200101-r3", "1.", "1.2_alpha_beta2", "9999", "1-r"]),
        (_ATOM, ["dev-libs/foo-bar-1.2.3-r1:0", "dev-java/ant:0", "a/b-1:2/3", "x"]),
        ("0+$", ["100", "0", "010", "1", ""]),
        ("^[9]{4,}$", ["9999", "99999", "999", "9998"]),
        ("^0\\.[[:digit:]]+$", ["0.56", "0.5x"]),
        (".+[[:space:]].+", ["a b", " a", "a b c"]),
        ("alpha|beta", ["1_alpha", "1_beta2", "1"]),
        ("\\.(lisp|lsp|cl)$", ["a.lisp", "a.cl", "a.c"]),
        ("^[A-Za-z0-9-]+=.*", ["a-b=c", "=c"]),
        ("(^|[[:space:]])-stdlib=libc\\+\\+([[:space:]]|$)", ["-stdlib=libc++", "a -stdlib=libc+"]),
        ("_SYMLINK$|_NEWSYM$", ["A_SYMLINK", "A_NEWSYM", "B"]),
        ("^(.+)/(.+).ko$", ["a/b/c.ko", "a/xko", "akko"]),
        (
            "^([[:alnum:]]+)[[:space:]]*[(](.*)[)][[:space:]]*=[[:space:]]*([0-9a-fA-F]+)$",
            ["SHA512 (a(b).tar) = 0aF", "MD5(x)=1", "x"],
        ),
        ("(^|\\s|,)x/y($|\\s|,)", ["a,x/y,b", "x/y", "x/yz", "a x/y"]),
        ("\\bant-junit4?([-:]\\S+)?\\b", ["ant-junit", "dev/ant-junit4:0 x", "ant-junitx"]),
        ("\\bdev-java/junit(-[^:]+)?(:\\S+)\\b", ["dev-java/junit-4.13:4", "dev-java/junit:0,"]),
        ("^[a-zA-Z]+", ["rc1", "1"]),
        ("(.*)([A-Z])(.*)", ["fooBarBaz", "foo", "A"]),
        ("^([a-zA-Z0-9_\\-]+)-([0-9]+\\.[0-9]+\\.[0-9]+.*)$", ["foo-bar-1.2.3-rc1", "a-1.2"]),
        (".*\\.pro", ["a.pro", "a.pr.pro.x"]),
        (".*[[:space:]](-[A-Ia-iK-Zk-z]*j[[:space:]]*|--jobs(=|[[:space:]]+))([0-9]+)[[:space:]]",
         [" -j4 ", " -j 12 -l3 ", " --jobs=3 ", " -kj5 "]),
        ("_pre[0-9]{8}$", ["1_pre20200101", "1_pre2020"]),
        ("^\\[(.+)\\]$", ["[a]", "[]", "[a]]"]),
        ("^([^:=]+)[:=][[:space:]]*(.*)", ["a: b", "a=b", ":"]),
        ("^[[:print:]]+$", ["a b", "a\tb"]),
        ("\\.([Tt][Aa][Rr]\\.)?[^.]+$", ["a.tar.gz", "a.TAR.xz", "a.b", "a."]),
        ("(softfp)|(no)", ["softfp", "no", "yes"]),
        ("[0-9].[0-9][0-9]", ["1.23", "12.3"]),
        ("(.*)\\.([a-z][a-z](_[A-Z][A-Z])?)\\.(.*)", ["a.de.1", "b.pt_BR.8", "c.1"]),
    ],
)  # fmt: skip
def test_real_expressions(expression: str, texts: list[str]) -> None:
    """What eclasses, ebuilds and Portage itself match with."""
    for text in texts:
        assert _compare(text, expression)
        assert _compare(text, "", expression)
        assert _compare(text, expression, fold=True)


@pytest.mark.parametrize(
    "expression",
    [
        "", "a", "a|b", "(a|ab)(c|bcd)(d*)", "(a*)(ab)*(b*)", "(a*)*", "(a*)+", "(a|b)*",
        "((a)|b)*", "(|a)*", "(a|)*", "(|a)", "(a|)", "(a?)*", "((a?))*", "((a)*)*", "(a*|b)*",
        "(a|b)?c?", "()", "(a)|(b)", "a{2}", "a{2,}", "a{,2}", "a{1,3}(a*)", "(a){2}",
        "(a|b){2,3}", "(a){0}b?", "x*", "^", "$", "^$", "a^b", "a$b", "(^a)", "(a$)", "(^|b)a",
        "(^a)?", "(a|$)?b?", "\\ba", "\\Ba", "\\<a\\>", "a\\b", "\\w+", "\\W+", "\\s", "\\S+",
        "\\`a", "a\\'", ".", ".*", "(.)*", "(.*)(.*)", "(.*)b(.*)", "[ab]+", "[^a]+", "[]a]",
        "[^]a]", "[a-c]", "[-a]", "[a-]", "[\\]", "[[:alpha:]]*", "[^[:alpha:]]", "[a\\-z]", "\\.",
        "\\a", "a)", "}", "(((a)))", "((a)(b))*", "((a|b)(c|d)?)*", "(a(b)?)+", "(a(b)*)*",
        "(ab|a)(bc)?", "(a+|b+)*", "(a|ab|abc)(c|bc)?", "((a*)b)*", "(a*){2}", "(a*){0,2}",
        "((a)?b){1,2}", "(a?b?)*", "(a?){2,3}", "a**", "a+?", "(a||b)", "|a", "a|",
        "(a|(b|(ab)))*", "((ab)|(a))(b)?", "(b|a|ba)*", "(a)(b)?(c)?",
    ],
)  # fmt: skip
def test_expressions(expression: str) -> None:
    """What matches in more than one way, and what stands at edges."""
    for text in (
        "",
        "a",
        "b",
        "ab",
        "ba",
        "aab",
        "abab",
        "abcd",
        "aabb b",
        "a-b",
        "]",
        "\\",
        "cab",
    ):
        assert _compare(text, expression)


_atom = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        ".",
        "[ab]",
        "[^a]",
        "^",
        "$",
        "\\b",
        "\\<",
        "\\>",
        "\\B",
        "\\w",
        "()",
        "c",
        "-",
    ]
)


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    alternatives = st.lists(inner, min_size=1, max_size=3).map("|".join)
    return st.lists(
        st.one_of(
            inner,
            st.builds(
                "({}){}".format,
                alternatives,
                st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,2}", "{1,2}", "{2,}"]),
            ),
            st.builds(
                "{}{}".format, st.sampled_from("ab."), st.sampled_from(["*", "+", "?", "{2}"])
            ),
        ),
        min_size=1,
        max_size=3,
    ).map("".join)


_expression = _deeper(_deeper(_deeper(_atom)))
_text = st.text(st.sampled_from("aabbc-"), max_size=8)


@examples(600)
@given(_text, _expression, st.booleans())
def test_generated_expressions(text: str, expression: str, fold: bool) -> None:
    """Groups within groups."""
    _compare(text, expression, fold=fold)


_mixed = st.text(st.sampled_from("ab.*+?[](){}|^$\\-1,: "), max_size=6)


@examples(400)
@given(st.text(st.sampled_from("ab.*+[](\\-1"), max_size=6), _mixed, _mixed, _mixed)
@example("a]b", "[", "]", "b]")
def test_generated_quoting(text: str, p1: str, q1: str, p2: str) -> None:
    """Quotes before, after and within brackets."""
    _compare(text, p1, q1, p2)


@examples(200)
@given(
    st.text(st.sampled_from("aé€1ß"), max_size=5),
    st.lists(
        st.sampled_from(["a", "é", ".", "[a-z]", "[^a]", "[[:alpha:]]", "*", "(.)", "\\b", "|"]),
        max_size=4,
    ).map("".join),
)
def test_text_outside_ascii(text: str, expression: str) -> None:
    """What is decided is the same in both locales."""
    _compare(text, expression)


def test_groups() -> None:
    """Element 0 is the whole match, and a group that takes no part is empty."""
    assert search([("(a)(b)?", False)], "xa") == ("a", "a", "")
    assert search([("b", False)], "a") is None
    assert search([("a", False), (".", True)], "ab") is None
    assert search([("f.*é", False)], "café") is not None


@pytest.mark.parametrize(
    "expression", ["(", "*", "a|*", "[a", "a{", "a{2,1}", "(a)\\1", "\\", "[b-a]"]
)
def test_undecided(expression: str) -> None:
    """What bash refuses, back-references, and anchors that are repeated."""
    with pytest.raises(Undecidable):
        search([(expression, False)], "a")


@pytest.mark.parametrize(
    "expression",
    [
        "(a*)*" * 50 + "b",
        "(" * 3000,
        "a{200}" * 100,
        "((a{100}){100}){100}",
        "(a|aa)*" * 300,
        "a" * 9000,
    ],
)
def test_hostile_expressions_end(expression: str) -> None:
    """Each ends soon, with or without an answer."""
    for text in ("a" * 200, "a" * 20_000):
        try:
            search([(expression, False)], text)
        except Undecidable:
            continue


def test_too_expensive() -> None:
    """The budget is a budget."""
    with pytest.raises(TooExpensive):
        search([("(a|b|ab)*" * 100 + "c", False)], "ab" * 20_000)
