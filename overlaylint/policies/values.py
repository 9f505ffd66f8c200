"""The value that a variable has after global scope."""

from __future__ import annotations

import re
from collections.abc import Iterator

from overlaylint.finding import NotApplicable, Outcome, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import Evaluated
from overlaylint.policies.forms import ForbidValue, RequireValue, Value
from overlaylint.policies.matching import matches, words_of
from overlaylint.policies.places import failed, finding_at
from overlaylint.records import dataclass
from overlaylint.shell.conditions import any_true
from overlaylint.shell.values import Mixed
from overlaylint.shell.values import Value as Text
from overlaylint.syntax import each


def required_value(ebuild: Ebuild, form: RequireValue) -> Iterator[Outcome]:
    """Report a variable whose value is not as it has to be."""
    for one in value_breaking(ebuild, form, is_required=True):
        if isinstance(one, Evaluated):
            message = f"{one.name} of {ebuild.cpv} is {_shown(one)}: it has to {form.asked}"
            help_ = f"let {one.name} {form.asked}"
            yield finding_at(ebuild, one.span, message, help_, f"{one.name} is set here")
        elif isinstance(one, Unset) and form.must_be_set:
            message = f"{ebuild.cpv} does not set {one.names}: it has to {form.asked}"
            yield finding_at(ebuild, ebuild.span(), message, f"let {one.names} {form.asked}")
        else:
            yield one.outcome if isinstance(one, Unset) else one


def forbidden_value(ebuild: Ebuild, form: ForbidValue) -> Iterator[Outcome]:
    """Report a variable whose value is as it may not be."""
    for one in value_breaking(ebuild, form, is_required=False):
        if isinstance(one, Evaluated):
            message = f"{one.name} of {ebuild.cpv} is {_shown(one)}: it may not {form.asked}"
            help_ = f"don't let {one.name} {form.asked}"
            yield finding_at(ebuild, one.span, message, help_, f"{one.name} is set here")
        else:
            yield one.outcome if isinstance(one, Unset) else one


@dataclass(frozen=True, slots=True)
class Unset:
    """None of the variables, called `names`, is set in the ebuild at `path`."""

    path: str
    names: str

    @property
    def outcome(self) -> NotApplicable:
        """What that comes to where a variable may be left unset."""
        return NotApplicable(f"{self.path} sets no {self.names}")


def value_breaking(
    ebuild: Ebuild, form: Value, *, is_required: bool
) -> Iterator[Evaluated | Unset | Undecided | NotApplicable]:
    """Yield the variable whose value is not as is asked, or why there is none."""
    if ebuild.is_built_as_links_only:
        yield NotApplicable(f"{ebuild.path} is built as the versions that link to it")
        return
    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    names = each(form.variable)
    found = next(filter(None, map(ebuild.variable, names)), None)
    if found is None or found.value is None:
        yield _unset(ebuild, " or ".join(names))
        return
    answer = _is_as_asked(found, form)
    if answer is None:
        unknown = _first_unknown(found)
        reason = f"{found.name} is unknown: {unknown or 'its end is open'}"
        yield Undecided(found.span, reason)
    elif answer is not is_required:
        yield found


def _unset(ebuild: Ebuild, names: str) -> Undecided | Unset:
    missing = ebuild.evaluation.missing
    if missing:
        listed = ", ".join(missing)
        reason = f"{names} may be set by what is in a missing master: {listed}"
        return Undecided(ebuild.span(), reason)
    return Unset(ebuild.path, names)


def _is_as_asked(found: Evaluated, form: Value) -> bool | None:
    if found.elements is not None:
        # An array is asked as its elements with blanks between them.
        return _all_is(found.elements, form)
    if found.value is None:
        return False
    return _is(found.value, form)


def _all_is(elements: tuple[Text, ...], form: Value) -> bool | None:
    if form.contains is not None:
        answers = [matches(form.contains, one) for one in elements]
        return any_true(answers)
    if any(isinstance(one, Mixed) for one in elements):
        return None
    return _is(" ".join(str(one) for one in elements), form)


def _is(value: Text, form: Value) -> bool | None:
    if form.equals is not None:
        if isinstance(value, str):
            return value == form.equals
        return matches(re.sub(r"([*?[])", r"[\1]", form.equals), value)
    if form.matches is not None:
        return matches(form.matches, value)
    if form.regex is not None:
        return _is_all(form.regex, value) if isinstance(value, str) else None
    assert form.contains is not None
    words, is_open = words_of(value)
    answer = any_true([matches(form.contains, word) for word in words])
    return None if answer is False and is_open else answer


def _is_all(regex: str, value: str) -> bool | None:
    """Whether all of a text matches an extended regular expression; None if that can't be told."""
    from overlaylint.shell.regexes import Undecidable, search

    try:
        return search(((f"^({regex})$", False),), value) is not None
    except Undecidable:
        # It takes too long, or depends on the locale.
        return None


def _first_unknown(found: Evaluated) -> str:
    for value in found.elements or (found.value,):
        if isinstance(value, Mixed):
            return value.unknown.reason
    return ""


def _shown(found: Evaluated) -> str:
    values = found.elements if found.elements is not None else (found.value or "",)
    text = " ".join(" ".join(map(str, values)).split())
    return (text if len(text) <= 60 else f"{text[:57]}...") or "empty"
