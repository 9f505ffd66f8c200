"""The files of a repository, each with what it is to Portage.

This is what the rules about files as such look at (encoding, line ends, links), and what
counts as a checked file. Folders whose names start with a dot belong to other programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.records import dataclass
from overlaylint.tree import Kind, TreeError

if TYPE_CHECKING:
    from overlaylint.overlay.repository import Repository
    from overlaylint.shell import Script


#: Larger scripts are not parsed. The largest eclass of ::gentoo has less than a tenth of it.
LARGEST_SCRIPT = 2 * 1024 * 1024


class Role(Enum):
    """What a file is to Portage, judged by its path alone (PMS 4)."""

    EBUILD = "ebuild"
    ECLASS = "eclass"
    HOOK = "hook"
    """Bash that Portage sources around a build: profile.bashrc, and per-package env files."""
    PROFILE = "profile file"
    MANIFEST = "Manifest"
    METADATA = "metadata"
    AUXILIARY = "auxiliary file"
    """Something under a package's `files/`, or a patch that a hook adds to a package."""
    OTHER = "other file"
    """Read by people (licences, READMEs), or by other programs."""

    @property
    def is_script(self) -> bool:
        """Whether Portage has bash source the file."""
        return self in (Role.EBUILD, Role.ECLASS, Role.HOOK)

    @property
    def is_text(self) -> bool:
        """Whether Portage reads the file as text (GLEP 31)."""
        return self.is_script or self in (Role.PROFILE, Role.METADATA, Role.MANIFEST)


@dataclass(frozen=True, slots=True)
class File:
    """One name in a repository that is no folder.

    `kind` is that of what the name resolves to; a link that is not followed, a special file,
    a folder that is called `*.ebuild` or `*.eclass`, and a link to a folder where only a file
    is read, are here as well. `target` is a link's own text. `fault` says why a folder could
    not be listed.
    """

    repository: Repository
    path: str
    role: Role
    kind: Kind
    target: str | None = None
    fault: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_link(self) -> bool:
        """Whether the name is a link, be it a good one or not."""
        return self.target is not None

    def read(self) -> bytes:
        """Return the content. Raises TreeError where that is not possible."""
        return self.repository.tree.read(self.path)

    def span(self, start: int = 0, end: int = 0) -> Span:
        """Return a place in the file."""
        return self.repository.span(self.path, start, end)


@dataclass(frozen=True)
class TextFile:
    """A file that Portage reads as text, with its content.

    `path` is where the content lies: a link and what it leads to are one TextFile.
    """

    repository: Repository
    path: str
    role: Role
    data: bytes

    def span(self, start: int = 0, end: int = 0) -> Span:
        """Return a place in the file."""
        return self.repository.span(self.path, start, end)


@dataclass(frozen=True)
class ScriptFile(TextFile):
    """A file that Portage has bash source, and that is not too large to be parsed."""

    @property
    def script(self) -> Script:
        """The content as bash reads it."""
        return self.repository.script(self.path)


def role_of(path: str) -> Role:
    """Return what the file at `path` is to Portage."""
    top, _, rest = path.partition("/")
    name = path.rpartition("/")[2]
    parts = path.count("/") + 1
    if not rest or top in ("licenses", "scripts") or name.startswith("."):
        return Role.OTHER
    if top == "eclass":
        return Role.ECLASS if parts == 2 and name.endswith(".eclass") else Role.OTHER
    if top == "profiles":
        return Role.HOOK if name == "profile.bashrc" else Role.PROFILE
    if top == "metadata":
        # Below are caches, news, security notices and schemas: for other programs, or generated.
        return Role.METADATA if parts == 2 and name != "pkg_desc_index" else Role.OTHER
    if fnmatchcase(path, "*/config/env/*/*"):
        return Role.HOOK
    if parts == 3 and name.endswith(".ebuild"):
        return Role.EBUILD
    if parts == 3 and name == "Manifest":
        return Role.MANIFEST
    if name == "metadata.xml" and parts in (2, 3):
        return Role.METADATA
    if fnmatchcase(path, "*/*/files/*") or fnmatchcase(path, "*/user-patches/*/*/*"):
        return Role.AUXILIARY
    return Role.OTHER


