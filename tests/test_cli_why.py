"""`overlaylint why`: where a value came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import HELLO, Ran, overlay, overlaylint

EBUILD = """\
EAPI=8
inherit one
DESCRIPTION=d
SLOT=0
KEYWORDS="~amd64"
IUSE="own +default"
for x in 1 2 3; do LOOP+=${x}; done
set_it() { local V=inside; W=${V}; }
V=outside
set_it
X=$(V=sub; echo ${V})
[[ ${CHOST} == x* ]] && MAYBE=yes
HOMEPAGE="${ARCH}"
src_compile() { :; }
"""
FILES: dict[str, str | bytes] = {
    HELLO: EBUILD,
    "gentoo::eclass/one.eclass": 'inherit two\nIUSE="one"\n',
    "gentoo::eclass/two.eclass": "set_iuse() {\n\tIUSE=two\n}\nset_iuse\n",
    "profiles/top/make.defaults": 'ARCH="amd64"\nACCEPT_KEYWORDS="amd64"\nUSE="own -default"\n',
    "profiles/top/package.use": "app-misc/hello -own\n",
    "profiles/top/package.accept_keywords": "app-misc/hello\n",
    "profiles/top/use.mask": "one\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return overlay(tmp_path, FILES)


def why(root: Path, *arguments: str) -> Ran:
    return overlaylint(["why", *arguments])


def steps(root: Path, variable: str, *arguments: str) -> dict[str, Any]:
    path = str(root / HELLO)
    ran = overlaylint(["why", path, variable, "--output-format", "json", *arguments])
    report = json.loads(ran.out)
    assert report["schema"] == 1
    (answer,) = report["answers"]
    assert ran.status == (0 if answer["known"] else 1)
    found: dict[str, Any] = answer
    return found


def test_through_eclasses(root: Path) -> None:
    found = steps(root, "IUSE")
    assert found["value"] == "own +default two one"
    told = [
        (one["kind"], one["value"], one.get("eclasses"), one.get("functions"), one.get("path"))
        for one in found["steps"]
    ]
    assert told == [
        ("assigned", "two", ["one", "two"], ["set_iuse"], "eclass/two.eclass"),
        ("added", "two", None, None, None),
        ("assigned", "one", ["one"], [], "eclass/one.eclass"),
        ("added", "one", None, None, None),
        ("assigned", "own +default", [], [], HELLO),
    ]
    assert found["steps"][0]["repository"] == "gentoo"
    assert found["steps"][0]["start"] == {"line": 2, "column": 2}


def test_text(root: Path) -> None:
    ran = why(root, str(root / HELLO), "IUSE")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (
        "app-misc/hello-1::overlay: IUSE\n"
        "eclass one, inheriting two; function set_iuse\n"
        "  --> gentoo::eclass/two.eclass:2:2\n"
        "  |\n"
        "2 |     IUSE=two\n"
        "  |     --------\n"
        "  |\n"
        "  two\n"
        'two.eclass adds "two"\n'
        "eclass one\n"
        "  --> gentoo::eclass/one.eclass:2:1\n"
        "  |\n"
        '2 | IUSE="one"\n'
        "  | ----------\n"
        "  |\n"
        "  one\n"
        'one.eclass adds "one"\n'
        "ebuild\n"
        "  --> app-misc/hello/hello-1.ebuild:6:1\n"
        "  |\n"
        '6 | IUSE="own +default"\n'
        "  | -------------------\n"
        "  |\n"
        "  own +default\n"
        "IUSE = own +default two one\n"
        "\n"
    )


def test_a_loop_is_told_once(root: Path) -> None:
    found = steps(root, "LOOP")
    assert [(one["value"], one["times"]) for one in found["steps"]] == [("123", 3)]


def test_local_and_subshell(root: Path) -> None:
    found = steps(root, "V")
    assert found["value"] == "outside"
    told = [(one["value"], one["local"], one["subshell"]) for one in found["steps"]]
    assert told == [("outside", False, False), ("inside", True, False), ("sub", False, True)]


def test_a_condition_that_is_unknown(root: Path) -> None:
    found = steps(root, "MAYBE")
    (step,) = found["steps"]
    assert "CHOST" in step["guards"][0]
    assert not found["known"]
    assert found["unknown"][0]["start"]["line"] == 12


def test_unknown(root: Path) -> None:
    ran = why(root, str(root / HELLO), "HOMEPAGE")
    assert ran.status == 1
    assert "HOMEPAGE = ${ARCH}\n" in ran.out
    assert "unknown: $ARCH is set by the package manager\n" in ran.out


@pytest.mark.parametrize(
    ("variable", "line"),
    [
        ("PV", "PV = 1 (the package manager sets it, from the name of the ebuild)"),
        ("NOTHING", "NOTHING is not set"),
        ("INHERIT", "INHERIT = one (the eclasses that the ebuild itself inherits)"),
        ("DEFINED_PHASES", "DEFINED_PHASES = compile"),
        ("D", "D is not set here: the package manager sets it for a build"),
    ],
)
def test_what_no_assignment_sets(variable: str, line: str, root: Path) -> None:
    assert line in why(root, str(root / HELLO), variable).out.splitlines()


def test_rdepend_is_depend(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=3\nSLOT=0\nDEPEND=a/b\n"})
    out = why(root, str(root / HELLO), "RDEPEND").out
    assert "RDEPEND = a/b (the ebuild does not set it, and in EAPI 3 it is then DEPEND)" in out


def test_can_not_be_sourced(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=8\nIUSE=x\ndie no\n"})
    ran = why(root, str(root / HELLO), "IUSE")
    assert ran.status == 1
    assert "IUSE = x\nthe ebuild can't be sourced: no\n" in ran.out


# Under a profile


def test_flag(root: Path) -> None:
    found = steps(root, "USE=own", "--profile", "top")
    assert (found["on"], found["in_iuse"], found["masked"]) == (False, True, False)
    told = [(one["kind"], one["text"], one["path"]) for one in found["steps"]]
    assert told == [
        ("make.defaults", "own", "profiles/top/make.defaults"),
        ("package.use", "-own", "profiles/top/package.use"),
    ]


def test_default_and_mask(root: Path) -> None:
    default = why(root, str(root / HELLO), "USE=default", "--profile", "top").out
    assert "IUSE turns it on\n  --> app-misc/hello/hello-1.ebuild:6:1\n" in default
    assert "make.defaults turns it off\n" in default
    masked = why(root, str(root / HELLO), "USE=one", "--profile", "top").out
    assert "use.mask masks it\n" in masked
    assert "one is off (masked)\n" in masked


def test_flag_that_nothing_speaks_of(root: Path) -> None:
    out = why(root, str(root / HELLO), "USE=other", "--profile", "top").out
    assert "other is off\nthe ebuild has no such flag in IUSE\n" in out


def test_package_by_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    for name in ("app-misc/hello", "app-misc/hello-1", "=app-misc/hello-1"):
        ran = overlaylint(["why", name, "USE=own", "--profile", "top"])
        assert ran.status == 0
        assert ran.out.startswith("app-misc/hello-1::overlay: USE flag own under top\n")
    assert overlaylint(["why", "app-misc/hello-1", "IUSE"]).status == 0


def test_accepted_keywords(root: Path) -> None:
    found = steps(root, "ACCEPT_KEYWORDS", "--profile", "top")
    assert (found["accepted"], found["keywords"]) == (["amd64", "~amd64"], ["~amd64"])
    told = [(one["kind"], one["path"]) for one in found["steps"]]
    assert told == [
        ("make.defaults", "profiles/top/make.defaults"),
        ("package.accept_keywords", "profiles/top/package.accept_keywords"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("app-misc/hello", "USE=x"), "--profile says under which profile"),
        (("app-misc/hello", "USE=", "--profile", "top"), "the name of a flag is missing"),
        (("app-misc/nope", "IUSE"), "there is no ebuild in app-misc/nope"),
        (("app-misc/hello/hello-9.ebuild", "IUSE"), "no such file or folder"),
        (("eclass", "IUSE"), "eclass is no package"),
        (("app-misc/hello", "USE=x", "--profile", "tpo"), "did you mean top?"),
    ],
)
def test_what_is_not_there(
    arguments: tuple[str, ...], message: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    ran = overlaylint(["why", *arguments])
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1
