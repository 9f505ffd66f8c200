"""The files of one profile folder, line by line, each line with its place (PMS 5).

Nothing is stacked here; profile.py does that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.overlay.atom import Atom, AtomError, package_of, parse_atom
from overlaylint.overlay.text import Line, Word, lines, split_words
from overlaylint.records import dataclass
from overlaylint.tree import Kind

if TYPE_CHECKING:
    from overlaylint.overlay.repository import Repository

#: The EAPIs that Portage 3.0.83 supports.
SUPPORTED_EAPIS = frozenset({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})

#: Files with a USE flag on each line.
FLAG_FILES = (
    "use.force",
    "use.mask",
    "use.stable",
    "use.stable.force",
    "use.stable.mask",
)

#: Files with an atom and words on each line.
PACKAGE_FILES = (
    "package.accept_keywords",
    "package.keywords",
    "package.use",
    "package.use.force",
    "package.use.mask",
    "package.use.stable",
    "package.use.stable.force",
    "package.use.stable.mask",
)

# EAPIs that do not have a file or a thing (PMS 5.2).
_WITHOUT_STABLE_MASKS = frozenset({"0", "1", "2", "3", "4"})
_WITHOUT_STABLE_USE = _WITHOUT_STABLE_MASKS | {"5", "6", "7", "8"}
_WITH_PROVIDED = frozenset({"0", "1", "2", "3", "4", "5", "6"})
_WITH_DEFAULT_EAPI = frozenset({"9"})

_USE_FLAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9+_@-]*")
# The first word of each line, and the rest of it: quicker than a line at a time.
_ENTRY = re.compile(rb"^[ \t]*([^\s#]\S*)([^\r\n]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Flag:
    """A USE flag, or any other word of an incremental list, and where it stands.

    `is_off` tells `-flag`, which takes back what a parent said.
    """

    name: str
    is_off: bool
    span: Span

    @property
    def text(self) -> str:
        """The word as it is written."""
        return f"-{self.name}" if self.is_off else self.name


@dataclass(frozen=True, slots=True)
class PackageEntry:
    """One line of a `package.*` file: an atom and what is said of its packages."""

    atom: Atom
    words: tuple[Word, ...]
    span: Span
    atom_span: Span


@dataclass(frozen=True, slots=True)
class AtomLine:
    """One line of package.mask, package.unmask or packages.

    `is_off` tells `-atom`, which takes a parent's line back; `atom` is None for `-*`.
    `is_system` tells a line of `packages` that starts with `*`.
    """

    text: str
    """The atom as it is written, without `-` and `*`: what a later `-` has to repeat."""
    atom: Atom | None
    is_off: bool
    span: Span
    is_system: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """One line of a `parent` file, and the profile folder that it leads to.

    `problem` says why it leads nowhere; then `repository` and `path` are None.
    """

    text: str
    span: Span
    repository: Repository | None = None
    path: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A line that Portage passes over with a warning."""

    message: str
    span: Span


