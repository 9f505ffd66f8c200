"""Rust's stage0 compiler is a patch release.

## What it does

Evaluates `RUST_STAGE0_VERSION` (older ebuilds: `STAGE0_VERSION`) of the overlay's own
`dev-lang/rust` for each version that the file is built as, and reports it where it does not end
in `.0`.

## Why it matters

Rust is built with the rust before it. The ebuild computes that version from its own, so that an
update is a rename, and a patch level in it is true for one update only: rust 1.46.0 was built with
1.45.1, and rust 1.47.0 would have asked for a stage0 of 1.46.1, which was never released. The x.y.0
release always exists.

## Example

`dev-lang/rust/rust-1.46.0.ebuild`:

```bash
EAPI=7
RUST_STAGE0_VERSION="1.$(($(ver_cut 2) - 1)).1"
```

## Use instead

`dev-lang/rust/rust-1.46.0.ebuild`:

```bash
EAPI=7
RUST_STAGE0_VERSION="1.$(($(ver_cut 2) - 1)).0"
```

## Options

- `variables`: the variables that may hold the version; the first one that is set counts.

## Fix

Where the assignment itself ends in the patch level, that becomes `0`.

## Limits

Gentoo's own rust, in a master, is not looked at. It names the stage0 of each version by hand, and
may lawfully differ.

## References

- flatcar/coreos-overlay, commit 6c393d3ba904: "dev-lang/rust: fix patchlevel for stage0 to
  rust-1.46.0".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, Outcome, Related
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.evaluation import Evaluated

# How an assignment ends whose value ends in a patch level that is written out.
_WRITTEN_PATCH_LEVEL = re.compile(rb"""[.]["']?(?P<level>[0-9]+)["']?\Z""")


@dataclass(frozen=True, slots=True)
class Options:
    """Which variables hold the version of stage0."""

    variables: tuple[str, ...] = ("RUST_STAGE0_VERSION", "STAGE0_VERSION")


@rule(severity=Severity.ERROR, packages="dev-lang/rust", decided_in="6c393d3ba904")
def stage0_patchlevel(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.evaluation import Evaluated
    from overlaylint.policies.forms import RequireValue
    from overlaylint.policies.values import Unset, value_breaking

    lawful = RequireValue(options.variables, matches="*.0")
    for one in value_breaking(ebuild, lawful, is_required=True):
        if isinstance(one, Evaluated):
            yield _finding(ebuild, one)
        else:
            yield one.outcome if isinstance(one, Unset) else one


def _finding(ebuild: Ebuild, stage0: Evaluated) -> Finding:
    value = str(stage0.value)
    message = f"stage0 of {ebuild.P} is {value or 'empty'}, which is no x.y.0 release"
    help_ = f"let {stage0.name} end in `.0`: a patch release may not exist for the next update"
    if stage0.span.repository:
        related = Related(stage0.span, f"{stage0.name} is set here")
        return Finding(ebuild.span(), message, help_, (related,))
    return Finding(stage0.span, message, help_, fix=_fix(ebuild, stage0, value))


def _fix(ebuild: Ebuild, stage0: Evaluated, value: str) -> Fix | None:
    """Return the edit that makes the patch level 0 where it is written at the assignment's end."""
    span = stage0.span
    written = ebuild.repository.tree.read(span.path)[span.start : span.end]
    found = _WRITTEN_PATCH_LEVEL.search(written)
    if found is None or not value.endswith("." + found["level"].decode("ascii")):
        return None
    level = ebuild.repository.span(
        span.path, span.start + found.start("level"), span.start + found.end("level")
    )
    return Fix.safe("use the .0 release", Edit(level, "0"))
