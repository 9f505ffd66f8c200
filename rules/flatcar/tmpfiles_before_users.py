"""systemd-tmpfiles runs in a root that has no users yet.

## What it does

Follows the phases of `sys-apps/baselayout` with `USE=-cros_host`, through its own functions. Before
the first `systemd-tmpfiles --root=R` there have to be passwd and group in that same R: made by
`flatcar-tmpfiles R` or `coreos-tmpfiles R`, or copied, installed or written to `R/etc`. Installing
the script for a later boot makes neither.

It applies where the tree has systemd 246 or later.

## Why it matters

From 246 on, `systemd-tmpfiles --root=R` looks users and groups up in R, where it used the machine's
before. Without a database there it can't resolve one of them: the folders that belong to them are
not made, or the build of the image fails.

## Example

`sys-apps/systemd/systemd-246.ebuild`:

```bash
EAPI=7
```

`sys-apps/baselayout/baselayout-3.6.8.ebuild`:

```bash
EAPI=7
IUSE="cros_host"
src_install() {
        emake DESTDIR="${D}" install
        systemd-tmpfiles --root="${D}" --create
        if ! use cros_host; then
                bash scripts/flatcar-tmpfiles "${D}" || die
        fi
}
```

## Use instead

`sys-apps/systemd/systemd-246.ebuild`:

```bash
EAPI=7
```

`sys-apps/baselayout/baselayout-3.6.8.ebuild`:

```bash
EAPI=7
IUSE="cros_host"
src_install() {
        if ! use cros_host; then
                bash scripts/flatcar-tmpfiles "${D}" "${S}/baselayout" || die
        fi
        emake DESTDIR="${D}" install
        systemd-tmpfiles --root="${D}" --create
}
```

## Options

- `flag`: the USE flag of the SDK, which has its users already.
- `tools`: scripts that make the database in the folder that is their first argument.
- `files`: what makes up the database, as paths in the root.
- `since`: the systemd from which on the root's own database counts.

## Limits

What `make install` makes by itself is not seen. An empty file, as of `touch`, is no database. What
another program makes of a folder of the image that it is given is unknown.

## References

- flatcar/coreos-overlay, commit c558606f86ac: "sys-apps/baselayout: Initialize the user/group
  database earlier".
- systemd-tmpfiles(8), `--root=`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from overlaylint.finding import Outcome, Related, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.steps import Location, Step
    from overlaylint.overlay.tmpfiles import RootCall

    from ._tmpfiles import Phase


@dataclass(frozen=True, slots=True)
class Options:
    """What makes the user database, and where it has to be."""

    flag: str = "cros_host"
    tools: tuple[str, ...] = ("flatcar-tmpfiles", "coreos-tmpfiles")
    files: tuple[str, ...] = ("/etc/passwd", "/etc/group")
    since: str = "246"


@rule(severity=Severity.ERROR, packages="sys-apps/baselayout", decided_in="c558606f86ac")
def tmpfiles_before_users(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from ._tmpfiles import Phase, phases_with_root_calls

    words = (*options.tools, *(file.rpartition("/")[2] for file in options.files))
    for phase in phases_with_root_calls(ebuild, options.since, {options.flag: False}, words):
        if isinstance(phase, Phase):
            outcome = _first_fault(ebuild, phase, options)
            if outcome is not None:
                yield outcome
        else:
            yield phase


def _first_fault(ebuild: Ebuild, phase: Phase, options: Options) -> Outcome | None:
    """Return what is wrong with the first call that comes too early, one finding for a phase."""
    doubt: Outcome | None = None
    for call in phase.calls:
        if call.root is None:
            reason = f"what `--root={call.written}` names is unknown"
            doubt = doubt or Undecided(phase.span(call.step), reason)
            continue
        answers = {
            file: _exists(ebuild, phase, call, call.root, file, options) for file in options.files
        }
        missing = [file for file, answer in answers.items() if answer is False]
        if missing:
            return _finding(ebuild, phase, call, missing, options)
        for file, answer in answers.items():
            if answer is None:
                reason = f"whether {call.root}{file} is there by then can't be told"
                doubt = doubt or Undecided(phase.span(call.step), reason)
    return doubt


def _exists(
    ebuild: Ebuild, phase: Phase, call: RootCall, root: Location, file: str, options: Options
) -> bool | None:
    """Whether a file of the database is in the root whenever a call runs."""
    from ._shipped import changes
    from ._tmpfiles import handed, holds_at, written

    place = root.below(file)
    span = range(phase.start_of(place), call.index)
    found = changes(ebuild, phase, root, file.lstrip("/"), span, lambda text: not text.strip())
    emptied = [one for one in found.idled if one.is_certain]
    made = [phase.event(at) for at in span if _makes_users(phase.steps[at], root, options)]
    made += handed(phase, call.index, place)
    made += [one for one in found.put if one.is_certain]
    for at, one in written(phase, call.index, place):
        is_empty = one.source == "/dev/null" or any(event.index == at for event in emptied)
        if not one.is_folder and not is_empty:
            # A folder that is copied may hold the file.
            made.append(phase.event(at, is_certain=one.location == place))
    return holds_at(phase, call, place, made, emptied)


def _makes_users(step: Step, root: Location, options: Options) -> bool:
    """Whether a step runs a script that makes the database in a root."""
    is_tool = step.name in options.tools and bool(step.arguments)
    return is_tool and step.at(step.arguments[0]) == root


def _finding(
    ebuild: Ebuild, phase: Phase, call: RootCall, missing: list[str], options: Options
) -> Finding:
    span = phase.span(call.step)
    files = " and ".join(file.rpartition("/")[2] for file in missing)
    are = "are" if len(missing) > 1 else "is"
    message = f"systemd-tmpfiles runs in {call.root} before {files} {are} there"
    if call.step.call.stack[1:]:
        message += f", in {' of '.join(reversed(call.step.call.stack))}"
    help_ = (
        f"run `{options.tools[0]} {call.written}` before, where `use {options.flag}` does not hold"
    )
    related = tuple(
        Related(phase.span(step), "the users are made here")
        for step in phase.steps[phase.image_start :]
        if step.name in options.tools and step.arguments and step is not call.step
    )[:1]
    if span.repository:
        return Finding(ebuild.span(), message, help_, (Related(span, "it runs here"), *related))
    return Finding(span, message, help_, related)
