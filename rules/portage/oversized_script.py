"""A script is too large to be read.

## What it does

Reports an ebuild, eclass or hook of more than 2 MiB. Such a file is not parsed, so no other
rule looks into it.

## Why it matters

The largest eclass of ::gentoo has less than a tenth of that. A larger script is a mistake (a
distfile saved under the wrong name, a generated file), and to parse it would cost more time and
memory than everything else together.

## Example

    app-misc/hello/hello-1.0.ebuild: 10 MB in one line

## Use instead

Put data in a distfile, or in the package's `files/`.

## References

- Package Manager Specification, 4.3: what a package's folder holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.files import LARGEST_SCRIPT, TextFile
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.ERROR)
def oversized_script(file: TextFile) -> Iterator[Finding]:
    if file.role.is_script and len(file.data) > LARGEST_SCRIPT:
        yield Finding(
            file.span(),
            f"this script has {len(file.data)} bytes;"
            f" more than {LARGEST_SCRIPT // 1024 // 1024} MiB are not read",
            help="move data out of the script",
        )
