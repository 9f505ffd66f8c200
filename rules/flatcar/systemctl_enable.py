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

Functions of masters' eclasses are not followed, nor is a script that another shell reads from a
here-document.

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
from overlaylint.records import dataclass, once_each
from overlaylint.rule import Finding, Severity, rule
from overlaylint.shell.syntax import Word

if TYPE_CHECKING:
    from overlaylint.overlay.steps import Step
    from overlaylint.overlay.trace import Trace
    from overlaylint.shell.values import Value

_TOOL = "systemctl"

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

    for ebuild in repository.ebuilds_of_interest:
        if _may_call_it(ebuild):
            yield from _ebuild(repository, ebuild, options)
    for ebuild in hooked_ebuilds(repository, (_TOOL.encode(),)):
        yield from _ebuild(repository, ebuild, options)


def _ebuild(repository: Repository, ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    """Report the calls of the overlay's own ebuild, or of the hooks for a master's."""
    from overlaylint.overlay.evaluation import span_of
    from overlaylint.overlay.own_code import own_traces
    from overlaylint.overlay.steps import steps

    is_own = ebuild.repository is repository
    place = ebuild.span() if is_own else Span(env_hooks(repository, ebuild)[0])
    failure = ebuild.evaluation.failure
    if failure is not None:
        yield Undecided(place, f"sourcing {ebuild.cpv} fails: {failure.reason}")
        return
    if _is_replaced(repository, ebuild):
        return
    for trace in own_traces(ebuild, hooks_of=repository):
        is_hook = trace.phase.startswith("cros_")
        if "pkg_" not in trace.phase or not (is_own or is_hook):
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


def _may_call_it(ebuild: Ebuild) -> bool:
    """Whether the ebuild, its hooks or an eclass that it names speak of systemctl at all.

    To follow every ebuild of an overlay takes longer than all the rest of this rule.
    """
    texts = [ebuild.read()]
    texts += [ebuild.repository.tree.read(path) for path in env_hooks(ebuild.repository, ebuild)]
    words = (_TOOL.encode(), *_speaking_eclasses(ebuild.repository))
    return any(word in text for text in texts for word in words) or _spells_names(ebuild)


def _spells_names(ebuild: Ebuild) -> bool:
    """Whether a pkg_ phase calls a command by a name that is put together, as `${tool}ctl` is."""
    from overlaylint.overlay.own_code import own_functions, tokens
    from overlaylint.shell.effects import simple_commands

    if b"pkg_" not in ebuild.read():
        return False
    functions = own_functions(ebuild)
    seen: set[str] = set()
    waiting = [name for name in functions if name.startswith("pkg_")]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for command in simple_commands(functions[name]):
            first = command.words[0] if command.words else None
            if isinstance(first, Word) and first.text in (None, _TOOL):
                return True
        waiting.extend(tokens(functions[name]) & functions.keys())
    return False


def _is_replaced(repository: Repository, ebuild: Ebuild) -> bool:
    """Whether a hook puts a function of its own in the program's place."""
    from overlaylint.overlay.trace import ScriptTracer

    return any(
        _TOOL in ScriptTracer(repository, path).functions
        for path in env_hooks(repository, ebuild)
        if _TOOL.encode() in repository.tree.read(path)
    )


@once_each
def _speaking_eclasses(repository: Repository) -> tuple[bytes, ...]:
    """Return the names of the overlay's eclasses that speak of systemctl, or lead to one."""
    texts = {
        name.encode("utf-8", "surrogateescape"): repository.tree.read(path)
        for name, path in repository.eclasses.items()
    }
    found = {_TOOL.encode()}
    while True:
        more = {
            name
            for name, text in texts.items()
            if name not in found and any(word in text for word in found)
        }
        if not more:
            return tuple(sorted(found - {_TOOL.encode()}))
        found |= more


def _command_line(step: Step) -> Sequence[Value] | None:
    """Return the words after the program, if that is systemctl, or unknown."""
    words = step.arguments
    if step.name == _TOOL or not step.name:
        return words
    if step.name in ("xargs", "find", "parallel"):
        for at, word in enumerate(words):
            if str(word).rpartition("/")[2] == _TOOL:
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
