"""What an ebuild comes to: its global scope evaluated as Portage sources it, and its phases traced.

This follows what Portage does while metadata is made (PMS 7, 10, 12; `ebuild.sh` with the phase
`depend`): PATH holds no program, `inherit` looks through the repository and its masters, and
what eclasses put into IUSE, the dependencies and the like is added up at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property, lru_cache

from overlaylint.finding import Span
from overlaylint.overlay import commands as pm
from overlaylint.overlay import eapi as eapis
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.eclass_effects import Recording
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.shell.branching import DIE, EXIT
from overlaylint.shell.budget import Exhausted
from overlaylint.shell.builtins import BUILTINS
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.conditions import Check, Condition, leaves
from overlaylint.shell.interpreter import Builtin, Interpreter
from overlaylint.shell.state import State
from overlaylint.shell.syntax import Function, Opaque, Script, Source
from overlaylint.shell.values import (
    Elements,
    Flag,
    Mixed,
    Unknown,
    Value,
    Variable,
    concatenate,
    unknown,
)

# Set by the package manager, and not to be changed by ebuilds (PMS 11.1). What stands for a path
# is a symbol: it is never empty and holds no blank.
PATHS = ("WORKDIR", "FILESDIR", "DISTDIR", "T", "TMPDIR", "TEMP", "TMP", "HOME", "D", "ED", "S")
_POSSIBLY_EMPTY = (
    "ROOT", "EROOT", "EPREFIX", "SYSROOT", "ESYSROOT", "BROOT", "USE", "ARCH", "CHOST", "CBUILD",
    "FEATURES", "A", "AA", "PORTDIR", "ECLASSDIR", "PATH", "PWD", "OLDPWD", "USER", "LOGNAME",
    "TERM", "LANG", "LC_ALL", "ACCEPT_LICENSE", "MERGE_TYPE", "REPLACING_VERSIONS",
    "REPLACED_BY_VERSION", "EMERGE_FROM", "ABI", "DEFAULT_ABI", "MULTILIB_ABIS", "USE_ORDER",
    "KERNEL", "ELIBC", "USERLAND", "NOCOLOR", "NO_COLOR", "INHERITED_",
    # what Portage 3.0.83 has in the environment besides, and in its own ebuild.sh
    "BASH_ALIASES", "BASH_ARGV0", "BASH_CMDS", "BASH_COMPAT", "BASH_LOADABLES_PATH",
    "BINPKG_FORMAT", "BINPKG_GPG_SIGNING_BASE_COMMAND", "BINPKG_GPG_SIGNING_DIGEST",
    "BINPKG_GPG_VERIFY_BASE_COMMAND", "BINPKG_GPG_VERIFY_GPG_HOME", "BUILD_PREFIX", "COLS",
    "COMP_WORDBREAKS", "EBUILD", "EBUILD_MASTER_PID", "EBUILD_SH_ARGS", "ENDCOL",
    "GPG_VERIFY_GROUP_DROP", "GPG_VERIFY_USER_DROP", "OPTERR", "PKGDIR", "PKGUSE", "PKG_TMPDIR",
    "PM_EBUILD_HOOK_DIR", "PS4", "QA_INTERCEPTORS", "RC_ENDCOL", "RPMDIR", "SANDBOX_LOG",
    "SANDBOX_ON", "SANDBOX_PREDICT", "SANDBOX_READ", "SANDBOX_WRITE", "SHELL", "XARGS",
    "_PORTAGE_ORIG_PATH", "__INHERITED_QA_CACHE",
)  # fmt: skip
#: Set in the user's make.conf, or not at all.
SET_BY_USERS = frozenset(
    {
        "CFLAGS", "CXXFLAGS", "CPPFLAGS", "FFLAGS", "FCFLAGS", "LDFLAGS", "MAKEOPTS", "CC", "CXX",
    }
)  # fmt: skip
#: Set by Portage, from what it knows of the package, the machine and the profile.
SET_BY_PORTAGE = frozenset(_POSSIBLY_EMPTY) | frozenset(PATHS)
# in global scope these have no meaning, so Portage's environment is not asked for them
_ENVIRONMENT = SET_BY_USERS | SET_BY_PORTAGE
_DEFAULT_SHOPT = frozenset(
    {"expand_aliases", "extdebug", "sourcepath", "cmdhist", "complete_fullquote", "checkwinsize"}
)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A variable's value after global scope, and where it was last assigned.

    `value` is None where the variable is not set. `elements` holds an array's elements in
    order; it is None for a scalar, and for an array that is not known.
    """

    name: str
    value: Value | None
    span: Span
    elements: tuple[Value, ...] | None = None
    is_array: bool = False

    @property
    def text(self) -> str | None:
        """The value where it is known, else None; an unset variable is not known to be empty."""
        return self.value if isinstance(self.value, str) else None

    @property
    def unknown(self) -> Unknown | None:
        """What in the value is unknown first."""
        return self.value.unknown if isinstance(self.value, Mixed) else None


