"""What users need is in the image by chance only.

## What it does

Evaluates `RDEPEND` of `coreos-base/coreos`, the list of what is in the image, and reports each
required package that does not stand in it unconditionally: one that is missing, that is there only
under a USE flag, only as one of several choices, only as a blocker, or only in `DEPEND`. Any
version, slot or USE dependency will do.

## Why it matters

A package that is in the image only because another one depends on it is gone as soon as that other
one changes, and nobody notices before the users do. `cmp` and `diff` came with audit; an update of
audit no longer depended on diffutils, and scripts broke.

## Example

`coreos-base/coreos/coreos-0.0.1.ebuild`:

```bash
EAPI=7
RDEPEND="
        sys-apps/dbus
        sys-apps/ethtool
"
```

## Use instead

`coreos-base/coreos/coreos-0.0.1.ebuild`:

```bash
EAPI=7
RDEPEND="
        sys-apps/dbus
        sys-apps/diffutils
        sys-apps/ethtool
"
```

## Options

- `required`: the packages that have to be there. A later decision (flatcar/coreos-overlay, commit
  cf23ed7bc2f6) added `sys-apps/acl` and others, and stated the general rule: whatever users may
  call is listed. Trees from then on can be held to that:

      [rules.implicit-base-package]
      required = ["sys-apps/acl", "sys-apps/diffutils"]

## Fix

The package is added in its sorted place among the others of its category.

## Limits

`amd64? ( sys-apps/diffutils ) !amd64? ( sys-apps/diffutils )` always holds, and is reported all the
same: a package that everybody needs should be listed as one. A choice in which every branch asks
for the package is taken for what it is.

## References

- flatcar/coreos-overlay, commit dda7813403be: "coreos-base/coreos: Add diffutils to the base
  packages".
- Package Manager Specification, 8.2: dependency specification format.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.finding import NotApplicable, Outcome
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass
from overlaylint.rule import Severity, rule
from overlaylint.syntax import Atom


@dataclass(frozen=True, slots=True)
class Options:
    """Which packages the image must name itself."""

    required: tuple[Atom, ...] = ("sys-apps/diffutils",)


@rule(severity=Severity.ERROR, packages="coreos-base/coreos", decided_in="dda7813403be")
def implicit_base_package(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from overlaylint.policies.dependencies import required_dependency
    from overlaylint.policies.forms import RequireDependency

    if not options.required:
        yield NotApplicable("no package is required")
        return
    if ebuild.is_built_as_links_only:
        yield NotApplicable(f"{ebuild.path} is built as the versions that link to it")
        return
    for package in options.required:
        yield from required_dependency(ebuild, RequireDependency(package), "the image")