class ProfileNode:
    """One profile folder of a repository: its own files, without its parents'.

    The repository's `profiles` folder itself is one too: what it holds concerns the
    packages of the repository and of those that have it as a master.
    """

    def __init__(self, repository: Repository, path: str) -> None:
        self.repository = repository
        self.path = path
        self._flags: dict[str, tuple[Flag, ...]] = {}
        self._entries: dict[str, Mapping[str, tuple[tuple[bytes, str, int, int], ...]]] = {}
        self._parsed: dict[tuple[str, str], Mapping[Atom, tuple[PackageEntry, ...]]] = {}
        self._problems: list[LineProblem] = []
        self._has_any: dict[tuple[str, ...], bool] = {}

    def __repr__(self) -> str:
        return f"<ProfileNode {self}>"

    def __str__(self) -> str:
        return f"{self.repository.name}:{self.path.removeprefix('profiles').lstrip('/')}"

    @property
    def is_top(self) -> bool:
        """Whether this is the repository's `profiles` folder."""
        return self.path == "profiles"

    @cached_property
    def eapi(self) -> str:
        """The EAPI its files are written in; it may be one that is not supported."""
        line = self.eapi_line
        if line is not None:
            return line
        return self._default_eapi

    @property
    def is_supported(self) -> bool:
        """Whether Portage would read the profile at all."""
        return self.eapi in SUPPORTED_EAPIS

    @cached_property
    def eapi_line(self) -> str | None:
        """What its own `eapi` file says, or None where there is none."""
        data = self.repository.read_if_there(f"{self.path}/eapi")
        if data is None:
            return None
        return data.partition(b"\n")[0].decode("utf-8", "replace").strip()

    @property
    def _default_eapi(self) -> str:
        if not self.is_top:
            top = self.repository.profile_node("profiles")
            if top.eapi_line in _WITH_DEFAULT_EAPI:
                return top.eapi_line
        return self.repository.layout.default_profile_eapi

    @cached_property
    def allows_folders(self) -> bool:
        """Whether its files may be folders of files."""
        return self.repository.layout.allows_folders(self.eapi)

    @cached_property
    def parents(self) -> tuple[Parent, ...]:
        """Its parents, in the order they are stacked: each lies below the ones after it."""
        path = f"{self.path}/parent"
        found = tuple(self._parent(line, path) for line in self.repository.lines(path))
        if not found and self.repository.tree.kind(path) is Kind.FILE:
            span = self.repository.span(path)
            return (Parent("", span, problem="the file is empty, which Portage refuses"),)
        return found

    @property
    def is_deprecated(self) -> bool:
        """Whether a `deprecated` file tells users to move on."""
        return self.repository.tree.kind(f"{self.path}/deprecated") is Kind.FILE

    def files(self, name: str, *, always_folder: bool = False) -> tuple[str, ...]:
        """Return the paths that make up a file: itself, or the files of the folder.

        As Portage lists a folder: sorted with its subfolders, without what starts with
        `.` or ends in `~`.
        """
        path = f"{self.path}/{name}"
        kind = self.repository.tree.kind(path)
        if kind is Kind.FILE:
            return (path,)
        if kind is Kind.FOLDER and (always_folder or self.allows_folders):
            return tuple(self._files_in(path, set()))
        return ()

    def has_any(self, names: tuple[str, ...]) -> bool:
        """Whether one of some files is there."""
        if names not in self._has_any:
            self._has_any[names] = any(self.files(name) for name in names)
        return self._has_any[names]

    def read(self, name: str) -> dict[str, bytes]:
        """Return the content of each path that makes up a file."""
        return {path: self.repository.tree.read(path) for path in self.files(name)}

    def flags(self, name: str) -> tuple[Flag, ...]:
        """Return the flags of use.mask and the like, in order."""
        known = self._flags.get(name)
        if known is None:
            known = self._flags[name] = tuple(self._read_flags(name))
        return known

    def entries(self, name: str, cp: str) -> Mapping[Atom, tuple[PackageEntry, ...]]:
        """Return what a `package.*` file says of one package: the lines of each atom.

        Lines of other packages are not taken apart, which is what makes a profile quick.
        """
        index = self._entries.get(name)
        if index is None:
            index = self._entries[name] = self._read_entries(name)
        raw = index.get(cp)
        if raw is None:
            return {}
        key = (name, cp)
        if key not in self._parsed:
            self._parsed[key] = self._parse_entries(name, raw)
        return self._parsed[key]

    def mentioned(self, name: str) -> frozenset[str]:
        """Return the packages that a `package.*` file has lines for."""
        self.entries(name, "")
        return frozenset(self._entries[name])

    def all_entries(self, name: str) -> Iterator[PackageEntry]:
        """Yield every line of a `package.*` file, package by package."""
        self.entries(name, "")
        for cp in self._entries[name]:
            for group in self.entries(name, cp).values():
                yield from group

    @cached_property
    def line_problems(self) -> tuple[LineProblem, ...]:
        """Every line that Portage would pass over; all files are read for this."""
        for name in FLAG_FILES:
            self.flags(name)
        for name in PACKAGE_FILES:
            for _ in self.all_entries(name):
                pass
        for _ in (self.masks, self.unmasks, self.packages):
            pass
        return tuple(self._problems)

    @cached_property
    def masks(self) -> tuple[AtomLine, ...]:
        """The lines of package.mask."""
        return tuple(self._atom_lines("package.mask"))

    @cached_property
    def unmasks(self) -> tuple[AtomLine, ...]:
        """The lines of package.unmask, which only profiles with folders may have."""
        return tuple(self._atom_lines("package.unmask")) if self.allows_folders else ()

    @cached_property
    def packages(self) -> tuple[AtomLine, ...]:
        """The lines of `packages`: the system set, and what a profile adds to it."""
        return tuple(self._atom_lines("packages"))

    @cached_property
    def provided(self) -> tuple[Flag, ...]:
        """The lines of package.provided, as `category/package-version`; none from EAPI 7."""
        if self.eapi not in _WITH_PROVIDED:
            return ()
        return tuple(
            _flag(line.text, self.repository.span(path, line.start, line.words[-1].end))
            for path, line in self._lines("package.provided")
        )

    def _lines(self, name: str) -> Iterator[tuple[str, Line]]:
        for path in self.files(name):
            for line in lines(self.repository.tree.read(path)):
                yield path, line

    def _files_in(self, folder: str, seen: set[str]) -> Iterator[str]:
        # A linked folder is read once, or links to one another would never end.
        tree = self.repository.tree
        real = tree.resolve(folder)
        if real in seen:
            return
        seen.add(real)
        for entry in tree.entries(folder):
            if entry.name.startswith(".") or entry.name.endswith("~") or entry.name == "CVS":
                continue
            path = f"{folder}/{entry.name}"
            if entry.kind is Kind.FILE:
                yield path
            elif entry.kind is Kind.FOLDER:
                yield from self._files_in(path, seen)

    def _is_missing_in_eapi(self, name: str) -> bool:
        if name in ("use.stable", "package.use.stable"):
            return self.eapi in _WITHOUT_STABLE_USE
        return ".stable" in name and self.eapi in _WITHOUT_STABLE_MASKS

    def _read_flags(self, name: str) -> Iterator[Flag]:
        if self._is_missing_in_eapi(name):
            return
        for path, line in self._lines(name):
            span = self.repository.span(path, line.words[0].start, line.words[-1].end)
            flag = _flag(line.text, span)
            if _USE_FLAG.fullmatch(flag.name):
                yield flag
            else:
                self._problems.append(LineProblem(f"{flag.name!r} is not a USE flag", span))

    def _read_entries(self, name: str) -> Mapping[str, tuple[tuple[bytes, str, int, int], ...]]:
        found: dict[str, list[tuple[bytes, str, int, int]]] = {}
        if self._is_missing_in_eapi(name):
            return {}
        for path in self.files(name):
            data = self.repository.tree.read(path)
            for match in _ENTRY.finditer(data.replace(b"\r", b"\n")):
                cp = package_of(match.group(1).decode("utf-8", "surrogateescape"))
                entry = (data, path, match.start(1), match.end())
                found.setdefault(cp or "", []).append(entry)
        return {cp: tuple(entries) for cp, entries in found.items()}

    def _parse_entries(
        self, name: str, raw: tuple[tuple[bytes, str, int, int], ...]
    ) -> Mapping[Atom, tuple[PackageEntry, ...]]:
        found: dict[Atom, list[PackageEntry]] = {}
        for data, path, start, end in raw:
            atom_word, *words = split_words(data, start, end)
            span = self.repository.span(path, start, words[-1].end if words else atom_word.end)
            atom_span = self.repository.span(path, atom_word.start, atom_word.end)
            atom = self._atom(atom_word.text, atom_span)
            if atom is None:
                continue
            if atom.use:
                message = f"an atom in {name} may not have USE dependencies"
                self._problems.append(LineProblem(message, atom_span))
                continue
            found.setdefault(atom, []).append(PackageEntry(atom, tuple(words), span, atom_span))
        return {atom: tuple(entries) for atom, entries in found.items()}

    def _atom_lines(self, name: str) -> Iterator[AtomLine]:
        for path, line in self._lines(name):
            text = line.text
            span = self.repository.span(path, line.words[0].start, line.words[-1].end)
            if name == "packages" and text == "-*":
                yield AtomLine("*", None, True, span)
                continue
            is_off = text.startswith("-")
            bare = text.removeprefix("-")
            is_system = name == "packages" and bare.startswith("*")
            atom = self._atom(bare.removeprefix("*") if is_system else bare, span)
            if atom is not None:
                yield AtomLine(bare, atom, is_off, span, is_system)

    def _atom(self, text: str, span: Span) -> Atom | None:
        try:
            atom = parse_atom(text, self.eapi)
        except AtomError as error:
            # What no EAPI's atoms have may still be allowed by profile-formats.
            if "::" in text and self.repository.layout.allows_repository_in_atoms:
                bare, _, repository = text.partition("::")
                return self._atom_in(bare, repository, text, span)
            message = f"{text!r} is not an atom of EAPI {self.eapi}: {error}"
            self._problems.append(LineProblem(message, span))
            return None
        return atom

    def _atom_in(self, bare: str, repository: str, text: str, span: Span) -> Atom | None:
        if self._atom(bare, span) is None:
            return None
        return parse_atom(text) if repository else None

    def _parent(self, line: Line, path: str) -> Parent:
        text = line.text
        span = self.repository.span(path, line.words[0].start, line.words[-1].end)
        name, colon, inside = text.partition(":")
        repository: Repository | None = self.repository
        if text.startswith("/"):
            return Parent(text, span, problem="an absolute path is not part of any repository")
        if colon and self.repository.layout.allows_parent_in_repository:
            if name:
                repository = self.repository.named(name)
            target = _normal(f"profiles/{inside}")
        else:
            target = _normal(f"{self.path}/{text}")
        if repository is None:
            return Parent(text, span, problem=f"no repository {name!r} is known")
        if target is None:
            return Parent(text, span, problem="the path leads out of the repository")
        if repository.tree.kind(target) is not Kind.FOLDER:
            return Parent(text, span, problem=f"no folder {target!r} in {repository.name}")
        return Parent(text, span, repository, target)


def _flag(text: str, span: Span) -> Flag:
    return Flag(text.removeprefix("-"), text.startswith("-"), span)


def _normal(path: str) -> str | None:
    """Return a path without `.` and `..`, or None where it leads out."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
