"""A rule failed.

## What it does

Says that a rule stopped with a Python exception while it looked at a file. The other rules,
and the other files, are checked all the same.

## Why it matters

What the rule would have said is not known, so an empty report would not mean that the overlay
keeps the rule's policy. It is a defect of the rule, or of overlaylint; the file is only what
brought it to light.

## Example

    def broken_rule(ebuild: Ebuild) -> Iterator[Finding]:
        yield Finding(ebuild.span(), {}["message"])

## Use instead

Report the defect with the file that shows it. Until it is mended, `--ignore` leaves the rule
out.

## References

- README, "Use": the exit status is 1, as for any other finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.engine.run import Failure
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.ERROR)
def internal_error(failure: Failure) -> Iterator[Finding]:
    yield Finding(
        failure.span,
        f"the rule {failure.rule} failed: {failure.error} ({failure.place})",
        help="report this defect with the file; `--ignore` leaves the rule out meanwhile",
    )
