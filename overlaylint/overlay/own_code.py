"""What an ebuild's own code would run: the ebuild itself, its overlay's eclasses and env hooks.

A policy about one package asks what its maintainers wrote. What a master's eclass adds is the
same for thousands of packages, takes longer to follow than all the rest, and is not there at
all while the master is missing. So functions of masters are taken for plain commands here, and
functions that such an eclass calls by name, as multilib-minimal.eclass does with
`multilib_src_install_all`, are traced as if they were phases.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace

from overlaylint.finding import Span
from overlaylint.overlay import eapi as eapis
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import Evaluation
from overlaylint.overlay.filesdir import FilesDir
from overlaylint.overlay.hooks import env_hooks
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.trace import ORDER, ScriptTracer, Trace, Tracer
from overlaylint.reach import reached
from overlaylint.records import once_each
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.effects import assigned_names
from overlaylint.shell.interpreter import Builtin, Interpreter
from overlaylint.shell.syntax import Function
from overlaylint.shell.values import Flag, Variable, unknown

_PHASE = "pretend|setup|unpack|prepare|configure|compile|test|install|preinst|postinst"

# A callback has the name of its eclass and of the phase: `multilib_src_install_all`,
# `python_compile`.
_CALLBACK = re.compile(rf"(?P<prefix>[a-z0-9-]+)_(?:src_|pkg_)?(?:{_PHASE})(?:_all)?")

# profile.bashrc calls what a hook defines before and after each phase.
_HOOK = re.compile(rf"cros_(?:pre|post)_(?:src|pkg)_(?:{_PHASE})_\w+")

# What functions of systemd.eclass and tmpfiles.eclass write: systemd's folders, as it is built.
_FOLDERS = {
    "systemd_get_systemunitdir": "/usr/lib/systemd/system",
    "systemd_get_unitdir": "/usr/lib/systemd/system",
    "systemd_get_userunitdir": "/usr/lib/systemd/user",
    "systemd_get_utildir": "/usr/lib/systemd",
    "systemd_get_systemgeneratordir": "/usr/lib/systemd/system-generators",
}

_TOKEN = re.compile(r"[A-Za-z0-9_][\w.+-]*")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)


def own_functions(ebuild: Ebuild, evaluation: Evaluation | None = None) -> Mapping[str, Function]:
    """Return the functions that the ebuild or an eclass of the checked overlay defines.

    Of a master's ebuild that is the ebuild alone: its eclasses are of the same master. Those of
    another evaluation of the ebuild can be asked for.
    """
    return _own_functions(evaluation or ebuild.evaluation)


@once_each
def _own_functions(evaluation: Evaluation) -> Mapping[str, Function]:
    repository = evaluation.ebuild.repository
    place = "" if repository.is_checked else f"{evaluation.ebuild.cp}/"
    wanted = f"{repository.name}:{place}"
    return {
        name: function
        for name, function in evaluation.functions.items()
        if isinstance(function, Function) and _source_of(function).startswith(wanted)
    }


def function_head(ebuild: Ebuild, name: str) -> Span | None:
    """Return where the name of a function of the ebuild's own is defined; None if it has none."""
    function = own_functions(ebuild).get(name)
    if function is None:
        return None
    source, start, _ = function.source.place(function.start, function.end)
    path = source.name.partition(":")[2]
    if path != ebuild.source_path:
        return None
    return ebuild.repository.span(path, start, start + len(name))


def masters_functions(ebuild: Ebuild, words: frozenset[str]) -> Mapping[str, Function]:
    """Return the functions of masters that name one of `words`, or call one that does.

    They are for `own_traces` to follow, where what they run is what a policy asks for.
    """
    own = own_functions(ebuild)
    masters = {
        name: function
        for name, function in ebuild.evaluation.functions.items()
        if isinstance(function, Function) and name not in own
    }
    found = leading_to(masters, words)
    return {name: function for name, function in masters.items() if name in found}


