"""Which ebuilds of a package an overlay's builds are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.hooks import ENV_FOLDER, env_hooks
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.version import split_pf
from overlaylint.tree import Kind

_LIVE = "9999"


def built_ebuilds(repository: Repository, cp: str) -> tuple[Ebuild, ...]:
    """Return the ebuilds of a package: the overlay's own, else those of the last master first.

    A live ebuild is left out where others are there: it is for whoever works on the package.
    None at all while a master is missing does not mean that there are none.
    """
    for one in (repository, *reversed(repository.family[1:])):
        package = one.package(cp)
        if package is not None and package.ebuilds:
            versions = tuple(ebuild for ebuild in package.ebuilds if not is_live(ebuild))
            return versions or package.ebuilds
    return ()


def is_live(ebuild: Ebuild) -> bool:
    """Whether an ebuild builds what upstream has at the time: its version says nothing."""
    return ebuild.PV.startswith(_LIVE)


def has_at_least(ebuilds: Iterable[Ebuild], version: str) -> bool | None:
    """Whether one of some ebuilds builds a version or a later one; None if they are live."""
    from overlaylint.overlay.version import parse_version

    wanted = parse_version(version)
    if wanted is None:
        raise ValueError(f"not a version: {version!r}")
    versions = [ebuild.version for ebuild in ebuilds if not is_live(ebuild)]
    return any(one >= wanted for one in versions) if versions else None


def hooked_ebuilds(
    repository: Repository, is_meant: Callable[[Ebuild, str], bool]
) -> Iterator[Ebuild]:
    """Yield the newest ebuild of each master's package that the overlay has a hook for.

    `is_meant` says of an ebuild and a hook's path whether the hook counts. What is found of such
    an ebuild lies in no ebuild of the overlay.
    """
    if repository.focus is not None:
        return
    for category in repository.entries(ENV_FOLDER):
        if category.kind is not Kind.FOLDER:
            continue
        names = {
            (split_pf(entry.name) or (entry.name, ""))[0]
            for entry in repository.entries(f"{ENV_FOLDER}/{category.name}")
        }
        for name in sorted(names):
            cp = f"{category.name}/{name}"
            if repository.package(cp) is not None:
                continue
            for ebuild in reversed(built_ebuilds(repository, cp)):
                if any(is_meant(ebuild, path) for path in env_hooks(repository, ebuild)):
                    yield ebuild
                    break
