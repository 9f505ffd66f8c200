"""Where a repository's masters are: given, or found beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from overlaylint.overlay.layout import valid_repository_name
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.tree import DirectoryTree, Kind, Tree, TreeError


@dataclass(frozen=True, slots=True)
class Repositories:
    """The checked overlay with its masters, and why some masters are missing.

    `missing` has a reason for each name in `missing_masters`, the masters' own included.
    """

    overlay: Repository
    missing: Mapping[str, str] = field(default_factory=dict)


def find_repositories(
    overlay: Path | None,
    given: Mapping[str, Path | Tree] | None = None,
    tree: Tree | None = None,
    profiles: tuple[str, ...] = (),
) -> Repositories:
    """Return the overlay at a path with the masters that its layout.conf names.

    A master is the folder, or the tree, that `given` has for its name. Else it is looked
    for among the folders beside the overlay: the one repository whose own name
    (layout.conf's `repo-name`, or profiles/repo_name) or alias it is, or failing that, the
    repository in a folder of that name, since copies of ::gentoo keep its repo_name. If
    several fit, it is not guessed which one is meant: the master is missing, and the
    reason says so.

    `tree` replaces the files at `overlay`, to check a revision or unsaved text in place. Without
    `overlay`, masters are not looked for.
    `profiles` are globs over the overlay's profiles: rules see no others.
    Raises TreeError where the overlay, or a given master, is no folder.
    """
    if tree is None:
        if overlay is None:
            raise ValueError("neither a folder nor a tree is given")
        tree = DirectoryTree(overlay)
    search = _Search({} if given is None else given, () if overlay is None else _beside(overlay))
    repository = search.load(tree, is_checked=True, above=(), profiles=profiles)
    return Repositories(repository, search.missing)


def find_overlay_root(path: Path) -> Path | None:
    """Return the repository that a file or folder lies in: upward to profiles/repo_name.

    A folder with profiles/ and metadata/layout.conf is a repository too, though one
    without a name.
    """
    place = path.absolute()
    for folder in (place, *place.parents):
        if (folder / "profiles" / "repo_name").is_file():
            return folder
        if (folder / "profiles").is_dir() and (folder / "metadata" / "layout.conf").is_file():
            return folder
    return None


class _Search:
    """Loads each master once, and remembers why one could not be found."""

    def __init__(self, given: Mapping[str, Path | Tree], beside: tuple[Path, ...]) -> None:
        self.missing: dict[str, str] = {}
        self._given = given
        self._beside = beside
        self._loaded: dict[str, Repository] = {}

    def load(
        self,
        tree: Tree,
        *,
        is_checked: bool,
        above: tuple[str, ...],
        profiles: tuple[str, ...] = (),
    ) -> Repository:
        """Return a repository with its masters; `above` are those that lead to it."""
        bare = Repository(tree, is_checked=is_checked)
        names = bare.layout.masters or ()
        masters = []
        missing = []
        for name in names:
            if name in bare.names:
                continue
            master = self._master(name, (*above, *bare.names))
            if master is None:
                missing.append(name)
            elif master not in masters:
                masters.append(master)
        return Repository(
            tree,
            tuple(masters),
            tuple(missing),
            is_checked=is_checked,
            known_as=above[-1:] if not is_checked else (),
            profile_globs=profiles,
        )

    def _master(self, name: str, above: tuple[str, ...]) -> Repository | None:
        if name in above:
            self.missing[name] = f"{name} is a master of itself"
            return None
        if name not in self._loaded:
            tree = self._find(name)
            if tree is None:
                return None
            self._loaded[name] = self.load(tree, is_checked=False, above=(*above, name))
        return self._loaded[name]

    def _find(self, name: str) -> Tree | None:
        given = self._given.get(name)
        if given is not None:
            return DirectoryTree(given) if isinstance(given, Path) else given
        by_name = []
        by_folder = []
        for folder in self._beside:
            tree = _repository_at(folder)
            if tree is None:
                continue
            if name in Repository(tree).names:
                by_name.append(tree)
            elif valid_repository_name(folder.name) == name:
                by_folder.append(tree)
        found = by_name or by_folder
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(sorted(tree.name for tree in found))
            self.missing[name] = f"several repositories beside the overlay are called so: {names}"
        else:
            self.missing[name] = "no repository beside the overlay is called so"
        return None


def _beside(overlay: Path) -> tuple[Path, ...]:
    place = overlay.resolve()
    try:
        return tuple(sorted(path for path in place.parent.iterdir() if path != place))
    except OSError:
        # The parent may not be listed: then there is nothing beside to be seen.
        return ()


def _repository_at(folder: Path) -> Tree | None:
    try:
        tree = DirectoryTree(folder)
        is_repository = tree.kind("profiles/repo_name") or tree.kind("metadata/layout.conf")
    except TreeError:
        # Not a folder, or one that may not be looked into.
        return None
    return tree if is_repository is Kind.FILE else None
