"""What profiles make of a USE flag: whether it is as it has to be, and the lines that decide."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Finding, Fix, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.atom import package_of
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.text import lines
from overlaylint.overlay.use import FlagSource
from overlaylint.policies.forms import FlagState, ForbidUse, RequireUse
from overlaylint.policies.matching import matches_any
from overlaylint.policies.places import failed, no_profile
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.flag_setting import FlagSetting
    from overlaylint.overlay.profile import Profile

# Where a line for every package that matches may stand. Portage takes no wildcards there.
_WILDCARD_FILES = ("package.use", "package.use.force", "package.use.stable.force")


def required_use(ebuild: Ebuild, form: RequireUse) -> Iterator[Outcome]:
    """Report what keeps a flag of an ebuild from the state that it has to have."""
    cause = _not_looked_at(ebuild, form.flag)
    if cause is not None:
        yield cause
        return
    settings = settings_of(ebuild, form.flag, form.profiles)
    if not settings and ebuild.repository.profiles:
        yield no_profile(form.profiles)
        return
    if form.state == "off":
        reason = f"{form.flag} is not to be on by default"
        if form.set_by == "profile" or _is_on_by_default(settings):
            yield from plus(ebuild, form.flag, f"take the plus away: {reason}")
        if form.set_by == "profile":
            yield from not_set_off(ebuild, form.flag, settings)
        else:
            yield from turned_on(ebuild, form.flag, settings, f"leave {form.flag} off")
        return
    yield from _in_no_such_state(ebuild, form, settings)


def forbidden_use(ebuild: Ebuild, form: ForbidUse) -> Iterator[Outcome]:
    """Report what brings a flag of an ebuild into a state that it may not have."""
    cause = _not_looked_at(ebuild, form.flag)
    if cause is not None:
        yield cause
        return
    settings = settings_of(ebuild, form.flag, form.profiles)
    if not settings and ebuild.repository.profiles:
        yield no_profile(form.profiles)
        return
    if form.state == "on":
        help_ = f"leave {form.flag} off"
        if _is_on_by_default(settings):
            yield from plus(ebuild, form.flag, help_)
        yield from turned_on(ebuild, form.flag, settings, help_)
        return
    said: dict[Span, Outcome] = {}
    for one in settings:
        if one.missing is not None:
            said.setdefault(one.missing.span, _unknown(ebuild, form.flag, one))
        elif is_in_state(one, form.state):
            source = one.decided_by
            kind = source.kind if source is not None else "the default"
            message = f"{kind} makes {form.flag} {form.state} for {ebuild.cp}"
            help_ = f"{form.flag} may not be {form.state} here; see {one.profile.name}"
            is_own = source is not None and source.kind != "IUSE" and not source.span.repository
            span = source.span if source is not None and is_own else ebuild.span()
            said.setdefault(span, Finding(span, message, help_))
    yield from said.values()


def settings_of(
    ebuild: Ebuild, flag: str, profiles: str | tuple[str, ...] = "*"
) -> tuple[FlagSetting, ...]:
    """Return what the profiles whose names match make of a flag."""
    from overlaylint.overlay.flag_setting import flag_settings

    return tuple(
        one for one in flag_settings(ebuild, flag) if matches_any(profiles, one.profile.name)
    )


def _is_on_by_default(settings: tuple[FlagSetting, ...]) -> bool:
    """Whether what IUSE says counts: some profile says nothing else, or there is none."""
    return not settings or any(one.is_on and not one.is_set for one in settings)


def is_in_state(setting: FlagSetting, state: FlagState) -> bool:
    """Whether a flag is on, off, forced or masked under a profile."""
    source = setting.decided_by
    if state in ("on", "off"):
        return setting.is_on is (state == "on")
    ending = ".force" if state == "forced" else ".mask"
    return source is not None and source.kind.endswith(ending) and source.turns_on


def _not_looked_at(ebuild: Ebuild, flag: str) -> Outcome | None:
    """Return why nothing is to be said of a flag of the ebuild; None where there is something."""
    from overlaylint.overlay.metadata import metadata

    failure = failed(ebuild)
    if failure is not None:
        return failure
    known = metadata(ebuild.evaluation)
    unknown = known.unknown.get("IUSE")
    words = known.values.get("IUSE", "").split()
    if unknown is not None and ebuild.evaluation.missing:
        # What eclasses add is not known; what the ebuild itself says is.
        own = ebuild.variable("IUSE")
        words = [] if own is None or own.value is None else str(own.value).split()
    if any(word.lstrip("+-") == flag for word in words):
        return None
    if unknown is not None:
        return Undecided(ebuild.span(), f"whether IUSE holds {flag} is unknown: {unknown.reason}")
    return NotApplicable(f"{ebuild.path} has no USE flag {flag}")


def _unknown(ebuild: Ebuild, flag: str, setting: FlagSetting) -> Undecided:
    assert setting.missing is not None
    reason = f"{setting.missing.message}, so it is unknown what sets {flag} for {ebuild.cp}"
    return Undecided(setting.missing.span, reason)


def _in_no_such_state(
    ebuild: Ebuild, form: RequireUse, settings: tuple[FlagSetting, ...]
) -> Iterator[Outcome]:
    """Report the profiles under which a flag is not on, forced or masked."""
    said: dict[Span, Outcome] = {}
    silent: list[FlagSetting] = []
    for one in settings:
        source = one.decided_by
        is_said = form.set_by == "anything" or one.is_set
        if is_in_state(one, form.state) and is_said and one.missing is None:
            continue
        if one.missing is not None:
            said.setdefault(one.missing.span, _unknown(ebuild, form.flag, one))
        elif source is not None and source.kind != "IUSE" and not source.span.repository:
            message = f"{source.kind} keeps {form.flag} from being {form.state} for {ebuild.cp}"
            help_ = f"let {form.flag} be {form.state} for {ebuild.cp}"
            said.setdefault(source.span, Finding(source.span, message, help_))
        else:
            silent.append(one)
    yield from said.values()
    if silent:
        names = ", ".join(one.profile.name for one in silent)
        message = f"{form.flag} is not {form.state} for {ebuild.cp}"
        if any(is_in_state(one, form.state) for one in silent):
            # IUSE alone has it so.
            message = f"no profile line sets {form.flag} {form.state} for {ebuild.cp}"
        files = {"on": "package.use", "forced": "package.use.force", "masked": "package.use.mask"}
        help_ = f"add `{ebuild.cp} {form.flag}` to {files[form.state]} of these profiles: {names}"
        place = line_to_add(ebuild, form.flag, tuple(silent)) if form.state == "on" else None
        yield Finding(place.span if place else ebuild.span(), message, help_)


# --- a flag that has to be off ---


def plus(ebuild: Ebuild, flag: str, help_: str) -> Iterator[Finding]:
    """Report a plus before the flag in IUSE."""
    place = plus_in_iuse(ebuild, flag)
    if place is not None:
        message = f"IUSE turns {flag} on for {ebuild.cp}"
        yield Finding(place.span, message, help_, fix=place.fix)


def turned_on(
    ebuild: Ebuild, flag: str, settings: tuple[FlagSetting, ...], help_: str
) -> Iterator[Outcome]:
    """Report what turns the flag on in the profiles, the lines that only seem to do so too."""
    said: dict[Span, Outcome] = {}
    inherited = []
    for one in settings:
        source = one.decided_by
        if one.is_set and one.is_on and source is not None:
            if source.span.repository:
                inherited.append(one)
                continue
            message = f"{source.kind} turns {flag} on for {ebuild.cp}"
            found = Finding(source.span, message, help_, fix=minus_before(ebuild, source))
            said.setdefault(source.span, found)
        elif one.missing is not None:
            reason = f"{one.missing.message}, so it is unknown whether {flag} is on"
            said.setdefault(one.missing.span, Undecided(one.missing.span, reason))
        elif not one.is_set:
            for span in _wildcards(one.profile, ebuild.cp, flag):
                message = f"{flag} is turned on for every package that matches"
                said.setdefault(span, Finding(span, message, help_))
    yield from said.values()
    if inherited:
        source = inherited[0].decided_by
        assert source is not None
        message = f"a master's {source.kind} turns {flag} on for {ebuild.cp}"
        related = (Related(source.span, "it is turned on here"),)
        where = line_to_add(ebuild, flag, tuple(inherited))
        span = where.span if where else ebuild.span()
        add = f"add `{ebuild.cp} -{flag}` to a package.use of the overlay's profiles"
        yield Finding(span, message, add, related, where.fix if where else None)


def not_set_off(
    ebuild: Ebuild, flag: str, settings: tuple[FlagSetting, ...], purpose: str = ""
) -> Iterator[Outcome]:
    """Report what keeps the profiles from setting the flag off: lines that turn it on, or none.

    `purpose` is what it is to be off for, in help.
    """
    if not settings:
        yield NotApplicable("the overlay has no profiles that could set the flag")
    silent: list[FlagSetting] = []
    said: dict[Span, Outcome] = {}
    for one in settings:
        source = one.decided_by
        if one.is_set and not one.is_on and one.missing is None:
            continue
        if one.is_set and one.is_on and source is not None and not source.span.repository:
            message = f"{source.kind} turns {flag} on for {ebuild.cp}"
            help_ = f"set `{ebuild.cp} -{flag}`{purpose}"
            found = Finding(source.span, message, help_, fix=minus_before(ebuild, source))
            said.setdefault(source.span, found)
        elif one.missing is not None:
            said.setdefault(one.missing.span, _unknown(ebuild, flag, one))
        else:
            silent.append(one)
    yield from said.values()
    if silent:
        yield _not_set(ebuild, flag, tuple(silent))


def _not_set(ebuild: Ebuild, flag: str, settings: tuple[FlagSetting, ...]) -> Finding:
    """Report that nothing sets the flag off in some profiles, where a line would do it for all."""
    names = ", ".join(one.profile.name for one in settings)
    wanted = f"{ebuild.cp} -{flag}"
    on = dict.fromkeys(one.decided_by.span for one in settings if one.is_on and one.decided_by)
    related = tuple(Related(span, f"{flag} is turned on here") for span in on)
    message = f"no profile line sets {flag} off for {ebuild.cp}"
    place = line_to_add(ebuild, flag, settings)
    if place is None:
        help_ = f"add `{wanted}` to a package.use that these profiles have in common: {names}"
        return Finding(ebuild.span(), message, help_, related)
    return Finding(place.span, message, f"add `{wanted}` here, for {names}", related, place.fix)


def _wildcards(profile: Profile, cp: str, flag: str) -> Iterator[Span]:
    """Yield the lines of the overlay that say the flag of `*/*` or the like.

    Portage takes no wildcards in a profile and passes over them; the intent is there, and other
    package managers, or the file moved to /etc/portage, would follow it.
    """
    for node in profile.nodes:
        if node.repository is not profile.repository:
            continue
        for name in _WILDCARD_FILES:
            for path in node.files(name):
                for line in lines(node.repository.tree.read(path)):
                    atom, *words = line.words
                    if "*" in atom.text and fnmatchcase(cp, atom.text):
                        for word in words:
                            if word.text == flag:
                                yield node.repository.span(path, word.start, word.end)


# --- places ---


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is wrong, and the edit that puts it right, if it is certain."""

    span: Span
    fix: Fix | None


