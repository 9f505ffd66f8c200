"""An ebuild's KEYWORDS: what they are, and which profiles accept them."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from overlaylint.finding import Outcome, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.profile import Profile
from overlaylint.policies.forms import ForbidKeywords, RequireKeywords
from overlaylint.policies.matching import matches_any
from overlaylint.policies.places import failed, finding_at, no_profile, variable_span
from overlaylint.syntax import each


def required_keywords(ebuild: Ebuild, form: RequireKeywords) -> Iterator[Outcome]:
    """Report keywords that are missing, or profiles that don't accept those there are."""
    words = _keywords(ebuild)
    if not isinstance(words, tuple):
        yield words
        return
    span = variable_span(ebuild, "KEYWORDS")
    for glob in each(form.has or ()):
        if not any(fnmatchcase(word, glob) for word in words):
            message = f"KEYWORDS of {ebuild.cpv} does not hold {glob}"
            yield finding_at(ebuild, span, message, f"add {glob} to KEYWORDS")
    if form.accepted_by is None:
        return
    if not _profiles(ebuild, form.accepted_by):
        yield no_profile(form.accepted_by)
        return
    refused: list[str] = []
    reason = ""
    for profile, answer in _acceptance(ebuild, form.accepted_by):
        if isinstance(answer, Undecided):
            yield answer
        elif answer:
            refused.append(profile.name)
            reason = reason or answer
    if refused:
        message = f"{ebuild.cpv} is not accepted by {', '.join(refused)}: {reason}"
        help_ = "accept it in package.accept_keywords of these profiles, or change KEYWORDS"
        yield finding_at(ebuild, span, message, help_)


def forbidden_keywords(ebuild: Ebuild, form: ForbidKeywords) -> Iterator[Outcome]:
    """Report keywords that may not be there, or profiles that may not accept those there are."""
    words = _keywords(ebuild)
    if not isinstance(words, tuple):
        yield words
        return
    span = variable_span(ebuild, "KEYWORDS")
    found = [word for word in words if matches_any(form.has or (), word)]
    if found:
        message = f"KEYWORDS of {ebuild.cpv} holds {' and '.join(found)}"
        yield finding_at(ebuild, span, message, f"take {' and '.join(found)} out of KEYWORDS")
    if form.accepted_by is None:
        return
    if not _profiles(ebuild, form.accepted_by):
        yield no_profile(form.accepted_by)
        return
    accepting = []
    for profile, answer in _acceptance(ebuild, form.accepted_by):
        if isinstance(answer, Undecided):
            yield answer
        elif not answer:
            accepting.append(profile.name)
    if accepting:
        message = f"{ebuild.cpv} is accepted by {', '.join(accepting)}"
        help_ = "change KEYWORDS, or the package.accept_keywords that accepts it"
        yield finding_at(ebuild, span, message, help_)


def _keywords(ebuild: Ebuild) -> tuple[str, ...] | Undecided:
    from overlaylint.overlay.metadata import metadata

    failure = failed(ebuild)
    if failure is not None:
        return failure
    known = metadata(ebuild.evaluation)
    unknown = known.unknown.get("KEYWORDS")
    if unknown is not None:
        return Undecided(ebuild.span(), f"KEYWORDS is unknown: {unknown.reason}")
    return tuple(known.values.get("KEYWORDS", "").split())


def _profiles(ebuild: Ebuild, globs: str | tuple[str, ...]) -> list[Profile]:
    return [one for one in ebuild.repository.profiles if matches_any(globs, one.name)]


def _acceptance(
    ebuild: Ebuild, globs: str | tuple[str, ...]
) -> Iterator[tuple[Profile, str | Undecided]]:
    """Yield each profile with why it does not accept the keywords, "" where it does."""
    from overlaylint.overlay.metadata import metadata
    from overlaylint.overlay.visibility import Mask

    values = metadata(ebuild.evaluation).values
    for profile in _profiles(ebuild, globs):
        if profile.problems:
            problem = profile.problems[0]
            yield profile, Undecided(problem.span, f"{profile.name} is unknown: {problem.message}")
            continue
        reasons = profile.visibility(ebuild, values).reasons
        yield profile, next((one.text for one in reasons if one.mask is Mask.KEYWORDS), "")
