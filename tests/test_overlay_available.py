"""What a profile offers for a dependency, and the quick look at an ebuild that it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support import SMALL_OVERLAY, overlay

from overlaylint.overlay.atom import parse_atom
from overlaylint.overlay.available import Available
from overlaylint.overlay.dependency import parse_dependency
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.own_metadata import NAMES, own_metadata
from overlaylint.overlay.repository import Repository

FILES = {
    "metadata/layout.conf": "masters = gentoo\nprofile-formats = portage-2\n",
    "profiles/profiles.desc": "amd64 amd64 dev\n",
    "profiles/amd64/make.defaults": 'ARCH="amd64"\nACCEPT_KEYWORDS="amd64"\nUSE="on"\n',
    "profiles/amd64/use.mask": "never\n",
    "profiles/amd64/use.force": "always\n",
}


def ebuild_text(keywords: str = "amd64", slot: str = "0", iuse: str = "") -> str:
    return f'EAPI=8\nSLOT="{slot}"\nLICENSE="MIT"\nKEYWORDS="{keywords}"\nIUSE="{iuse}"\n'


def load(root: Path, files: Mapping[str, str]) -> Repository:
    return find_repositories(overlay(root, {**FILES, **files})).overlay


def available(root: Path, files: Mapping[str, str]) -> Available:
    (profile,) = load(root, files).profiles
    assert not profile.problems
    return Available(profile)


def missing(offers: Available, text: str, use: frozenset[str] = frozenset()) -> list[str]:
    return [str(one.atom) for one in offers.unmet(parse_dependency(text).children, use)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat/foo", []),
        ("cat/foo:2", []),
        ("cat/foo:3", ["cat/foo:3"]),
        (">=cat/foo-3", [">=cat/foo-3"]),
        ("!cat/gone !!cat/gone", []),
        ("on? ( cat/gone ) !on? ( cat/lost )", ["cat/gone"]),
        ("|| ( cat/gone cat/foo )", []),
        ("|| ( cat/gone ( cat/foo cat/lost ) )", ["cat/gone"]),
        # Where a keyword would do, that branch is the one to speak of.
        ("|| ( cat/gone ( cat/foo cat/testing ) )", ["cat/testing"]),
        ("|| ( off? ( cat/gone ) )", []),
        ("|| ( on? ( off? ( cat/foo ) ) cat/gone )", ["cat/gone"]),
        ("|| ( ( off? ( cat/foo ) ) cat/gone )", ["cat/gone"]),
        ("|| ( on? ( !off? ( cat/foo ) ) cat/gone )", []),
        ("( cat/foo ( cat/gone ) )", ["cat/gone"]),
        # What is only off can be turned on; what is masked, forced or not there can't.
        ("cat/foo[flag]", []),
        ("cat/foo[never]", ["cat/foo[never]"]),
        ("cat/foo[-never]", []),
        ("cat/foo[-always]", ["cat/foo[-always]"]),
        ("cat/foo[other]", ["cat/foo[other]"]),
        ("cat/foo[other(+)]", []),
        ("cat/foo[-other(+)]", ["cat/foo[-other(+)]"]),
        ("cat/foo[-other(-)]", []),
        ("cat/foo[never?]", []),
        ("cat/foo[never=]", []),
        ("cat/foo[!never=]", ["cat/foo[!never=]"]),
    ],
)
def test_what_is_missing(tmp_path: Path, text: str, expected: list[str]) -> None:
    offers = available(
        tmp_path,
        {
            "gentoo::cat/foo/foo-1.ebuild": ebuild_text(iuse="flag never always"),
            "gentoo::cat/foo/foo-2.ebuild": ebuild_text(slot="2", iuse="flag never always"),
            "gentoo::cat/foo/foo-3.ebuild": ebuild_text(keywords="~amd64"),
            "gentoo::cat/testing/testing-1.ebuild": ebuild_text(keywords="~amd64"),
        },
    )
    assert missing(offers, text, frozenset({"on"})) == expected


def test_keywords_are_asked_for_in_portages_order(tmp_path: Path) -> None:
    """First the highest version in testing, then those without any keyword."""
    offers = available(
        tmp_path,
        {
            "gentoo::cat/foo/foo-1.ebuild": ebuild_text("~amd64"),
            "cat/foo/foo-2.ebuild": ebuild_text("~amd64"),
            "gentoo::cat/foo/foo-2.ebuild": ebuild_text("~amd64"),
            "gentoo::cat/foo/foo-3.ebuild": ebuild_text("arm64"),
            "gentoo::cat/foo/foo-9999.ebuild": ebuild_text(""),
        },
    )
    answer = offers.answer(parse_atom("cat/foo"))
    assert not answer.is_met
    assert [(str(one.ebuild), one.keyword) for one in answer.by_keyword] == [
        ("cat/foo-2::overlay", "~amd64"),
        ("cat/foo-2::gentoo", "~amd64"),
        ("cat/foo-1::gentoo", "~amd64"),
        ("cat/foo-9999::gentoo", "**"),
        ("cat/foo-3::gentoo", "**"),
    ]


def test_what_is_masked_besides_needs_more_than_a_keyword(tmp_path: Path) -> None:
    offers = available(
        tmp_path,
        {
            "gentoo::cat/foo/foo-1.ebuild": ebuild_text("~amd64"),
            "profiles/amd64/package.mask": "cat/foo\n",
        },
    )
    answer = offers.answer(parse_atom("cat/foo"))
    assert len(answer.hidden) == 1
    assert answer.by_keyword == ()


def test_best_in_each_slot_and_what_versions_pick(tmp_path: Path) -> None:
    offers = available(
        tmp_path,
        {
            "cat/foo/foo-1.ebuild": ebuild_text(),
            "cat/foo/foo-2.ebuild": ebuild_text(),
            "gentoo::cat/foo/foo-3.ebuild": ebuild_text("~amd64"),
            "gentoo::cat/foo/foo-4.ebuild": ebuild_text(slot="4"),
        },
    )
    assert [one.pvr for one in offers.best_in_slots("cat/foo")] == ["4", "2"]
    taken = offers.taken(parse_dependency("<cat/foo-2 cat/foo on? ( =cat/foo-2 )").children, ())
    assert [one.pvr for one in taken] == ["1"]


def test_unknown_is_neither_there_nor_missing(tmp_path: Path) -> None:
    offers = available(
        tmp_path, {"gentoo::cat/foo/foo-1.ebuild": 'EAPI=8\nSLOT=0\nKEYWORDS="${CBUILD}"\n'}
    )
    answer = offers.answer(parse_atom("cat/foo"))
    assert not answer.is_met
    assert answer.unknown is not None
    assert "KEYWORDS" in answer.unknown


# The quick look


HEAD = 'EAPI=8\nSLOT="0"\nLICENSE="MIT"\n'


def quick(root: Path, text: str, eclasses: Mapping[str, str] = {}) -> Ebuild:
    files = {f"gentoo::eclass/{name}.eclass": content for name, content in eclasses.items()}
    repository = load(root, {"gentoo::cat/foo/foo-1.ebuild": text, **files})
    return next(repository.masters[0].ebuilds)


def test_eclasses_that_say_nothing_of_it_are_passed_over(tmp_path: Path) -> None:
    text = HEAD + 'inherit other\nIUSE="+a ${MORE} b"\nhelper || die\nKEYWORDS="amd64 ~arm64"\n'
    ebuild = quick(tmp_path, text, {"other": "# KEYWORDS\nMORE=c\nhelper() { : ${SLOT}; }\n"})
    own = own_metadata(ebuild)
    assert own is not None
    assert own.values["KEYWORDS"] == "amd64 ~arm64"
    assert own.flags == {"a", "b"}
    assert "evaluation" not in ebuild.__dict__


@pytest.mark.parametrize(
    "text",
    [
        'inherit other\nKEYWORDS="${MORE}"\n',
        'inherit other\n[[ ${MORE} ]] && KEYWORDS="amd64"\n',
        'inherit other\nif helper; then KEYWORDS="amd64"; fi\n',
        'inherit other\nKEYWORDS="$(helper)"\n',
        'inherit ${CBUILD}\nKEYWORDS="amd64"\n',
        'KEYWORDS="amd64"\nRESTRICT="bindist"\n',
        'KEYWORDS="amd64"\ninherit bin\n',
        'KEYWORDS="amd64"\ninherit heir\n',
        'KEYWORDS="amd64"\n)\n',
    ],
)
def test_what_may_depend_on_an_eclass_is_not_told(tmp_path: Path, text: str) -> None:
    eclasses = {
        "other": "MORE=amd64\nhelper() { echo amd64; }\n",
        "bin": 'RESTRICT="bindist"\n',
        "heir": "inherit bin\n",
    }
    assert own_metadata(quick(tmp_path, HEAD + text, eclasses), frozenset({"bindist"})) is None


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("inherit set\n", "ppc"),
        ("inherit set-more\n", "ppc"),
        ('inherit set\nKEYWORDS="amd64"\n', "amd64"),
        ('KEYWORDS="amd64"\nsrc_install() { :; }\nKEYWORDS="arm"\n', "arm"),
        ('KEYWORDS="amd64"\nsrc_install() { :; }\ninherit set\n', "ppc"),
        ("", ""),
    ],
)
def test_eclasses_that_set_it_are_followed(tmp_path: Path, text: str, keywords: str) -> None:
    eclasses = {"set": 'KEYWORDS="ppc"\n', "set-more": "inherit set\n"}
    ebuild = quick(tmp_path, HEAD + text, eclasses)
    own = own_metadata(ebuild)
    assert own is not None
    assert own.values["KEYWORDS"] == ebuild.metadata.values.get("KEYWORDS", "") == keywords


def test_licences_of_flags_all_count(tmp_path: Path) -> None:
    text = 'EAPI=8\nSLOT=0\nKEYWORDS=amd64\nLICENSE="MIT x? ( || ( BSD GPL-2 ) )"\n'
    own = own_metadata(quick(tmp_path, text))
    assert own is not None
    assert own.values["LICENSE"] == "MIT BSD GPL-2"


def test_it_agrees_with_the_whole_evaluation() -> None:
    told = 0
    for ebuild in find_repositories(SMALL_OVERLAY).overlay.ebuilds:
        own = own_metadata(ebuild)
        if own is not None and not ebuild.metadata.unknown:
            told += 1
            for name in NAMES:
                assert own.values[name] == ebuild.metadata.values.get(name, "")
            iuse = {flag.lstrip("+-") for flag in ebuild.metadata.values.get("IUSE", "").split()}
            assert own.flags <= iuse
    assert told


@pytest.mark.parametrize(
    ("files", "flags", "packages"),
    [
        ({"parent": "../amd64\n"}, True, True),
        ({"make.defaults": 'INSTALL_MASK="/usr/share/doc"\n'}, True, True),
        ({"package.mask": ">=cat/foo-2\n"}, True, False),
        ({"package.provided": "cat/bar-1\n", "eapi": "6\n"}, True, False),
        ({"package.use": "cat/foo on\n"}, False, False),
        ({"use.stable.mask": "on\n"}, False, False),
        ({"package.accept_keywords": "cat/foo\n"}, False, False),
        ({"make.defaults": 'USE="more"\n'}, False, False),
        ({"make.defaults": 'ACCEPT_LICENSE="*"\n'}, False, False),
        # Whatever adds up to flags counts, be it called as it may.
        ({"make.defaults": 'USE_EXPAND="INSTALL_MASK"\nINSTALL_MASK="x"\n'}, False, False),
    ],
)
def test_profiles_that_say_the_same_share_what_is_worked_out(
    tmp_path: Path, files: Mapping[str, str], flags: bool, packages: bool
) -> None:
    child = {f"profiles/child/{name}": text for name, text in files.items()}
    desc = {"profiles/profiles.desc": "amd64 amd64 dev\namd64 child dev\n"}
    first, second = load(
        tmp_path, {"profiles/child/parent": "../amd64\n", **desc, **child}
    ).profiles
    assert not second.problems
    assert (first.flag_settings == second.flag_settings) is flags
    assert (first.package_settings == second.package_settings) is packages
    assert (Available.of(first) is Available.of(second)) is packages
