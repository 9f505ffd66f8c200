"""A file or folder can't be read.

## What it does

Reports the files and folders of the overlay that the system does not let overlaylint read, and
things in their place that are no files: devices, sockets, pipes.

## Why it matters

Portage can't read them either, or reads something else on each machine. What they hold is not
checked.

## Example

    app-misc/hello/hello-1.0.ebuild: permission denied

## Use instead

Give the file the permissions that git gives: readable by all.

## References

- Package Manager Specification, 4: the layout of a repository.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.files import File, Role
from overlaylint.rule import Finding, Severity, rule
from overlaylint.tree import Kind, TreeError


@rule(severity=Severity.ERROR)
def unreadable_file(file: File) -> Iterator[Finding]:
    if file.role is Role.OTHER and not file.fault:
        return
    reason = file.fault
    if file.kind is Kind.SPECIAL:
        reason = f"it is a {file.kind.value}"
    elif file.kind is Kind.FILE:
        try:
            file.read()
        except TreeError as error:
            reason = error.reason
    if reason:
        what = "folder" if file.kind is Kind.FOLDER else "file"
        yield Finding(
            file.span(),
            f"this {what} can't be read: {reason}",
            help="let everybody read it, or remove it",
        )
