"""What is kept of ebuilds, from one run to the next or from one revision to another.

The metadata of an ebuild is a function of its name, its text and the eclasses that it asks for. So
what is kept lies under a key made of the first two, with the names of the eclasses and a checksum
over what they were: it holds for as long as they are the same. No time stamp has to be believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from overlaylint.overlay.metadata import KEYS, Metadata
from overlaylint.records import dataclass
from overlaylint.shell.values import Unknown

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.evaluation import Evaluation
    from overlaylint.overlay.repository import Repository


class Store(Protocol):
    """Where something is kept: whatever JSON can hold, by a key that is a text."""

    def get(self, key: str) -> object:
        """Return what was kept last; None where nothing was."""
        ...

    def keep(self, key: str, value: object) -> None:
        """Keep something in place of what is there."""
        ...


@dataclass(frozen=True, slots=True)
class Summary:
    """An ebuild's metadata, and every eclass that it inherits."""

    metadata: Metadata
    inherited: tuple[str, ...]


def kept_summary(ebuild: Ebuild) -> Summary | None:
    """Return what is kept of an ebuild. Raises TreeError where a file can't be read.

    Of what is unknown, the reasons have no places.
    """
    found = _kept(ebuild, ("metadata",), _text_of)
    # It was read from a file: what does not look like a summary is none.
    if not isinstance(found, list) or len(found) != 4:
        return None
    values, lost, inherited, failure = found
    if failure is not None and not isinstance(failure, str):
        return None
    if not _are_texts(values) or not _are_texts(lost) or not isinstance(inherited, list):
        return None
    if not all(isinstance(name, str) for name in inherited):
        return None
    unknown = {key: Unknown(reason) for key, reason in lost.items()}
    return Summary(Metadata(values, unknown, failure), tuple(inherited))


def _are_texts(values: object) -> bool:
    return isinstance(values, dict) and all(
        key in KEYS and isinstance(value, str) for key, value in values.items()
    )


def keep_summary(ebuild: Ebuild, metadata: Metadata, evaluation: Evaluation) -> None:
    """Keep an ebuild's metadata."""
    if evaluation.state.havoc is not None:
        # It may have been given up, and how far that came depends on what was known already.
        return
    lost = {key: reason.reason for key, reason in metadata.unknown.items()}
    value = [dict(metadata.values), lost, list(evaluation.inherited), metadata.failure]
    _keep(ebuild, ("metadata",), evaluation.sought, _text_of, value)


#: What is to be the same of an eclass that an ebuild asked for: called with its name.
Aspect = Callable[["Repository", str], str]


def kept_own(ebuild: Ebuild, refused: frozenset[str], aspect: Aspect) -> object:
    """Return what is kept of the quick look at an ebuild, as `keep_own` was given it."""
    return _kept(ebuild, ("own", *sorted(refused)), aspect)


def keep_own(
    ebuild: Ebuild,
    refused: frozenset[str],
    sought: Iterable[str],
    aspect: Aspect,
    found: tuple[Mapping[str, str], frozenset[str]] | None,
) -> None:
    """Keep what a quick look at an ebuild showed; None where it did not show enough."""
    value = [] if found is None else [dict(found[0]), sorted(found[1])]
    _keep(ebuild, ("own", *sorted(refused)), sought, aspect, value)


def _kept(ebuild: Ebuild, of: tuple[str, ...], aspect: Aspect) -> object:
    store = ebuild.repository.store
    key = _key(ebuild, of)
    found = None if store is None or key is None else store.get(key)
    if not isinstance(found, list) or len(found) != 3:
        return None
    names, checksum, value = found
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return value if checksum == _checksum(ebuild.repository, names, aspect) else None


def _keep(
    ebuild: Ebuild, of: tuple[str, ...], sought: Iterable[str], aspect: Aspect, value: object
) -> None:
    store = ebuild.repository.store
    key = _key(ebuild, of)
    if store is not None and key is not None:
        names = sorted(sought)
        store.keep(key, [names, _checksum(ebuild.repository, names, aspect), value])


def _key(ebuild: Ebuild, of: tuple[str, ...]) -> str | None:
    """Return the key for something that is worked out from an ebuild's text and its eclasses.

    None where nothing is kept, or not all eclasses are at hand. Raises TreeError where the file
    can't be read.
    """
    repository = ebuild.repository
    if repository.store is None or any(one.missing_masters for one in repository.family):
        return None
    from hashlib import sha256

    texts = (str(len(of)), *of, repository.name, ebuild.category, ebuild.PF)
    head = "\0".join(texts).encode("utf-8", "surrogateescape")
    return sha256(head + b"\0" + ebuild.read()).hexdigest()


def _checksum(repository: Repository, names: Iterable[str], aspect: Aspect) -> str:
    from hashlib import sha256

    texts = (f"{name}\0{aspect(repository, name)}\0" for name in names)
    return sha256("".join(texts).encode("utf-8", "surrogateescape")).hexdigest()


def _text_of(repository: Repository, eclass: str) -> str:
    return repository.eclass_digest(eclass)
