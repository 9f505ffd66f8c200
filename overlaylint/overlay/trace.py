"""The commands that a phase of an ebuild would run, in order (PMS 9).

The phases run one after another on the state that global scope leaves, as in a build; calls to
functions of the ebuild and of its eclasses are followed. A command that is no function is
taken to change files and no variable. USE flags are unknown unless they are assumed, so that a
call under `use flag` carries that as a guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from overlaylint.finding import Span
from overlaylint.overlay import commands as pm
from overlaylint.overlay import eapi as eapis
from overlaylint.overlay.command_lines import run_program
from overlaylint.overlay.ebuild import PACKAGE_MANAGER, Ebuild
from overlaylint.overlay.evaluation import Evaluation, environment, span_of, symbol
from overlaylint.overlay.filesdir import FilesDir, names_filesdir
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.shell import branching
from overlaylint.shell.branching import DIE, EXIT
from overlaylint.shell.budget import Exhausted
from overlaylint.shell.builtins import BUILTINS
from overlaylint.shell.calls import Call, Invocation, Status
from overlaylint.shell.conditions import Check, Condition, UseFlag, holds
from overlaylint.shell.interpreter import Builtin, Interpreter
from overlaylint.shell.parser import parse
from overlaylint.shell.state import State
from overlaylint.shell.syntax import Function, Source
from overlaylint.shell.values import Flag, Mixed, Unknown, Value, Variable

# PMS 9.2: the order of phases when a package is built and merged
ORDER = (
    "pkg_pretend", "pkg_setup", "src_unpack", "src_prepare", "src_configure", "src_compile",
    "src_test", "src_install", "pkg_preinst", "pkg_postinst",
)  # fmt: skip

# what the package manager does in a phase that the ebuild does not define (PMS 9.1)
_DEFAULTS = """
default_src_unpack() { [[ -n ${A} ]] && unpack ${A}; return 0; }
default_src_prepare() {
	if [[ ${EAPI} != [0-5] ]]; then
		if declare -p PATCHES &>/dev/null; then
			if [[ ${PATCHES@a} == *a* ]]; then
				[[ ${#PATCHES[@]} -eq 0 ]] || eapply "${PATCHES[@]}"
			else
				[[ -z ${PATCHES} ]] || eapply ${PATCHES}
			fi
		fi
		eapply_user
	fi
}
default_src_configure() { econf; }
default_src_compile() { emake; }
default_src_test() { emake check; }
default_src_install() {
	if [[ ${EAPI} != [0-3] ]]; then
		emake DESTDIR="${D}" install
		einstalldocs
	fi
}
"""


@lru_cache(maxsize=1)
def _defaults() -> Mapping[str, Function]:
    script = parse(_DEFAULTS.encode(), f"{PACKAGE_MANAGER}:default")
    return {node.name: node for node in script.body.commands if isinstance(node, Function)}


@dataclass(frozen=True, slots=True)
class Given:
    """Words that a phase gives to a variable, as one assignment has them.

    A trace keeps those that name FILESDIR. What the variable comes to may be unknown afterwards,
    where only one of two ways passes here: these words are not. `is_list` tells an array's words
    from a text.
    """

    name: str
    words: tuple[Mixed, ...]
    source: Source
    start: int
    end: int
    guards: tuple[Condition, ...] = ()
    is_list: bool = True


@dataclass(frozen=True)
class Trace:
    """What one phase would run.

    `calls` are in the order of running; where a condition is unknown, the calls of both ways
    are there, each under its guards. `is_defined` tells whether the ebuild or an eclass defines the
    phase, or may. `unknown` says why calls may be missing from it, where they may. `dead` are
    calls behind `if false`, which never run. `given` is what variables are given on the way.
    """

    ebuild: Ebuild
    phase: str
    calls: tuple[Call, ...]
    is_defined: bool
    unknown: Unknown | None = None
    dead: tuple[Call, ...] = ()
    given: tuple[Given, ...] = ()

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def span(self, call: Call) -> Span:
        """Return where a call stands."""
        return span_of(self.ebuild.repository, call.source, call.start, call.end)

    def named(self, *names: str) -> Iterator[Call]:
        """Yield the calls of the commands called `names`."""
        return (call for call in self.calls if call.name in names)

    def under(self, use: Mapping[str, bool]) -> Trace:
        """Return the trace without the calls that can't be made with these USE flags."""
        calls = tuple(call for call in self.calls if guarded(call.guards, use) is not False)
        return replace(self, calls=calls)


def guarded(guards: Iterable[Condition], use: Mapping[str, bool]) -> bool | None:
    """Return whether guards all hold with these USE flags; None if that is not all they ask for."""

    def decide(leaf: UseFlag | Check) -> bool | None:
        return use.get(leaf.name) if isinstance(leaf, UseFlag) else None

    result: bool | None = True
    for guard in guards:
        answer = holds(guard, decide)
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


class Tracer:
    """Traces the phases of one ebuild, with some USE flags assumed.

    `files` tells which files there are, by default those of FILESDIR. `commands` are more of the
    package manager's commands, for functions that are not followed. `order` are the phases that
    run one after another.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        use: Mapping[str, bool] | None = None,
        files: FilesDir | None = None,
        commands: Mapping[str, Builtin] | None = None,
        order: Sequence[str] = ORDER,
    ) -> None:
        self.evaluation = evaluation
        self.order = order
        self._commands = commands or {}
        self.use: Mapping[str, bool] = dict(use or {})
        self.eapi = evaluation.eapi
        self._files = files or FilesDir(evaluation.ebuild)
        self._traces: dict[str, Trace] = {}
        self._states: dict[str, State] = {}

    def trace(self, phase: str) -> Trace:
        """Return what `phase` would run, after the phases before it."""
        known = self._traces.get(phase)
        if known is None:
            state = self.evaluation.state
            if phase in self.order:
                index = self.order.index(phase)
                if index:
                    self.trace(self.order[index - 1])
                    state = self._states[self.order[index - 1]]
            known = self._run(phase, state)
        return known

    def _run(self, phase: str, state: State) -> Trace:
        """Run one phase on a copy of `state`."""
        shell = self._shell(state, phase)
        given = _listen(shell)
        defined = shell.state.functions.get(phase)
        function = defined if isinstance(defined, Function) else _defaults().get(f"default_{phase}")
        reason: Unknown | None = defined if isinstance(defined, Unknown) else None
        if defined is None and state.havoc is not None:
            reason = state.havoc
        if self.evaluation.failure is not None:
            reason = Unknown(f"sourcing the ebuild fails: {self.evaluation.failure.reason}")
        if function is not None:
            before = shell.state.copy()
            try:
                shell.call(phase, function, ())
            except (Exhausted, RecursionError) as problem:
                reason = Unknown(
                    str(problem) or "it nests too deeply",
                    function.source,
                    function.start,
                    function.end,
                )
                before.make_unknown(reason)
                shell.state = before
            if shell.signal in (DIE, EXIT):
                shell.signal = 0
        self._states[phase] = shell.state
        calls = shell.calls or []
        trace = Trace(
            self.evaluation.ebuild,
            phase,
            _live(calls),
            defined is not None,
            reason,
            tuple(call for call in calls if call.is_dead),
            tuple(given),
        )
        self._traces[phase] = trace
        return trace

    def _shell(self, state: State, phase: str) -> Interpreter:
        """Return an interpreter that stands where a phase is called."""
        own: dict[str, Builtin] = {
            **pm.COMMON,
            **pm.versions(self.eapi),
            **pm.phase_commands(self),
            "default": self._default(phase),
        }
        for name, function in _defaults().items():
            own[name] = _calling(name, function)
        own |= self._commands
        shell = Interpreter(commands=own, builtins=BUILTINS)
        shell.state = state.copy()
        shell.state.options -= {"failglob"}
        shell.state.scopes[0]["EBUILD_PHASE"] = Variable(
            phase.partition("_")[2], Flag.EXPORTED | Flag.KEPT
        )
        shell.environment = environment
        shell.compatibility = eapis.bash_compatibility(self.eapi)
        shell.files = self._files
        shell.calls = []
        shell.is_tracing = True
        shell.when_missing = run_program
        shell.silent |= pm.SILENT
        return shell

    def _default(self, phase: str) -> Builtin:
        """Return the command `default` of a phase (PMS 12.3.18)."""

        def default(shell: Interpreter, invocation: Invocation) -> Status:
            function = _defaults().get(f"default_{phase}")
            return 0 if function is None else shell.call(f"default_{phase}", function, ())

        return default


def _listen(shell: Interpreter) -> list[Given]:
    """Return a list that what variables are given is added to."""
    given: list[Given] = []

    def note(
        name: str,
        words: Iterable[object],
        place: tuple[Source | None, int, int],
        is_list: bool = True,
    ) -> None:
        mixed = tuple(word for word in words if isinstance(word, Mixed) and names_filesdir(word))
        source, start, end = place
        if mixed and source is not None:
            given.append(
                Given(name, mixed, source, start, end, branching.current_guards(shell), is_list)
            )

    def on_assign(name: str, variable: Variable) -> None:
        if variable.value.__class__ is Mixed:
            place = variable.source, variable.start, variable.end
            note(name, (variable.value,), place, is_list=False)

    shell.on_assign = on_assign
    shell.on_elements = note
    return given


def _calling(name: str, function: Function) -> Builtin:
    def run(shell: Interpreter, invocation: Invocation) -> Status:
        return shell.call(name, function, invocation.arguments)

    return run


class ScriptTracer:
    """What a script that is no ebuild would run: profile.bashrc, a hook, an eclass by itself.

    `calls` are those of sourcing it. Its functions are traced one by one, on the state that
    sourcing leaves; what they expect of an ebuild (`${PN}`, other eclasses) is unknown.
    `commands` are more that they may call, as for a Tracer.
    """

    commands: Mapping[str, Builtin] = MappingProxyType({})

    def __init__(
        self,
        repository: Repository,
        path: str,
        use: Mapping[str, bool] | None = None,
        eapi: str = "8",
    ) -> None:
        self.repository = repository
        self.path = path
        self.use: Mapping[str, bool] = dict(use or {})
        self.eapi = eapi
        self.unknown: Unknown | None = None
        shell = self._shell()
        script = repository.script(path)
        if script.errors:
            problem = script.errors[0]
            self.unknown = Unknown(problem.message, script.source, problem.start, problem.end)
        try:
            shell.source_script(script)
        except (Exhausted, RecursionError) as problem:
            self.unknown = Unknown(str(problem) or "it nests too deeply", script.source, 0, 0)
        self.calls = _live(shell.calls)
        self.state = shell.state

    @property
    def functions(self) -> Mapping[str, Function | Unknown]:
        """The functions that it defines."""
        return self.state.functions

    def function(self, name: str, *arguments: str) -> tuple[Call, ...]:
        """Return what calling a function of it would run. Raises Exhausted where that is much."""
        function = self.functions.get(name)
        if not isinstance(function, Function):
            return ()
        shell = self._shell()
        shell.commands = {**shell.commands, **self.commands}
        shell.state = self.state.copy()
        shell.call(name, function, arguments)
        return _live(shell.calls)

    def span(self, call: Call) -> Span:
        """Return where a call stands."""
        return span_of(self.repository, call.source, call.start, call.end)

    def _shell(self) -> Interpreter:
        own = {**pm.COMMON, **pm.versions(self.eapi), **pm.phase_commands(self)}
        shell = Interpreter(commands=own, builtins=BUILTINS)
        shell.environment = build_environment
        shell.compatibility = eapis.bash_compatibility(self.eapi)
        shell.calls = []
        shell.is_tracing = True
        shell.when_missing = run_program
        shell.silent |= pm.SILENT
        return shell


_BUILD_NAMES = frozenset(
    {"CATEGORY", "PN", "PV", "PR", "PVR", "P", "PF", "EAPI", "EBUILD_PHASE", "SLOT"}
)


def build_environment(name: str) -> Value | None:
    """Return what a build's environment holds for a name, seen from outside any ebuild."""
    return symbol(name) if name in _BUILD_NAMES else environment(name)


def _live(calls: list[Call] | None) -> tuple[Call, ...]:
    return tuple(call for call in calls or () if not call.is_dead)
