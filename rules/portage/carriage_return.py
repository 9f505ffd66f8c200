r"""A script has lines that end in a carriage return.

## What it does

Reports the first line of an ebuild, eclass or hook that ends in a carriage return and a line feed.

## Why it matters

To bash the carriage return is a letter like any other: it becomes part of the last word of the
line, so that a value is not the one that the editor shows, or the script does not parse.

## Example

`app-misc/hello/hello-1.0.ebuild`:

```bash escaped
EAPI=7\r
SLOT="0"\r
```

## Use instead

Save the file with line feeds alone, as `dos2unix` does.

`app-misc/hello/hello-1.0.ebuild`:

```bash
EAPI=7
SLOT="0"
```

## References

- The bash manual, 3.1.1 and 2: what a blank is, and what a newline.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.files import ScriptFile
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.ERROR)
def carriage_return(file: ScriptFile) -> Iterator[Finding]:
    at = file.data.find(b"\r\n")
    if at >= 0:
        count = file.data.count(b"\r\n")
        yield Finding(
            file.span(at, at + 1),
            f"this line ends in a carriage return, one of {count} in the file",
            help="save the file with line feeds alone",
        )
