"""A profile line about one version is of no use any more.

## What it does

Looks at the lines of the overlay's `package.accept_keywords`, `package.mask`, `package.unmask` and
`package.use` (with their kin: `.force`, `.mask`, `.stable`) that name a version with `=` or `~`:

- one is stale if no ebuild of that version is in the overlay or a master;
- one of `package.accept_keywords` that names a single version is redundant if, for every profile
  that reads it, the version is accepted without the line as well and its USE flags are the same.

## Why it matters

Such lines are written for one update and forgotten at the next. They pile up, hide the few that
still count, and when the version comes back, from a revert or a sync, they silently accept or mask
it.

## Example

`profiles/base/package.accept_keywords`:

```
=app-misc/hello-1.0 ~amd64
```

`app-misc/hello/hello-1.1.ebuild`:

```bash
EAPI=7
SLOT="0"
KEYWORDS="~amd64"
```

## Use instead

`profiles/base/package.accept_keywords`:

```
=app-misc/hello-1.1 ~amd64
```

`app-misc/hello/hello-1.1.ebuild`:

```bash
EAPI=7
SLOT="0"
KEYWORDS="~amd64"
```

## Fix

The line is removed, and with it the comment right above, if that is about no line that stays.

## Limits

Lines without a version, or with `<` or `>`, speak of what is still to come, and are left alone; so
are lines that accept something and of which only one keyword is not needed.

## References

- portage(5), package.accept_keywords.
- Found broken 30 times in the history of flatcar/coreos-overlay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.atom import Atom
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.profile import Profile

_ACCEPTING = ("package.accept_keywords", "package.keywords")
_PINS = ("=", "~", "=*")

# How many versions that are there a finding names: the highest ones.
_SHOWN = 5


@rule(severity=Severity.WARNING, files="profiles/*", needs_masters=True)
def stale_keyword_pin(overlay: Repository) -> Iterator[Outcome]:
    faults: dict[str, list[_Fault]] = {}
    pins = list(_pins(overlay))
    if not pins:
        yield NotApplicable("no profile line names a version")
        return
    for pin in pins:
        if not any(_is_named(pin.atom, one) for one in _ebuilds(overlay, pin.atom)):
            faults.setdefault(pin.span.path, []).append(_fault(overlay, pin))
    stale = {fault.pin.span for group in faults.values() for fault in group}
    for found in _redundant(overlay, [pin for pin in pins if pin.span not in stale]):
        if isinstance(found, _Fault):
            faults.setdefault(found.pin.span.path, []).append(found)
        else:
            yield found
    for path, group in faults.items():
        data = overlay.tree.read(path)
        edits = _removals(path, data, [fault.pin.span for fault in group])
        for fault in group:
            fix = Fix.safe("remove the line", edits[fault.pin.span])
            yield Finding(fault.pin.span, fault.message, fault.help, fix=fix)


@dataclass(frozen=True, slots=True)
class _Pin:
    """A line that names a version."""

    name: str
    folder: str
    atom: Atom
    span: Span


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with a line."""

    pin: _Pin
    message: str
    help: str


def _pins(overlay: Repository) -> Iterator[_Pin]:
    """Yield the lines that name a version, file by file."""
    from overlaylint.overlay.profile_node import PACKAGE_FILES

    for folder in overlay.profiles.folders:
        node = overlay.profile_node(folder)
        for name in PACKAGE_FILES:
            if node.files(name):
                for entry in node.all_entries(name):
                    if entry.atom.operator in _PINS:
                        yield _Pin(name, folder, entry.atom, entry.span)
        for name, group in (("package.mask", node.masks), ("package.unmask", node.unmasks)):
            for line in group:
                if line.atom is not None and not line.is_off and line.atom.operator in _PINS:
                    yield _Pin(name, folder, line.atom, line.span)


# --- stale ---


def _ebuilds(overlay: Repository, atom: Atom) -> Iterator[Ebuild]:
    """Yield the ebuilds of an atom's package, whatever their version.

    crossdev makes a category `cross-<target>` of links to packages of the others.
    """
    is_cross = atom.category.startswith("cross-")
    for one in overlay.family:
        for category in one.categories if is_cross else (atom.category,):
            package = one.package(f"{category}/{atom.package}")
            if package is not None:
                yield from package.ebuilds


