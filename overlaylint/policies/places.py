"""What every form needs: where a finding about an ebuild goes, and when it can't be told."""

from __future__ import annotations

from overlaylint.finding import Finding, Fix, NotApplicable, Related, Span, Undecided
from overlaylint.overlay.ebuild import PACKAGE_MANAGER, Ebuild
from overlaylint.syntax import each


def failed(ebuild: Ebuild) -> Undecided | None:
    """Return that sourcing the ebuild fails, so that nothing can be told; None if it does not."""
    failure = ebuild.evaluation.failure
    if failure is None:
        return None
    return Undecided(failure.span, f"sourcing the ebuild fails: {failure.reason}")


def finding_at(
    ebuild: Ebuild,
    span: Span,
    message: str,
    help_: str,
    there: str = "it is here",
    fix: Fix | None = None,
) -> Finding:
    """Return a finding at a place, or for one in a master at the ebuild with that beside it."""
    if not span.path or span.repository == PACKAGE_MANAGER:
        return Finding(ebuild.span(), message, help_, fix=fix)
    if span.repository:
        return Finding(ebuild.span(), message, help_, (Related(span, there),), fix)
    return Finding(span, message, help_, fix=fix)


def no_profile(globs: str | tuple[str, ...]) -> NotApplicable:
    """Return that a policy is for profiles that the overlay does not have."""
    return NotApplicable(f"no profile of the overlay matches {' or '.join(each(globs))}")


def variable_span(ebuild: Ebuild, name: str) -> Span:
    """Return where the ebuild's repository sets a variable last, else the ebuild itself."""
    variable = ebuild.variable(name)
    if variable is None or variable.span.repository or not variable.span.path:
        return ebuild.span()
    return variable.span
