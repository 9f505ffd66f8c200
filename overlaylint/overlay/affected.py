"""What a change to some files can affect, by how Portage reads a repository.

An eclass touches whoever inherits it, a profile's file the profiles that stack on it and the
packages that its changed lines name, a file of a package the package, with what the overlay
adds to it from outside; a link follows what it leads to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.overlay.atom import package_of
from overlaylint.overlay.hooks import ENV_FOLDER, USER_PATCHES_FOLDER
from overlaylint.overlay.layout import LAYOUT_PATH
from overlaylint.overlay.text import lines
from overlaylint.records import dataclass
from overlaylint.tree import Kind, Tree, TreeError

if TYPE_CHECKING:
    from overlaylint.overlay.profile_node import ProfileNode
    from overlaylint.overlay.repository import Repository

#: The path that stands for the whole overlay.
EVERYTHING = ""

# What every package, or every value of the model, depends on.
_FOR_ALL = (
    LAYOUT_PATH,
    "overlaylint.toml",
    "profiles/arch.list",
    "profiles/eapi",
    "profiles/repo_name",
)
# Files of a profile that may be folders of files.
_MAY_BE_FOLDERS = ("package.*", "use.*", "make.defaults", "packages")
# What lies in profiles/ for people and other programs.
_FOR_PEOPLE = (
    "profiles/*.desc",
    "profiles/desc/*",
    "profiles/info_*",
    "profiles/thirdpartymirrors",
    "profiles/updates/*",
)
_PROFILES_DESC = "profiles/profiles.desc"


@dataclass(frozen=True, slots=True)
class Change:
    """Paths in one repository whose files are not what they were in `before`.

    `repository` has the files as they are now. `before` is None where it was not there at all.
    """

    repository: Repository
    paths: frozenset[str]
    before: Tree | None


def affected(overlay: Repository, changes: Iterable[Change]) -> frozenset[str]:
    """Return the files and folders of the overlay that changes to it and its masters affect.

    A folder stands for all that is in it: a package, or a profile. Raises TreeError where a
    file that this depends on can't be read.
    """
    return _Affected(overlay).of(changes)


class _Affected:
    def __init__(self, overlay: Repository) -> None:
        self.overlay = overlay
        self.found: set[str] = set()
        self.packages: set[str] = set()
        self.licenses: set[str] = set()
        self.eclasses: set[str] = set()
        self.profile_files: set[tuple[Repository, str]] = set()

    def of(self, changes: Iterable[Change]) -> frozenset[str]:
        for change in changes:
            for path in _with_links(change.repository, change.paths):
                self.take(change, path)
        if EVERYTHING in self.found:
            return frozenset({EVERYTHING})
        self.take_profiles()
        self.take_heirs()
        self.take_surroundings()
        return frozenset(self.found)

    def take(self, change: Change, path: str) -> None:
        """Take in one changed file, by what it is to Portage."""
        repository = change.repository
        is_own = repository is self.overlay
        top, _, rest = path.partition("/")
        if is_own:
            self.found.add(path)
        if path in _FOR_ALL:
            self.found.add(EVERYTHING)
        elif top == "eclass":
            name = rest.removesuffix(".eclass")
            owner = self.overlay.eclass(name)
            # A master's eclass that another one stands before changes nothing.
            if owner is None or owner[0] is repository:
                self.eclasses.add(name)
        elif top == "licenses":
            self.licenses.add(rest)
        elif path == "profiles/license_groups":
            self.licenses.update(word for line in _changed_lines(change, path) for word in line)
        elif path == "profiles/categories":
            self.found.update(line[0] for line in _changed_lines(change, path))
        elif path.startswith((f"{ENV_FOLDER}/", f"{USER_PATCHES_FOLDER}/")):
            self.packages.update(self.hooked(path))
        elif top == "profiles":
            if path == _PROFILES_DESC or not any(fnmatchcase(path, one) for one in _FOR_PEOPLE):
                self.profile_files.add((repository, path))
                self.packages.update(_named(change, path))
        elif path.count("/") >= 2:
            self.packages.add("/".join(path.split("/")[:2]))

    def hooked(self, path: str) -> Iterator[str]:
        """Yield the packages that an env hook or a user patch at a path is for."""
        folder = ENV_FOLDER if path.startswith(f"{ENV_FOLDER}/") else USER_PATCHES_FOLDER
        category, _, rest = path.removeprefix(f"{folder}/").partition("/")
        name = rest.partition("/")[0].partition(":")[0]
        # `audit-2.8` may be a version of `audit`, or a name of its own.
        yield f"{category}/{name}"
        cp = package_of(f"={category}/{name}")
        if cp is not None:
            yield cp

    # Profiles

    def take_profiles(self) -> None:
        changed = {(repository, _profile_folder(path)) for repository, path in self.profile_files}
        tops = {(repository, "profiles") for repository in self.overlay.family}
        lists_changed = any(path == _PROFILES_DESC for _, path in self.profile_files)
        for folder in _profile_folders(self.overlay):
            node = self.overlay.profile_node(folder)
            stack = {(one.repository, one.path) for one in _stack(node)} | tops
            if lists_changed or stack & changed:
                self.found.add(folder)

    # Packages

    @cached_property
    def closures(self) -> Mapping[str, frozenset[str]]:
        """The overlay's eclasses, each with all that it inherits, as far as it is written out."""
        known: dict[str, frozenset[str]] = {}
        direct: dict[str, tuple[str, ...]] = {}

        def inherited(name: str) -> tuple[str, ...]:
            if name not in direct:
                direct[name] = tuple(_inherited(self.overlay, name))
            return direct[name]

        for start in self.overlay.eclasses:
            seen: set[str] = set()
            waiting = list(inherited(start))
            while waiting:
                name = waiting.pop()
                if name not in seen:
                    seen.add(name)
                    waiting.extend(inherited(name))
            known[start] = frozenset(seen)
        return known

    def take_heirs(self) -> None:
        """Take in who inherits a changed eclass, or is under a changed licence."""
        if self.eclasses:
            self.found.update(
                self.overlay.eclasses[name]
                for name, inherited in self.closures.items()
                if inherited & self.eclasses
            )
        if not self.eclasses and not self.licenses:
            return
        are_gone = any(self.overlay.eclass(name) is None for name in self.eclasses)
        for package in self.overlay.packages.values():
            for ebuild in package.ebuilds:
                if package.cp in self.packages:
                    break
                try:
                    evaluation = ebuild.evaluation
                except TreeError:
                    # A rule about files says that it can't be read; nothing else depends on it.
                    continue
                inherited = {*evaluation.inherited, *evaluation.missing}
                # What could not be sourced to its end may inherit more than is known.
                is_lost = evaluation.state.havoc is not None or (
                    evaluation.failure is not None and are_gone
                )
                variable = evaluation.variable("LICENSE") if self.licenses else None
                licenses = set(str(variable.value).split()) if variable is not None else set()
                if (
                    inherited & self.eclasses
                    or (self.eclasses and is_lost)
                    or licenses & self.licenses
                ):
                    self.packages.add(package.cp)

    def take_surroundings(self) -> None:
        """Take in what belongs to the affected packages: their folder, hooks and patches."""
        self.found |= self.packages
        for folder in (ENV_FOLDER, USER_PATCHES_FOLDER):
            for category in {cp.partition("/")[0] for cp in self.packages}:
                for entry in self.overlay.entries(f"{folder}/{category}"):
                    path = f"{folder}/{category}/{entry.name}"
                    if self.packages & set(self.hooked(path)):
                        self.found.add(path)