def _is_named(atom: Atom, ebuild: Ebuild) -> bool:
    """Whether an atom names the ebuild's version; which slot it has is not looked at."""
    from overlaylint.overlay.use import candidate_of

    bare = replace(atom, category=ebuild.category, slot=None, subslot=None)
    return bare.matches(candidate_of(ebuild, {}))


def _fault(overlay: Repository, pin: _Pin) -> _Fault:
    wanted = pin.atom.repository
    place = f"not in {wanted}" if wanted else "in neither the overlay nor its masters"
    versions = sorted(
        {
            one.version: one.pvr
            for one in _ebuilds(overlay, pin.atom)
            if wanted in (None, one.repository.name)
        }.items()
    )
    if not versions:
        message = f"`{pin.atom}` names a package that is {place}"
        return _Fault(pin, message, "remove the line")
    message = f"`{pin.atom}` names a version that is {place}"
    shown = ", ".join(pvr for _, pvr in versions[-_SHOWN:])
    help_ = f"remove the line, or name a version that is there: {shown}"
    return _Fault(pin, message, help_)


# --- redundant ---


def _redundant(overlay: Repository, pins: list[_Pin]) -> Iterator[_Fault | Undecided]:
    """Yield the lines that accept what is accepted without them, one after another.

    Of two lines that make each other redundant, the parent's stays, or the first one.
    """
    gone: dict[str, list[Span]] = {}
    profiles = list(overlay.profiles)
    read: list[tuple[int, _Pin, list[Profile]]] = []
    for pin in pins:
        # crossdev's copies are other packages, whose keywords are accepted by themselves.
        is_cross = pin.atom.category.startswith("cross-")
        if pin.name not in _ACCEPTING or pin.atom.operator != "=" or is_cross:
            continue
        node = overlay.profile_node(pin.folder)
        readers = [profile for profile in profiles if node in profile.nodes]
        if readers and not any(one.problems for one in readers):
            depth = max(one.nodes.index(node) for one in readers)
            read.append((depth, pin, readers))
    # From the profiles themselves to their parents, so that a parent's line stays.
    order = sorted(range(len(read)), key=lambda at: (read[at][0], at), reverse=True)
    for _, pin, readers in (read[at] for at in order):
        without = (*gone.get(pin.atom.cp, ()), pin.span)
        named = [one for one in _ebuilds(overlay, pin.atom) if _is_named(pin.atom, one)]
        needed = [_is_needed(one, readers, without[:-1], without) for one in named]
        unknown = next((one for one in needed if isinstance(one, str)), None)
        if True in needed:
            continue
        if unknown is not None:
            yield Undecided(pin.span, unknown)
            continue
        gone.setdefault(pin.atom.cp, []).append(pin.span)
        message = f"`{pin.atom}` accepts nothing that is not accepted without this line"
        yield _Fault(pin, message, _why(named[0], readers, without))


def _is_needed(
    ebuild: Ebuild, profiles: list[Profile], before: tuple[Span, ...], after: tuple[Span, ...]
) -> bool | str:
    """Whether leaving a line out changes an ebuild for some profile; a text if that is unknown."""
    from overlaylint.overlay.own_metadata import own_metadata

    quick = own_metadata(ebuild)
    if quick is not None and _changes(ebuild, quick.values, profiles, before, after, is_quick=True):
        return True
    metadata = ebuild.metadata
    lost = next((key for key in ("KEYWORDS", "SLOT", "IUSE") if key in metadata.unknown), None)
    if lost is not None:
        return f"{lost} of {ebuild.cpv} is unknown: {metadata.unknown[lost].reason}"
    return _changes(ebuild, metadata.values, profiles, before, after)


