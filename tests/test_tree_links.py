"""Links are resolved inside the tree and nowhere else, in every kind of tree alike."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from overlaylint.tree import (
    DirectoryTree,
    GitTree,
    Kind,
    OverlaidTree,
    StagedTree,
    Tree,
    TreeError,
    walk,
)


def fill(root: Path) -> None:
    (root / "cat/foo/files").mkdir(parents=True)
    (root / "cat/foo/foo-9999.ebuild").write_bytes(b"EAPI=8\n")
    (root / "cat/foo/foo-1.ebuild").symlink_to("foo-9999.ebuild")
    (root / "cat/foo/foo-2.ebuild").symlink_to("../../cat/./foo/foo-1.ebuild")
    (root / "cat/foo/broken").symlink_to("foo-3.ebuild")
    (root / "cat/foo/outward").symlink_to("../../../secret")
    (root / "cat/foo/absolute").symlink_to("/etc/passwd")
    (root / "cat/foo/self").symlink_to("self")
    (root / "cat/foo/round").symlink_to("files/back")
    (root / "cat/foo/files/back").symlink_to("../round")
    (root / "cat/foo/empty.patch").write_bytes(b"")
    (root / "linked").symlink_to("cat/foo")
    (root.parent / "secret").write_bytes(b"secret")


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


def as_directory(root: Path) -> Tree:
    fill(root)
    return DirectoryTree(root)


def as_revision(root: Path) -> Tree:
    fill(root)
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "-m", "all")
    return GitTree(root, "HEAD")


def as_subfolder(root: Path) -> Tree:
    inner = root / "src/third_party/overlay"
    inner.mkdir(parents=True)
    fill(inner)
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "-m", "all")
    return GitTree(root, "HEAD", "src/third_party/overlay")


def as_staged(root: Path) -> Tree:
    fill(root)
    git(root, "init")
    git(root, "add", ".")
    return StagedTree(root)


def as_overlaid(root: Path) -> Tree:
    fill(root)
    return OverlaidTree(DirectoryTree(root), {})


def as_text(root: Path) -> Tree:
    """The same tree with one file out of the editor: what it was on disk is not seen."""
    fill(root)
    (root / "cat/foo/foo-9999.ebuild").write_bytes(b"old\n")
    return OverlaidTree(DirectoryTree(root), {"cat/foo/foo-1.ebuild": b"EAPI=8\n"})


@pytest.fixture(
    params=[as_directory, as_revision, as_subfolder, as_staged, as_overlaid, as_text],
    ids=lambda make: make.__name__,
)
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    make: Callable[[Path], Tree] = request.param
    root = tmp_path / "root"
    root.mkdir()
    return make(root)


def test_a_link_to_a_file_reads_as_the_file(tree: Tree) -> None:
    for name in ("foo-9999", "foo-1", "foo-2"):
        assert tree.read(f"cat/foo/{name}.ebuild") == b"EAPI=8\n"
        assert tree.kind(f"cat/foo/{name}.ebuild") is Kind.FILE
        assert tree.resolve(f"cat/foo/{name}.ebuild") == "cat/foo/foo-9999.ebuild"


def test_a_link_to_a_folder_is_entered(tree: Tree) -> None:
    assert tree.kind("linked") is Kind.FOLDER
    assert tree.read("linked/foo-1.ebuild") == b"EAPI=8\n"
    assert [entry.name for entry in tree.entries("linked/files")] == ["back"]


def test_entries_tell_links_from_files(tree: Tree) -> None:
    entries = {entry.name: entry for entry in tree.entries("cat/foo")}
    assert list(entries) == sorted(entries)
    assert not entries["foo-9999.ebuild"].is_link
    assert entries["foo-1.ebuild"].target == "foo-9999.ebuild"
    assert {name: entry.kind for name, entry in entries.items()} == {
        "absolute": Kind.OUTWARD_LINK,
        "broken": Kind.BROKEN_LINK,
        "empty.patch": Kind.FILE,
        "files": Kind.FOLDER,
        "foo-1.ebuild": Kind.FILE,
        "foo-2.ebuild": Kind.FILE,
        "foo-9999.ebuild": Kind.FILE,
        "outward": Kind.OUTWARD_LINK,
        "round": Kind.LOOPING_LINK,
        "self": Kind.LOOPING_LINK,
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("broken", Kind.BROKEN_LINK),
        ("outward", Kind.OUTWARD_LINK),
        ("absolute", Kind.OUTWARD_LINK),
        ("self", Kind.LOOPING_LINK),
        ("round", Kind.LOOPING_LINK),
        ("files/back", Kind.LOOPING_LINK),
    ],
)
def test_a_bad_link_is_not_followed(tree: Tree, name: str, kind: Kind) -> None:
    assert tree.kind(f"cat/foo/{name}") is kind
    assert kind.is_bad_link
    with pytest.raises(TreeError) as caught:
        tree.read(f"cat/foo/{name}")
    assert caught.value.path == f"cat/foo/{name}"
    assert caught.value.reason == kind.value


def test_what_is_not_there(tree: Tree) -> None:
    for path in ("nothing", "cat/foo/foo-9999.ebuild/inside", "../secret", "cat/../../secret"):
        assert tree.kind(path) is None
        with pytest.raises(TreeError, match="no such file or folder"):
            tree.read(path)


def test_files_and_folders_are_not_taken_for_one_another(tree: Tree) -> None:
    with pytest.raises(TreeError, match="is a folder, not a file"):
        tree.read("cat/foo")
    with pytest.raises(TreeError, match="is a file, not a folder"):
        tree.entries("cat/foo/empty.patch")


def test_walk_yields_each_file_once_and_no_linked_folder(tree: Tree) -> None:
    assert list(walk(tree)) == [
        "cat/foo/empty.patch",
        "cat/foo/foo-1.ebuild",
        "cat/foo/foo-2.ebuild",
        "cat/foo/foo-9999.ebuild",
    ]


def test_a_tree_tells_where_it_lies(tree: Tree) -> None:
    assert tree.places
    for place in tree.places:
        assert (Path(place) / "cat/foo/foo-9999.ebuild").is_file()


def test_a_tree_of_a_bare_repository_lies_nowhere(tmp_path: Path) -> None:
    as_revision(make_folder(tmp_path / "root"))
    git(tmp_path, "clone", "--bare", "root", "bare")
    assert GitTree(tmp_path / "bare", "HEAD").places == ()


def test_a_root_that_is_a_link_lies_in_both_places(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "root")
    (tmp_path / "link").symlink_to("root")
    assert set(DirectoryTree(tmp_path / "link").places) == {str(tmp_path / "link"), str(root)}


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path