def leading_to(functions: Mapping[str, Function], words: Iterable[str]) -> frozenset[str]:
    """Return `words`, and the functions that have one in their text, or may call one that has."""
    return reached(
        words,
        lambda last: (
            name for name, function in functions.items() if not last.isdisjoint(tokens(function))
        ),
    )


def called_from(functions: Mapping[str, Function], names: Iterable[str]) -> frozenset[str]:
    """Return those of the functions called `names`, and all that they may call."""
    return reached(
        functions.keys() & names,
        lambda last: {word for name in last for word in tokens(functions[name]) & functions.keys()},
    )


@once_each
def without_comments(function: Function) -> str:
    """Return a function's text for a quick look: less what looks like a comment."""
    return _COMMENT.sub("", function.source.text[function.start : function.end])


@once_each
def tokens(function: Function) -> frozenset[str]:
    """Return the words in a function's text: a quick look at what may be worth following."""
    return frozenset(_TOKEN.findall(without_comments(function)))


def own_traces(
    ebuild: Ebuild,
    use: Mapping[str, bool] | None = None,
    hooks_of: Repository | None = None,
    follow: Mapping[str, Function] | None = None,
    wanted: Container[str] | None = None,
    files: FilesDir | None = None,
    variables: Mapping[str, str] | None = None,
    last: str | None = None,
) -> Iterator[Trace]:
    """Yield the trace of each phase, in the order of a build, then of each callback and hook.

    With `use`, those USE flags are assumed to be on or off. Phases that come after the merge
    are traced where the ebuild defines them. The hooks are those of `hooks_of`, the overlay
    that a master's ebuild is built with, where it is given. `follow` are functions of masters
    that are to be followed all the same. With `wanted`, other phases and callbacks are left
    out; with `last`, the phases after that one. `files` is as for a Tracer, and `variables` are
    more of the build's environment.
    """
    functions = own_functions(ebuild)
    evaluation = ebuild.evaluation
    state = evaluation.state.copy()
    state.functions = {**(follow or {}), **functions}
    for name, text in (variables or {}).items():
        state.scopes[0][name] = Variable(text, Flag.EXPORTED | Flag.KEPT)
    others = {
        name: _changing(evaluation, name)
        for name, function in evaluation.functions.items()
        if name not in state.functions and isinstance(function, Function)
    }
    others |= {name: _writing(text) for name, text in _FOLDERS.items()}
    phases = eapis.phases(evaluation.eapi)
    called: set[str] = set()
    build = ORDER if last is None else ORDER[: ORDER.index(last) + 1]
    order = [one for one in build if one in phases and (wanted is None or one in wanted)]
    tracer = Tracer(replace(evaluation, state=state), use, files, others, order)
    after = [one for one in phases if one not in ORDER and one in functions and last is None]
    for phase in (*order, *(one for one in after if wanted is None or one in wanted)):
        trace = tracer.trace(phase)
        called.update(str(call.name) for call in trace if call.is_function)
        yield trace
    inherited = (*evaluation.inherited, *evaluation.missing)
    for name in functions:
        callback = _CALLBACK.fullmatch(name)
        if callback is None or name in phases or name in called:
            continue
        if wanted is not None and name not in wanted:
            continue
        if _is_exported(name, functions[name]):
            # the ebuild has a phase of its own in its place, and does not call it
            continue
        if any(eclass.startswith(callback["prefix"]) for eclass in inherited):
            yield tracer.trace(name)
    overlay = hooks_of or ebuild.repository
    for path in env_hooks(overlay, ebuild):
        hook = ScriptTracer(overlay, path, use, evaluation.eapi)
        names = [name for name in hook.functions if _HOOK.fullmatch(name)]
        # It runs within the build, and knows what the ebuild has set.
        hook.state.scopes[0] = {**evaluation.state.scopes[0], **hook.state.scopes[0]}
        hook.state.functions = {**state.functions, **hook.state.functions}
        hook.commands = others
        for name in names:
            yield Trace(ebuild, name, hook.function(name), True, hook.unknown)


