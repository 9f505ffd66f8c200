"""Atoms, held to Portage: what is one, what it matches, which of several goes first."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overlaylint.overlay.atom import (
    Atom,
    AtomError,
    Candidate,
    UseDependency,
    _parse_detailed,
    _parse_with_pkgcore,
    by_specificity,
    package_of,
    parse_atom,
)
from overlaylint.overlay.version import parse_version

VERSIONS = st.sampled_from(
    [
        "1",
        "01",
        "1.0",
        "1.1",
        "1.10",
        "1.2-r1",
        "1-r0",
        "2_rc1",
        "2_p1",
        "10",
        "0",
        "0.1",
        "9999",
        "1b",
    ]
)
OPERATORS = st.sampled_from(["=", "=*", "~", "<", "<=", ">", ">="])
SLOTS = st.sampled_from(["", ":0", ":1", ":0/2", ":=", ":*", ":1=", ":0/2="])
USE = st.sampled_from(["", "[a]", "[-a,b?]", "[!c=,d(+)]", "[!e?,f=]"])


def versioned(operator: str, version: str, rest: str) -> str:
    glob = "*" if operator == "=*" else ""
    return f"{operator.removesuffix('*')}cat/pkg-{version}{glob}{rest}"


ATOMS = st.one_of(
    st.builds("cat/pkg{}{}".format, SLOTS, USE),
    st.builds(versioned, OPERATORS, VERSIONS, st.builds("{}{}".format, SLOTS, USE)),
    st.builds("{}{}".format, st.sampled_from(["!", "!!"]), st.just("cat/pkg")),
)
BROKEN = st.sampled_from(
    [
        "cat",
        "/pkg",
        "cat/",
        "cat/pkg-1",
        "=cat/pkg",
        ">cat/pkg-1*",
        "cat/pkg:",
        "cat/pkg[",
        "cat/pkg[]",
        "cat/pkg[a,]",
        "!!!cat/pkg",
        "cat/pkg:0:1",
        "*/*",
        "cat/*",
        "=cat/foo-1-2",
        "cat/foo-1-2",
        "cat/pkg:0[a",
        "=cat/pkg-1:0*",
        "=",
        "~cat/pkg",
        "cat/pkg/x",
    ]
)
EAPIS = st.sampled_from(["0", "1", "2", "4", "5", "8"])


@given(st.one_of(ATOMS, BROKEN), EAPIS)
@example("~cat/pkg-1-r1:0", "8")
def test_what_is_an_atom_is_one_for_portage(text: str, eapi: str) -> None:
    dep = pytest.importorskip("portage.dep")
    try:
        theirs = dep.Atom(text, eapi=eapi)
    except dep.InvalidAtom:
        with pytest.raises(AtomError):
            parse_atom(text, eapi)
        return
    ours = parse_atom(text, eapi)
    assert ours.cp == theirs.cp == package_of(text)
    assert ours.operator == (theirs.operator or "")
    assert (ours.version.text if ours.version else None) == theirs.version
    assert (ours.slot, ours.subslot) == (theirs.slot, theirs.sub_slot)
    assert ours.slot_operator == (theirs.slot_operator or "")
    assert bool(ours.blocker) == bool(theirs.blocker)
    assert {written(use) for use in ours.use} == set(theirs.use.tokens if theirs.use else ())


def written(use: UseDependency) -> str:
    default = f"({use.default})" if use.default else ""
    return f"{use.prefix}{use.flag}{default}{use.suffix}"


@given(ATOMS, VERSIONS, st.sampled_from(["0", "1", "0/2", "1/3"]))
def test_what_an_atom_matches_it_matches_for_portage(text: str, version: str, slot: str) -> None:
    dep = pytest.importorskip("portage.dep")
    versions = pytest.importorskip("portage.versions")
    package = versions._pkg_str(f"cat/pkg-{version}", slot=slot, repo="r", eapi="8")
    theirs = bool(dep.match_from_list(dep.Atom(text, eapi="8"), [package]))
    assert parse_atom(text, "8").matches(candidate(version, slot)) == theirs


@given(st.lists(ATOMS.filter(lambda text: text[0] != "!"), unique=True, max_size=6), VERSIONS)
def test_atoms_go_in_the_order_of_portage(texts: list[str], version: str) -> None:
    pytest.importorskip("portage")
    from portage.dep import Atom as TheirAtom
    from portage.package.ebuild._config.helper import ordered_by_atom_specificity
    from portage.versions import _pkg_str

    bare = list(dict.fromkeys(text.partition("[")[0] for text in texts))
    package = _pkg_str(f"cat/pkg-{version}", slot="0/2", repo="r", eapi="8")
    theirs = ordered_by_atom_specificity({TheirAtom(text): text for text in bare}, package)
    ours = by_specificity({parse_atom(text): text for text in bare}, candidate(version, "0/2"))
    assert ours == theirs


def candidate(version: str, slot: str = "0", repository: str = "r") -> Candidate:
    parsed = parse_version(version)
    assert parsed is not None
    return Candidate("cat/pkg", parsed, slot, repository)


def test_a_repository_in_an_atom() -> None:
    atom = parse_atom("cat/pkg::r")
    assert atom.repository == "r"
    assert atom.matches(candidate("1", repository="r"))
    assert not atom.matches(candidate("1", repository="s"))
    with pytest.raises(AtomError, match="repo_id"):
        parse_atom("cat/pkg::r", "8")


def test_use_dependencies_are_taken_apart() -> None:
    assert parse_atom("cat/pkg[a,-b,c?,!d=,e(+),-f(-)]").use == (
        UseDependency("a"),
        UseDependency("b", "-"),
        UseDependency("c", "", "?"),
        UseDependency("d", "!", "="),
        UseDependency("e", default="+"),
        UseDependency("f", "-", default="-"),
    )


@given(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["cat/pkg", "!cat/pkg", "=cat/pkg-1*", "~cat/pkg-1-r1", ">=cat/pkg-1"]),
        st.one_of(SLOTS, st.text("ab0:=*/.-+_@ ", max_size=6).map(":{}".format)),
        st.one_of(USE, st.text("ab-!?=,(+)_@ ", max_size=8).map("[{}]".format)),
    ),
    st.sampled_from([None, "5", "8"]),
)
def test_what_is_read_without_pkgcore_is_read_alike_with_it(text: str, eapi: str | None) -> None:
    ours = _parse_detailed(text)
    if ours is not None:
        assert ours == _parse_with_pkgcore(text, eapi)
        assert fields_of(ours) == fields_of(_parse_with_pkgcore(text, eapi))


def fields_of(atom: Atom) -> dict[str, object]:
    return {one.name: getattr(atom, one.name) for one in fields(atom)}


def test_the_reason_is_one_line() -> None:
    with pytest.raises(AtomError) as caught:
        parse_atom("cat/pkg[a", "8")
    assert "\n" not in str(caught.value)
    assert str(caught.value)


def test_plain_atoms_do_not_import_pkgcore() -> None:
    script = (
        "import sys; from overlaylint.overlay.atom import parse_atom;"
        "parse_atom('>=cat/pkg-1.2*'[:-1]); parse_atom('!cat/pkg');"
        "assert not any(name.startswith('pkgcore') for name in sys.modules);"
        "parse_atom('cat/pkg:0/2=[a,-b(+),!c?]');"
        "assert not any(name.startswith('pkgcore') for name in sys.modules);"
        "parse_atom('!!cat/pkg'); assert 'pkgcore.ebuild.atom' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_very_long_atom_takes_no_long_time() -> None:
    text = "=cat/" + "a-" * 200_000 + "1"
    assert parse_atom(text).package.startswith("a-a-")
    assert package_of(text) is not None


def test_atoms_are_equal_where_they_are_written_alike() -> None:
    assert parse_atom("cat/pkg") == parse_atom("cat/pkg", "8") == Atom("cat/pkg", "cat", "pkg")
