"""A comment suppresses nothing.

## What it does

Reports each rule that an `# overlaylint: ignore[...]` names though it found nothing there. A
rule that did not run, or that could not tell, is not judged.

## Why it matters

A suppression that outlives its finding hides the next one: when the decision is broken again
in that place, nobody hears of it.

## Example

`app-misc/hello/hello-1.0.ebuild`:

```bash
# Copyright 2026 The overlay's authors

EAPI=7
# overlaylint: ignore[carriage-return] -- the file was saved on another system
DESCRIPTION="Says hello"
SLOT="0"
```

## Use instead

Remove the comment, or the one name from it.

`app-misc/hello/hello-1.0.ebuild`:

```bash
# Copyright 2026 The overlay's authors

EAPI=7
DESCRIPTION="Says hello"
SLOT="0"
```

## Fix

Safe: the comment goes, or the name if others stand beside it.

## References

- `overlaylint explain malformed-suppression` has the form of such a comment.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.engine.suppression import Named, Suppression
from overlaylint.finding import Edit, Fix, Span
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.WARNING)
def unused_suppression(suppression: Suppression) -> Iterator[Finding]:
    if suppression.fault:
        return
    unused = [named for named in suppression.names if _is_unused(named, suppression)]
    for named in unused:
        place = "this file" if suppression.is_for_file else "this place"
        yield Finding(
            named.span,
            f"{named.name} finds nothing in {place} that this comment would suppress",
            help="remove it",
            fix=_fix(named, suppression, len(unused) == len(suppression.names)),
        )


def _is_unused(named: Named, suppression: Suppression) -> bool:
    return named.name in suppression.judged - suppression.used


def _fix(named: Named, suppression: Suppression, are_all_unused: bool) -> Fix:
    if are_all_unused:
        return Fix.safe("remove the comment", Edit(suppression.edit_span, ""))
    # With the comma and blanks up to the next name, or from the one before the last.
    at = suppression.names.index(named)
    if at + 1 < len(suppression.names):
        start, end = named.span.start, suppression.names[at + 1].span.start
    else:
        start, end = suppression.names[at - 1].span.end, named.span.end
    return Fix.safe(f"remove {named.name}", Edit(Span(named.span.path, start, end), ""))