def plus_in_iuse(ebuild: Ebuild, flag: str) -> Place | None:
    """Return where IUSE turns a flag on; None where it does not."""
    from overlaylint.overlay.assignments import assignments, written_word

    plus = f"+{flag}"
    variable = ebuild.variable("IUSE")
    if variable is None or variable.value is None or plus not in str(variable.value).split():
        return None
    word = written_word(ebuild, assignments(ebuild, "IUSE"), plus)
    if word is None:
        return Place(ebuild.span() if variable.span.repository else variable.span, None)
    sign = Span(word.path, word.start, word.start + 1)
    return Place(word, Fix.safe("take the plus away", Edit(sign, "")))


def minus_before(ebuild: Ebuild, source: FlagSource) -> Fix | None:
    """Return the edit that makes a line set a flag off, if it is about this package alone."""
    if not source.kind.startswith("package.use") or not source.turns_on:
        return None
    data = ebuild.repository.tree.read(source.span.path)
    at = source.span.start
    line = next((one for one in lines(data) if one.start <= at < one.end), None)
    if line is None or package_of(line.words[0].text) != ebuild.cp:
        return None
    return Fix.safe("set the flag off", Edit(Span(source.span.path, at, at), "-"))


def line_to_add(ebuild: Ebuild, flag: str, settings: tuple[FlagSetting, ...]) -> Place | None:
    """Return where to set a flag off for all of some profiles: the last file that they share."""
    path = _common_file(ebuild.repository, settings)
    if path is None:
        return None
    data = ebuild.repository.tree.read(path)
    last = next(reversed(tuple(lines(data))), None)
    span = Span(path, last.start, last.words[-1].end) if last else Span(path)
    wanted = f"{ebuild.cp} -{flag}"
    text = f"{wanted}\n" if not data or data.endswith(b"\n") else f"\n{wanted}\n"
    if not _helps(ebuild, flag, path, data + text.encode(), settings):
        return Place(span, None)
    return Place(span, Fix.safe(f"add `{wanted}`", Edit(Span(path, len(data), len(data)), text)))


def _common_file(repository: Repository, settings: tuple[FlagSetting, ...]) -> str | None:
    first, *others = (one.profile.nodes for one in settings)
    for node in reversed(first):
        if node.repository is repository and all(node in nodes for nodes in others):
            files = node.files("package.use")
            if files:
                return files[-1]
    return None


def _helps(
    ebuild: Ebuild, flag: str, path: str, data: bytes, settings: tuple[FlagSetting, ...]
) -> bool:
    """Whether the flag is off in these profiles once a file holds `data`."""
    from overlaylint.overlay.flag_setting import flag_settings

    other = ebuild.repository.with_files({path: data}).ebuild_at(ebuild.path)
    if other is None:
        return False
    names = {one.profile.name for one in settings}
    return all(
        one.is_set and not one.is_on
        for one in flag_settings(other, flag)
        if one.profile.name in names
    )
