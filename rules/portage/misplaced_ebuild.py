"""Something is called `*.ebuild` and is none.

## What it does

Reports files whose names end in `.ebuild` but are not those of an ebuild of their package: the
version is none, the name is that of another package, or it is a folder.

## Why it matters

Portage passes over such a name without a word, or with a warning that is lost among others. The
version that the maintainers think they added is not there.

## Example

`app-misc/hello/hello-1.0rc1.ebuild`:

```bash
EAPI=7
```

## Use instead

`app-misc/hello/hello-1.0_rc1.ebuild`:

```bash
EAPI=7
```

## References

- Package Manager Specification, 3.1.2 and 3.2: package names and versions.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.ebuild import name_fault
from overlaylint.overlay.files import File, Role
from overlaylint.rule import Finding, Severity, rule
from overlaylint.tree import Kind


@rule(severity=Severity.ERROR, files="*.ebuild")
def misplaced_ebuild(file: File) -> Iterator[Finding]:
    if file.role is not Role.EBUILD:
        return
    package = file.path.split("/")[1]
    # A link to a folder is dangling-link's.
    is_folder = file.kind is Kind.FOLDER and not file.is_link
    fault = "it is a folder" if is_folder else name_fault(file.name, package)
    if fault:
        yield Finding(
            file.span(),
            f"this is no ebuild of {package}: {fault}",
            help="rename it or remove it: Portage does not see it",
        )