@dataclass(frozen=True, slots=True)
class Failure:
    """Sourcing the ebuild fails, for `reason`: Portage has no metadata for it.

    With `is_refusal`, older versions of Portage have some.
    """

    reason: str
    span: Span
    is_refusal: bool = False


@dataclass(frozen=True)
class Evaluation:
    """An ebuild's global scope.

    `failure` is set where sourcing certainly fails; `possible_failures` has the conditions,
    unknown here, under which it would, each with its place. `inherited` is every eclass in the
    order in which sourcing them ended, `explicitly_inherited` those that the ebuild itself
    names; `missing` those that were not found because a master is missing.
    """

    ebuild: Ebuild
    eapi: str
    state: State = field(repr=False)
    inherited: tuple[str, ...] = ()
    explicitly_inherited: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    failure: Failure | None = None
    possible_failures: tuple[Unknown, ...] = ()
    sought: frozenset[str] = frozenset()
    """Every eclass that was looked for, by an eclass too, found or not."""

    def variable(self, name: str) -> Evaluated | None:
        """Return a variable as it is after global scope; None where nothing assigned it.

        It is unknown where something of unknown effect, such as an eclass that is missing, may have
        assigned it. Where `failure` is set, it is as it was when sourcing ended.
        """
        variable = self.state.find(name)
        if variable is None:
            havoc = self.state.havoc
            if havoc is None:
                return None
            span = span_of(self.ebuild.repository, havoc.source, havoc.start, havoc.end)
            return Evaluated(name, Mixed((havoc,)), span)
        return evaluated(self.ebuild.repository, name, variable)

    @cached_property
    def functions(self) -> Mapping[str, Function | Unknown]:
        """Every function that is defined after global scope."""
        return self.state.functions

    def defines(self, name: str) -> bool | None:
        """Return whether a function is defined; None where that is unknown."""
        function = self.state.functions.get(name)
        if function is None:
            return None if self.state.havoc is not None else False
        return None if isinstance(function, Unknown) else True


def evaluated(repository: Repository, name: str, variable: Variable) -> Evaluated:
    """Return a variable as a rule sees it."""
    span = span_of(repository, variable.source, variable.start, variable.end)
    value = variable.value
    is_array = bool(variable.flags & (Flag.INDEXED | Flag.ASSOCIATIVE))
    if isinstance(value, dict):
        elements = tuple(_elements(value))
        return Evaluated(name, elements[0] if elements else None, span, elements, True)
    return Evaluated(name, value, span, None, is_array)


def _elements(value: Elements) -> Iterable[Value]:
    return [value[key] for key in sorted(value, key=lambda k: (isinstance(k, str), k))]


def span_of(repository: Repository, source: Source | None, start: int, end: int) -> Span:
    """Return where a node stands: sources are named `repository:path`."""
    if source is None:
        return Span("", 0, 0)
    source, start, end = source.place(start, end)
    owner, _, path = source.name.partition(":")
    for candidate in repository.family:
        if candidate.name == owner:
            return candidate.span(path, start, end)
    return Span(path, start, end, owner)


