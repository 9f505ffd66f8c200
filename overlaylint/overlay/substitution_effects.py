"""What an eclass's function writes in `$(function ...)`, kept for who asks it the same again.

All that such a call does to variables is thrown away, so what it writes and its status are all
that comes of it. Eclasses make dependencies in this way (`python_gen_cond_dep`, `llvm_gen_dep`),
and most ebuilds ask for the same ones. As with `eclass_effects`, what is looked at is noted.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import field
from typing import cast

from overlaylint.overlay.eclass_effects import Watch, Watched, is_same
from overlaylint.records import dataclass
from overlaylint.shell.calls import Status
from overlaylint.shell.interpreter import Interpreter
from overlaylint.shell.syntax import Function
from overlaylint.shell.values import Unknown, Value, Variable

# how many calls are remembered, those that were made last, and how much is known of each
_MOST_CALLS = 512
_MOST_EFFECTS = 8

_Key = tuple[Function, tuple[Value, ...], str, int]


@dataclass(frozen=True, slots=True)
class _Read:
    """A name that the function looked at: what it meant, and whether that was a global variable."""

    name: str
    variable: Variable | None
    is_global: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What a call was given, as far as it looked at it, and what it wrote."""

    reads: tuple[_Read, ...]
    function_reads: tuple[tuple[str, Function | Unknown | None], ...]
    options: frozenset[str]
    shell_options: frozenset[str]
    status_before: Status
    output: tuple[str | Unknown, ...]
    status: Status
    steps: int

    def fits(self, shell: Interpreter) -> bool:
        """Tell whether the function is given the same again."""
        state = shell.state
        if (
            state.options != self.options
            or state.shell_options != self.shell_options
            or shell.status != self.status_before
        ):
            return False
        for name, function in self.function_reads:
            if dict.get(state.functions, name) is not function:
                return False
        for read in self.reads:
            now, is_global = _meaning(state.scopes, read.name)
            if is_global is not read.is_global or not is_same(now, read.variable):
                return False
        return True

    def apply(self, shell: Interpreter) -> Status:
        """Write it, and let who watches from outside know what it depends on."""
        state = shell.state
        for read in self.reads:
            state.find(read.name)
        for name, _ in self.function_reads:
            state.functions.get(name)
        assert state.output is not None
        state.output += self.output
        shell.spend(self.steps)
        return self.status


def _meaning(scopes: list[dict[str, Variable]], name: str) -> tuple[Variable | None, bool]:
    """Return what a name means, and whether that is a global variable, or none."""
    for scope in reversed(scopes[1:]):
        variable = dict.get(scope, name)
        if variable is not None:
            return variable, False
    return dict.get(scopes[0], name), True


@dataclass(slots=True)
class SubstitutionEffects:
    """What is known of calls in command substitutions."""

    known: OrderedDict[_Key, list[Written]] = field(default_factory=OrderedDict)

    def call(
        self, shell: Interpreter, eapi: str, name: str, function: Function, arguments: list[Value]
    ) -> Status | None:
        """Call a function of an eclass, or write what it is known to write.

        It must be all that the innermost subshell runs. None, and nothing is done, where what it
        writes may depend on more than can be told.
        """
        if not _is_repeatable(shell) or not all(isinstance(one, str) for one in arguments):
            return None
        key = function, tuple(arguments), eapi, shell.compatibility
        effects = self.known.get(key)
        if effects is None:
            effects = self.known[key] = []
            if len(self.known) > _MOST_CALLS:
                self.known.popitem(last=False)
        else:
            self.known.move_to_end(key)
        for effect in effects:
            if effect.fits(shell):
                return effect.apply(shell)
        status, effect_now = _watched_call(shell, name, function, arguments)
        if effect_now is not None:
            effects.insert(0, effect_now)
            del effects[_MOST_EFFECTS:]
        return status


def _is_repeatable(shell: Interpreter) -> bool:
    """Tell whether nothing but what is watched has a part in what is written."""
    state = shell.state
    return (
        state.output == []
        and shell.writes_to_substitution_only
        and shell.on_assign is None
        and shell.on_elements is None
        and shell.calls is None
        and shell.files is None
        and shell.input is None
        and not shell.guards
        and state.havoc is None
        and not state.unnamed
    )


def _watched_call(
    shell: Interpreter, name: str, function: Function, arguments: list[Value]
) -> tuple[Status, Written | None]:
    """Call a function, and return what can be kept of that."""
    state = shell.state
    watch = Watch()
    first = list(state.scopes)
    first_functions = state.functions
    reads: list[set[str]] = [set() for _ in first]
    function_reads: set[str] = set()
    # the subshell's state is a copy that is thrown away, so these need not be put back
    state.scopes[:] = [
        Watched(scope, scope, names, watch) for scope, names in zip(first, reads, strict=True)
    ]
    state.functions = Watched(first_functions, first_functions, function_reads, watch)
    options, shell_options = state.options, state.shell_options
    status_before, steps = shell.status, shell.steps
    before = _surroundings(shell)
    status = shell.call(name, function, arguments)
    state = shell.state
    if watch.is_spoilt:
        for around in (*first, first_functions):
            if isinstance(around, Watched):
                around.watch.is_spoilt = True
    looked_at = {found: _meaning(first, found) for names in reads for found in names}
    if (
        watch.is_spoilt
        or shell.signal
        or shell.has_spilt
        or state.havoc is not None
        or state.unnamed
        or _surroundings(shell) != before
        # what an inner variable hides was looked at all the same
        or any(
            dict.__contains__(inner, found)
            for place, names in enumerate(reads)
            for inner in first[place + 1 :]
            for found in names
        )
    ):
        return status, None
    return status, Written(
        tuple(_Read(found, *meaning) for found, meaning in looked_at.items()),
        tuple((found, dict.get(first_functions, found)) for found in function_reads),
        options,
        shell_options,
        status_before,
        tuple(cast("list[str | Unknown]", state.output or [])),
        status,
        shell.steps - steps,
    )


def _surroundings(shell: Interpreter) -> tuple[object, ...]:
    """Return what must not change while a function is called whose effect is to be kept."""
    return (
        shell.looks_outside,
        len(shell.possible_deaths),
        len(shell.processes),
        len(shell.exclusions),
        sum(len(region.exits) for region in shell.regions),
        len(shell.state.scopes),
        shell.compatibility,
    )
