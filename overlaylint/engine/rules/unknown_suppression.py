"""A comment suppresses a rule that does not exist.

## What it does

Reports each name in an `# overlaylint: ignore[...]` that is no rule's, of any installed pack.

## Why it matters

A misspelt name suppresses nothing, and a name of a rule that is gone only takes up room.

## Example

`app-misc/hello/hello-1.0.ebuild`:

```bash
# Copyright 2026 The overlay's authors

EAPI=7
# overlaylint: ignore[nul-bytes] -- a test of the package manager needs it
SLOT="0"
```

## Use instead

`app-misc/hello/hello-1.0.ebuild`:

```bash
# Copyright 2026 The overlay's authors

EAPI=7
# overlaylint: ignore[nul-byte] -- a test of the package manager needs it
SLOT="0"
```

## References

- `overlaylint rules` lists the names.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.engine.errors import nearest
from overlaylint.engine.suppression import Suppression
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.WARNING)
def unknown_suppression(suppression: Suppression) -> Iterator[Finding]:
    if suppression.fault:
        return
    for named in suppression.names:
        if named.name not in suppression.known:
            yield Finding(
                named.span,
                f"no rule is called {named.name}{nearest(named.name, suppression.known)}",
                help="`overlaylint rules` lists the names; remove this one, or correct it",
            )
