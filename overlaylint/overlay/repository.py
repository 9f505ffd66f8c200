"""An ebuild repository: its packages, eclasses, licences and masters (PMS 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.overlay.ebuild import Ebuild, Misplaced, Package, name_fault
from overlaylint.overlay.files import LARGEST_SCRIPT
from overlaylint.overlay.layout import LAYOUT_PATH, Layout, parse_layout, valid_repository_name
from overlaylint.overlay.text import Line, lines
from overlaylint.overlay.version import is_category_name, is_package_name, split_pf
from overlaylint.tree import Entry, Kind, Tree, TreeError

if TYPE_CHECKING:
    from overlaylint.overlay.eclass_effects import EclassEffects
    from overlaylint.overlay.kept import Store
    from overlaylint.overlay.profile_node import ProfileNode
    from overlaylint.overlay.profiles import Profiles
    from overlaylint.overlay.shared import Shared
    from overlaylint.overlay.substitution_effects import SubstitutionEffects
    from overlaylint.shell import Script

# Folders at the top level that PMS 4 or usage gives another meaning.
_NO_CATEGORIES = frozenset({"eclass", "licenses", "metadata", "profiles", "scripts", "local"})


class Repository:
    """One repository over one tree, read as it is asked for.

    `masters` are the repositories that layout.conf names, in its order, as far as they
    were found; `missing_masters` are the others' names. `is_checked` tells the overlay
    that is being checked from its masters. With `profile_globs`, the profiles to check are
    only those whose names match one.
    """

    def __init__(
        self,
        tree: Tree,
        masters: tuple[Repository, ...] = (),
        missing_masters: tuple[str, ...] = (),
        *,
        is_checked: bool = True,
        known_as: tuple[str, ...] = (),
        profile_globs: tuple[str, ...] = (),
    ) -> None:
        self.tree = tree
        self.masters = masters
        self.missing_masters = missing_masters
        self.is_checked = is_checked
        self.profile_globs = profile_globs
        self.focus: frozenset[str] | None = None
        """The ebuilds in whose files alone findings are of interest; None for anywhere."""
        self.store: Store | None = None
        """Where what is worked out may be kept for the next run."""
        self.shared: Shared | None = None
        """What it has in common with other revisions of it."""
        self._known_as = known_as
        self._packages: dict[str, Package | None] = {}
        self._profile_nodes: dict[str, ProfileNode] = {}
        self._scripts: dict[str, Script] = {}
        self._eclasses_found: dict[str, tuple[Repository, str] | None] = {}
        self._eclass_checksums: dict[str, str] = {}
        self._last_read: tuple[str, bytes] | None = None
        self._eclass_digests: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Repository {self.name} in {self.tree.name}>"

    def with_files(self, files: Mapping[str, bytes]) -> Repository:
        """Return the repository with the content of some files changed, and nothing written."""
        from overlaylint.tree import OverlaidTree

        return Repository(
            OverlaidTree(self.tree, files),
            self.masters,
            self.missing_masters,
            is_checked=self.is_checked,
            known_as=self._known_as,
            profile_globs=self.profile_globs,
        )

    # What it is called

    @cached_property
    def layout(self) -> Layout:
        """What metadata/layout.conf settles; an empty one where there is no such file."""
        data = self.read_if_there(LAYOUT_PATH)
        return Layout() if data is None else parse_layout(data)

    @cached_property
    def name(self) -> str:
        """The name Portage uses: layout.conf's `repo-name`, else profiles/repo_name.

        Where both are missing or hold no valid name, it is `x-` and the folder's name.
        """
        if self.layout.repo_name:
            return self.layout.repo_name
        data = self.read_if_there("profiles/repo_name") or b""
        first = data.partition(b"\n")[0].decode("utf-8", "replace")
        folder = self.tree.name.rstrip("/").rpartition("/")[2]
        return valid_repository_name(first) or valid_repository_name(f"x-{folder}") or "x-"

    @property
    def has_name(self) -> bool:
        """Whether the repository itself says what it is called (PMS 4.4.1)."""
        return self.layout.repo_name is not None or (
            self.tree.kind("profiles/repo_name") is Kind.FILE
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """The name, the aliases, and the names under which others found it."""
        return frozenset({self.name, *self.layout.aliases, *self._known_as})

    @cached_property
    def family(self) -> tuple[Repository, ...]:
        """The repository itself and every master, theirs too, each once."""
        found: list[Repository] = []
        waiting = [self]
        while waiting:
            repository = waiting.pop(0)
            if repository not in found:
                found.append(repository)
                waiting.extend(repository.masters)
        return tuple(found)

    def named(self, name: str) -> Repository | None:
        """Return the repository of the family that is called `name`, by its own name first."""
        for repository in self.family:
            if repository.name == name:
                return repository
        for repository in self.family:
            if name in repository.names:
                return repository
        return None

    def span(self, path: str, start: int = 0, end: int = 0) -> Span:
        """Return a place in a file of this repository."""
        return Span(path, start, end, "" if self.is_checked else self.name)

    # Packages

    @cached_property
    def listed_categories(self) -> frozenset[str]:
        """The names in profiles/categories, here and in the masters."""
        found = {line.text for line in self.lines("profiles/categories")}
        for master in self.masters:
            found |= master.listed_categories
        return frozenset(found)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories that have a folder here, sorted.

        Portage looks into those that profiles/categories lists, here or in a master.
        While a master is missing, its list is unknown: then every folder that holds
        ebuilds counts.
        """
        found = self._categories_by_folder
        if self.missing_masters:
            return found
        return tuple(name for name in found if name in self.listed_categories)

    @cached_property
    def unlisted_categories(self) -> tuple[str, ...]:
        """Folders that hold ebuilds which Portage never sees: no category list has them."""
        if self.missing_masters:
            return ()
        return tuple(
            name for name in self._categories_by_folder if name not in self.listed_categories
        )

    @cached_property
    def packages(self) -> Mapping[str, Package]:
        """Every package of the categories, as `category/package`, sorted."""
        found = {}
        for category in self.categories:
            for name in self._folders(category):
                package = self.package(f"{category}/{name}")
                if package is not None:
                    found[package.cp] = package
        return found

    @property
    def ebuilds(self) -> Iterator[Ebuild]:
        """Every ebuild, by package and version."""
        for package in self.packages.values():
            yield from package.ebuilds

    @property
    def ebuilds_of_interest(self) -> Iterator[Ebuild]:
        """Every ebuild of which what is found may lie in a file of `focus`: its own text."""
        if self.focus is None:
            yield from self.ebuilds
            return
        for cp in sorted({"/".join(path.split("/")[:2]) for path in self.focus}):
            package = self.package(cp) if cp.partition("/")[0] in self.categories else None
            for ebuild in () if package is None else package.ebuilds:
                if ebuild.path in self.focus or ebuild.source_path in self.focus:
                    yield ebuild

    def package(self, cp: str) -> Package | None:
        """Return one package, without looking at the others; None if there is none.

        A folder is a package if something in it is called `*.ebuild`.
        """
        if cp not in self._packages:
            self._packages[cp] = self._read_package(cp)
        return self._packages[cp]

    def ebuild_at(self, path: str) -> Ebuild | None:
        """Return the ebuild that `path` is, or None."""
        category, _, rest = path.partition("/")
        name = rest.partition("/")[0]
        package = self.package(f"{category}/{name}")
        for ebuild in package.ebuilds if package is not None else ():
            if ebuild.path == path:
                return ebuild
        return None

    # Eclasses and licences

    def eclass(self, name: str) -> tuple[Repository, str] | None:
        """Return where `inherit name` finds an eclass: here, else in the last master first.

        As Portage does it: the masters in layout.conf's order and then the repository
        itself are laid over one another, and the last one wins. A repository may name
        itself among its masters to be overruled by those after it.
        """
        if name not in self._eclasses_found:
            self._eclasses_found[name] = self._find_eclass(name)
        return self._eclasses_found[name]

    def eclass_checksum(self, name: str) -> str:
        """Return the MD5 of the eclass that `inherit name` finds, as an md5-cache has it.

        Every heir has it in its entry, so each file is read for it once. Raises TreeError where
        the file can't be read, KeyError where there is none.
        """
        if name not in self._eclass_checksums:
            from overlaylint.overlay.metadata import md5

            found = self.eclass(name)
            if found is None:
                raise KeyError(name)
            owner, path = found
            self._eclass_checksums[name] = md5(owner.tree.read(path))
        return self._eclass_checksums[name]

    def eclass_digest(self, name: str) -> str:
        """Return a checksum that no two texts share, of the eclass that `inherit name` finds.

        It is empty where there is none. Raises TreeError where the file can't be read.
        """
        if name not in self._eclass_digests:
            from hashlib import sha256

            found = self.eclass(name)
            self._eclass_digests[name] = (
                "" if found is None else sha256(found[0].tree.read(found[1])).hexdigest()
            )
        return self._eclass_digests[name]

    def eclass_script(self, name: str) -> Script | None:
        """Return the eclass that `inherit name` finds, as bash reads it.

        Raises TreeError where the file can't be read.
        """
        found = self.eclass(name)
        return None if found is None else found[0].script(found[1])

    def _find_eclass(self, name: str) -> tuple[Repository, str] | None:
        path = f"eclass/{name}.eclass"
        for repository in self.eclass_order:
            if repository.tree.kind(path) is Kind.FILE:
                return repository, path
        return None

    @cached_property
    def eclasses(self) -> Mapping[str, str]:
        """This repository's own eclasses: name to path, sorted."""
        return {
            entry.name.removesuffix(".eclass"): f"eclass/{entry.name}"
            for entry in self.entries("eclass")
            if entry.name.endswith(".eclass") and entry.kind is Kind.FILE
        }

    @cached_property
    def licenses(self) -> frozenset[str]:
        """The licences whose text lies in `licenses/`, here or in a master."""
        found = {entry.name for entry in self.entries("licenses") if entry.kind is Kind.FILE}
        for master in self.masters:
            found |= master.licenses
        return frozenset(found)

    @cached_property
    def license_groups(self) -> Mapping[str, frozenset[str]]:
        """The groups of profiles/license_groups, here and in every repository around."""
        found: dict[str, set[str]] = {}
        for repository in self.family:
            for line in repository.lines("profiles/license_groups"):
                names = (word.text for word in line.words[1:])
                found.setdefault(line.words[0].text, set()).update(names)
        return {name: frozenset(members) for name, members in found.items()}

    @cached_property
    def arches(self) -> frozenset[str]:
        """The architectures of profiles/arch.list, here and in every repository around."""
        return frozenset(
            line.text
            for repository in self.family
            for line in repository.lines("profiles/arch.list")
        )

    @cached_property
    def profiles(self) -> Profiles:
        """The profiles that may be chosen here."""
        from overlaylint.overlay.profiles import Profiles

        return Profiles(self)

    def profile_node(self, path: str) -> ProfileNode:
        """Return one profile folder, by its path in the repository (`profiles/base`)."""
        from overlaylint.overlay.profile_node import ProfileNode

        if path not in self._profile_nodes:
            self._profile_nodes[path] = ProfileNode(self, path)
        return self._profile_nodes[path]

    # Files

    @cached_property
    def eclass_effects(self) -> EclassEffects:
        """What is known of the effects of eclasses on this repository's ebuilds."""
        from overlaylint.overlay.eclass_effects import EclassEffects

        if self.shared is None:
            return EclassEffects()
        return EclassEffects(self.shared.effects, self.eclass_script)

    @cached_property
    def substitution_effects(self) -> SubstitutionEffects:
        """What is known of what functions of eclasses write in command substitutions."""
        from overlaylint.overlay.substitution_effects import SubstitutionEffects

        return SubstitutionEffects()

    def script(self, path: str) -> Script:
        """Return a file as bash reads it. Raises TreeError where it can't be read.

        One that is larger than LARGEST_SCRIPT is not parsed: it is one `Opaque` command.
        """
        from overlaylint.shell import parse
        from overlaylint.shell.syntax import List, Opaque, Script, Source

        script = self._scripts.get(path)
        if script is None:
            data = self.read(path)
            name = f"{self.name}:{path}"
            if len(data) > LARGEST_SCRIPT:
                reason = f"it is larger than {LARGEST_SCRIPT // 1024 // 1024} MiB"
                body = List(0, 0, (Opaque(0, 0, reason, is_error=False),))
                script = Script(Source("", name), body, (), ())
            elif self.shared is not None:
                script = self.shared.parse(data, name)
            else:
                script = parse(data, name)
            self._scripts[path] = script
        return script

    def forget_script(self, path: str) -> None:
        """Keep a file's syntax tree no longer: of all ebuilds they take most of the memory."""
        self._scripts.pop(path, None)

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises TreeError where it can't be read.

        The last one is kept: an ebuild is read to be evaluated, and then for its checksum.
        """
        if self._last_read is None or self._last_read[0] != path:
            self._last_read = path, self.tree.read(path)
        return self._last_read[1]

    def read_if_there(self, path: str) -> bytes | None:
        """Return a file's content, or None where there is no such file.

        Raises TreeError where there is one that can't be read.
        """
        if self.tree.kind(path) is not Kind.FILE:
            return None
        return self.tree.read(path)

    def lines(self, path: str) -> tuple[Line, ...]:
        """Return the lines of a file that say something; none where there is no file."""
        data = self.read_if_there(path)
        return () if data is None else tuple(lines(data))

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Return what a folder holds; nothing where there is no such folder."""
        return self.tree.entries(folder) if self.tree.kind(folder) is Kind.FOLDER else ()

    def _folders(self, folder: str) -> Iterator[str]:
        try:
            entries = self.entries(folder)
        except TreeError:
            # As in _read_package.
            return
        for entry in entries:
            if entry.kind is Kind.FOLDER:
                yield entry.name

    @cached_property
    def _categories_by_folder(self) -> tuple[str, ...]:
        return tuple(
            name
            for name in self._folders("")
            if name not in _NO_CATEGORIES
            and is_category_name(name)
            and (name in self.listed_categories or self._holds_ebuilds(name))
        )

    def _holds_ebuilds(self, category: str) -> bool:
        try:
            return any(
                entry.name.endswith(".ebuild")
                for name in self._folders(category)
                for entry in self.tree.entries(f"{category}/{name}")
            )
        except TreeError:
            # A folder that can't be looked into, and that nothing calls a category.
            return False

    @cached_property
    def eclass_order(self) -> tuple[Repository, ...]:
        """Where eclasses are looked for, the first place first."""
        order: list[Repository] = []
        own = self.layout.masters or ()
        for name in own:
            repository = self if name in self.names else self._master(name)
            if repository is not None and repository not in order:
                order.append(repository)
        if self not in order:
            order.append(self)
        return tuple(reversed(order))

    def _master(self, name: str) -> Repository | None:
        for master in self.masters:
            if name in master.names:
                return master
        return None

    def _read_package(self, cp: str) -> Package | None:
        category, _, name = cp.partition("/")
        if self.tree.kind(cp) is not Kind.FOLDER or not is_category_name(category):
            return None
        try:
            entries = self.tree.entries(cp)
        except TreeError:
            # A rule about files reports the folder; the other packages are there all the same.
            return None
        ebuilds = []
        misplaced = []
        is_valid = is_package_name(name)
        for entry in entries:
            if not entry.name.endswith(".ebuild"):
                continue
            path = f"{cp}/{entry.name}"
            if entry.kind is not Kind.FILE:
                reason = f"it is a {entry.kind.value}"
            elif not is_valid:
                reason = f"the folder's name {name!r} is not a package name (PMS 3.1.2)"
            else:
                split = split_pf(entry.name[:-7])
                if split is not None and split[0] == name:
                    ebuilds.append(Ebuild(self, category, name, split[1], path, entry.target))
                    continue
                reason = name_fault(entry.name, name) or ""
            misplaced.append(Misplaced(path, reason, entry.kind, entry.target))
        if not ebuilds and not misplaced:
            return None
        ebuilds.sort(key=lambda ebuild: (ebuild.version, ebuild.pvr))
        has_manifest = any(
            entry.name == "Manifest" and entry.kind is Kind.FILE for entry in entries
        )
        return Package(self, category, name, tuple(ebuilds), tuple(misplaced), has_manifest)
