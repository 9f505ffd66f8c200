"""A package is in the overlay and in a master at once.

## What it does

Reports each package of the overlay that a master has as well, unless it is listed as meant.

## Why it matters

Portage takes the highest version that is visible, and of equal ones the overlay's. A copy that was
left behind when the package moved to the master keeps hiding the master's fixes, or is dead: the
master has a higher version, and all changes made in the overlay are lost without a word.

## Example

`app-misc/hello/hello-1.0.ebuild`:

```bash
EAPI=7
SLOT="0"
```

`portage-stable::app-misc/hello/hello-1.1.ebuild`:

```bash
EAPI=7
SLOT="0"
```

## Use instead

`portage-stable::app-misc/hello/hello-1.1.ebuild`:

```bash
EAPI=7
SLOT="0"
```

## Options

- `meant`: packages that are in both on purpose, as globs (`sys-kernel/*`).

## Limits

Which version is taken is told for the profiles of the overlay. Where it has none, or where that is
unknown, the finding only says which version is the highest. Of equal ones, the overlay's and then
the first master's is taken to be preferred; repos.conf can say otherwise.

## References

- portage(5), repos.conf: "priority".
- flatcar/scripts: packages lie in portage-stable where they are as Gentoo has them, and else in
  coreos-overlay, never in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from overlaylint.finding import NotApplicable, Outcome, Related
from overlaylint.overlay.ebuild import Ebuild, Package
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule


@dataclass(frozen=True, slots=True)
class Options:
    """Which packages may be in both."""

    meant: tuple[str, ...] = ()


@rule(severity=Severity.WARNING, needs_masters=True)
def shadowed_package(package: Package, options: Options) -> Iterator[Outcome]:
    if not package.ebuilds:
        return
    others = [
        other
        for master in package.repository.family[1:]
        if (other := master.package(package.cp)) is not None and other.ebuilds
    ]
    if not others:
        return
    if any(fnmatchcase(package.cp, glob) for glob in options.meant):
        yield NotApplicable(f"{package.cp} is meant to be in both", span=package.ebuilds[-1].span())
        return
    own = package.ebuilds[-1]
    best = max((other.ebuilds[-1] for other in others), key=lambda one: one.version)
    names = " and ".join(other.repository.name for other in others)
    yield Finding(
        own.span(),
        f"{package.cp} is in {names} as well: {_taken(package, own, best)}",
        f"remove the package here or there, or list {package.cp} as meant",
        tuple(
            Related(one.span(), f"version {one.pvr}") for other in others for one in other.ebuilds
        ),
    )


def _taken(package: Package, own: Ebuild, best: Ebuild) -> str:
    """Say which ebuild Portage takes, of the overlay's best and the masters' best."""
    choices = _choices(package)
    if choices is None or not choices:
        if own.version == best.version:
            return f"{own} and {best} have the same version"
        higher, lower = (best, own) if best.version > own.version else (own, best)
        return f"{higher} is a higher version than {lower}"
    said = [
        (f"for {', '.join(profiles)} " if len(choices) > 1 else "") + _choice(taken, own, best)
        for taken, profiles in choices.items()
    ]
    return "; ".join(said)


def _choice(taken: Ebuild | None, own: Ebuild, best: Ebuild) -> str:
    if taken is None:
        return "Portage takes none of them"
    loser = own if taken.repository is not own.repository else best
    if taken.version > loser.version:
        return f"Portage takes {taken} over {loser}"
    if taken.version == loser.version:
        return f"Portage takes {taken} and not {loser}"
    return f"Portage takes {taken}, since {loser} is masked"


def _choices(package: Package) -> dict[Ebuild | None, list[str]] | None:
    """Return the ebuild that each profile takes, with the profiles; None where that is unknown."""
    from overlaylint.overlay.available import Available

    found: dict[Ebuild | None, list[str]] = {}
    for profile in package.repository.profiles:
        if profile.problems:
            return None
        available = Available.of(profile)
        taken = None
        for ebuild in available.candidates(package.cp):
            visibility = available.visibility(ebuild)
            if isinstance(visibility, str):
                return None
            if visibility.is_visible:
                taken = ebuild
                break
        found.setdefault(taken, []).append(profile.name)
    return found