def _stub(eclass: str, phase: str, parent: Source, start: int, end: int) -> Function:
    """Return the function that EXPORT_FUNCTIONS defines (PMS 10.3): the same each time."""
    from overlaylint.shell.parser import parse_source

    if parent.made is None:
        parent.made = {}
    known = parent.made.get((eclass, phase, start, end))
    if known is not None:
        return known
    source = Source(f'{phase}() {{ {eclass}_{phase} "$@" ; }}', parent.name, parent, (start, end))
    function = parse_source(source).body.commands[0]
    assert isinstance(function, Function)
    parent.made[eclass, phase, start, end] = function
    return function


def _possible_failure(condition: Condition, message: Value) -> Unknown:
    """Return why sourcing may fail, at the place of the first test that decides it."""
    reason = f"{condition}: {message}"
    for leaf in leaves(condition):
        if isinstance(leaf, Check):
            return Unknown(reason, leaf.source, leaf.start, leaf.end)
    return Unknown(reason)


class Evaluator:
    """Evaluates one ebuild: the package manager's side of it."""

    def __init__(self, ebuild: Ebuild, profile: Mapping[str, Value] | None = None) -> None:
        self.ebuild = ebuild
        self.profile = profile or {}  # what a profile sets, by name
        self.eapi = "0"
        self.inherited: list[str] = []
        self.explicit: list[str] = []
        self.missing: list[str] = []
        self.depth = 0
        self.eclasses: list[str] = []  # those being sourced, outermost first
        self.exports: list[list[tuple[str, Invocation]]] = []
        self.totals: list[
            tuple[str, Value]
        ] = []  # what eclasses put into the accumulated variables
        self.failure: Failure | None = None
        self.on_add: Callable[[str, str, Value], None] | None = None
        self.interpreter: Interpreter | None = None
        self.names: list[str] = []  # INHERITED: every eclass whose sourcing has ended
        self.names_read = 0  # how often something looked at that
        self.sought: set[str] = set()

    # --- global scope ---

    def evaluate(
        self,
        on_assign: Callable[[str, Variable], None] | None = None,
        on_add: Callable[[str, str, Value], None] | None = None,
    ) -> Evaluation:
        """Evaluate the ebuild's global scope.

        `on_assign` is told of every assignment, `on_add` of what each eclass adds to a variable
        that adds up: the eclass, the variable and the value.
        """
        ebuild = self.ebuild
        script = self.script()
        parsed = eapis.parsed_eapi(script.source.text)
        self.eapi = (parsed[0] if parsed else "") or "0"
        shell = self.shell()
        shell.on_assign = on_assign
        self.on_add = on_add
        self.interpreter = shell
        self.source = script.source
        try:
            if script.errors:
                # bash runs what comes before the error, and then the ebuild dies
                problem = script.errors[0]
                self.fail(problem.message, script.source, problem.start, problem.end)
            elif self.eapi not in eapis.KNOWN:
                start, end = (parsed[1], parsed[2]) if parsed else (0, 0)
                self.fail(f"EAPI {self.eapi} is not known", script.source, start, end)
            else:
                status = self.source_file(shell, script)
                if shell.signal in (DIE, EXIT):
                    message = shell.signal_message
                    is_refusal = isinstance(message, pm.Refusal)
                    self.fail(str(message), script.source, 0, 0, is_refusal=is_refusal)
                elif isinstance(status, int) and status != 0 and not shell.signal:
                    self.fail("its last command fails", script.source, 0, 0)
                self.finish(shell)
        except (Exhausted, RecursionError) as problem:
            shell.signal = 0
            shell.state.make_unknown(
                Unknown(str(problem) or "it nests too deeply", script.source, 0, 0)
            )
        return Evaluation(
            ebuild,
            self.eapi,
            shell.state,
            tuple(self.inherited),
            tuple(self.explicit),
            tuple(self.missing),
            self.failure,
            tuple(_possible_failure(*death) for death in shell.possible_deaths),
            frozenset(self.sought),
        )

    def script(self) -> Script:
        """Return the ebuild as bash reads it. Raises TreeError where it can't be read."""
        return self.ebuild.repository.script(self.ebuild.source_path)

    def source_file(self, shell: Interpreter, script: Script) -> Status:
        """Evaluate a file; everything is unknown after one that is too large to be parsed."""
        unparsed = script.body.commands[-1:]
        if unparsed and isinstance(unparsed[0], Opaque):
            shell.lose(script.source, 0, 0, unparsed[0].reason)
            return 0
        return shell.source_script(script)

    def fail(
        self, reason: str, source: Source, start: int, end: int, *, is_refusal: bool = False
    ) -> None:
        """Note that sourcing fails."""
        span = span_of(self.ebuild.repository, source, start, end)
        self.failure = Failure(reason, span, is_refusal)

    def shell(self) -> Interpreter:
        """Return an interpreter that stands where Portage sources the ebuild."""
        own: dict[str, Builtin] = {
            **_commands(self.eapi),
            "inherit": self.inherit,
            "EXPORT_FUNCTIONS": self.export_functions,
        }
        shell = Interpreter(commands=own, builtins=BUILTINS, variables=self.variables())
        shell.state.options = _DEFAULT_SHOPT
        if eapis.has_failglob(self.eapi):
            shell.state.options |= {"failglob"}
        shell.compatibility = eapis.bash_compatibility(self.eapi)
        shell.finds_programs = False
        shell.has_script = True
        # it is taken for granted of the files there, which are Portage's own modules
        shell.elements_are_no_files = True
        shell.when_missing = self.when_missing
        shell.environment = self.environment
        shell.call_alone = self.call_alone
        return shell

    def environment(self, name: str) -> Value | None:
        """Return what a name holds that was not assigned: INHERITED, else `environment`."""
        if name == "INHERITED":
            self.names_read += 1
            self._look_outside()
            return "".join(f" {eclass}" for eclass in self.names) or None
        return environment(name)

    def _look_outside(self) -> None:
        """Let whoever watches the interpreter know that more than its state has a part in this."""
        if self.interpreter is not None:
            self.interpreter.looks_outside += 1

    def call_alone(self, shell: Interpreter, invocation: Invocation) -> Status | None:
        """Call an eclass's function that is all a substitution runs; None for another one."""
        name = invocation.name
        function = shell.state.functions.get(name)
        # an ebuild's own functions are asked by it alone
        if not isinstance(function, Function) or function.source is self.source:
            return None
        effects = self.ebuild.repository.substitution_effects
        return effects.call(shell, self.eapi, name, function, invocation.arguments)

    def variables(self) -> dict[str, Variable]:
        """Return what the package manager sets before the ebuild is sourced (PMS 11.1)."""
        ebuild = self.ebuild
        known: dict[str, Value] = {
            "CATEGORY": ebuild.category, "PN": ebuild.PN, "PV": ebuild.PV, "PR": ebuild.PR,
            "PVR": ebuild.PVR, "P": ebuild.P, "PF": ebuild.PF,
        }  # fmt: skip
        found = {name: Variable(value, Flag.EXPORTED) for name, value in self.profile.items()}
        for name, value in known.items():
            found[name] = Variable(value, Flag.EXPORTED | Flag.KEPT)
        found["EBUILD_PHASE"] = Variable("depend", Flag.EXPORTED | Flag.KEPT)
        found["ECLASS_DEPTH"] = Variable("0", Flag.EXPORTED | Flag.INTEGER | Flag.KEPT)
        found["S"] = Variable(concatenate(symbol("WORKDIR"), f"/{ebuild.P}"), Flag.EXPORTED)
        found["OPTIND"] = Variable("1")
        found["IFS"] = Variable(" \t\n")
        return found

    def when_missing(self, shell: Interpreter, invocation: Invocation) -> Status:
        """Meet a command that nothing defines: an eclass may, if one is missing.

        PATH is no hindrance to a program that is called by its path, which changes no variable.
        """
        self._look_outside()
        if "/" in invocation.name:
            shell.write(
                unknown(
                    f"{invocation.name} is a program",
                    invocation.source,
                    invocation.start,
                    invocation.end,
                )
            )
            return pm.check(invocation)
        havoc = shell.state.havoc
        if havoc is not None and not self.missing:
            # what is unknown may have defined it
            shell.state.make_unknown(havoc)
            shell.write(Mixed((havoc,)))
            return pm.check(invocation)
        if self.missing:
            shell.lose(
                invocation.source, invocation.start, invocation.end,
                f"`{invocation.name}` may come from an eclass that is missing:"
                f" {', '.join(self.missing)}",
            )  # fmt: skip
            shell.write(Mixed((shell.state.havoc,)) if shell.state.havoc else "")
            return pm.check(invocation)
        return pm.missing(shell, invocation)

    def inherit(self, shell: Interpreter, invocation: Invocation) -> Status:
        """`inherit`: source eclasses, and add up what they set (PMS 10.1, 10.2)."""
        self._look_outside()
        self.depth += 1
        shell.depth += 1
        if self.depth > 40:
            raise shell.exhausted("eclasses inherit each other too deeply")
        with shell.function("inherit", invocation.arguments):
            # `inherit` is a function of Portage's, and these are its local variables
            shell.state.scopes[-1].update(_LOCALS)
            shell.state.scopes[0]["ECLASS_DEPTH"] = _depth_variable(self.depth)
            for argument in invocation.arguments:
                if isinstance(argument, Mixed):
                    shell.lose(
                        invocation.source,
                        invocation.start,
                        invocation.end,
                        "an eclass was inherited whose name is unknown",
                    )
                    self.missing.append("?")
                    continue
                if not argument:
                    break
                self.inherit_one(shell, invocation, argument)
                if shell.signal:
                    break
        self.depth -= 1
        shell.state.scopes[0]["ECLASS_DEPTH"] = _depth_variable(self.depth)
        return 0

    def inherit_one(self, shell: Interpreter, invocation: Invocation, name: str) -> None:
        """Source one eclass."""
        repository = self.ebuild.repository
        eclass = name.rpartition("/")[2]
        self.sought.add(eclass)
        found = repository.eclass(eclass)
        if found is None:
            if repository.missing_masters or any(
                master.missing_masters for master in repository.family
            ):
                self.missing.append(eclass)
                scope = shell.state.scopes[0]
                names = eapis.accumulated(self.eapi)
                kept = {key: scope[key] for key in names if key in scope}
                shell.lose(
                    invocation.source,
                    invocation.start,
                    invocation.end,
                    f"{eclass}.eclass is in a master that is missing",
                )
                reason = shell.state.havoc
                assert reason is not None
                # these are put aside while an eclass is sourced; what it adds is unknown (PMS 10.2)
                scope.update(kept)
                self.totals += [(key, Mixed((reason,))) for key in names]
                return
            shell.die(f"{name}.eclass could not be found by inherit()", 1)
            return
        owner, path = found
        state = shell.state
        state.scopes[-1]["ECLASS"] = Variable(eclass, Flag.EXPORTED)
        saved: dict[str, Variable] = {}
        names = eapis.accumulated(self.eapi)
        scope = state.scopes[0]
        for key in names:
            variable = scope.pop(key, None)
            if variable is not None and variable.value is not None:
                saved[key] = variable
        state.shell_options -= {"f"}
        status, exports = self.source_eclass(shell, eclass, owner, path)
        if shell.signal:
            return
        if status != 0:
            message = f"died sourcing {path} in inherit()"
            if isinstance(status, int):
                shell.die(message, 1)
                return
            shell.possible_deaths.append((status, message))
        scope = shell.state.scopes[0]
        for key in names:
            variable = shell.state.find(key)
            if variable is not None and variable.value is not None:
                value = variable.value
                added = value.get(0, "") if isinstance(value, dict) else value
                self.totals.append((key, added))
                if self.on_add is not None:
                    self.on_add(eclass, key, added)
                shell.unset_variable(key)
            if key in saved:
                scope[key] = saved[key]
        self.define_exports(shell, eclass, exports)
        if name not in self.inherited:
            self.inherited.append(name)
        if name not in self.names:
            self.names.append(name)
        if self.depth == 1:
            self.explicit.append(name)

    def source_eclass(
        self, shell: Interpreter, eclass: str, owner: Repository, path: str
    ) -> tuple[Status, list[tuple[str, Invocation]]]:
        """Source an eclass, or do what is known to come of it; return what it exports."""
        script = owner.script(path)
        if script.errors:
            shell.die(f"{path}: {script.errors[0].message}", 1)
            return 1, []
        state = shell.state
        shell.status, shell.last_argument, shell.pipe_status = 0, "", (0,)
        effects = self.ebuild.repository.eclass_effects
        name = script.source.name
        is_repeatable = (
            # the eclasses around this one have no variables of their own
            len(state.scopes) == 2 * self.depth
            and not any(state.scopes[2::2])
            and shell.on_assign is None
            and not shell.guards
            and state.havoc is None
            and state.output is None
            and shell.input is None
        )
        recording: Recording | None = None
        if is_repeatable:
            effect = effects.find(name, self.eapi, shell)
            if effect is not None:
                status = effect.apply(shell)
                # what is kept of an eclass inherited no other one in vain
                self.sought.update(item.rpartition("/")[2] for item in effect.inherited)
                self.inherited += [item for item in effect.inherited if item not in self.inherited]
                self.names += [item for item in effect.inherited if item not in self.names]
                self.totals += effect.totals
                return status, list(effect.exports)
            recording = Recording(shell, self.eapi)
        names_read = self.names_read
        inherited, totals = self.inherited, len(self.totals)
        self.inherited = []
        self.eclasses.append(eclass)
        self.exports.append([])
        # Portage sources an eclass in a function of its own, whose argument is the file's path
        location = unknown("where the eclass lies differs from machine to machine", is_word=True)
        try:
            shell.depth += 1
            with shell.function("__qa_source", (location,)):
                shell.stack.append("source")
                try:
                    status = self.source_file(shell, script)
                finally:
                    shell.stack.pop()
        finally:
            is_whole = recording is not None and recording.finish()
            is_whole = is_whole and self.names_read == names_read
            self.eclasses.pop()
            exports = self.exports.pop()
            added = tuple(self.inherited)
            self.inherited = inherited + [item for item in added if item not in inherited]
        if is_whole and recording is not None:
            scripts = tuple(self.eclass_scripts((eclass, *added))) if effects.script_of else ()
            settled = (status, added, tuple(self.totals[totals:]), tuple(exports), scripts)
            effects.add(name, recording.effect(*settled))
        return status, exports

    def eclass_scripts(self, names: Iterable[str]) -> Iterator[tuple[str, Script]]:
        """Yield eclasses that were inherited, by the name under which they are looked for."""
        for name in names:
            eclass = name.rpartition("/")[2]
            script = self.ebuild.repository.eclass_script(eclass)
            if script is not None:
                yield eclass, script

    def define_exports(
        self, shell: Interpreter, eclass: str, exports: list[tuple[str, Invocation]]
    ) -> None:
        """Define the functions that EXPORT_FUNCTIONS named."""
        for phase, invocation in exports:
            name = f"{eclass}_{phase}"
            if name not in shell.state.functions and shell.state.havoc is None:
                shell.die(f"EXPORT_FUNCTIONS: {name} is not defined", 1)
                return
            shell.state.functions[phase] = _stub(
                eclass, phase, invocation.source, invocation.start, invocation.end
            )

    def export_functions(self, shell: Interpreter, invocation: Invocation) -> Status:
        """`EXPORT_FUNCTIONS` (PMS 10.3): takes effect when the eclass has been sourced."""
        self._look_outside()
        if not self.eclasses:
            shell.die("EXPORT_FUNCTIONS without a defined ECLASS", 1)
            return 1
        for argument in invocation.arguments:
            if isinstance(argument, Mixed):
                shell.lose(
                    invocation.source,
                    invocation.start,
                    invocation.end,
                    "EXPORT_FUNCTIONS was given an unknown name",
                )
                continue
            self.exports[-1] += [(phase, invocation) for phase in argument.split()]
        return 0

    def finish(self, shell: Interpreter) -> None:
        """Add what eclasses set to what the ebuild did, as Portage does after sourcing."""
        scope = shell.state.scopes[0]
        eapi = scope.get("EAPI") or Variable("0")
        if isinstance(eapi.value, Mixed) and shell.state.havoc is not None:
            # no eclass changes the EAPI: Portage would not take the ebuild
            eapi = Variable(self.eapi)
        elif isinstance(eapi.value, Mixed):
            shell.possible_deaths.append(
                (Check(("the EAPI", "is", self.eapi), eapi.source, eapi.start, eapi.end),
                 "the EAPI is assigned a value that is unknown")
            )  # fmt: skip
        elif isinstance(eapi.value, str) and "\r" in eapi.value:
            # Portage reads such lines as if they ended like others, and bash does not
            shell.state.make_unknown(
                Unknown("it has carriage returns", eapi.source, eapi.start, eapi.end)
            )
        elif eapi.value != self.eapi:
            source = self.source if eapi.source is None else eapi.source
            value = eapi.value if isinstance(eapi.value, str) else "an array"
            self.fail(
                f"its EAPI is {self.eapi} by its first line of code, but {value} in the end",
                source, eapi.start, eapi.end,
            )  # fmt: skip
        scope["EAPI"] = Variable(
            eapi.value, Flag.EXPORTED | Flag.KEPT, eapi.source, eapi.start, eapi.end
        )
        if eapis.rdepend_falls_back(self.eapi):
            rdepend, depend = scope.get("RDEPEND"), scope.get("DEPEND")
            if (rdepend is None or rdepend.value is None) and depend is not None:
                scope["RDEPEND"] = depend
        for key in eapis.accumulated(self.eapi):
            own = scope.get(key) or Variable(None)
            values = [value for name, value in self.totals if name == key and value != ""]
            if isinstance(own.value, str | Mixed) and own.value != "":
                values.insert(0, own.value)
            if values:
                spaced = [piece for value in values for piece in (" ", value)][1:]
                scope[key] = Variable(
                    concatenate(*spaced), own.flags, own.source, own.start, own.end
                )
        if not eapis.has_bdepend(self.eapi):
            scope.pop("BDEPEND", None)
        if not eapis.has_idepend(self.eapi):
            scope.pop("IDEPEND", None)


