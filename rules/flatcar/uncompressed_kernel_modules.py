"""Kernel modules are not compressed with xz.

## What it does

Joins the configuration of each kernel from 5.8 on and each architecture as an ebuild does,
`<arch>_defconfig-V` and then `commonconfig-V`, where a later line overrules an earlier one. It has
to set `MODULE_COMPRESS_XZ=y`, and before 5.13 and from 6.12 on `MODULE_COMPRESS=y` as well. No
other algorithm may be chosen after it.

## Why it matters

The modules are most of what is in `/usr/lib/modules`, and `/usr` has a fixed size on every machine
that was ever installed. Compressed, they take less than a third. A configuration for a new kernel
is made from the one before, and the setting is not missed until the image no longer fits.

## Example

`sys-kernel/coreos-modules/coreos-modules-5.8.14.ebuild`:

```bash
EAPI=7
```

`sys-kernel/coreos-modules/files/amd64_defconfig-5.8`:

```kconfig
CONFIG_64BIT=y
```

`sys-kernel/coreos-modules/files/commonconfig-5.8`:

```kconfig
CONFIG_MODULES=y
CONFIG_MODULE_SIG=y
```

## Use instead

`sys-kernel/coreos-modules/coreos-modules-5.8.14.ebuild`:

```bash
EAPI=7
```

`sys-kernel/coreos-modules/files/amd64_defconfig-5.8`:

```kconfig
CONFIG_64BIT=y
```

`sys-kernel/coreos-modules/files/commonconfig-5.8`:

```kconfig
CONFIG_MODULES=y
CONFIG_MODULE_COMPRESS=y
CONFIG_MODULE_COMPRESS_XZ=y
CONFIG_MODULE_SIG=y
```

## Options

- `algorithm`: what compresses the modules: `XZ`, `ZSTD` or `GZIP`.
- `since`: the first kernel that this is asked of.

## Fix

A missing symbol is added to the common configuration, in the place that its name has in a sorted
file. A line that turns it off is changed, and one that chooses another algorithm is removed.

## Limits

Of what an ebuild does to `.config`, `cat`, `cp`, `echo`, `sed -i` and the kernel's `scripts/config`
are understood. A configuration saved under `/etc/portage/savedconfig` is not looked at.

## References

- flatcar/coreos-overlay, commit 2e805c92d8b7: "sys-kernel/coreos-modules: compress modules with
  xz".
- Linux, kernel/module/Kconfig (before 5.18: init/Kconfig): `MODULE_COMPRESS` was dropped in 5.13
  and came back in 6.12.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Package
from overlaylint.overlay.kernel_config import KernelConfig, Option, Release, release_of
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.policies.kernel_options import Fault

_MODULES = "MODULES"
_COMPRESS = "MODULE_COMPRESS"
_ALL = "MODULE_COMPRESS_ALL"

# From the first to the second, choosing an algorithm was all: there was no MODULE_COMPRESS.
_DROPPED: Release = (5, 13)
_BACK: Release = (6, 12)

# One of them is chosen; NONE only while there was no MODULE_COMPRESS.
_ALGORITHMS = ("GZIP", "XZ", "ZSTD", "NONE")


@dataclass(frozen=True, slots=True)
class Options:
    """How modules are to be compressed, and from which kernel on."""

    algorithm: str = "XZ"
    since: str = "5.8"


@rule(severity=Severity.ERROR, packages="sys-kernel/*", decided_in="2e805c92d8b7")
def uncompressed_kernel_modules(package: Package, options: Options) -> Iterator[Outcome]:
    from overlaylint.policies.kernel_options import as_built, configurations, gathered, not_built

    since = release_of(options.since)
    faults: list[tuple[Fault, KernelConfig]] = []
    configs = tuple(configurations(package))
    if not configs:
        yield NotApplicable(f"{package.cp} has no kernel configuration")
    yield from not_built(package)
    for config in configs:
        release = release_of(config.version)
        if release is None:
            reason = f"it is unknown for which kernel {config.paths[0]} is"
            yield Undecided(Span(config.paths[0]), reason)
        elif since is not None and release < since:
            reason = f"{config.paths[0]} is for Linux {config.version}, before {options.since}"
            yield NotApplicable(reason)
        else:
            symbols = (_MODULES, _COMPRESS, _ALL, *(f"{_COMPRESS}_{one}" for one in _ALGORITHMS))
            built, doubts = as_built(package, config, symbols)
            yield from doubts
            modules = built.options.get(_MODULES)
            if modules is not None and not modules.is_on:
                yield NotApplicable(f"{config.paths[0]} is for a kernel without modules")
            elif not doubts:
                found = _faults(package, built, release, options.algorithm.upper())
                faults += [(fault, config) for fault in found]
    for fault in gathered(faults):
        message = (
            f"modules of Linux {fault.versions} on {fault.arches} are not compressed with"
            f" {options.algorithm.lower()}: {fault.what}"
        )
        yield Finding(fault.span, message, fault.title, fault.related, fault.fix)


def _faults(
    package: Package, config: KernelConfig, release: Release, algorithm: str
) -> Iterator[Fault]:
    from overlaylint.policies.kernel_options import to_set

    is_switched = not _DROPPED <= release < _BACK
    wanted = f"{_COMPRESS}_{algorithm}"
    needed = [_COMPRESS] if is_switched else []
    chosen = _chosen(config, release)
    other = chosen is not None and chosen.symbol != wanted
    if not other:
        needed.append(wanted)
    for symbol in needed:
        if config.options.get(symbol) is not None and config.value(symbol) != "y":
            yield to_set(package, config, {symbol: "y"})
    missing = [symbol for symbol in needed if symbol not in config.options]
    if missing:
        yield to_set(package, config, dict.fromkeys(missing, "y"))
    if other and chosen is not None:
        yield _replaced(package, config, chosen, wanted)
    everything = config.options.get(_ALL)
    if release >= _BACK and everything is not None and not everything.is_on:
        yield to_set(package, config, {_ALL: "y"})


def _chosen(config: KernelConfig, release: Release) -> Option | None:
    """Return the line that chooses the algorithm: of a choice, Kconfig keeps the last one set."""
    names = [*_ALGORITHMS]
    if not _DROPPED <= release < _BACK:
        names.remove("NONE")
    symbols = {f"{_COMPRESS}_{name}" for name in names}
    found = None
    for option in config.lines:
        # A later line that turns it off again takes it back.
        is_on = option.value == "y" and config.options[option.symbol].value == "y"
        if is_on and option.symbol in symbols:
            found = option
    return found


# --- edits ---


def _replaced(package: Package, config: KernelConfig, chosen: Option, wanted: str) -> Fault:
    """Return the fault that another algorithm is chosen."""
    from overlaylint.policies.kernel_options import Fault, edits_in, insertion, sorted_place

    title = f"choose CONFIG_{wanted}=y instead"
    name = chosen.symbol.rpartition("_")[2].lower()
    what = "nothing compresses them" if name == "none" else f"{name} is chosen"
    option = config.options.get(wanted)
    span = chosen.span
    data = package.repository.tree.read(span.path)
    end = data.find(b"\n", span.end) + 1 or len(data)
    removal = Edit(Span(span.path, span.start, end), "")
    if option is not None and option.value == "y":
        related = (Related(option.span, f"{wanted} is overruled"),)
        return Fault(span, what, title, edits_in(config, removal), related)
    if option is not None:
        switch = Edit(option.span, f"CONFIG_{wanted}=y")
        return Fault(span, what, title, edits_in(config, switch, removal))
    if span.path == config.paths[-1]:
        return Fault(span, what, title, (Edit(span, f"CONFIG_{wanted}=y"),))
    _, at = sorted_place(package, config.paths[-1], wanted)
    added = insertion(package, at, f"CONFIG_{wanted}=y\n")
    return Fault(span, what, title, edits_in(config, removal, added))
