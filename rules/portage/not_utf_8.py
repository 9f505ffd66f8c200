r"""A text file is not UTF-8.

## What it does

Reports the first byte in an ebuild, eclass, hook or profile file that is not part of a UTF-8
character.

## Why it matters

Portage reads these files as UTF-8. What is none is replaced, dropped or refused, as the place may
be: a description is garbled, a profile line is passed over.

## Example

The byte 0xe9 is an "é" in ISO 8859-1.

`app-misc/hello/hello-1.0.ebuild`:

```bash escaped
EAPI=7
DESCRIPTION="A caf\xe9"
```

## Use instead

Convert the file: `iconv -f ISO-8859-1 -t UTF-8`.

`app-misc/hello/hello-1.0.ebuild`:

```bash
EAPI=7
DESCRIPTION="A café"
```

## References

- GLEP 31: Character Sets for Portage Tree Items.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.files import TextFile
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.ERROR)
def not_utf_8(file: TextFile) -> Iterator[Finding]:
    try:
        file.data.decode("utf-8")
    except UnicodeDecodeError as error:
        yield Finding(
            file.span(error.start, error.end),
            f"this byte, 0x{file.data[error.start]:02x}, is not part of a UTF-8 character",
            help="convert the file to UTF-8",
        )
