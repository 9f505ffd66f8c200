"""What has changed in a git repository, as far as it concerns an overlay in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from overlaylint.cli.overlays import Opened, open_overlay

if TYPE_CHECKING:
    from overlaylint.overlay.repository import Repository
    from overlaylint.tree import Tree


def changed_since(opened: Opened, revision: str) -> frozenset[str]:
    """Return what the changes since HEAD parted from a revision can affect.

    What others put on the revision's branch meanwhile does not count. Raises UsageError where
    git can't say what has changed.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.tree import TreeError, changed_since, merge_base

    root, _ = _work_tree(opened.root, "--since")
    folders = dict(_folders(opened, root))
    try:
        base = merge_base(root, revision)
        paths = changed_since(root, base, [*folders.values(), *_configuration(opened, root)])
        return _affected(opened, root, paths, base)
    except TreeError as error:
        raise UsageError(f"--since {revision}: {error.reason}") from error


def changed_in_index(opened: Opened) -> frozenset[str]:
    """Return what the next commit can affect. Raises UsageError where git can't say."""
    from overlaylint.engine.errors import UsageError
    from overlaylint.tree import TreeError, changed_in_index

    root, _ = _work_tree(opened.root, "--staged")
    try:
        return _affected(opened, root, changed_in_index(root), "HEAD")
    except TreeError as error:
        raise UsageError(f"--staged: {error.reason}") from error


def open_staged(root: Path, masters: Mapping[str, Path | Tree]) -> Opened:
    """Return an overlay as the next commit would have it, and so the masters beside it in git."""
    from overlaylint.engine.errors import UsageError
    from overlaylint.tree import StagedTree, TreeError

    work_tree, inside = _work_tree(root, "--staged")
    try:
        tree = StagedTree(work_tree, inside)
    except TreeError as error:
        raise UsageError(f"--staged: {error.reason}") from error
    opened = open_overlay(root, masters, tree)
    staged: dict[str, Tree] = {}
    for master, folder in list(_folders(opened, work_tree))[1:]:
        try:
            staged |= dict.fromkeys(master.names, StagedTree(work_tree, folder))
        except TreeError:
            # git does not know the master, which stays as it is on disk.
            continue
    return open_overlay(root, {**masters, **staged}, tree) if staged else opened


def _work_tree(root: Path, option: str) -> tuple[Path, str]:
    from overlaylint.engine.errors import UsageError
    from overlaylint.tree import find_git_root

    found = find_git_root(root)
    if found is None:
        raise UsageError(f"{option}: {root} lies in no git work tree")
    return found


def _folders(opened: Opened, work_tree: Path) -> Iterator[tuple[Repository, str]]:
    """Yield the overlay, and each master in the same work tree, with its folder there."""
    from overlaylint.tree import DirectoryTree, StagedTree, find_git_root

    yield opened.overlay, _work_tree(opened.root, "")[1]
    for repository in opened.overlay.family[1:]:
        tree = repository.tree
        if isinstance(tree, StagedTree):
            yield repository, tree.subfolder
        elif isinstance(tree, DirectoryTree):
            found = find_git_root(tree.root)
            if found is not None and found[0] == work_tree:
                yield repository, found[1]


def _affected(opened: Opened, work_tree: Path, paths: frozenset[str], base: str) -> frozenset[str]:
    from overlaylint.overlay.affected import EVERYTHING, Change, affected
    from overlaylint.tree import GitTree, TreeError

    def changes() -> Iterator[Change]:
        for repository, folder in _folders(opened, work_tree):
            before = f"{folder}/" if folder else ""
            inside = frozenset(path[len(before) :] for path in paths if path.startswith(before))
            if not inside:
                continue
            try:
                old: Tree | None = GitTree(work_tree, base, folder)
            except TreeError:
                # It was not there.
                old = None
            yield Change(repository, inside, old)

    if paths & set(_configuration(opened, work_tree)):
        return frozenset({EVERYTHING})
    return affected(opened.overlay, changes())


def _configuration(opened: Opened, work_tree: Path) -> Iterator[str]:
    """Yield the path of the configuration's file, if there is one in the work tree."""
    if opened.configuration.file:
        path = opened.root / opened.configuration.file
        place = Path(os.path.realpath(path.parent), path.name)
        if place.is_relative_to(work_tree):
            yield place.relative_to(work_tree).as_posix()
