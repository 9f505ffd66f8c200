"""The eclasses that an ebuild inherits."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from overlaylint.finding import Outcome, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.policies.forms import ForbidInherit, RequireInherit
from overlaylint.policies.places import failed, finding_at
from overlaylint.syntax import each


def required_inherit(ebuild: Ebuild, form: RequireInherit) -> Iterator[Outcome]:
    """Report each eclass that is not inherited, directly or through others."""
    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    evaluation = ebuild.evaluation
    for eclass in each(form.eclass):
        names = (*evaluation.inherited, *evaluation.missing)
        if any(fnmatchcase(name, eclass) for name in names):
            continue
        if evaluation.missing:
            missing = ", ".join(evaluation.missing)
            reason = f"{eclass} may be inherited by what is in a missing master: {missing}"
            yield Undecided(ebuild.span(), reason)
            continue
        message = f"{ebuild.cpv} does not inherit {eclass}"
        yield finding_at(ebuild, _inherit_line(ebuild), message, f"inherit {eclass}")


def forbidden_inherit(ebuild: Ebuild, form: ForbidInherit) -> Iterator[Outcome]:
    """Report each eclass that is inherited and may not be."""
    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    evaluation = ebuild.evaluation
    direct = frozenset(evaluation.explicitly_inherited)
    names = dict.fromkeys((*evaluation.inherited, *evaluation.missing))
    for name in names:
        if not any(fnmatchcase(name, eclass) for eclass in each(form.eclass)):
            continue
        if name not in direct and name not in evaluation.missing and form.directly:
            continue
        through = "" if name in direct or name in evaluation.missing else ", through another eclass"
        message = f"{ebuild.cpv} inherits {name}{through}"
        place = _inherit_line(ebuild, name)
        yield finding_at(ebuild, place, message, f"do without {name}.eclass")
    if evaluation.missing and not form.directly:
        missing = ", ".join(evaluation.missing)
        reason = f"what is in a missing master may inherit more: {missing}"
        yield Undecided(ebuild.span(), reason)


def _inherit_line(ebuild: Ebuild, name: str = "") -> Span:
    """Return the eclass's name in an `inherit` of the ebuild, else the first such command.

    Where there is none, and where a name comes in another way, it is the file.
    """
    from overlaylint.overlay.assignments import inherits, word_in

    places = inherits(ebuild)
    for place in places:
        word = word_in(ebuild, place, name)
        if word is not None:
            return word
    return places[0] if places else ebuild.span()
