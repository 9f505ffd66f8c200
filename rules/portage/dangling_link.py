"""A link leads nowhere, or out of the overlay.

## What it does

Follows every link among the files that Portage reads, and reports those that end at nothing, at
themselves, or outside the overlay's own folder.

## Why it matters

Versioned ebuilds are often links to `name-9999.ebuild`. When an update renames or removes the
file that they lead to, git keeps the link, and Portage passes over the version without a word:
the package falls back to another version, or is gone. A link that leads out of the overlay
resolves on the machine it was made on, and on no other.

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
    Kind.BROKEN_LINK: "leads to {target}, which is not there",
    Kind.LOOPING_LINK: "leads to {target}, which leads back to it",
    Kind.OUTWARD_LINK: "leads to {target}, which is outside the overlay",
}


@rule(severity=Severity.ERROR)
def dangling_link(file: File) -> Iterator[Finding]:
    # Folders that Portage does not know hold links for other programs, which may lead anywhere.
    if not file.kind.is_bad_link or file.role is Role.OTHER:
        return
    end = _ENDS[file.kind].format(target=file.target)
    loss = ", so Portage does not see this version" if file.role is Role.EBUILD else ""
    yield Finding(
        file.span(),
        f"the link {end}{loss}",
        help="let the link lead to a file in the overlay, or remove it",
    )
