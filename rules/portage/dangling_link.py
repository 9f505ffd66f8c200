"""A link leads nowhere, or out of the overlay.

## What it does

Follows every link among the files and folders that Portage reads, licences and `metadata` with its
caches included, and reports those that end at nothing, at themselves, or outside the overlay's own
folder.

## Why it matters

Versioned ebuilds are often links to `name-9999.ebuild`. When an update renames or removes the
file that they lead to, git keeps the link, and Portage passes over the version without a word:
the package falls back to another version, or is gone. A link that leads out of the overlay may
resolve on the machine it was made on, and resolves on no other.

## Example

`app-misc/hello/hello-1.0.ebuild -> hello-9999.ebuild`

## Use instead

`app-misc/hello/hello-1.0.ebuild -> hello-9999.ebuild`

`app-misc/hello/hello-9999.ebuild`:

```bash
EAPI=7
SLOT="0"
```

## References

- Package Manager Specification, 4.2: package folders hold regular files.
- Found broken five times in the history of flatcar/coreos-overlay.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.files import File, Role
from overlaylint.rule import Finding, Severity, rule
from overlaylint.tree import Kind

_ENDS = {
    Kind.BROKEN_LINK: ", which leads to nothing",
    Kind.LOOPING_LINK: " and in a circle",
    Kind.OUTWARD_LINK: " and out of the overlay",
}


@rule(severity=Severity.ERROR)
def dangling_link(file: File) -> Iterator[Finding]:
    # Folders that Portage does not know hold links for other programs, which may lead anywhere.
    if not file.kind.is_bad_link or not _is_read(file):
        return
    loss = ""
    if file.role is Role.EBUILD:
        loss = "this version"
    elif file.role is Role.OTHER and _is_package(file):
        loss = "this package"
    if loss and file.kind is Kind.OUTWARD_LINK:
        loss = f", so Portage sees {loss} only on a machine that has it"
    elif loss:
        loss = f", so Portage does not see {loss}"
    yield Finding(
        file.span(),
        f"the link leads to {file.target}{_end(file)}{loss}",
        help="let the link lead to a file in the overlay, or remove it",
    )


def _end(file: File) -> str:
    """Return where the way ends that a link sends to."""
    folder = file.path.rpartition("/")[0]
    named = file.repository.tree.kind(f"{folder}/{file.target}")
    if file.kind is Kind.BROKEN_LINK and named is None:
        return ", which is not there"
    return _ENDS[file.kind]


# What these hold is of no interest to rules about text, but Portage reads it all the same.
_ALSO_READ = ("licenses", "metadata")


def _is_read(file: File) -> bool:
    """Whether Portage looks for something at the file's path: a file, or a folder."""
    if file.role is not Role.OTHER:
        return True
    top, *below = file.path.split("/")
    if file.name.startswith("."):
        return False
    if top in _ALSO_READ:
        return True
    if not below:
        return top in ("eclass", "profiles", *file.repository.listed_categories)
    is_files = len(below) == 2 and below[1] == "files"
    return _is_package(file) or (is_files and top in file.repository.listed_categories)


def _is_package(file: File) -> bool:
    top, *below = file.path.split("/")
    return len(below) == 1 and top in file.repository.listed_categories