def _changes(
    ebuild: Ebuild,
    metadata: Mapping[str, str],
    profiles: list[Profile],
    before: tuple[Span, ...],
    after: tuple[Span, ...],
    *,
    is_quick: bool = False,
) -> bool:
    from overlaylint.overlay.use import candidate_of, use_state
    from overlaylint.overlay.visibility import Acceptance, acceptance

    candidate = candidate_of(ebuild, metadata)
    for profile in profiles:
        old = acceptance(profile, candidate, metadata, before)
        new = acceptance(profile, candidate, metadata, after)
        if (old is Acceptance.NONE) is not (new is Acceptance.NONE):
            return True
        if old is not new and not is_quick:
            # What is in stable may have other flags.
            first, second = (
                use_state(profile, ebuild, metadata, state is Acceptance.STABLE)
                for state in (old, new)
            )
            if (first.enabled, first.forced, first.masked) != (
                second.enabled,
                second.forced,
                second.masked,
            ):
                return True
    return False


def _why(ebuild: Ebuild, profiles: list[Profile], without: tuple[Span, ...]) -> str:
    """Say what accepts an ebuild without a line."""
    from overlaylint.overlay.use import candidate_of
    from overlaylint.overlay.visibility import (
        Acceptance,
        acceptance,
        accepted_keywords,
        effective_keywords,
    )

    metadata = ebuild.metadata.values
    candidate = candidate_of(ebuild, metadata)

    def state(profile: Profile, *more: Span) -> Acceptance:
        return acceptance(profile, candidate, metadata, (*without, *more))

    taking = [one for one in profiles if state(one) is not Acceptance.NONE]
    profile = (taking or profiles)[0]
    words = " ".join(effective_keywords(profile, candidate, metadata, without)) or "none"
    if not taking:
        return f"remove the line: no profile accepts {ebuild.cpv} even with it (KEYWORDS: {words})"
    lines = accepted_keywords(profile, candidate, without)[1]
    bare = state(profile, *(line.span for line in lines))
    if bare is Acceptance.NONE:
        last = [line for line in lines if state(profile, line.span) is bare] or lines
        return f"remove the line: `{last[-1].atom}` accepts {ebuild.cpv} already"
    why = "is stable" if bare is Acceptance.STABLE else "is accepted by ACCEPT_KEYWORDS"
    return f"remove the line: {ebuild.cpv} {why} (KEYWORDS: {words})"


# --- the lines to remove ---


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    """Behind the line feed."""
    kind: str
    """`entry`, `comment` or `blank`."""


def _text_lines(data: bytes) -> list[_Line]:
    found = []
    at = 0
    while at < len(data):
        feed = data.find(b"\n", at)
        end = len(data) if feed < 0 else feed + 1
        text = data[at:end].strip()
        kind = "blank" if not text else "comment" if text.startswith(b"#") else "entry"
        found.append(_Line(at, end, kind))
        at = end
    return found


def _removals(path: str, data: bytes, spans: list[Span]) -> dict[Span, Edit]:
    """Return for each line the edit that removes it, so that all of them together fit.

    A comment belongs to the entries that follow it without a blank line or another comment, and
    goes with the last of them; so does one of the blank lines around. A copyright at the very top
    is the file's own.
    """
    text = _text_lines(data)
    doomed = {
        index: span
        for span in spans
        for index, line in enumerate(text)
        if line.start <= span.start < line.end
    }
    edits: dict[Span, Edit] = {}
    for index, span in doomed.items():
        first = last = index
        run = _run(text, index)
        if all(one in doomed for one in run):
            head = run[0]
            while head > 0 and text[head - 1].kind == "comment":
                head -= 1
            if head == 0 and b"opyright" in data[: text[run[0]].start]:
                head = run[0]
            ends = run[-1] + 1 == len(text) or text[run[-1] + 1].kind == "blank"
            begins = head == 0 or text[head - 1].kind == "blank"
            if index == run[0]:
                first = head
                if run[-1] + 1 == len(text) and head > 0 and begins:
                    first = head - 1
            if index == run[-1] and ends and begins and run[-1] + 1 < len(text):
                last = index + 1
        edits[span] = Edit(Span(path, text[first].start, text[last].end), "")
    return edits


def _run(text: list[_Line], index: int) -> range:
    """Return the entries around one that nothing stands between."""
    first = last = index
    while first > 0 and text[first - 1].kind == "entry":
        first -= 1
    while last + 1 < len(text) and text[last + 1].kind == "entry":
        last += 1
    return range(first, last + 1)
