"""Which files a run reports on. Everything else is context: read, but not reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from overlaylint.finding import Finding
from overlaylint.overlay.files import Role, role_of
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.tree import TreeError


@dataclass(frozen=True, slots=True)
class Selection:
    """The files and folders that were asked for, and what is excluded.

    `given` are paths relative to the overlay's root, `""` for all of it. `exclude` are
    globs over a path or one of the folders that it lies in, relative to the folder in which
    `base` is the overlay's root. A file that is given itself is reported on though it is
    excluded, unless `force_exclude` is set.

    With `affected`, files and folders that a change can affect, only what concerns one of them
    is reported: a finding in it, about it, or that shows a place in it.
    """

    given: frozenset[str] = frozenset({""})
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    base: str = ""
    affected: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of the overlay was asked for, save what is excluded."""
        return "" in self.given

    def reports_on(self, path: str) -> bool:
        """Whether findings in the file at `path` are reported."""
        return self.includes(path) and self.is_affected(path)

    def includes(self, path: str) -> bool:
        """Whether the file at `path` was asked for."""
        if not self.is_whole and not any(part in self.given for part in _with_folders(path)):
            return False
        is_excused = path in self.given and not self.force_exclude
        return is_excused or not self.is_excluded(path)

    def is_affected(self, path: str) -> bool:
        """Whether the change in question can affect the file at `path`."""
        affected = self.affected
        if affected is None or "" in affected:
            return True
        return any(part in affected for part in _with_folders(path))

    def reports(self, finding: Finding, subject: str) -> bool:
        """Whether a finding about the subject at a path is reported."""
        if not self.includes(finding.span.path):
            return False
        if self.is_affected(finding.span.path) or self.is_affected(subject):
            return True
        own = [one.span.path for one in finding.related if not one.span.repository]
        return any(self.is_affected(path) for path in own)

    def is_excluded(self, path: str) -> bool:
        """Whether `path`, or a folder that it lies in, matches a glob of `exclude`."""
        return matches_path(self.exclude, path, self.base)

    def packages(self, repository: Repository) -> frozenset[str] | None:
        """Return the only packages that may have to do with the files, None for any package.

        An eclass or a profile may have to do with every package.
        """
        found: set[str] = set()
        for path in self.given:
            category, _, rest = path.partition("/")
            cp = f"{category}/{rest.partition('/')[0]}"
            if not rest and category in repository.categories:
                found.update(one for one in repository.packages if one.startswith(cp))
            elif rest and repository.package(cp) is not None:
                found.add(cp)
            else:
                return None
        return frozenset(found)

    def ebuilds(self, repository: Repository) -> frozenset[str] | None:
        """Return the only ebuilds in whose files findings can be reported, None for any.

        Where packages or files of theirs were asked for, these are the packages' own.
        """
        if all(role_of(one) is Role.EBUILD for one in self.given):
            return self.given
        packages = None if self.is_whole else self.packages(repository)
        if packages is None:
            return None
        found = (repository.package(cp) for cp in packages)
        return frozenset(one.path for package in found if package for one in package.ebuilds)

    def may_concern_ebuild(self, path: str, source_path: str) -> bool:
        """Whether what a rule says of an ebuild may lie in a file that is reported on.

        `source_path` is where the text of the ebuild is, if `path` is a link.
        """
        package = path.rpartition("/")[0]
        given = [one for one in self.given if one == package or one.startswith(f"{package}/")]
        if not given or not all(role_of(one) is Role.EBUILD for one in given):
            return True
        return path in given or source_path in given

    def with_link_targets(self, repository: Repository) -> Selection:
        """Return a selection in which each given link brings in the file that it leads to."""
        found = set(self.given)
        for path in self.given:
            try:
                found.add(repository.tree.resolve(path))
            except TreeError:
                # A link that can't be followed has no target; a rule says so.
                continue
        return replace(self, given=frozenset(found))


def matches_path(globs: Iterable[str], path: str, base: str = "") -> bool:
    """Whether a path in the overlay, or a folder that it lies in, matches one of some globs.

    The globs are relative to the folder in which `base` is the overlay's root.
    """
    whole = f"{base}/{path}" if base else path
    return any(
        fnmatchcase(part, glob.strip("/")) for part in _with_folders(whole) for glob in globs
    )


def _with_folders(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
