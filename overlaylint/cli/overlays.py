"""The overlays and masters that a command line names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.engine.configuration import Configured
    from overlaylint.engine.packs import Catalog
    from overlaylint.overlay.atom import Atom
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.masters import Repositories
    from overlaylint.overlay.profile import Profile
    from overlaylint.overlay.repository import Repository
    from overlaylint.tree import Tree


def masters_given(values: Iterable[str]) -> dict[str, Path]:
    """Return the folders by name that `--master NAME=PATH` gives. Raises UsageError."""
    from overlaylint.engine.errors import UsageError

    found = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise UsageError(f"--master {value}: this must be NAME=PATH")
        if not Path(path).is_dir():
            raise UsageError(f"--master {value}: {path} is not a folder")
        if name in found:
            raise UsageError(f"--master {value}: {name} is given twice")
        found[name] = Path(path)
    return found


def by_overlay(paths: Iterable[Path]) -> dict[Path, set[str]]:
    """Return, for each overlay that something was given in, what was given, as paths in it.

    Raises UsageError for what is not there, or in no overlay.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.overlay.masters import find_overlay_root

    found: dict[Path, set[str]] = {}
    for path in paths:
        # Not resolved: a link in the overlay is a file of its own.
        place = Path(os.path.abspath(path))  # noqa: PTH100
        if not os.path.lexists(place):
            raise UsageError(f"{path}: no such file or folder")
        root = find_overlay_root(place)
        if root is None:
            raise UsageError(
                f"{path}: no overlay is there: neither it nor a folder above it has"
                " profiles/repo_name"
            )
        relative = place.relative_to(root).as_posix()
        found.setdefault(root, set()).add("" if relative == "." else relative)
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Opened:
    """An overlay at `root` with its configuration and its masters."""

    root: Path
    configuration: Configured
    repositories: Repositories
    masters: Mapping[str, Path | Tree]
    """The masters that were given."""

    @property
    def overlay(self) -> Repository:
        """The overlay itself."""
        return self.repositories.overlay

    @property
    def missing(self) -> Mapping[str, str]:
        """Why each master that could not be found is missing, by its name."""
        return self.repositories.missing

    def with_tree(self, tree: Tree) -> Opened:
        """Return the overlay as it would be opened with these files in it."""
        return open_overlay(self.root, self.masters, tree)


def open_overlay(
    root: Path, masters: Mapping[str, Path | Tree], tree: Tree | None = None
) -> Opened:
    """Return the overlay at `root` with its masters: those given, configured, or beside it.

    `tree` replaces the files at `root`. Raises UsageError where the configuration can't be
    read, TreeError where a folder can't.
    """
    from overlaylint.engine.configuration import load_configuration
    from overlaylint.overlay.masters import find_repositories
    from overlaylint.tree import DirectoryTree

    is_as_it_is = tree is None
    tree = DirectoryTree(root) if tree is None else tree
    configured = load_configuration(tree, root)
    given = {**configured.masters, **masters}
    globs = configured.settings.profiles
    repositories = find_repositories(root, given, tree, globs)
    # In another revision there may be others.
    if is_as_it_is and globs:
        profiles = repositories.overlay.profiles
        if profiles.offered and not profiles.names:
            there = ", ".join(profiles.offered)
            raise configured.where.at("profiles").error(
                f"no profile here is one of these; there are {there}"
            )
    return Opened(root, configured, repositories, masters)


def catalog_for(path: Path) -> Catalog:
    """Return every rule that there is, with the policies of the overlay that `path` lies in.

    In no overlay there are none. Raises UsageError where its configuration can't be read.
    """
    from overlaylint.engine.configuration import load_configuration
    from overlaylint.engine.packs import load_catalog
    from overlaylint.overlay.masters import find_overlay_root
    from overlaylint.tree import DirectoryTree

    catalog = load_catalog()
    root = find_overlay_root(path)
    if root is None:
        return catalog
    return catalog.with_policies(load_configuration(DirectoryTree(root), root))


def ebuilds_in(repository: Repository, given: Iterable[str]) -> Iterator[Ebuild]:
    """Yield the ebuilds that paths in a repository name: themselves, or folders around them."""
    wanted = frozenset(given)
    for category in repository.categories:
        inside = {path for path in wanted if path.partition("/")[0] == category}
        if not inside and "" not in wanted:
            continue
        whole = "" in wanted or category in inside
        for entry in repository.entries(category):
            cp = f"{category}/{entry.name}"
            if not (whole or cp in inside or any(path.startswith(f"{cp}/") for path in inside)):
                continue
            package = repository.package(cp)
            for ebuild in package.ebuilds if package is not None else ():
                if whole or cp in inside or ebuild.path in inside:
                    yield ebuild


def profile_given(repository: Repository, name: str) -> Profile:
    """Return the profile that `--profile` names: `coreos/amd64/generic`, `repository:path`.

    Raises UsageError where there is none, or Portage would not take it.
    """
    from overlaylint.engine.errors import UsageError, nearest

    owner: Repository | None = repository
    path = name.removeprefix("profiles/").strip("/")
    if ":" in path:
        repository_name, _, path = path.partition(":")
        owner = repository.named(repository_name)
        if owner is None:
            raise UsageError(f"--profile {name}: no repository here is called {repository_name}")
    assert owner is not None
    if not path or not owner.profiles.exists(path):
        raise UsageError(f"--profile {name}: no such profile{nearest(path, owner.profiles.names)}")
    profile = owner.profiles[path]
    if profile.problems:
        problem = profile.problems[0]
        raise UsageError(f"--profile {name}: {problem.message} ({problem.span.path})")
    return profile


def atom_given(text: str) -> Atom:
    """Return the atom that a user writes: `cat/pkg`, `>=cat/pkg-2`, and `cat/pkg-1` as well.

    Raises UsageError for what is none.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.overlay.atom import AtomError, parse_atom
    from overlaylint.overlay.version import split_pf

    category, slash, rest = text.partition("/")
    name = rest.partition(":")[0]
    # A package's name can't end in something that is a version.
    if slash and category[:1].isalnum() and split_pf(name) is not None:
        text = f"={text}"
    try:
        atom = parse_atom(text)
    except AtomError as error:
        raise UsageError(f"{text} is no package: {error}") from error
    if atom.blocker or atom.use:
        raise UsageError(f"{text}: a package is asked for without `!` and `[flags]`")
    return atom


def ebuilds_named(repository: Repository, atom: Atom) -> Iterator[Ebuild]:
    """Yield the ebuilds of a repository and its masters that may match an atom.

    The slot is not looked at: it is only known once the ebuild has been evaluated.
    """
    from dataclasses import replace

    from overlaylint.overlay.atom import Candidate

    bare = replace(atom, slot=None, subslot=None)
    for one in repository.family:
        package = one.package(atom.cp) if atom.category in one.categories else None
        for ebuild in package.ebuilds if package is not None else ():
            if bare.matches(Candidate(ebuild.cp, ebuild.version, "0", one.name)):
                yield ebuild
