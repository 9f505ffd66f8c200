"""Text laid over a tree: an editor's buffers, and what a fix would leave."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlaylint.tree import DirectoryTree, Kind, OverlaidTree, TreeError, walk


@pytest.fixture
def base(tmp_path: Path) -> DirectoryTree:
    (tmp_path / "cat/foo").mkdir(parents=True)
    (tmp_path / "cat/foo/foo-9999.ebuild").write_bytes(b"old")
    (tmp_path / "cat/foo/foo-1.ebuild").symlink_to("foo-9999.ebuild")
    (tmp_path / "cat/foo/Manifest").write_bytes(b"")
    return DirectoryTree(tmp_path)


def test_new_text_for_a_file_is_seen_through_its_links(base: DirectoryTree) -> None:
    tree = OverlaidTree(base, {"cat/foo/foo-9999.ebuild": b"new"})
    assert tree.read("cat/foo/foo-1.ebuild") == b"new"


def test_new_text_for_a_link_is_text_for_its_target(base: DirectoryTree) -> None:
    tree = OverlaidTree(base, {"cat/foo/foo-1.ebuild": b"new"})
    assert tree.read("cat/foo/foo-9999.ebuild") == b"new"
    entries = {entry.name: entry.target for entry in tree.entries("cat/foo")}
    assert entries["foo-1.ebuild"] == "foo-9999.ebuild"


def test_a_new_file_brings_its_folders(base: DirectoryTree) -> None:
    tree = OverlaidTree(base, {"dog/bar/files/a.patch": b"text"})
    assert tree.kind("dog/bar") is Kind.FOLDER
    assert [entry.name for entry in tree.entries("")] == ["cat", "dog"]
    assert tree.read("dog/bar/files/a.patch") == b"text"
    assert base.kind("dog") is None


def test_a_removed_target_leaves_its_links_broken(base: DirectoryTree) -> None:
    tree = OverlaidTree(base, {"cat/foo/foo-9999.ebuild": None})
    assert tree.kind("cat/foo/foo-9999.ebuild") is None
    assert tree.kind("cat/foo/foo-1.ebuild") is Kind.BROKEN_LINK


def test_a_removed_link_leaves_its_target(base: DirectoryTree) -> None:
    tree = OverlaidTree(base, {"cat/foo/foo-1.ebuild": None})
    assert tree.kind("cat/foo/foo-1.ebuild") is None
    assert tree.read("cat/foo/foo-9999.ebuild") == b"old"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../out", "a//b", "a/./b"])
def test_a_path_that_leads_elsewhere_is_refused(base: DirectoryTree, path: str) -> None:
    with pytest.raises(TreeError):
        OverlaidTree(base, {path: b""})


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@given(files=st.dictionaries(PATHS, st.binary(max_size=3), max_size=6))
def test_what_was_laid_over_last_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    # A path can't be a file and another's folder at once.
    kept = {path: text for path, text in files.items() if not any(
        other.startswith(f"{path}/") for other in files)}  # fmt: skip
    tree = OverlaidTree(DirectoryTree(tmp_path_factory.mktemp("empty")), kept)
    assert {path: tree.read(path) for path in walk(tree)} == kept
