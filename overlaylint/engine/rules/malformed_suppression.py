"""A comment is meant to suppress something, but has not the form for it.

## What it does

Reports each comment with `overlaylint:` in it that is not

    # overlaylint: ignore[rule, other-rule] -- reason
    # overlaylint: ignore-file[rule] -- reason

`ignore` holds for its own line, and for the next one if it stands alone; `ignore-file` stands
above the first line that is no comment. Such a comment suppresses nothing.

## Why it matters

The reason is what the next maintainer needs in order to know whether the exception still holds.
A comment that looks like a suppression and is none misleads them.

## Example

`app-misc/hello/hello-1.0.ebuild`:

```bash
# Copyright 2026 The overlay's authors

EAPI=7
# overlaylint: ignore[nul-byte]
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

- `overlaylint explain unused-suppression`: what becomes of a suppression that outlives its
  finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.engine.suppression import Suppression
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.ERROR)
def malformed_suppression(suppression: Suppression) -> Iterator[Finding]:
    if suppression.fault:
        yield Finding(
            suppression.span,
            f"this comment suppresses nothing: {suppression.fault}",
            help="write `# overlaylint: ignore[rule] -- reason`",
        )
