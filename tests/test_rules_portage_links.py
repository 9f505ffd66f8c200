"""What dangling-link says of paths that depend on where the overlay lies."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support import CLEAN, overlay

from overlaylint.engine.packs import load_catalog
from overlaylint.finding import Finding
from overlaylint.overlay.files import files
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.repository import Repository
from overlaylint.tree import GitTree, StagedTree, Tree

LIVE = "app-misc/hello/hello-9999.ebuild"
LINK = "app-misc/hello/hello-1.ebuild"


def said_of(repository: Repository) -> list[tuple[str, str, str]]:
    """Return path, message and help of each finding."""
    check = load_catalog().rules["dangling-link"].check
    return [
        (file.path, one.message, one.help)
        for file in files(repository)
        for one in check(file)
        if isinstance(one, Finding)
    ]


def of_tree(tree: Tree) -> Repository:
    return Repository(tree, (), ())


@pytest.mark.parametrize("where", ["directory", "revision", "staged"])
def test_an_absolute_path_into_the_overlay_itself(tmp_path: Path, where: str) -> None:
    root = tmp_path / "root" / "overlay"
    target = str(root / LIVE)
    made = overlay(tmp_path / "root", {LIVE: CLEAN}, {LINK: target})
    assert made == root
    if where != "directory":
        for words in (["init"], ["add", "."], ["commit", "-m", "all"]):
            identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
            command = ["git", "-C", str(root), *identity, *words]
            subprocess.run(command, check=True, capture_output=True)
    repository = {
        "directory": lambda: find_repositories(root).overlay,
        "revision": lambda: of_tree(GitTree(root, "HEAD")),
        "staged": lambda: of_tree(StagedTree(root)),
    }[where]()
    way = f"the link leads to {target}, an absolute path to {LIVE} of this very overlay"
    loss = "so Portage sees this version only where the overlay lies there"
    help_ = "write it relative: `hello-9999.ebuild`"
    assert said_of(repository) == [(LINK, f"{way}, {loss}", help_)]


def test_an_absolute_path_to_nothing_in_the_overlay(tmp_path: Path) -> None:
    target = str(tmp_path / "overlay" / "app-misc/hello/hello-8.ebuild")
    overlay(tmp_path, {LIVE: CLEAN}, {LINK: target})
    ((path, message, _),) = said_of(find_repositories(tmp_path / "overlay").overlay)
    assert path == LINK
    assert message.startswith(f"the link leads to {target}, an absolute path")
    assert "which is not there" in message
    assert message.endswith("so Portage does not see this version")


def test_an_absolute_path_to_the_overlay_as_a_whole(tmp_path: Path) -> None:
    root = tmp_path / "overlay"
    overlay(tmp_path, {LIVE: CLEAN}, {"app-misc/bye": str(root)})
    ((path, message, help_),) = said_of(find_repositories(root).overlay)
    assert path == "app-misc/bye"
    assert "an absolute path to . of this very overlay" in message
    assert help_ == "write it relative: `..`"


def test_a_link_to_one_that_is_absolute(tmp_path: Path) -> None:
    root = tmp_path / "overlay"
    last = "app-misc/hello/hello-2.ebuild"
    overlay(tmp_path, {LIVE: CLEAN}, {LINK: "hello-2.ebuild", last: str(root / LIVE)})
    first, second = said_of(find_repositories(root).overlay)
    way = "the link leads to hello-2.ebuild, and from there on by a path that leaves the overlay"
    loss = "so Portage sees this version only where that leads to something"
    assert first[:2] == (LINK, f"{way}, {loss}")
    assert second[0] == last
    assert second[2] == "write it relative: `hello-9999.ebuild`"