# Files below `profiles/`: what Portage reads there alone, and in each profile.
_TOP_PROFILE_FILES = frozenset(
    {
        "arch.list",
        "categories",
        "info_pkgs",
        "info_vars",
        "license_groups",
        "profiles.desc",
        "repo_name",
        "thirdpartymirrors",
        "use.desc",
        "use.local.desc",
    }
)
_NODE_FILES = frozenset({"deprecated", "eapi", "parent"})
# These and the files about flags may be folders of files, where the repository's format has it.
_STACKED = ("make.defaults", "packages", "package.mask", "package.provided", "package.unmask")


def needs_file(repository: Repository, path: str) -> bool:
    """Whether Portage reads what is at `path`, if anything, and reads no folder there."""
    role = role_of(path)
    folder, _, name = path.rpartition("/")
    parts = path.count("/") + 1
    match role:
        case Role.EBUILD | Role.ECLASS | Role.MANIFEST:
            return True
        case Role.HOOK:
            # `config/env/CATEGORY/NAME`; whoever has more folders there uses them otherwise.
            return name == "profile.bashrc" or parts == 5
        case Role.METADATA:
            return name in ("layout.conf", "metadata.xml")
        case Role.PROFILE:
            if name in _NODE_FILES or (folder == "profiles" and name in _TOP_PROFILE_FILES):
                return True
            from overlaylint.overlay.profile_node import FLAG_FILES, PACKAGE_FILES

            is_stacked = name in (*_STACKED, *FLAG_FILES, *PACKAGE_FILES)
            return is_stacked and not repository.profile_node(folder).allows_folders
        case _:
            is_license = parts == 2 and folder == "licenses" and not name.startswith(".")
            return is_license or (parts == 4 and folder.startswith("metadata/md5-cache/"))


def files(repository: Repository, folder: str = "") -> Iterator[File]:
    """Yield every file below a folder of a repository, in the order of their names.

    Links are not followed into folders. A folder that can't be listed is a File with a
    `fault`, since what it holds can't be told.
    """
    try:
        entries = repository.tree.entries(folder)
    except TreeError as error:
        yield File(repository, folder, Role.OTHER, Kind.FOLDER, None, error.reason)
        return
    for entry in entries:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.kind is not Kind.FOLDER:
            yield File(repository, path, role_of(path), entry.kind, entry.target)
            continue
        role = role_of(path)
        is_amiss = entry.is_link and needs_file(repository, path)
        if is_amiss or role in (Role.EBUILD, Role.ECLASS):
            yield File(repository, path, role, entry.kind, entry.target)
        if not entry.is_link and not entry.name.startswith("."):
            yield from files(repository, path)


def file_at(repository: Repository, path: str) -> Iterator[File]:
    """Yield the File at one path, or those below it if it is a folder; nothing for nothing."""
    if not path:
        yield from files(repository)
        return
    folder, _, name = path.rpartition("/")
    for entry in repository.entries(folder):
        if entry.name != name:
            continue
        if entry.kind is not Kind.FOLDER:
            yield File(repository, path, role_of(path), entry.kind, entry.target)
        else:
            yield from files(repository, path)


def text_files(found: Iterable[File]) -> Iterator[TextFile]:
    """Yield what Portage reads as text among some files, each content once.

    Files that can't be read are passed over: a rule about files says so.
    """
    seen = set()
    for file in found:
        if not file.role.is_text or file.kind is not Kind.FILE:
            continue
        try:
            path = file.repository.tree.resolve(file.path)
            if path in seen:
                continue
            data = file.read()
        except TreeError:
            continue
        seen.add(path)
        is_script = file.role.is_script and len(data) <= LARGEST_SCRIPT
        yield (ScriptFile if is_script else TextFile)(file.repository, path, file.role, data)
