"""What is kept from one run to the next: what ebuilds come to, found by all that it depends on.

The metadata of an ebuild is a function of its name, its text and the eclasses around it. So a key
is made of these, and what is kept under a key holds for as long as anything has that key: no time
stamp, and no list of files, has to be believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from overlaylint.overlay.metadata import KEYS, Metadata
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.repository import Repository


class Store(Protocol):
    """Where something is kept: whatever JSON can hold, by a key that is a text."""

    def get(self, key: str) -> object:
        """Return what is kept; None where nothing is."""
        ...

    def keep(self, key: str, value: object) -> None:
        """Keep something, of which what is there already is taken to be the same."""
        ...


@dataclass(frozen=True, slots=True)
class Summary:
    """An ebuild's metadata, all of it known, and every eclass that it inherits."""

    metadata: Metadata
    inherited: tuple[str, ...]


def kept_summary(ebuild: Ebuild) -> Summary | None:
    """Return what is kept of an ebuild. Raises TreeError where a file can't be read."""
    store = ebuild.repository.store
    key = key_of(ebuild, "metadata")
    found = None if store is None or key is None else store.get(key)
    # It was read from a file: what does not look like a summary is none.
    if not isinstance(found, list) or len(found) != 2:
        return None
    values, inherited = found
    if not isinstance(values, dict) or not isinstance(inherited, list):
        return None
    if not all(key in KEYS and isinstance(value, str) for key, value in values.items()):
        return None
    if not all(isinstance(name, str) for name in inherited):
        return None
    return Summary(Metadata(values, {}), tuple(inherited))


def keep_summary(ebuild: Ebuild, metadata: Metadata, inherited: tuple[str, ...]) -> None:
    """Keep an ebuild's metadata, if all of it is known."""
    store = ebuild.repository.store
    key = key_of(ebuild, "metadata")
    if store is not None and key is not None and not metadata.unknown:
        store.keep(key, [dict(metadata.values), list(inherited)])


def kept_own(ebuild: Ebuild, refused: frozenset[str]) -> object:
    """Return what is kept of the quick look at an ebuild, as `keep_own` was given it."""
    store = ebuild.repository.store
    key = key_of(ebuild, "own", *sorted(refused))
    return None if store is None or key is None else store.get(key)


def keep_own(
    ebuild: Ebuild, refused: frozenset[str], found: tuple[Mapping[str, str], frozenset[str]] | None
) -> None:
    """Keep what a quick look at an ebuild showed; None where it did not show enough."""
    store = ebuild.repository.store
    key = key_of(ebuild, "own", *sorted(refused))
    if store is not None and key is not None:
        store.keep(key, [] if found is None else [dict(found[0]), sorted(found[1])])


def key_of(ebuild: Ebuild, *of: str) -> str | None:
    """Return the key for something that is worked out from an ebuild's text and its eclasses.

    None where nothing is kept, or not all eclasses are at hand. Raises TreeError where a file
    can't be read.
    """
    repository = ebuild.repository
    if repository.store is None or any(one.missing_masters for one in repository.family):
        return None
    from hashlib import sha256

    texts = (*of, ebuild.category, ebuild.PF)
    head = "\0".join((_eclasses(repository), str(len(of)), *texts))
    return sha256(head.encode("utf-8", "surrogateescape") + b"\0" + ebuild.read()).hexdigest()


def _eclasses(repository: Repository) -> str:
    """Return a checksum over every eclass around a repository, and which ones win."""
    known = repository.__dict__.get("_checksum_of_eclasses")
    if isinstance(known, str):
        return known
    from hashlib import sha256

    checksum = sha256()
    for one in repository.family:
        for name, path in one.eclasses.items():
            data = one.tree.read(path)
            checksum.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
            checksum.update(data)
        checksum.update(b"\0\0")
    places = ",".join(str(repository.family.index(one)) for one in repository.eclass_order)
    checksum.update(places.encode())
    found: str = checksum.hexdigest()
    repository.__dict__["_checksum_of_eclasses"] = found
    return found
