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

Which version is taken is told from the versions alone; masks and keywords may decide otherwise.

## References

- portage(5), repos.conf: "priority".
- flatcar/scripts: packages lie in portage-stable where they are as Gentoo has them, and else in
  coreos-overlay, never in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from overlaylint.finding import NotApplicable, Outcome, Related
from overlaylint.overlay.ebuild import Package
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
    higher = best.version > own.version
    taken = best if higher else own
    wins = "over" if higher or own.version > best.version else "and not"
    loser = own if higher else best
    yield Finding(
        own.span(),
        f"{package.cp} is in {names} as well: Portage takes {taken} {wins} {loser}",
        f"remove the package here or there, or list {package.cp} as meant",
        tuple(
            Related(one.span(), f"version {one.pvr}") for other in others for one in other.ebuilds
        ),
    )
