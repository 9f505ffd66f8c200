r"""A text file holds a NUL byte.

## What it does

Reports the first NUL byte in an ebuild, eclass, hook or profile file.

## Why it matters

bash refuses to source a file with a NUL byte in its first line, and drops the byte without a word
anywhere else: what runs is then not what the file seems to say. The file is damaged, or no text.

## Example

NUL bytes where a crash of the machine lost what was written:

`app-misc/hello/hello-1.0.ebuild`:

```bash escaped
EAPI=7
\x00\x00\x00\x00\x00\x00\x00\x00
```

## Use instead

Restore the file.

`app-misc/hello/hello-1.0.ebuild`:

```bash
EAPI=7
SLOT="0"
```

## References

- The bash manual, 3.1.1: the shell reads characters.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.files import TextFile
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.ERROR)
def nul_byte(file: TextFile) -> Iterator[Finding]:
    at = file.data.find(b"\0")
    if at >= 0:
        yield Finding(file.span(at, at + 1), "this is a NUL byte", help="restore the file")
