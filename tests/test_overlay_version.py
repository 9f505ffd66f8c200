"""Names and versions, held to pkgcore and to Portage."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overlaylint.overlay.version import is_category_name, is_package_name, parse_version, split_pf

DIGITS = st.one_of(
    st.integers(0, 12).map(str), st.sampled_from(["00", "01", "010", "001", "10", "0100", "99"])
)
NUMBERS = st.lists(DIGITS, min_size=1, max_size=4).map(".".join)
SUFFIXES = st.lists(
    st.tuples(st.sampled_from(["alpha", "beta", "pre", "rc", "p"]), st.one_of(st.just(""), DIGITS)),
    max_size=2,
).map(lambda pairs: "".join(f"_{name}{number}" for name, number in pairs))
VERSIONS = st.builds(
    "{}{}{}{}".format,
    NUMBERS,
    st.sampled_from(["", "", "a", "b", "z"]),
    SUFFIXES,
    st.one_of(st.just(""), DIGITS.map("-r{}".format)),
)


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


def order(left: str, right: str) -> int:
    first, second = parse_version(left), parse_version(right)
    assert first is not None
    assert second is not None
    return (first > second) - (first < second)


@given(VERSIONS, VERSIONS)
@example("1", "1-r0")
@example("1.0", "1")
@example("1.010", "1.01")
@example("1.1", "1.01")
@example("1_p", "1_p0")
@example("1_alpha", "1")
@example("12.2.5", "12.2b")
@example("1-r01", "1-r1")
def test_versions_are_ordered_as_portage_orders_them(left: str, right: str) -> None:
    vercmp = pytest.importorskip("portage.versions").vercmp
    assert order(left, right) == sign(vercmp(left, right))


# pkgcore says that 1 is more than 01; PMS 3.3 compares the first component as an integer, and
# so does Portage.
WITHOUT_LEADING_ZERO = VERSIONS.filter(lambda text: text[0] != "0" or not text[1:2].isdigit())


@given(WITHOUT_LEADING_ZERO, WITHOUT_LEADING_ZERO)
@example("1.0", "1.00")
def test_versions_are_ordered_as_pkgcore_orders_them(left: str, right: str) -> None:
    from pkgcore.ebuild.cpv import CPV

    first, second = (CPV(f"c/p-{text}", versioned=True) for text in (left, right))
    assert order(left, right) == (first > second) - (first < second)


@given(VERSIONS)
def test_the_parts_of_a_version(text: str) -> None:
    version = parse_version(text)
    assert version is not None
    assert str(version) == text
    revision = version.revision if "-" in text else ""
    assert version.without_revision + (f"-{revision}" if revision else "") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "1.",
        ".1",
        "1..2",
        "1aa",
        "1A",
        "1_gamma",
        "1-r",
        "1-r1-r2",
        "1 ",
        "1_p-1",
        "\u0661",
    ],
)
def test_what_is_no_version(text: str) -> None:
    assert parse_version(text) is None


def test_a_number_of_ten_thousand_digits_is_compared() -> None:
    assert order("9" * 10_000, "1" + "0" * 10_000) == -1
    assert order(f"1-r{'9' * 10_000}", "1-r1") == 1


NAMES = st.one_of(
    st.from_regex(r"\A[A-Za-z0-9_+.-]{1,8}\Z"),
    st.lists(
        st.sampled_from(["a", "b1", "1", "2.0", "r1", "-", "_p", "+", "9999", "x"]), max_size=6
    ).map("-".join),
)


@given(NAMES)
@example("foo-1-2")
@example("foo-r1")
@example("foo-1-r1-1")
@example("foo-bar-1.0_rc1-r3")
@example("a-1-1-r1")
def test_file_names_are_split_as_portage_splits_them(name: str) -> None:
    versions = pytest.importorskip("portage.versions")
    theirs = versions.pkgsplit(name)
    ours = split_pf(name)
    if theirs is None:
        assert ours is None
    else:
        assert ours == (theirs[0], name[len(theirs[0]) + 1 :])


@given(NAMES)
@example("foo-1B")
@example("foo-1-r1")
def test_package_names_are_what_portage_takes_for_them(name: str) -> None:
    dep = pytest.importorskip("portage.dep")
    try:
        dep.Atom(f"cat/{name}", eapi="8")
        is_name = True
    except dep.InvalidAtom:
        is_name = False
    assert is_package_name(name) == is_name


@pytest.mark.parametrize(
    ("name", "is_name"),
    [("sys-apps", True), ("virtual", True), ("a+b.c_d", True), ("-a", False), ("+a", False),
     (".a", False), ("", False), ("a/b", False), ("ä", False)],
)  # fmt: skip
def test_category_names(name: str, is_name: bool) -> None:
    assert is_category_name(name) is is_name
