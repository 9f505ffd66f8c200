"""A directory as a tree: what disks hold besides plain files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from overlaylint.tree import DirectoryTree, Kind, TreeError, walk
from overlaylint.tree import directory as directory_module


def test_a_fifo_is_named_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    tree = DirectoryTree(tmp_path)
    assert tree.kind("fifo") is Kind.SPECIAL
    with pytest.raises(TreeError, match="is a special file, not a file"):
        tree.read("fifo")


def test_a_file_that_turned_into_a_fifo_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    tree = DirectoryTree(tmp_path)
    assert tree.kind("file") is Kind.FILE
    (tmp_path / "file").unlink()
    os.mkfifo(tmp_path / "file")
    with pytest.raises(TreeError, match="is no longer a file"):
        tree.read("file")


def test_a_file_that_turned_into_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    tree = DirectoryTree(tmp_path)
    assert tree.kind("file") is Kind.FILE
    (tmp_path / "file").unlink()
    (tmp_path / "file").symlink_to("/etc/passwd")
    with pytest.raises(TreeError):
        tree.read("file")


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    place = os.fsencode(tmp_path) + b"/caf\xe9"
    with open(place, "wb") as file:  # noqa: PTH123 (a name in bytes)
        file.write(b"coffee")
    tree = DirectoryTree(tmp_path)
    (entry,) = tree.entries("")
    assert os.fsencode(entry.name) == b"caf\xe9"
    assert tree.read(entry.name) == b"coffee"


def test_what_may_not_be_read_says_so(without_root: Path) -> None:
    (without_root / "file").write_bytes(b"")
    (without_root / "file").chmod(0)
    (without_root / "folder").mkdir()
    (without_root / "folder").chmod(0)
    tree = DirectoryTree(without_root)
    with pytest.raises(TreeError, match="file: permission denied"):
        tree.read("file")
    with pytest.raises(TreeError, match="folder: permission denied"):
        tree.entries("folder")
    (without_root / "folder").chmod(0o700)


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_module, "LARGEST_FILE", 3 * 1024 * 1024)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(3 * 1024 * 1024 + 1)
    with pytest.raises(TreeError, match="is larger than 3 MB"):
        DirectoryTree(tmp_path).read("large")


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_a_root_that_is_no_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TreeError):
        DirectoryTree(tmp_path / name)


def test_a_root_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("real")
    assert list(walk(DirectoryTree(tmp_path / "link"))) == ["file"]


def test_a_name_with_nul_is_no_file(tmp_path: Path) -> None:
    assert DirectoryTree(tmp_path).kind("a\0b") is None


def test_forty_links_are_followed_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(b"end")
    for number in range(1, 42):
        (tmp_path / str(number)).symlink_to(str(number - 1))
    tree = DirectoryTree(tmp_path)
    assert tree.read("40") == b"end"
    assert tree.kind("41") is Kind.LOOPING_LINK
