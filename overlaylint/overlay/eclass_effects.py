"""What sourcing an eclass changes, kept so that the next ebuild need not source it again.

Most ebuilds that inherit an eclass give it the same inputs: the EAPI, and the absence of
what it could be configured with. While an eclass is sourced, the variables and functions that it
looks at are noted. Where they are the same again, so is everything that it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Generic, TypeVar, cast

from overlaylint.records import dataclass
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.interpreter import Interpreter
from overlaylint.shell.state import Positional
from overlaylint.shell.syntax import Function, Script
from overlaylint.shell.values import Elements, Unknown, Value, Variable

# how many effects of an eclass are kept, those that were used last. Some eclasses are given other
# inputs by each ebuild (its name, say): to look through all that there ever were would take longer
# with each of them. Ebuilds of one package come one after another and differ little
_MOST_EFFECTS = 64

T = TypeVar("T")

_Functions = dict[str, Function | Unknown]


@dataclass(frozen=True, slots=True)
class Effect:
    """What an eclass was given, as far as it looked at it, and what it made of that."""

    eapi: str
    compatibility: int
    stack: tuple[str, ...]
    global_reads: tuple[tuple[str, Variable | None], ...]
    local_reads: tuple[tuple[str, Variable | None], ...]
    function_reads: tuple[tuple[str, Function | Unknown | None], ...]
    options: frozenset[str]
    shell_options: frozenset[str]
    global_writes: dict[str, Variable]
    global_removals: tuple[str, ...]
    local_writes: dict[str, Variable]
    local_removals: tuple[str, ...]
    global_unmoved: tuple[str, ...]
    local_unmoved: tuple[str, ...]
    """What is changed and still stands where it was assigned before, as after `export V`."""
    function_writes: _Functions
    function_removals: tuple[str, ...]
    options_after: frozenset[str]
    shell_options_after: frozenset[str]
    status: Status
    inherited: tuple[str, ...]
    totals: tuple[tuple[str, Value], ...]
    exports: tuple[tuple[str, Invocation], ...]
    scripts: tuple[tuple[str, Script], ...] = ()
    """The eclass itself and those that it inherits, by name."""

    def fits(self, shell: Interpreter, eapi: str, stack: tuple[str, ...]) -> bool:
        """Tell whether the eclass is given the same again."""
        # the EAPI decides which commands there are, and what nested eclasses' values add up
        if eapi != self.eapi or shell.compatibility != self.compatibility:
            return False
        # FUNCNAME and the like show it
        if stack != self.stack:
            return False
        state = shell.state
        # what differs most often comes first
        if not _same(state.scopes[0], self.global_reads):
            return False
        if state.options != self.options or state.shell_options != self.shell_options:
            return False
        functions = state.functions
        for name, function in self.function_reads:
            if dict.get(functions, name) is not function:
                return False
        return _same(state.scopes[-1], self.local_reads)

    def note(self, shell: Interpreter) -> None:
        """Let who watches an eclass around this one know what was looked at."""
        state = shell.state
        for target, reads in (
            (state.scopes[0], self.global_reads),
            (state.scopes[-1], self.local_reads),
            (state.functions, self.function_reads),
        ):
            if isinstance(target, Watched):
                for name, _ in reads:
                    target.get(name)

    def apply(self, shell: Interpreter) -> Status:
        """Change the state as sourcing the eclass would."""
        state = shell.state
        outer, inner = state.scopes[0], state.scopes[-1]
        _change(
            outer, _placed(outer, self.global_writes, self.global_unmoved), self.global_removals
        )
        _change(inner, _placed(inner, self.local_writes, self.local_unmoved), self.local_removals)
        _change(state.functions, self.function_writes, self.function_removals)
        state.options, state.shell_options = self.options_after, self.shell_options_after
        return self.status


def _same(scope: dict[str, Variable], reads: tuple[tuple[str, Variable | None], ...]) -> bool:
    # not noted yet: another effect may fit, which asks for other names
    return all(is_same(dict.get(scope, name), was) for name, was in reads)


def is_same(now: Variable | None, was: Variable | None) -> bool:
    """Tell whether a script can see no difference between two variables.

    The order in which an array got its keys counts: bash lists them by that.
    """
    if now is was:
        return True
    if now is None or was is None or now.flags != was.flags or now.value != was.value:
        return False
    return not isinstance(now.value, dict) or list(now.value) == list(cast(Elements, was.value))


def _placed(
    scope: dict[str, Variable], writes: dict[str, Variable], unmoved: tuple[str, ...]
) -> dict[str, Variable]:
    """Return what is written, with what stays in its place where it is now."""
    if not unmoved:
        return writes
    placed = dict(writes)
    for name in unmoved:
        now, after = dict.get(scope, name), writes[name]
        assert now is not None  # it was looked at, so it is here again
        placed[name] = Variable(after.value, after.flags, now.source, now.start, now.end)
    return placed


def _change(target: dict[str, T], writes: dict[str, T], removals: tuple[str, ...]) -> None:
    for name in removals:
        target.pop(name, None)
    if not isinstance(target, Watched):
        target.update(writes)
        return
    for name, value in writes.items():
        dict.__setitem__(target, name, value)
        if value is dict.get(target.first, name):
            # see `Watched.__setitem__`
            target.note(name)


class Watch:
    """What was looked at while an eclass was sourced; `is_spoilt` where not all of it was noted."""

    __slots__ = ("is_spoilt",)

    def __init__(self) -> None:
        self.is_spoilt = False


class Watched(dict[str, T], Generic[T]):
    """A mapping that notes which of its first values are looked at.

    Eclasses inherit one another: the first values may be those of another mapping that is watched,
    and what is looked at here was looked at there.
    """

    __slots__ = ("first", "reads", "watch")

    def __init__(
        self, values: dict[str, T], first: dict[str, T], reads: set[str], watch: Watch
    ) -> None:
        super().__init__(dict.items(values))
        self.first = first
        self.reads = reads
        self.watch = watch

    def note(self, key: str) -> None:
        """Note that a first value is looked at."""
        self.reads.add(key)
        if isinstance(self.first, Watched):
            self.first.get(key)

    def get(self, key: str, default: T | None = None) -> T | None:  # type: ignore[override]
        value = dict.get(self, key, default)
        if key not in self.reads and value is dict.get(self.first, key, default):
            self.note(key)
        return value

    def __getitem__(self, key: str) -> T:
        value = dict.__getitem__(self, key)
        if key not in self.reads and value is dict.get(self.first, key):
            self.note(key)
        return value

    def __setitem__(self, key: str, value: T) -> None:
        if value is dict.get(self.first, key):
            # it stays as it is, which is no change only where it is this already
            self.note(key)
        dict.__setitem__(self, key, value)

    def __delitem__(self, key: str) -> None:
        dict.__delitem__(self, key)
        if not dict.__contains__(self.first, key):
            # as above: it is gone again, which is no change only where it was not there
            self.note(key)

    def __contains__(self, key: object) -> bool:
        self.get(key)  # type: ignore[arg-type]
        return dict.__contains__(self, key)

    def __eq__(self, other: object) -> bool:
        self.watch.is_spoilt = True
        return dict.__eq__(self, other)

    __hash__ = None

    def pop(self, key: str, default: T | None = None) -> T | None:  # type: ignore[override]
        value = self.get(key, default)
        if dict.__contains__(self, key):
            del self[key]
        return value

    def copy(self) -> Watched[T]:
        return Watched(self, self.first, self.reads, self.watch)

    def __iter__(self) -> Iterator[str]:
        self.watch.is_spoilt = True
        return dict.__iter__(self)

    def items(self):  # type: ignore[no-untyped-def]
        self.watch.is_spoilt = True
        return dict.items(self)

    def keys(self):  # type: ignore[no-untyped-def]
        self.watch.is_spoilt = True
        return dict.keys(self)

    def values(self):  # type: ignore[no-untyped-def]
        self.watch.is_spoilt = True
        return dict.values(self)

    def settled(self) -> dict[str, T]:
        """Return the mapping as it is now: watched only by who watched its first values."""
        first = self.first
        if not isinstance(first, Watched):
            return dict(dict.items(self))
        if self.watch.is_spoilt:
            first.watch.is_spoilt = True
        settled = first.copy()
        for key in dict.keys(first) - dict.keys(self):
            del settled[key]
        for key, value in dict.items(self):
            if dict.get(first, key) is not value:
                settled[key] = value
        return settled


class _WatchedPositional:
    """The arguments of `inherit`: an eclass that looks at them is sourced anew each time."""

    __slots__ = ("positional", "watch")

    def __init__(self, positional: Positional, watch: Watch) -> None:
        self.positional = positional
        self.watch = watch

    @property
    def words(self) -> tuple[Value, ...]:
        self.watch.is_spoilt = True
        return self.positional.words

    @property
    def rest(self) -> Unknown | None:
        self.watch.is_spoilt = True
        return self.positional.rest


class Recording:
    """Watches an interpreter from the moment it is made until `finish`."""

    def __init__(self, shell: Interpreter, eapi: str) -> None:
        self.shell = shell
        self.eapi = eapi
        self.compatibility = shell.compatibility
        state = shell.state
        self.watch = Watch()
        self.scopes = len(state.scopes)
        self.options, self.shell_options = state.options, state.shell_options
        self.deaths = len(shell.possible_deaths)
        self.ways_left = _ways_left(shell)
        self.stack = tuple(shell.stack)
        # the eclass sees the global variables, and the local ones of the `inherit` that sources it
        self.places = (0, len(state.scopes) - 1)
        self.first = [state.scopes[place] for place in self.places]
        self.functions = state.functions
        self.reads: list[set[str]] = [set(), set(), set()]
        self.positional = state.positional[-1]
        for place, first, reads in zip(self.places, self.first, self.reads, strict=False):
            state.scopes[place] = Watched(first, first, reads, self.watch)
        state.functions = Watched(self.functions, self.functions, self.reads[2], self.watch)
        # it answers to the same names, and nothing asks for more
        self.watched = cast(Positional, _WatchedPositional(self.positional, self.watch))
        state.positional[-1] = self.watched

    def finish(self) -> bool:
        """Stop watching; return whether all that the eclass looked at was noted."""
        state = self.shell.state
        is_whole = (
            not self.watch.is_spoilt
            and len(state.scopes) == self.scopes
            and state.positional[-1] is self.watched
            and not self.shell.signal
            and state.havoc is None
            and len(self.shell.possible_deaths) == self.deaths
            and _ways_left(self.shell) == self.ways_left
            and self.shell.compatibility == self.compatibility
            and all(
                name in reads
                for place, first, reads in zip(self.places, self.first, self.reads, strict=False)
                for name in _unmoved(first, state.scopes[place])
            )
        )
        for place in self.places:
            scope = state.scopes[place]
            if isinstance(scope, Watched):
                state.scopes[place] = scope.settled()
        if isinstance(state.functions, Watched):
            state.functions = state.functions.settled()
        if state.positional[-1] is self.watched:
            state.positional[-1] = self.positional
        return is_whole

    def effect(
        self,
        status: Status,
        inherited: tuple[str, ...],
        totals: tuple[tuple[str, Value], ...],
        exports: tuple[tuple[str, Invocation], ...],
        scripts: tuple[tuple[str, Script], ...] = (),
    ) -> Effect:
        """Return what the eclass did. Only after `finish` returned true."""
        state = self.shell.state
        outer, inner = self.first
        global_reads, local_reads, function_reads = self.reads
        global_place, local_place = self.places
        return Effect(
            self.eapi,
            self.compatibility,
            self.stack,
            # what is set differs more often than what is not: it comes first
            tuple(
                sorted(
                    ((name, dict.get(outer, name)) for name in global_reads),
                    key=lambda read: read[1] is None,
                )
            ),
            tuple((name, dict.get(inner, name)) for name in local_reads),
            tuple((name, dict.get(self.functions, name)) for name in function_reads),
            self.options,
            self.shell_options,
            *_difference(outer, state.scopes[global_place]),
            *_difference(inner, state.scopes[local_place]),
            _unmoved(outer, state.scopes[global_place]),
            _unmoved(inner, state.scopes[local_place]),
            *_difference(self.functions, state.functions),
            state.options,
            state.shell_options,
            status,
            inherited,
            totals,
            exports,
            scripts,
        )


def _ways_left(shell: Interpreter) -> tuple[int, int]:
    """Return how many ways have been left that are to be merged later on."""
    return sum(len(region.exits) for region in shell.regions), len(shell.exclusions)


def _unmoved(before: dict[str, Variable], after: dict[str, Variable]) -> tuple[str, ...]:
    """Return the variables that were changed and still stand where they were assigned before."""
    found: list[str] = []
    for name, variable in dict.items(after):
        first = dict.get(before, name)
        if (
            first is not None
            and first is not variable
            and variable.source is not None
            and variable.source is first.source
            and (variable.start, variable.end) == (first.start, first.end)
        ):
            found.append(name)
    return tuple(found)


def _difference(before: dict[str, T], after: dict[str, T]) -> tuple[dict[str, T], tuple[str, ...]]:
    writes = {
        name: value for name, value in dict.items(after) if dict.get(before, name) is not value
    }
    return writes, tuple(dict.keys(before) - dict.keys(after))


@dataclass(slots=True)
class EclassEffects:
    """The effects that are known, by the eclass's repository and path.

    Where other repositories share `known`, `script_of` is what `inherit` finds in this one.
    """

    known: dict[str, list[Effect]] = field(default_factory=dict)
    script_of: Callable[[str], Script | None] | None = None
    _judged: dict[int, tuple[Effect, bool]] = field(default_factory=dict)

    def find(self, eclass: str, eapi: str, shell: Interpreter) -> Effect | None:
        """Return what sourcing an eclass does now, if that is known."""
        effects = self.known.get(eclass)
        if effects:
            stack = tuple(shell.stack)
            for index, effect in enumerate(effects):
                if effect.fits(shell, eapi, stack) and self._holds(effect):
                    effect.note(shell)
                    if index:
                        # what fitted last is likely to fit next
                        effects.insert(0, effects.pop(index))
                    return effect
        return None

    def _holds(self, effect: Effect) -> bool:
        """Tell whether the eclasses are the same here."""
        find = self.script_of
        if find is None:
            return True
        known = self._judged.get(id(effect))
        if known is None:
            holds = all(find(name) is script for name, script in effect.scripts)
            # it is kept with the answer: another one may come to have its id
            known = self._judged[id(effect)] = effect, holds
        return known[1]

    def add(self, eclass: str, effect: Effect) -> None:
        """Keep an effect, and forget the one that was not used for longest if they are many."""
        effects = self.known.setdefault(eclass, [])
        effects.insert(0, effect)
        del effects[_MOST_EFFECTS:]
