"""A link leads nowhere, out of the overlay, or to a folder for a file.

## What it does

Follows every link among the files and folders that Portage reads, licences and `metadata` with its
caches included, and reports those that end at nothing, at themselves, or outside the overlay's own
folder; and those that end at a folder where Portage reads a file, or the other way round. An
absolute path is outside even where it leads back in.

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

import posixpath
from collections.abc import Iterator

from overlaylint.overlay.files import File, Role
from overlaylint.rule import Finding, Severity, rule
from overlaylint.tree import Kind

_ENDS = {
    Kind.BROKEN_LINK: ", which leads to nothing",
    Kind.LOOPING_LINK: " and in a circle",
    Kind.OUTWARD_LINK: " and out of the overlay",
}
_HELP = "let the link lead to a file in the overlay, or remove it"


@rule(severity=Severity.ERROR)
def dangling_link(file: File) -> Iterator[Finding]:
    if file.target is None:
        return
    if file.kind.is_bad_link:
        # Folders that Portage does not know hold links for other programs, which may lead anywhere.
        if _is_read(file):
            yield _astray(file)
    elif file.kind is Kind.FOLDER:
        loss = f", so Portage does not see {_lost(file)}" if _lost(file) else ""
        yield Finding(
            file.span(),
            f"the link leads to {file.target}, a folder where a file is looked for{loss}",
            help="let the link lead to a file, or remove it",
        )
    elif _needs_folder(file):
        yield Finding(
            file.span(),
            # The place is that of the file: what is wrong with a text is wrong in all its links.
            f"the link {file.path} leads to {file.target}, a file where a folder is looked for",
            help="let the link lead to a folder, or remove it",
        )


def _astray(file: File) -> Finding:
    """Return what is to be said of a link that is not followed."""
    target = str(file.target)
    lost = _lost(file)
    inside = _inside(file)
    if inside is None:
        loss, help_ = "does not see {}", _HELP
        message = f"the link leads to {target}{_end(file)}"
        if file.kind is Kind.OUTWARD_LINK:
            loss, help_ = "sees {} only on a machine that has it", _help_outside(file)
            if not _leaves(file):
                loss = "sees {} only where that leads to something"
                message = f"the link leads to {target}, and from there on by a path that leaves the"
                message += " overlay"
    else:
        loss = "sees {} only where the overlay lies there"
        help_ = f"write it relative: `{_relative(file, inside)}`"
        by = "an absolute path" if target.startswith("/") else "by way of the overlay's own folder"
        message = f"the link leads to {target}, {by} to {inside} of this very overlay"
        kind = file.repository.tree.kind(inside)
        if kind is None or kind.is_bad_link:
            loss, help_ = "does not see {}", _HELP
            message += ", which is not there" if kind is None else ", which leads nowhere"
    if lost:
        message += f", so Portage {loss.format(lost)}"
    return Finding(file.span(), message, help=help_)


def _inside(file: File) -> str | None:
    """Return what in the overlay a link leads to that leaves it, as it lies on this machine."""
    if file.kind is not Kind.OUTWARD_LINK or not _leaves(file):
        return None
    folder = posixpath.dirname(file.path)
    for place in file.repository.tree.places:
        found = posixpath.normpath(posixpath.join(place, folder, str(file.target)))
        if f"{found}/".startswith(f"{place}/"):
            return found[len(place) + 1 :] or "."
    return None


def _leaves(file: File) -> bool:
    """Whether a link itself leads out, and not just to another that does."""
    way = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), str(file.target)))
    return way.startswith(("/", "../")) or way == ".."


def _help_outside(file: File) -> str:
    """Return what helps; a path that was absolute elsewhere may end as one of this overlay's."""
    target = str(file.target)
    parts = target.split("/")
    for at in range(1, len(parts) - 1) if target.startswith("/") else ():
        inside = "/".join(parts[at:])
        if file.repository.tree.kind(inside) is Kind.FILE:
            return f"if it is to lead to {inside}, write it relative: `{_relative(file, inside)}`"
    return _HELP


def _relative(file: File, inside: str) -> str:
    return posixpath.relpath(inside, posixpath.dirname(file.path) or ".")


def _lost(file: File) -> str:
    """Return what is lost with a link, as a text; empty where that depends."""
    if file.role is Role.EBUILD:
        return "this version"
    if file.role is Role.ECLASS:
        return "this eclass"
    if file.role is Role.OTHER and _is_package(file):
        return "this package"
    return ""


def _end(file: File) -> str:
    """Return where the way ends that a link sends to."""
    folder = file.path.rpartition("/")[0]
    named = file.repository.tree.kind(f"{folder}/{file.target}")
    if file.kind is Kind.BROKEN_LINK and named is None:
        return ", which is not there"
    return _ENDS[file.kind]


def _needs_folder(file: File) -> bool:
    """Whether Portage looks for a folder at the file's path, if it looks there at all."""
    top, *below = file.path.split("/")
    if not below:
        return top in _FOLDERS or top in file.repository.listed_categories
    return len(below) == 2 and below[1] == "files" and top in file.repository.listed_categories


_FOLDERS = ("eclass", "licenses", "metadata", "profiles")

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
