"""Profiles: where a value came from, and what is said of profiles that are wrong.

That the values themselves are Portage's is tested in test_overlay_portage.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from overlaylint.finding import Span
from overlaylint.overlay.atom import parse_atom
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.profile import Profile
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.visibility import Mask, mask_comment
from overlaylint.tree import DirectoryTree

FILES = {
    "master/profiles/repo_name": "master\n",
    "master/profiles/categories": "cat\n",
    "master/metadata/layout.conf": "masters =\n",
    "master/cat/foo/foo-1.ebuild": "",
    "master/profiles/base/make.defaults": 'ARCH="amd64"\nACCEPT_KEYWORDS="amd64"\nUSE="one two"\n',
    "master/profiles/base/package.mask": "# Broken.\n# bug 1\ncat/foo\n",
    "overlay/profiles/repo_name": "overlay\n",
    "overlay/metadata/layout.conf": "masters = master\nprofile-formats = portage-2\n",
    "overlay/profiles/top/parent": "master:base\n",
    "overlay/profiles/top/eapi": "7\n",
    "overlay/profiles/top/make.defaults": 'USE="-one ${MORE} three"\n',
    "overlay/profiles/top/package.use": "cat/foo -two  four # why\n",
}
METADATA = {
    "EAPI": "8",
    "SLOT": "0",
    "KEYWORDS": "amd64",
    "IUSE": "one two +three four",
    "LICENSE": "MIT",
}


def load(root: Path, files: Mapping[str, str] = {}) -> Repository:
    for path, text in (FILES | dict(files)).items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return find_repositories(root / "overlay").overlay


def text_at(root: Path, span: Span) -> str:
    path = root / (span.repository or "overlay") / span.path
    return path.read_bytes()[span.start : span.end].decode()


def foo(overlay: Repository) -> Ebuild:
    return next(overlay.masters[0].ebuilds)


def top(root: Path, files: Mapping[str, str] = {}) -> tuple[Profile, Ebuild]:
    overlay = load(root, files)
    return overlay.profiles["top"], foo(overlay)


def test_every_word_of_a_variable_knows_its_place(tmp_path: Path) -> None:
    profile, _ = top(tmp_path)
    use = profile.variable("USE")
    assert use is not None
    assert {
        word.text: (word.span.repository, text_at(tmp_path, word.span)) for word in use.words
    } == {
        "two": ("master", "two"),
        "three": ("", "three"),
    }
    assert [text_at(tmp_path, span) for span, _ in use.assignments] == [
        'USE="one two"',
        'USE="-one ${MORE} three"',
    ]
    assert profile.variable("NOTHING") is None
    assert profile.arch == "amd64"


def test_a_flag_is_explained_line_by_line(tmp_path: Path) -> None:
    profile, ebuild = top(tmp_path, {"overlay/profiles/top/use.mask": "two\n"})
    sources = profile.explain_flag(ebuild, METADATA, "two")
    assert [(source.kind, source.text, text_at(tmp_path, source.span)) for source in sources] == [
        ("make.defaults", "two", "two"),
        ("package.use", "-two", "-two"),
        ("use.mask", "two", "two"),
    ]
    assert [source.turns_on for source in sources] == [True, False, True]
    (default, *_) = profile.explain_flag(ebuild, METADATA, "three")
    assert (default.kind, default.text, default.span.path) == (
        "IUSE",
        "three",
        "cat/foo/foo-1.ebuild",
    )


def test_the_flags_of_an_ebuild(tmp_path: Path) -> None:
    profile, ebuild = top(tmp_path)
    use = profile.use(ebuild, METADATA)
    assert sorted(use.on) == ["four", "three"]
    assert sorted(use.off) == ["one", "two"]
    assert use.is_stable


def test_a_mask_is_shown_with_its_line_and_comment(tmp_path: Path) -> None:
    profile, ebuild = top(tmp_path)
    visibility = profile.visibility(ebuild, METADATA)
    assert not visibility.is_visible
    (reason,) = visibility.reasons
    assert (reason.mask, str(reason)) == (Mask.PACKAGE_MASK, "package.mask")
    assert reason.span is not None
    assert text_at(tmp_path, reason.span) == "cat/foo"
    data = (tmp_path / "master/profiles/base/package.mask").read_bytes()
    assert mask_comment(data, reason.span.start) == "Broken.\nbug 1"


def test_a_comment_holds_up_to_an_empty_line() -> None:
    data = b"# first\ncat/a\n\n# second\ncat/b\ncat/c\n\ncat/d\n"
    assert mask_comment(data, data.index(b"cat/c")) == "second"
    assert mask_comment(data, data.index(b"cat/d")) == ""


@pytest.mark.parametrize(
    ("keywords", "text", "keyword"),
    [
        ("~amd64", "~amd64 keyword", "~amd64"),
        ("~arm64", "missing keyword", "**"),
        ("", "missing keyword", "**"),
    ],
)
def test_the_keyword_that_would_have_to_be_accepted(
    tmp_path: Path, keywords: str, text: str, keyword: str
) -> None:
    profile, ebuild = top(tmp_path, {"overlay/profiles/top/package.unmask": "cat/foo\n"})
    visibility = profile.visibility(ebuild, METADATA | {"KEYWORDS": keywords})
    assert [str(reason) for reason in visibility.reasons] == [text]
    assert visibility.needs_only_keyword == keyword


def test_a_keyword_is_not_all_that_is_needed(tmp_path: Path) -> None:
    profile, ebuild = top(tmp_path)
    visibility = profile.visibility(ebuild, METADATA | {"KEYWORDS": "~amd64"})
    assert [str(reason) for reason in visibility.reasons] == ["package.mask", "~amd64 keyword"]
    assert visibility.needs_only_keyword is None


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        ({"EAPI": "99"}, "EAPI 99"),
        ({"LICENSE": "MIT ) ("}, "LICENSE: `)` without `(`"),
        ({"LICENSE": "|| ( @EULA MIT"}, "LICENSE: `(` without `)`"),
    ],
)
def test_metadata_that_portage_can_not_read(
    tmp_path: Path, metadata: dict[str, str], text: str
) -> None:
    profile, ebuild = top(tmp_path, {"overlay/profiles/top/package.unmask": "cat/foo\n"})
    visibility = profile.visibility(ebuild, METADATA | metadata)
    assert [str(reason) for reason in visibility.reasons] == [text]


@pytest.mark.parametrize(
    ("atom", "is_provided"),
    [
        ("cat/foo", True),
        (">=cat/foo-1.2", True),
        ("cat/foo:5[x]", True),
        (">cat/foo-1.2", False),
        ("cat/bar", False),
        ("cat/gone", False),
    ],
)
def test_what_package_provided_is_good_for(tmp_path: Path, atom: str, is_provided: bool) -> None:
    files = {
        "overlay/profiles/top/eapi": "5\n",
        "overlay/profiles/top/package.provided": "cat/foo-1.2\ncat/gone-1\n-cat/gone-1\nnone\n",
    }
    profile, _ = top(tmp_path, files)
    assert profile.provides(parse_atom(atom)) is is_provided


def test_folders_linked_to_one_another_come_to_an_end(tmp_path: Path) -> None:
    profile, _ = top(tmp_path, {"overlay/profiles/top/package.mask/10-one": "cat/bar\n"})
    folder = tmp_path / "overlay/profiles/top/package.mask"
    for number in range(20):
        (folder / f"loop-{number}").symlink_to("../package.mask")
    assert [line.text for line in profile.nodes[-1].masks] == ["cat/bar"]


# What is wrong with a profile


def problem(tmp_path: Path, files: Mapping[str, str]) -> tuple[str, str]:
    profile, _ = top(tmp_path, files)
    (found,) = profile.problems
    return found.message, text_at(tmp_path, found.span)


@pytest.mark.parametrize(
    ("files", "message", "text"),
    [
        (
            {"overlay/profiles/top/parent": "nope:base # x\n"},
            "no repository 'nope' is known",
            "nope:base",
        ),
        (
            {"overlay/profiles/top/parent": "../none\n"},
            "no folder 'profiles/none' in overlay",
            "../none",
        ),
        (
            {"overlay/profiles/top/parent": "../../../out\n"},
            "the path leads out of the repository",
            "../../../out",
        ),
        (
            {"overlay/profiles/top/parent": "/etc\n"},
            "an absolute path is not part of any repository",
            "/etc",
        ),
        ({"overlay/profiles/top/parent": "../top\n"}, "the profile is its own parent", "../top"),
        (
            {"overlay/profiles/top/parent": "# none\n"},
            "the file is empty, which Portage refuses",
            "",
        ),
        ({"overlay/profiles/top/eapi": "x y\n"}, "EAPI 'x y' is not supported", ""),
        ({"overlay/profiles/top/make.defaults": 'A="b\n'}, "a quotation is not closed", '"b'),
        (
            {"overlay/metadata/layout.conf": "masters = master\n"},
            "no folder 'profiles/top/master:base' in overlay",
            "master:base",
        ),
    ],
)
def test_what_portage_would_refuse_a_profile_for(
    tmp_path: Path, files: dict[str, str], message: str, text: str
) -> None:
    assert problem(tmp_path, files) == (message, text)


def test_without_its_master_a_profile_is_incomplete_and_says_so(tmp_path: Path) -> None:
    load(tmp_path)
    profile = Repository(DirectoryTree(tmp_path / "overlay"), missing_masters=("master",)).profiles[
        "top"
    ]
    assert [found.message for found in profile.problems] == ["no repository 'master' is known"]
    assert [str(node) for node in profile.nodes] == ["overlay:top"]


def test_parents_that_multiply_come_to_an_end(tmp_path: Path) -> None:
    files = {"overlay/profiles/n0/eapi": "7\n"}
    for number in range(1, 30):
        files[f"overlay/profiles/n{number}/parent"] = f"../n{number - 1}\n" * 2
    profile = load(tmp_path, files).profiles["n29"]
    assert any(found.message == "there are too many parents" for found in profile.problems)


def test_lines_that_portage_passes_over_are_kept(tmp_path: Path) -> None:
    files = {
        "overlay/profiles/top/use.mask": "good\n!bad\n",
        "overlay/profiles/top/package.use": "cat/foo:0:1 x\ncat/foo[a] x\ncat/foo two\n",
        "overlay/profiles/top/package.mask": ">cat/foo\n",
    }
    profile, _ = top(tmp_path, files)
    problems = profile.nodes[-1].line_problems
    assert sorted(text_at(tmp_path, found.span) for found in problems) == [
        "!bad",
        ">cat/foo",
        "cat/foo:0:1",
        "cat/foo[a]",
    ]
    assert all(found.message for found in problems)


# Which profiles there are


def test_profiles_desc_lists_the_profiles(tmp_path: Path) -> None:
    desc = "# arch path status\namd64 top dev\namd64 gone dev\nbroken\narm64\ttop\tstable\n"
    profiles = load(tmp_path, {"overlay/profiles/profiles.desc": desc}).profiles
    assert profiles.names == ("top",)
    assert [(line.arch, line.name, line.status) for line in profiles.descriptions] == [
        ("amd64", "top", "dev"),
        ("amd64", "gone", "dev"),
        ("arm64", "top", "stable"),
    ]
    assert [profile.name for profile in profiles] == ["top"]
    with pytest.raises(KeyError):
        profiles["gone"]


def test_without_a_list_every_leaf_is_a_profile(tmp_path: Path) -> None:
    files = {
        "overlay/profiles/common/eapi": "7\n",
        "overlay/profiles/a/b/parent": "../../common\n",
        "overlay/profiles/desc/file": "",
    }
    assert load(tmp_path, files).profiles.names == ("a/b", "top")


def test_no_profiles_at_all(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    assert len(Repository(DirectoryTree(tmp_path)).profiles) == 0