def _with_links(repository: Repository, paths: frozenset[str]) -> frozenset[str]:
    """Return changed paths with the links that lead to them, or through them."""
    links = dict(_links(repository.tree, ""))
    found = set(paths)
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        for link, target in links.items():
            leads_here = (
                target == path or path.startswith(f"{target}/") or target.startswith(f"{path}/")
            )
            if link not in found and leads_here:
                found.add(link)
                waiting.append(link)
    return frozenset(found)


def _links(tree: Tree, folder: str) -> Iterator[tuple[str, str]]:
    """Yield each link below a folder with the path that it names, which may not be there."""
    try:
        entries = tree.entries(folder)
    except TreeError:
        # A rule about files reports the folder.
        return
    for entry in entries:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.target is not None:
            target = posixpath.normpath(posixpath.join(folder, entry.target))
            if not target.startswith(("/", "../")):
                yield path, target
        elif entry.kind is Kind.FOLDER and not entry.name.startswith("."):
            yield from _links(tree, path)


def _changed_lines(change: Change, path: str) -> Iterator[list[str]]:
    """Yield the words of each line that a file has gained or lost."""
    contents = []
    for tree in (change.before, change.repository.tree):
        is_there = tree is not None and tree.kind(path) is Kind.FILE
        data = tree.read(path) if is_there and tree is not None else b""
        contents.append({line.text for line in lines(data)})
    yield from (text.split() for text in sorted(contents[0] ^ contents[1]))


def _named(change: Change, path: str) -> Iterator[str]:
    """Yield the packages that the changed lines of a profile's file name."""
    for words in _changed_lines(change, path):
        cp = package_of(words[0].lstrip("-*"))
        if cp is not None:
            yield cp


def _profile_folder(path: str) -> str:
    """Return the profile that a file below `profiles` belongs to."""
    folder = posixpath.dirname(path)
    parts = folder.split("/")
    for at, part in enumerate(parts):
        if any(fnmatchcase(part, one) for one in _MAY_BE_FOLDERS):
            return "/".join(parts[:at])
    return folder


def _profile_folders(repository: Repository, folder: str = "profiles") -> Iterator[str]:
    """Yield the folders below `profiles` that may be profiles: all that hold a file."""
    for entry in repository.entries(folder):
        if entry.kind is not Kind.FOLDER or entry.is_link or entry.name.startswith("."):
            continue
        path = f"{folder}/{entry.name}"
        if _profile_folder(f"{path}/parent") != path:
            continue
        if any(inner.kind is Kind.FILE for inner in repository.entries(path)):
            yield path
        yield from _profile_folders(repository, path)


def _stack(node: ProfileNode) -> Iterator[ProfileNode]:
    """Yield a profile's node and its parents', each once, be they in a circle or not."""
    seen = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        key = (one.repository, one.path)
        if key in seen:
            continue
        seen.add(key)
        yield one
        waiting += [
            parent.repository.profile_node(parent.path)
            for parent in one.parents
            if parent.repository is not None and parent.path is not None
        ]


def _inherited(repository: Repository, name: str) -> Iterator[str]:
    """Yield the eclasses that an eclass names in `inherit`."""
    from overlaylint.shell.syntax import Simple, Word, innermost_commands

    place = repository.eclass(name)
    if place is None:
        return
    try:
        script = place[0].script(place[1])
    except TreeError:
        # As in take_heirs.
        return
    for command in innermost_commands(script):
        if not isinstance(command, Simple) or not command.words:
            continue
        words = [word.literal if isinstance(word, Word) else None for word in command.words]
        if words[0] == "inherit":
            yield from (word for word in words[1:] if word is not None)
