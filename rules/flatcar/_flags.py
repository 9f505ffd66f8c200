"""What rules about a USE flag that has to be off have in common: places, and the edits there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, Span
from overlaylint.overlay.atom import package_of
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.text import lines
from overlaylint.overlay.use import FlagSource

if TYPE_CHECKING:
    from overlaylint.overlay.flag_setting import FlagSetting


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
