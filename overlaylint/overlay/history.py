"""Where a variable's value came from: every assignment in global scope, in order."""

from __future__ import annotations

from dataclasses import replace

from overlaylint.overlay import eapi as eapis
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import (
    Evaluated,
    Evaluation,
    Evaluator,
    environment,
    evaluated,
    span_of,
)
from overlaylint.overlay.metadata import KEYS, metadata
from overlaylint.records import dataclass
from overlaylint.shell.conditions import Condition
from overlaylint.shell.syntax import Function
from overlaylint.shell.values import Flag, Unknown, Value, Variable

#: Past so many steps the last of a history are left out; a loop may assign a thousand times.
_MOST_STEPS = 2000
# what stands among the functions while an eclass is sourced
_SOURCING = frozenset({"main", "source", "inherit", "__qa_source"})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that gave the variable a value, or added to it.

    `eclasses` are those being sourced at the time, outermost first, and `functions` the functions
    being called. `guards` are conditions, unknown here, that it stands under. `is_local` tells
    an assignment to a function's own variable of that name, and `is_passing` one in a subshell or
    a command substitution: neither is seen outside.
    """

    result: Evaluated
    eclasses: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    guards: tuple[Condition, ...] = ()
    is_local: bool = False
    is_passing: bool = False


@dataclass(frozen=True, slots=True)
class Addition:
    """An eclass adds `value` to a variable that adds up (PMS 10.2)."""

    eclass: str
    value: Value


@dataclass(frozen=True, slots=True)
class History:
    """How a variable came to its value.

    `result` is None where nothing ever set the variable. `origin` says in words what set it
    where no assignment did. `unknown` has what in the value can't be told; `left_out` counts the
    steps after the last that is kept.
    """

    evaluation: Evaluation
    name: str
    steps: tuple[Step | Addition, ...]
    result: Evaluated | None
    origin: str = ""
    unknown: tuple[Unknown, ...] = ()
    left_out: int = 0


def history(ebuild: Ebuild, name: str) -> History:
    """Return how a variable of an ebuild came to its value.

    DEFINED_PHASES and INHERIT, which only a cache has, are answered for as well: the
    steps of the first are the functions. Raises TreeError where a file can't be read.
    """
    evaluator = Evaluator(ebuild)
    steps: list[Step | Addition] = []
    left_out = 0

    def keep(step: Step | Addition) -> None:
        nonlocal left_out
        if len(steps) < _MOST_STEPS:
            steps.append(step)
        else:
            left_out += 1

    def assigned(assigned_name: str, variable: Variable) -> None:
        if assigned_name != name:
            return
        shell = evaluator.interpreter
        assert shell is not None
        scopes = [number for number, scope in enumerate(shell.state.scopes) if name in scope]
        keep(
            Step(
                evaluated(ebuild.repository, name, variable),
                tuple(evaluator.eclasses),
                tuple(one for one in shell.stack if one not in _SOURCING),
                tuple(shell.guards),
                is_local=bool(scopes) and scopes[-1] > 0,
                is_passing=any(region.is_subshell for region in shell.regions),
            )
        )

    def added(eclass: str, key: str, value: Value) -> None:
        if key == name and value != "":
            keep(Addition(eclass, value))

    evaluation = evaluator.evaluate(assigned, added)
    found = evaluation.variable(name)
    origin = ""
    if name in ("DEFINED_PHASES", "INHERIT"):
        values = metadata(evaluation)
        span = ebuild.span()
        if name in values.values:
            found = Evaluated(name, values.values[name], span)
        if name == "DEFINED_PHASES":
            steps = list(_functions(evaluation))
        else:
            origin = "the eclasses that the ebuild itself inherits"
    elif found is not None and not steps:
        origin = _origin(evaluation, name)
    elif found is None and environment(name) is not None:
        origin = "the package manager sets it for a build"
    return History(
        evaluation, name, tuple(steps), found, origin, _unknown(evaluation, name, found), left_out
    )


def _functions(evaluation: Evaluation) -> list[Step]:
    steps = []
    for phase in eapis.phases(evaluation.eapi):
        function = evaluation.functions.get(phase)
        if isinstance(function, Function):
            repository = evaluation.ebuild.repository
            span = span_of(repository, function.source, function.start, function.end)
            steps.append(Step(Evaluated("DEFINED_PHASES", phase.partition("_")[2], span)))
    return steps


def _origin(evaluation: Evaluation, name: str) -> str:
    variable = evaluation.state.find(name)
    if name == "RDEPEND" and eapis.rdepend_falls_back(evaluation.eapi):
        return f"the ebuild does not set it, and in EAPI {evaluation.eapi} it is then DEPEND"
    if variable is not None and variable.flags & Flag.KEPT:
        return "the package manager sets it, from the name of the ebuild"
    if name in ("S", "IFS", "OPTIND"):
        return "the package manager sets it"
    return ""


def _unknown(evaluation: Evaluation, name: str, found: Evaluated | None) -> tuple[Unknown, ...]:
    values = (found.elements or (found.value,)) if found is not None else ()
    pieces = [
        part
        for value in values
        if value is not None and not isinstance(value, str)
        for part in value.parts
        if isinstance(part, Unknown)
    ]
    if name in KEYS and not pieces:
        # The value may be known, and yet nobody knows whether the ebuild can be sourced.
        reason = metadata(evaluation).unknown.get(name)
        pieces = [reason] if reason is not None else []
    elif found is None and evaluation.state.havoc is not None:
        pieces = [evaluation.state.havoc]
    seen: dict[tuple[str, int, int], Unknown] = {}
    for piece in pieces:
        seen.setdefault((piece.reason, piece.start, piece.end), replace(piece, is_many=False))
    return tuple(seen.values())
