"""An ebuild holds no command.

## What it does

Reports ebuilds in which there is nothing but blanks and comments.

## Why it matters

Such a file is left over from a merge or a failed download. Portage takes it for an ebuild of
EAPI 0 without a slot, which can't be installed, and may prefer its version to one that can.

## Example

`app-misc/hello/hello-1.0.ebuild`:

```bash
# Copyright 2026 The overlay's authors
```

## Use instead

`app-misc/hello/hello-1.0.ebuild`:

```bash
# Copyright 2026 The overlay's authors

EAPI=7
DESCRIPTION="Says hello"
SLOT="0"
```

## References

- Package Manager Specification, 7.2: mandatory ebuild-defined variables.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.files import Role, TextFile
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.ERROR, files="*.ebuild")
def empty_ebuild(file: TextFile) -> Iterator[Finding]:
    if file.role is Role.EBUILD and not any(map(_holds_something, file.data.split(b"\n"))):
        yield Finding(
            file.span(), "this ebuild holds no command", help="remove it, or restore its content"
        )


def _holds_something(line: bytes) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith(b"#")
