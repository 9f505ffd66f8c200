"""Repositories: what they are called, what they hold, where their masters are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from overlaylint.finding import Span
from overlaylint.overlay.masters import find_overlay_root, find_repositories
from overlaylint.overlay.repository import Repository
from overlaylint.tree import DirectoryTree, Kind, OverlaidTree, TreeError


def write(root: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


def repository(root: Path, files: Mapping[str, str]) -> Repository:
    root.mkdir(exist_ok=True)
    return Repository(DirectoryTree(write(root, files)))


BARE = {"profiles/repo_name": "mine\n", "profiles/categories": "cat\n"}


# Names


@pytest.mark.parametrize(
    ("files", "name", "has_name"),
    [
        ({"profiles/repo_name": "mine\n"}, "mine", True),
        ({"profiles/repo_name": "  my.repo name \n# more\n"}, "my-repo-name", True),
        ({"profiles/repo_name": "-mine"}, "mine", True),
        (
            {"profiles/repo_name": "mine", "metadata/layout.conf": "repo-name = other"},
            "other",
            True,
        ),
        ({"profiles/repo_name": "\n"}, "x-folder", True),
        ({}, "x-folder", False),
    ],
)
def test_the_name(tmp_path: Path, files: dict[str, str], name: str, has_name: bool) -> None:
    found = repository(tmp_path / "folder", files)
    assert found.name == name
    assert found.has_name is has_name


def test_layout_conf_is_read_with_places(tmp_path: Path) -> None:
    text = "# masters = none\n masters =  gentoo other  \nno equals\nthin-manifests = TRUE\n= x\r\n"
    layout = repository(tmp_path, {"metadata/layout.conf": text}).layout
    assert layout.masters == ("gentoo", "other")
    assert layout.has_thin_manifests
    assert layout.profile_formats is None
    span = layout.settings["masters"].span
    assert text[span.start : span.end] == "gentoo other"
    assert [text[span.start : span.end] for span in layout.malformed] == ["no equals", "= x"]


def test_no_layout_conf_is_not_the_same_as_empty_masters(tmp_path: Path) -> None:
    assert repository(tmp_path / "a", {}).layout.masters is None
    assert repository(tmp_path / "b", {"metadata/layout.conf": "masters ="}).layout.masters == ()


# Packages and ebuilds


def test_ebuilds_and_what_is_called_like_them(tmp_path: Path) -> None:
    found = repository(
        tmp_path,
        BARE
        | {
            "cat/foo/foo-1.10.ebuild": "",
            "cat/foo/foo-1.2-r1.ebuild": "",
            "cat/foo/foo-9999.ebuild": "",
            "cat/foo/Manifest": "",
            "cat/foo/bar-1.ebuild": "",
            "cat/foo/foo-1.2z1.ebuild": "",
            "cat/foo/foo.ebuild": "",
            "cat/foo/folder-1.ebuild/file": "",
            "cat/foo-1/foo-1-1.ebuild": "",
            "cat/none/README": "",
        },
    )
    (tmp_path / "cat/foo/foo-2.ebuild").symlink_to("foo-9999.ebuild")
    (tmp_path / "cat/foo/foo-3.ebuild").symlink_to("foo-3333.ebuild")
    (tmp_path / "cat/foo/foo-4.ebuild").symlink_to("/etc/passwd")
    assert list(found.packages) == ["cat/foo", "cat/foo-1"]
    package = found.packages["cat/foo"]
    assert [ebuild.pvr for ebuild in package.ebuilds] == ["1.2-r1", "1.10", "2", "9999"]
    assert package.has_manifest
    assert {misplaced.path: misplaced.kind for misplaced in package.misplaced} == {
        "cat/foo/bar-1.ebuild": Kind.FILE,
        "cat/foo/folder-1.ebuild": Kind.FOLDER,
        "cat/foo/foo-1.2z1.ebuild": Kind.FILE,
        "cat/foo/foo-3.ebuild": Kind.BROKEN_LINK,
        "cat/foo/foo-4.ebuild": Kind.OUTWARD_LINK,
        "cat/foo/foo.ebuild": Kind.FILE,
    }
    assert not found.packages["cat/foo-1"].ebuilds
    assert all(misplaced.reason for misplaced in package.misplaced)


def test_the_variables_of_an_ebuild(tmp_path: Path) -> None:
    found = repository(tmp_path, BARE | {"cat/foo-bar/foo-bar-1.2_p3-r4.ebuild": "EAPI=8\n"})
    ebuild = found.ebuild_at("cat/foo-bar/foo-bar-1.2_p3-r4.ebuild")
    assert ebuild is not None
    assert (ebuild.PN, ebuild.PV, ebuild.PR) == ("foo-bar", "1.2_p3", "r4")
    assert (ebuild.PVR, ebuild.P) == ("1.2_p3-r4", "foo-bar-1.2_p3")
    assert ebuild.PF == "foo-bar-1.2_p3-r4"
    assert (ebuild.cp, ebuild.cpv) == ("cat/foo-bar", "cat/foo-bar-1.2_p3-r4")
    assert str(ebuild) == "cat/foo-bar-1.2_p3-r4::mine"
    assert ebuild.read() == b"EAPI=8\n"
    assert found.ebuild_at("cat/foo-bar/foo-bar-1.ebuild") is None
    assert found.ebuild_at("profiles/repo_name") is None


def test_links_share_the_place_of_their_text(tmp_path: Path) -> None:
    found = repository(tmp_path, BARE | {"cat/foo/foo-9999.ebuild": "EAPI=8\n"})
    (tmp_path / "cat/foo/foo-1-r0.ebuild").symlink_to("foo-9999.ebuild")
    link, live = found.packages["cat/foo"].ebuilds
    assert (link.link, live.link) == ("foo-9999.ebuild", None)
    assert (link.PVR, link.PR) == ("1-r0", "r0")
    assert link.span(0, 4) == live.span(0, 4) == Span("cat/foo/foo-9999.ebuild", 0, 4)


def test_a_category_that_no_list_has_is_told_apart(tmp_path: Path) -> None:
    files = BARE | {"cat/foo/foo-1.ebuild": "", "dog/foo/foo-1.ebuild": "", "doc/a/b": ""}
    found = repository(tmp_path, files)
    assert found.categories == ("cat",)
    assert found.unlisted_categories == ("dog",)
    assert list(found.packages) == ["cat/foo"]


def test_while_a_master_is_missing_every_folder_of_ebuilds_counts(tmp_path: Path) -> None:
    write(tmp_path, {"profiles/repo_name": "mine", "dog/foo/foo-1.ebuild": ""})
    found = Repository(DirectoryTree(tmp_path), missing_masters=("gentoo",))
    assert found.categories == ("dog",)
    assert found.unlisted_categories == ()


def test_one_package_is_found_without_reading_the_others(tmp_path: Path) -> None:
    found = repository(tmp_path, BARE | {"cat/foo/foo-1.ebuild": ""})
    package = found.package("cat/foo")
    assert package is not None
    assert package.ebuild("1") is package.ebuilds[0]
    assert package.ebuild("2") is None
    assert found.package("cat/bar") is None
    assert found.package("cat") is None


def test_a_file_that_is_not_saved_is_an_ebuild(tmp_path: Path) -> None:
    write(tmp_path, BARE)
    found = Repository(OverlaidTree(DirectoryTree(tmp_path), {"cat/foo/foo-1.ebuild": b"x"}))
    assert [str(ebuild) for ebuild in found.ebuilds] == ["cat/foo-1::mine"]


# Eclasses, licences, architectures


def family(tmp_path: Path, masters: str) -> Repository:
    for name in ("one", "two", "mine"):
        layout = f"masters = {masters if name == 'mine' else ''}\n"
        write(
            tmp_path / name,
            {
                "profiles/repo_name": name,
                "metadata/layout.conf": layout,
                "eclass/all.eclass": "",
                f"eclass/{name}.eclass": "",
                f"licenses/{name}": "",
                "profiles/license_groups": f"FREE {name} MIT # {name}\n",
                "profiles/arch.list": f"{name}64\n",
            },
        )
    for name in ("one", "two"):
        (tmp_path / name / "eclass/masters.eclass").write_text("")
    return find_repositories(tmp_path / "mine").overlay


@pytest.mark.parametrize(
    ("masters", "of_all", "of_masters"),
    [("one two", "mine", "two"), ("two one", "mine", "one"), ("mine one", "one", "one")],
)
def test_eclasses_are_looked_for_in_the_order_of_portage(
    tmp_path: Path, masters: str, of_all: str, of_masters: str
) -> None:
    overlay = family(tmp_path, masters)
    for eclass, owner in (("all", of_all), ("masters", of_masters), ("one", "one")):
        found = overlay.eclass(eclass)
        assert found is not None
        assert (found[0].name, found[1]) == (owner, f"eclass/{eclass}.eclass")
    assert overlay.eclass("none") is None


def test_what_the_family_has_together(tmp_path: Path) -> None:
    overlay = family(tmp_path, "one two")
    assert list(overlay.eclasses) == ["all", "mine"]
    assert overlay.licenses == {"one", "two", "mine"}
    assert overlay.license_groups == {"FREE": {"one", "two", "mine", "MIT"}}
    assert overlay.arches == {"one64", "two64", "mine64"}
    assert [repository.name for repository in overlay.family] == ["mine", "one", "two"]


# Masters


def test_masters_beside_the_overlay_are_found_by_name(tmp_path: Path) -> None:
    overlay = family(tmp_path, "one two")
    assert [master.name for master in overlay.masters] == ["one", "two"]
    assert not overlay.missing_masters
    assert overlay.masters[0].span("a", 1, 2) == Span("a", 1, 2, "one")
    assert overlay.span("a", 1, 2) == Span("a", 1, 2)


def master(root: Path, name: str, layout: str = "masters =\n") -> Path:
    return write(root, {"profiles/repo_name": name, "metadata/layout.conf": layout})


def overlay_of(tmp_path: Path, masters: str) -> Path:
    return master(tmp_path / "mine", "mine", f"masters = {masters}\n")


def test_the_own_name_goes_before_the_folders(tmp_path: Path) -> None:
    master(tmp_path / "stable", "gentoo")
    master(tmp_path / "elsewhere", "stable")
    found = find_repositories(overlay_of(tmp_path, "stable")).overlay
    assert [repository.tree.name for repository in found.masters] == [str(tmp_path / "elsewhere")]


def test_a_copy_of_gentoo_is_found_by_its_folder(tmp_path: Path) -> None:
    master(tmp_path / "stable", "gentoo")
    found = find_repositories(overlay_of(tmp_path, "stable")).overlay
    assert [repository.name for repository in found.masters] == ["gentoo"]
    # The overlay's own files go on calling it as layout.conf does.
    assert found.named("stable") is found.masters[0]
    assert found.named("gentoo") is found.masters[0]
    assert found.named("nothing") is None


def test_layout_conf_may_rename_a_copy(tmp_path: Path) -> None:
    master(tmp_path / "folder", "gentoo", "repo-name = stable\n")
    found = find_repositories(overlay_of(tmp_path, "stable")).overlay
    assert [repository.name for repository in found.masters] == ["stable"]


def test_a_missing_master_is_said_and_not_fatal(tmp_path: Path) -> None:
    found = find_repositories(overlay_of(tmp_path, "stable"))
    assert found.overlay.missing_masters == ("stable",)
    assert found.missing == {"stable": "no repository beside the overlay is called so"}


def test_of_several_none_is_guessed(tmp_path: Path) -> None:
    master(tmp_path / "a", "stable")
    master(tmp_path / "b", "stable")
    found = find_repositories(overlay_of(tmp_path, "stable"))
    assert found.overlay.missing_masters == ("stable",)
    assert found.missing["stable"].startswith("several repositories")
    given = find_repositories(tmp_path / "mine", {"stable": tmp_path / "b"})
    assert given.overlay.masters[0].tree.name == str(tmp_path / "b")


def test_a_revision_may_be_checked_with_masters_of_its_own(tmp_path: Path) -> None:
    overlay = DirectoryTree(overlay_of(tmp_path, "stable"))
    stable = DirectoryTree(master(tmp_path / "history/stable", "other"))
    found = find_repositories(tmp_path, {"stable": stable}, overlay).overlay
    assert (found.tree, found.masters[0].tree) == (overlay, stable)


def test_a_given_master_that_is_no_folder(tmp_path: Path) -> None:
    overlay = overlay_of(tmp_path, "stable")
    with pytest.raises(TreeError):
        find_repositories(overlay, {"stable": tmp_path / "nothing"})


def test_masters_of_masters_are_loaded_once(tmp_path: Path) -> None:
    master(tmp_path / "base", "base")
    master(tmp_path / "stable", "stable", "masters = base\n")
    found = find_repositories(overlay_of(tmp_path, "base stable")).overlay
    base, stable = found.masters
    assert stable.masters == (base,)
    assert [repository.name for repository in found.family] == ["mine", "base", "stable"]


def test_masters_in_a_circle_are_missing(tmp_path: Path) -> None:
    master(tmp_path / "stable", "stable", "masters = mine\n")
    found = find_repositories(overlay_of(tmp_path, "stable"))
    assert found.overlay.masters[0].missing_masters == ("mine",)
    assert found.missing == {"mine": "mine is a master of itself"}


def test_the_root_of_an_overlay_is_found_upward(tmp_path: Path) -> None:
    root = write(tmp_path / "a", BARE | {"cat/foo/files/x.patch": ""})
    assert find_overlay_root(root / "cat/foo/files/x.patch") == root
    assert find_overlay_root(root) == root
    assert find_overlay_root(tmp_path) is None
    nameless = write(tmp_path / "b", {"metadata/layout.conf": "", "profiles/x": ""})
    assert find_overlay_root(nameless / "metadata") == nameless
