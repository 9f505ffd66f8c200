"""A unit is enabled when the package is merged.

## What it does

Looks for calls of `systemctl enable` in the phases that run when a package is merged
(`pkg_preinst`, `pkg_postinst` and so on), through functions of the ebuild, of the overlay's
eclasses and of its hooks. What stands in a message, or never runs, is no call. Nor is `systemctl
reenable` meant, which renews the links of a unit that is enabled already.

## Why it matters

`systemctl enable` makes links in `/etc`. The image is updated by putting a new `/usr` in place of
the old one, and `/etc` stays as it was on the day of installation: a unit that is enabled there is
missing on every machine that was installed before. Links in `/usr`, made while the image is built,
come and go with the image.

## Example

`app-misc/hello/hello-1.ebuild`:

```bash
EAPI=7
pkg_postinst() {
        systemctl --root="${ROOT}" enable hello.service
}
```

## Use instead

`app-misc/hello/hello-1.ebuild`:

```bash
EAPI=7
inherit systemd
src_install() {
        systemd_enable_service multi-user.target hello.service
}
```

`eclass/systemd.eclass`:

```bash
systemd_enable_service() { dosym "../$2" "/usr/lib/systemd/system/$1.wants/$2"; }
```

## Options

- `verbs`: what systemctl may not be asked to do.

## Limits

Functions of masters' eclasses are not followed.

## References

- flatcar/coreos-overlay, commit e822b582c1e3: "sys-apps/systemd: Drop the handling of
  ENABLED_UNITS".
- systemctl(1), enable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from overlaylint.finding import Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.hooks import env_hooks
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.steps import Step
    from overlaylint.overlay.trace import Trace
    from overlaylint.overlay.written_commands import WrittenCode
    from overlaylint.shell.values import Value

_TOOL = "systemctl"

# Programs that run another, which stands somewhere among their words.
_CALLERS = frozenset({"xargs", "find", "parallel"})

# Options of systemctl that take the next word.
_TAKES_WORD = frozenset(
    {
        "-H", "--host", "-M", "--machine", "-t", "--type", "--state", "-p", "--property", "-P",
        "-s", "--signal", "--root", "--image", "--preset-mode", "-n", "--lines", "-o", "--output",
        "--job-mode", "--kill-whom", "--what",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """What systemctl may not be asked to do when a package is merged."""

    verbs: tuple[str, ...] = ("enable",)


@rule(severity=Severity.ERROR, decided_in="e822b582c1e3")
def systemctl_enable(repository: Repository, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.built import hooked_ebuilds
    from overlaylint.overlay.written_commands import hook_code, written_code

    def is_hook(_: Ebuild, path: str) -> bool:
        return _may_do_it(hook_code(repository, path, _is_merging), options)

    for ebuild in repository.ebuilds_of_interest:
        if _may_do_it(written_code(ebuild, repository, _is_merging), options):
            yield from _ebuild(repository, ebuild, options)
    for ebuild in hooked_ebuilds(repository, is_hook):
        yield from _ebuild(repository, ebuild, options)


def _is_merging(function: str) -> bool:
    """Whether a function of that name, or one that it is the hook of, runs around the merge."""
    return "pkg_" in function


def _may_do_it(code: WrittenCode | None, options: Options) -> bool:
    """Whether one of the commands may tell systemctl one of the verbs."""
    return code is None or any(
        not command.programs.isdisjoint((_TOOL, *_CALLERS))
        and any(word is None or word in options.verbs for word in command.words)
        for command in code.commands
    )


def _ebuild(repository: Repository, ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    """Report the calls of the overlay's own ebuild, or of the hooks for a master's."""
    from overlaylint.overlay.evaluation import span_of
    from overlaylint.overlay.own_code import build_traces, own_traces
    from overlaylint.overlay.steps import steps

    is_own = ebuild.repository is repository
    place = ebuild.span() if is_own else Span(env_hooks(repository, ebuild)[0])
    failure = ebuild.evaluation.failure
    if failure is not None:
        yield Undecided(place, f"sourcing {ebuild.cpv} fails: {failure.reason}")
        return
    if _is_replaced(repository, ebuild):
        return
    hooks = own_traces(ebuild, hooks_of=repository, wanted=())
    for trace in build_traces(ebuild, repository) if is_own else hooks:
        if not _is_merging(trace.phase):
            continue
        if trace.unknown is not None and trace.is_defined:
            reason = f"{trace.phase} can't be followed: {trace.unknown.reason}"
            yield Undecided(place, reason)
        for step in steps(trace):
            words = None if step.call.is_function else _command_line(step)
            verb = None if words is None else _verb(words)
            if verb not in options.verbs:
                continue
            call = step.call
            span = span_of(repository, call.source, call.start, call.end)
            if not step.name:
                reason = f"it is unknown which program is told to {verb} units"
                yield Undecided(place if span.repository else span, reason)
            else:
                yield _finding(place, trace, step, str(verb), span)


def _is_replaced(repository: Repository, ebuild: Ebuild) -> bool:
    """Whether a hook puts a function of its own in the program's place."""
    from overlaylint.overlay.written_commands import hook_functions

    hooks = (hook_functions(repository, path) for path in env_hooks(repository, ebuild))
    return any(_TOOL in (functions or ()) for functions in hooks)


def _command_line(step: Step) -> Sequence[Value] | None:
    """Return the words after the program, if that is systemctl, or unknown."""
    from overlaylint.overlay.command_lines import base_name

    words = step.arguments
    if step.name == _TOOL or not step.name:
        return words
    if step.name in _CALLERS:
        for at, word in enumerate(words):
            if base_name(word) == _TOOL:
                return words[at + 1 :]
    return None


def _verb(words: Sequence[Value]) -> str | None:
    """Return what systemctl is asked to do."""
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if not str(word).startswith("-"):
            return word if isinstance(word, str) else None
        if word in _TAKES_WORD and waiting:
            waiting.pop(0)
    return None


def _finding(place: Span, trace: Trace, step: Step, verb: str, span: Span) -> Finding:
    where = " of ".join(dict.fromkeys((*reversed(step.call.stack), trace.phase)))
    message = f"`{_TOOL} {verb}` makes links in /etc when the package is merged, in {where}"
    help_ = (
        "enable the unit in src_install with systemd_enable_service: its links lie in /usr and are"
        " updated with it"
    )
    if span.repository:
        return Finding(place, message, help_, (Related(span, "it is called here"),))
    return Finding(span, message, help_)
