"""The profiles that a repository offers: profiles.desc, or else every leaf (PMS 4.4.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.overlay.profile import Profile
from overlaylint.records import dataclass
from overlaylint.tree import Kind

if TYPE_CHECKING:
    from overlaylint.overlay.repository import Repository

PROFILES_DESC = "profiles/profiles.desc"

# Any of these makes a folder below profiles/ a profile.
_PROFILE_FILES = frozenset({"parent", "make.defaults", "eapi", "packages"})


@dataclass(frozen=True, slots=True)
class Description:
    """One line of profiles.desc: architecture, profile and status, and its place."""

    arch: str
    name: str
    status: str
    span: Span


class Profiles:
    """A repository's profiles, by their path below `profiles/`."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._profiles: dict[str, Profile] = {}

    @cached_property
    def descriptions(self) -> tuple[Description, ...]:
        """The lines of profiles.desc; lines with fewer than three words are left out."""
        return tuple(
            Description(
                line.words[0].text,
                line.words[1].text,
                line.words[2].text,
                self._repository.span(PROFILES_DESC, line.start, line.words[2].end),
            )
            for line in self._repository.lines(PROFILES_DESC)
            if len(line.words) >= 3
        )

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """Profile folders that are no other profile's parent here, sorted."""
        found = set(self._folders("profiles"))
        parents = {
            parent.path
            for path in found
            for parent in self._repository.profile_node(path).parents
            if parent.repository is self._repository
        }
        return tuple(sorted(path.removeprefix("profiles/") for path in found - parents))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The profiles to check: those on offer that were asked for."""
        globs = self._repository.profile_globs
        if not globs:
            return self.offered
        return tuple(
            name for name in self.offered if any(fnmatchcase(name, glob) for glob in globs)
        )

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """The profiles of profiles.desc that exist, else the leaves."""
        if self._repository.tree.kind(PROFILES_DESC) is Kind.FILE:
            listed = dict.fromkeys(description.name for description in self.descriptions)
            return tuple(name for name in listed if self.exists(name))
        return self.leaves

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Every folder below `profiles/`, and that folder itself, as paths in the repository.

        A folder that no profile has among its parents is one too: its files may be of use again.
        """
        return ("profiles", *self._all_folders("profiles"))

    def exists(self, name: str) -> bool:
        """Whether there is a folder for a profile of that name."""
        return self._repository.tree.kind(f"profiles/{name}") is Kind.FOLDER

    def __iter__(self) -> Iterator[Profile]:
        return (self[name] for name in self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> Profile:
        """Return a profile by its path below `profiles/`; KeyError if there is none."""
        if name not in self._profiles:
            if not self.exists(name):
                raise KeyError(name)
            self._profiles[name] = Profile(self._repository, name)
        return self._profiles[name]

    @property
    def by_name(self) -> Mapping[str, Profile]:
        """The profiles to check, by name."""
        return {name: self[name] for name in self.names}

    def _folders(self, folder: str) -> Iterator[str]:
        for entry in self._repository.entries(folder):
            if entry.kind is not Kind.FOLDER or entry.is_link:
                continue
            path = f"{folder}/{entry.name}"
            if any(inner.name in _PROFILE_FILES for inner in self._repository.entries(path)):
                yield path
            yield from self._folders(path)

    def _all_folders(self, folder: str) -> Iterator[str]:
        for entry in self._repository.entries(folder):
            if entry.kind is Kind.FOLDER and not entry.is_link:
                path = f"{folder}/{entry.name}"
                yield path
                yield from self._all_folders(path)