@once_each
def build_traces(ebuild: Ebuild, overlay: Repository) -> tuple[Trace, ...]:
    """Return the `own_traces` of a build with an overlay's hooks.

    They are kept with the ebuild: more than one rule looks at them.
    """
    return tuple(own_traces(ebuild, hooks_of=overlay))


def in_build_order(traces: Iterable[Trace]) -> Iterator[Trace]:
    """Yield traces as they come in a build: callbacks in their phase, hooks around it."""
    waiting = list(traces)
    main = [one for one in waiting if one.phase in ORDER]
    waiting = [one for one in waiting if one.phase not in ORDER]
    for phase in main:
        before = f"cros_pre_{phase.phase}_"
        after = f"cros_post_{phase.phase}_"
        name = phase.phase.partition("_")[2]
        callback = re.compile(rf"(?!cros_).+_(?:src_|pkg_)?{name}(?:_all)?")
        yield from (one for one in waiting if one.phase.startswith(before))
        yield phase
        yield from (one for one in waiting if callback.fullmatch(one.phase))
        yield from (one for one in waiting if one.phase.startswith(after))
        waiting = [
            one
            for one in waiting
            if not one.phase.startswith((before, after)) and not callback.fullmatch(one.phase)
        ]
    yield from waiting


def _source_of(function: Function) -> str:
    return function.source.place(function.start, function.end)[0].name


def own_evaluation(ebuild: Ebuild) -> Evaluation:
    """Return the ebuild's global scope as if eclasses of missing masters set nothing.

    That is for variables which only the overlay's own code knows by name. Where no master is
    missing, it is the ebuild's evaluation as it is.
    """
    evaluation = ebuild.evaluation
    stubs: dict[str, bytes] = {}
    while evaluation.missing and not set(evaluation.missing) <= stubs.keys():
        stubs |= dict.fromkeys(evaluation.missing, b"")
        laid = {f"eclass/{name}.eclass": text for name, text in stubs.items()}
        again = ebuild.repository.with_files(laid).ebuild_at(ebuild.path)
        if again is None:
            break
        evaluation = again.evaluation
    return evaluation


def _writing(text: str) -> Builtin:
    """Return what stands for a function that is known to write a text and do nothing else."""

    def run(shell: Interpreter, _: Invocation) -> Status:
        shell.write(f"{text}\n")
        return 0

    return run


def _changing(evaluation: Evaluation, function: str) -> Builtin:
    """Return what stands for a function that is not followed: the variables it sets are unknown."""

    def run(shell: Interpreter, invocation: Invocation) -> Status:
        status = shell.when_missing(shell, invocation)
        place = invocation.source, invocation.start, invocation.end
        for name in _set_by(evaluation, function):
            reason = f"`{invocation.name}` may set it"
            flags = Flag.MAYBE_UNSET
            variable = shell.state.find(name)
            if variable is not None:
                if variable.flags & Flag.KEPT:
                    # Portage makes P, PV and the like read-only.
                    continue
                flags |= variable.flags
            shell.store(name, Variable(unknown(reason, *place), flags, *place))
        return status

    return run


@once_each
def _set_by(evaluation: Evaluation, function: str) -> tuple[str, ...]:
    """Return the variables that a function may set, sorted."""
    found = evaluation.functions[function]
    assert isinstance(found, Function)
    return tuple(sorted(assigned_names(found, evaluation.functions)[0]))


def _is_exported(name: str, function: Function) -> bool:
    """Whether a function is an eclass's own version of a phase: `NAME_src_install` of NAME."""
    path = _source_of(function).rpartition("/")[2]
    eclass, dot, _ = path.partition(".eclass")
    return bool(dot) and name.startswith(f"{eclass}_")