_LOCALS = dict.fromkeys(
    (
        "ECLASS", "__export_funcs_var", "repo_location", "location", "potential_location", "x",
        "B_IUSE", "B_REQUIRED_USE", "B_DEPEND", "B_RDEPEND", "B_PDEPEND", "B_BDEPEND", "B_IDEPEND",
        "B_PROPERTIES", "B_RESTRICT",
    ),
    Variable(None),
)  # fmt: skip


@lru_cache(maxsize=64)
def _commands(eapi: str) -> Mapping[str, Builtin]:
    """Return the package manager's commands that are the same for all ebuilds of an EAPI."""
    return {
        **pm.COMMON,
        **pm.versions(eapi),
        **dict.fromkeys(pm.FORBIDDEN, pm.forbidden),
        **dict.fromkeys(pm.INTERCEPTED, pm.intercepted),
    }


@lru_cache(maxsize=64)
def _depth_variable(depth: int) -> Variable:
    """Return ECLASS_DEPTH: the same one each time, so that it is compared quickly."""
    return Variable(str(depth), Flag.EXPORTED | Flag.INTEGER)


@lru_cache(maxsize=256)
def symbol(name: str) -> Mixed:
    """Return the value of a variable that the package manager sets for a build."""
    reason = f"${name} is set by the package manager"
    if name not in PATHS:
        return unknown(reason, symbol=name)
    # an ebuild may set S to a path that starts elsewhere
    return unknown(reason, symbol=name, is_word=True, opening="" if name == "S" else "/")


def environment(name: str) -> Value | None:
    """Return what Portage's environment holds for a name: unknown, or nothing."""
    if name in _ENVIRONMENT or name.startswith("PORTAGE_"):
        return symbol(name)
    return None


def evaluate(ebuild: Ebuild, profile: Mapping[str, Value] | None = None) -> Evaluation:
    """Evaluate an ebuild's global scope. Raises TreeError where its file can't be read.

    `profile` is what a profile sets (see `profile_environment`); without it, what an ebuild reads
    of that is unknown.
    """
    evaluator = Evaluator(ebuild, profile)
    try:
        return evaluator.evaluate()
    finally:
        # each holds the other: so both are gone at once, and not when garbage is looked for
        evaluator.interpreter = None
