"""Lists, pipelines and compound commands (bash manual 3.2.3 to 3.2.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from typing import TYPE_CHECKING, TypeVar, cast

from overlaylint.shell import branching, calling, expansion, redirecting
from overlaylint.shell.branching import BREAK, CONTINUE, LOOP, Region, tested_at
from overlaylint.shell.calls import FAILED, Failing, Pipe, Status
from overlaylint.shell.conditions import Check, Condition, both, either, negate
from overlaylint.shell.problems import ExpansionProblem, FatalProblem
from overlaylint.shell.redirecting import OUTPUT
from overlaylint.shell.state import BESIDE, State, merge
from overlaylint.shell.syntax import (
    AndOr,
    Arithmetic,
    Background,
    Case,
    CaseArm,
    Command,
    Conditional,
    Coprocess,
    DoubleQuoted,
    For,
    ForArithmetic,
    Function,
    Group,
    If,
    List,
    Opaque,
    Parameter,
    Part,
    Pipeline,
    Quoted,
    Redirected,
    Simple,
    Source,
    Subshell,
    While,
    Word,
)
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import Mixed, Unknown, Value, as_one, join

if TYPE_CHECKING:
    from overlaylint.shell.interpreter import Interpreter

_FIXPOINT_ROUNDS = 12
_OPEN_ROUNDS = 4  # how many rounds a loop is followed that it may have been left in
_Run = TypeVar("_Run", bound=Callable[..., Status])


def _giving_up(run: _Run) -> _Run:
    """Make a function that evaluates a command give up the line where an expansion fails."""

    @wraps(run)
    def guarded(shell: Interpreter, node: object) -> Status:
        try:
            return run(shell, node)
        except ExpansionProblem as problem:
            return branching.give_up(shell, problem)
        except Undecidable as undecidable:
            branching.pass_on(shell, undecidable)
            branching.may_give_up(shell, Unknown(undecidable.reason))
            shell.lose(Source(""), 0, 0, undecidable.reason)
            return Check((undecidable.reason,))

    return cast(_Run, guarded)


_MARKING = frozenset(":^,~@")  # operators whose empty result in quotes leaves a mark


def run_and_or(shell: Interpreter, node: AndOr) -> Status:
    """Evaluate `&&` and `||`."""
    first_call = shell.call_count
    status = shell.status = shell.run(node.commands[0])
    return and_or_from(shell, node, 0, status, first_call)


def and_or_from(
    shell: Interpreter, node: AndOr, index: int, status: Status, first_call: int
) -> Status:
    """Evaluate the rest of a list of `&&` and `||`, after the command at `index`.

    The calls of the list are those noted since `first_call`.
    """
    while index < len(node.operators):
        if shell.signal:
            return status
        operator = node.operators[index]
        index += 1
        following = node.commands[index]
        if isinstance(status, int):
            if (status == 0) == (operator == "&&"):
                status = shell.status = shell.run(following)
            elif shell.is_tracing and _is_constant(node.commands[index - 1]):
                run_dead(shell, following)
            continue
        condition = status if operator == "&&" else negate(status)

        taken, skipped = (0, FAILED) if operator == "&&" else (FAILED, 0)
        then = partial(run_after, shell, taken, following)
        if operator == "||" and shell.calls is not None:
            then = partial(run_failing, shell, then, first_call, len(shell.calls))
        status = shell.status = branching.branch(shell, condition, then, partial(_same, skipped))
    return status


def _same(status: Status) -> Status:
    return status


def run_dead(shell: Interpreter, command: Command) -> None:
    """Note the calls of a command that can never run (`if false`)."""
    if shell.calls is None:
        return
    shell.is_dead, was_dead = True, shell.is_dead
    with shell.subshell(output=[]):
        shell.run(command)
        shell.signal = 0
    shell.is_dead = was_dead


def run_after(shell: Interpreter, status: int, command: Command) -> Status:
    """Evaluate a command with `$?` set."""
    shell.status = status
    return shell.run(command)


def run_failing(shell: Interpreter, run: Callable[[], Status], start: int, end: int) -> Status:
    """Follow a way that is taken after calls, and note what it says of their failure."""
    status = run()
    shell.note_failing(start, end, Failing.ENDS if shell.is_failing else Failing.GOES_ON)
    return status


def run_pipeline(shell: Interpreter, node: Pipeline) -> Status:
    """Evaluate a pipeline: each command in a subshell of its own."""
    commands = node.commands
    first_call = shell.call_count
    status = shell.run(commands[0]) if len(commands) == 1 else piped(shell, node)
    if node.is_negated and not shell.signal:
        shell.note_failing(first_call, shell.call_count, Failing.IGNORED)
        return int(status == 0) if isinstance(status, int) else negate(status)
    return status


def piped(shell: Interpreter, node: Pipeline) -> Status:
    """Evaluate commands joined by pipes."""
    commands = node.commands
    rest = shell.input
    statuses: list[Status] = []
    outer, sinks = shell.state.output, shell.sinks
    place = source_of(node), node.start, node.end
    for position, command in enumerate(commands[:-1]):
        with shell.subshell(output=[]) as box:
            shell.pipe = Pipe(*place, position, len(commands))
            if node.pipes_stderr[position]:
                shell.sinks[2] = OUTPUT
            shell.status = shell.run(command)
            shell.end_subshell()
            box.append(shell.state.output or [])
        if position == 0:
            rest = shell.input
        statuses.append(shell.status)
        if shell.signal:
            shell.input = rest
            return shell.status
        shell.input = join(box[0])
    in_shell = shell.state.option("lastpipe")
    if in_shell is None:
        raise shell.exhausted("whether `lastpipe` is on is unknown")
    last = Pipe(*place, len(commands) - 1, len(commands))
    if in_shell:
        around, shell.pipe = shell.pipe, last
        try:
            statuses.append(shell.run(commands[-1]))
        finally:
            shell.pipe = around
    else:
        with shell.subshell(output=None) as box:
            shell.pipe = last
            shell.state.output, shell.sinks = outer, sinks
            if outer is not None:
                shell.state.output = outer.copy()
            shell.status = shell.run(commands[-1])
            shell.end_subshell()
            box.append(shell.state.output or [])
        statuses.append(shell.status)
        if outer is not None and not shell.signal:
            shell.state.output = box[0]
    shell.input = rest
    shell.pipe_status = tuple(statuses)
    if shell.signal:
        return statuses[-1]
    letters = shell.state.shell_options
    if "?|" in letters:
        return Check(("pipefail",), *place)
    if "|" in letters:
        return _last_failure(statuses)
    return statuses[-1]


def run_background(shell: Interpreter, node: Background) -> Status:
    """Evaluate a command that runs beside the script."""
    outer = shell.state.output
    with shell.subshell(output=None):
        shell.run(node.command)
        shell.end_subshell()
        is_written = shell.state.output != outer
    if is_written:
        shell.state.output = [BESIDE]
    return 0


def run_group(shell: Interpreter, node: Group) -> Status:
    """Evaluate `{ ... }`."""
    return shell.run_list(node.body)


def run_subshell(shell: Interpreter, node: Subshell) -> Status:
    """Evaluate `( ... )`: what it changes is lost, what it writes is not."""
    outer = shell.state.output
    with shell.subshell(output=None) as box:
        shell.status = shell.run_list(node.body)
        shell.end_subshell()
        box.append(shell.state.output or [])
    if outer is not None:
        shell.state.output = box[0]
    shell.pipe_status = shell.status
    return shell.status


def run_if(shell: Interpreter, node: If) -> Status:
    """Evaluate `if`."""
    return if_from(shell, node, 0)


def if_from(shell: Interpreter, node: If, index: int) -> Status:
    """Evaluate `if` from one of its branches on."""
    if index == len(node.branches):
        return 0 if node.otherwise is None else shell.run_list(node.otherwise)
    condition, body = node.branches[index]
    first_call = shell.call_count
    status = shell.run_list(condition)
    if shell.signal:
        return status
    last_call = shell.call_count
    if isinstance(status, int):
        is_constant = shell.is_tracing and _is_constant(condition)
        if status == 0:
            if is_constant and node.otherwise is not None:
                run_dead(shell, node.otherwise)
            return shell.run_list(body)
        if is_constant:
            run_dead(shell, body)
        return if_from(shell, node, index + 1)
    then, otherwise = partial(shell.run_list, body), partial(if_from, shell, node, index + 1)
    if first_call == last_call:
        return branching.branch(shell, status, then, otherwise)
    return branch_on_calls(shell, status, then, otherwise, first_call, last_call)


def branch_on_calls(
    shell: Interpreter,
    condition: Condition,
    then: Callable[[], Status],
    otherwise: Callable[[], Status],
    start: int,
    end: int,
) -> Status:
    """Follow both ways of a condition that some calls make: where one ends, they may not fail.

    Which of the two is the one of their failure is not asked: `if ! command` turns it round.
    """
    ended: list[bool] = []

    def following(run: Callable[[], Status]) -> Status:
        status = run()
        ended.append(shell.is_failing)
        return status

    status = branching.branch(
        shell, condition, partial(following, then), partial(following, otherwise)
    )
    shell.note_failing(start, end, Failing.ENDS if any(ended) else Failing.GOES_ON)
    return status


def run_while(shell: Interpreter, node: While) -> Status:
    """Evaluate `while` and `until`."""

    def test() -> Status:
        first_call = shell.call_count
        status = shell.run_list(node.condition)
        shell.note_failing(first_call, shell.call_count, Failing.GOES_ON)
        if node.is_until:
            return int(status == 0) if isinstance(status, int) else negate(status)
        return status

    return loop(shell, test, lambda: shell.run_list(node.body), lambda: None)


@_giving_up
def run_for_arithmetic(shell: Interpreter, node: ForArithmetic) -> Status:
    """Evaluate `for ((a; b; c))`."""
    source = node.condition.source

    failures: list[str] = []

    def step(word: Word, default: int) -> Status:
        shell.spend(3)
        if not word.raw.strip():
            return int(default == 0)
        try:
            return _truth(expansion.arithmetic(shell, source, word), source, word)
        except FatalProblem:
            raise
        except ExpansionProblem as problem:
            failures.append(str(problem))
            return 1

    step(node.initial, 1)
    if failures:
        return 1

    def test() -> Status:
        return 1 if failures else step(node.condition, 1)

    status = loop(shell, test, lambda: shell.run_list(node.body), lambda: step(node.step, 1))
    return 1 if failures and not shell.signal else status


def loop(
    shell: Interpreter,
    test: Callable[[], Status],
    body: Callable[[], Status],
    step: Callable[[], object],
) -> Status:
    """Evaluate a loop that goes on while `test` succeeds."""
    region = branching.enter_region(shell, LOOP)
    open_rounds = 0
    status: Status = 0
    try:
        while True:
            shell.spend(1)
            result = test()
            if shell.signal:
                if end_round(shell, region):
                    break
                continue
            if not isinstance(result, int):
                unknown_rounds(shell, region, result, test, body, step)
                status = Check(("the loop's last command",), *tested_at(result))
                break
            if result != 0:
                break
            if len(region.exits) > open_rounds:
                open_rounds += 1
                if open_rounds > _OPEN_ROUNDS:
                    # it may have ended in each of these rounds, and nobody knows when it does
                    goes_on = Check(("the loop goes on",), *region.exits[-1].place)
                    unknown_rounds(shell, region, goes_on, test, body, step)
                    status = Check(("the loop's last command",), *tested_at(goes_on))
                    break
            shell.status = body()
            if end_round(shell, region):
                status = shell.status
                break
            status = shell.status
            step()
    finally:
        shell.status = status
        leave_loop(shell, region)
    return shell.status


def leave_loop(shell: Interpreter, region: Region) -> None:
    """Leave a loop: merge the ways that broke out of it."""
    inner = [taken for taken in region.exits if taken.count <= 1]
    outer = [taken for taken in region.exits if taken.count > 1]
    for taken in outer:
        taken.count -= 1
    region.exits = outer
    branching.leave_region(shell, region)
    region.exits = inner
    branching.rejoin(shell, region, (BREAK, CONTINUE))


def end_round(shell: Interpreter, region: Region) -> bool:
    """End one round of a loop; tell whether the loop is left."""
    if shell.signal == CONTINUE and shell.signal_count <= 1:
        shell.signal = 0
    if region.exits:
        # the ways that go on with the next round; one that leaves the loop is kept for its end
        continued = [
            taken for taken in region.exits if taken.signal == CONTINUE and taken.count <= 1
        ]
        if continued:
            region.exits = [taken for taken in region.exits if taken not in continued]
            branching.rejoin(shell, Region(LOOP, 0, 0, continued), (CONTINUE,))
    del shell.exclusions[region.exclusions :]
    if shell.signal in (BREAK, CONTINUE):
        if shell.signal_count > 1:
            shell.signal_count -= 1
        else:
            shell.signal = 0
        return True
    return bool(shell.signal)


def unknown_rounds(
    shell: Interpreter,
    region: Region,
    condition: Condition,
    test: Callable[[], Status],
    body: Callable[[], Status],
    step: Callable[[], object],
) -> None:
    """Evaluate a loop that runs an unknown number of times, till nothing changes any more.

    Calls are recorded in the last round only, when the state is what any round could find.
    """
    reason = Unknown(f"it depends on `{condition}`", *tested_at(condition))
    recorded = shell.calls

    def round_() -> Status:
        body()
        if shell.signal == BREAK or (shell.signal == CONTINUE and shell.signal_count > 1):
            return 0  # this way leaves the loop, and the other one goes on
        if not end_round(shell, region):
            step()
            test()
        return 0

    shell.calls = None
    for _ in range(_FIXPOINT_ROUNDS):
        before, surroundings = shell.state.copy(), shell.surroundings
        branching.branch(shell, condition, round_, None)
        shell.signal = 0
        shell.state = merge(shell.state, before.copy(), reason)
        if _unchanged(before, shell.state) and surroundings == shell.surroundings:
            break
    else:
        raise shell.exhausted("a loop does not settle")
    shell.calls = recorded
    if recorded is not None:
        branching.branch(shell, condition, round_, None)
        shell.signal = 0


@_giving_up
def run_for(shell: Interpreter, node: For) -> Status:
    """Evaluate `for name in words`."""
    if node.words is None:
        items = expansion.positional_words(shell.state.positional[-1])
        origin = source_of(node)
    else:
        items = _items(shell, node.words)
        origin = node.words[0].source if node.words else source_of(node)
    if node.is_select:
        shell.lose(origin, node.start, node.end, "it asks somebody (`select`)")
        return Check(("select",), origin, node.start, node.end)
    region = branching.enter_region(shell, LOOP)
    status: Status = 0
    try:
        for item in items:
            shell.spend(1)
            if item.__class__ is Mixed and item.is_many:
                condition = Check(("for", node.name, "in", item), origin, node.start, node.end)

                def again() -> Status:
                    return condition  # noqa: B023

                field = _as_field(item)

                def body(field: Value = field) -> Status:
                    shell.assign(node.name, field, origin, node.start, node.end)
                    return shell.run_list(node.body)

                unknown_rounds(shell, region, condition, again, body, lambda: None)
                status = Check(("the loop's last command",), origin, node.start, node.end)
                continue
            try:
                shell.assign(node.name, item, origin, node.start, node.end)
            except FatalProblem:
                raise
            except ExpansionProblem:
                status = 1
                break
            shell.status = shell.run_list(node.body)
            is_left = end_round(shell, region)
            status = shell.status
            if is_left:
                break
    finally:
        shell.status = status
        leave_loop(shell, region)
    return shell.status


def _items(shell: Interpreter, words: tuple[Word, ...]) -> list[Value]:
    """Return what the words of a `for` come to. Where one fails, bash counts the loop already."""
    region = branching.enter_region(shell, LOOP)
    try:
        return expansion.fields(shell, words)
    except ExpansionProblem:
        branching.note_lost_loops(shell)
        raise
    finally:
        branching.leave_region(shell, region)


def source_of(node: Command) -> Source:
    """Return the source of a node that does not carry it: that of a command inside it."""
    stack: list[object] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Simple | Word | Function):
            return item.source
        if isinstance(item, tuple):
            stack.extend(item)
        elif hasattr(item, "__dataclass_fields__"):
            stack.extend(getattr(item, name) for name in item.__dataclass_fields__)
    return Source("")


@_giving_up
def run_case(shell: Interpreter, node: Case) -> Status:
    """Evaluate `case`."""
    check_case_word(shell, node.subject)
    subject = expansion.unsplit(shell, node.subject)
    return case_from(shell, node, subject, 0)


def check_case_word(shell: Interpreter, word: Word) -> None:
    """Refuse a word in which bash (up to 5.2 at least) keeps a mark for what is empty.

    Neither `case "${x:9}"a in a)` nor `case ${x:-""a} in a)` matches there.
    """
    if word.literal is not None:
        return
    if _has_marked_operand(shell, word):
        raise Undecidable("empty quotes in the operand of `${name:-...}` in `case`")
    if len(word.parts) < 2:
        return
    for part in word.parts:
        if not isinstance(part, DoubleQuoted) or not part.parts:
            continue
        is_marking = all(
            isinstance(one, Parameter) and one.operator[:1] in _MARKING for one in part.parts
        )
        if is_marking and _is_empty(shell, word, part):
            raise Undecidable("an empty `${name:...}` in quotes beside other text in `case`")


def _has_marked_operand(shell: Interpreter, word: Word, *, is_alone: bool = True) -> bool:
    """Tell whether empty quotes stand in the operand of `:-` or the like, beside other text."""
    for part in word.parts:
        if not isinstance(part, Parameter) or part.operator[-1:] not in ("-", "=", "+"):
            continue
        operand = part.first
        assert operand is not None
        is_whole = is_alone and len(word.parts) == len(operand.parts) == 1
        if not is_whole and any(_is_empty(shell, operand, one) for one in operand.parts):
            return True
        if _has_marked_operand(shell, operand, is_alone=is_whole):
            return True
    return False


def _is_empty(shell: Interpreter, word: Word, part: Part) -> bool:
    """Tell whether a part is quotes with nothing in them, or may be."""
    if isinstance(part, Quoted):
        return not part.text
    if not isinstance(part, DoubleQuoted):
        return False
    alone = (part,)
    return expansion.may_assign(alone) or expansion.join_parts(shell, word, alone) == ""


def case_from(
    shell: Interpreter, node: Case, subject: Value, index: int, status: Status = 0
) -> Status:
    """Evaluate `case` from one of its clauses on; `status` is its status if none matches."""
    while index < len(node.arms):
        matched = arm_matches(shell, node, subject, node.arms[index])
        if matched is True:
            return run_arms(shell, node, subject, index)
        if matched is not False:
            return branching.branch(
                shell,
                matched,
                partial(run_arms, shell, node, subject, index),
                partial(case_from, shell, node, subject, index + 1, status),
            )
        index += 1
    return status


def run_arms(shell: Interpreter, node: Case, subject: Value, index: int) -> Status:
    """Evaluate a clause, and those that it falls through to (`;&`, `;;&`)."""
    while True:
        arm = node.arms[index]
        status = shell.run_list(arm.body)
        if shell.signal or arm.terminator == ";;" or index + 1 == len(node.arms):
            return status
        if arm.terminator == ";;&":
            return case_from(shell, node, subject, index + 1, status)
        index += 1


def arm_matches(shell: Interpreter, node: Case, subject: Value, arm: CaseArm) -> bool | Condition:
    """Tell whether one of a clause's patterns matches."""
    from overlaylint.shell.conditionals import matches

    result: bool | Condition = False
    for word in arm.patterns:
        check_case_word(shell, word)
        matched = matches(shell, subject, word, ("case", node.start, node.end))
        if matched is True:
            return True
        if matched is not False:
            result = matched if result is False else either(result, matched)  # type: ignore[arg-type]
    return result


@_giving_up
def run_arithmetic(shell: Interpreter, node: Arithmetic) -> Status:
    """Evaluate `((expression))`."""
    shell.spend(3)
    source = node.expression.source
    try:
        status = _truth(
            expansion.arithmetic(shell, source, node.expression), source, node.expression
        )
    except FatalProblem:
        raise
    except ExpansionProblem:
        status = 1  # bash only complains
    shell.pipe_status = status
    return status


@_giving_up
def run_conditional(shell: Interpreter, node: Conditional) -> Status:
    """Evaluate `[[ expression ]]`."""
    from overlaylint.shell.conditionals import conditional

    shell.spend(1)
    result = conditional(shell, node.expression)
    status: Status = int(not result) if isinstance(result, bool) else result
    shell.pipe_status = status
    return status


def run_function(shell: Interpreter, node: Function) -> Status:
    """Define a function."""
    shell.state.functions[node.name] = node
    return 0


def run_coprocess(shell: Interpreter, node: Coprocess) -> Status:
    """Evaluate a coprocess: nothing of it comes back."""
    with shell.subshell(output=None):
        shell.run(node.command)
        shell.end_subshell()
    return 0


def run_opaque(shell: Interpreter, node: Opaque) -> Status:
    """Meet what could not be parsed."""
    shell.state.make_unknown(Unknown(node.reason, None, node.start, node.end))
    return Check((node.reason,))


@_giving_up
def run_redirected(shell: Interpreter, node: Redirected) -> Status:
    """Evaluate a compound command with redirections."""
    redirects = redirecting.redirects(shell, node.redirections)
    if shell.calls is not None:
        calling.record_files(shell, redirects, source_of(node), node.start, node.end)

    def run() -> Status:
        with redirecting.redirected(shell, redirects):
            return shell.run(node.command)

    opens = None if shell.is_tracing else redirecting.opens(shell, redirects)
    return run() if opens is None else branching.branch(shell, opens, run, lambda: 1)


def _last_failure(statuses: list[Status]) -> Status:
    """Return a pipeline's status with `pipefail`: the last one that is not 0."""
    result: Status = 0
    for status in statuses:
        if isinstance(status, int):
            result = status or result
        elif result == 0:
            result = status
        else:
            result = FAILED if isinstance(result, int) else both(result, status)
    return result


def _as_field(value: Mixed) -> Value:
    """Return one of the fields that an unquoted expansion comes to: none of them is empty."""
    only = value.parts[0]
    if len(value.parts) == 1 and isinstance(only, Unknown) and only.choices:
        choices = tuple(choice for choice in only.choices if choice[1])
        if len(choices) == 1 and not any(sign in choices[0][1] for sign in " \t\n*?[:"):
            return choices[0][1]
        value = Mixed((replace(only, choices=choices),))
    return as_one(value)


def _is_constant(command: Command) -> bool:
    """Tell whether a condition is just `true`, `false` or `:`, whatever the state."""
    if isinstance(command, List):
        return len(command.commands) == 1 and _is_constant(command.commands[0])
    if isinstance(command, Pipeline):
        return len(command.commands) == 1 and _is_constant(command.commands[0])
    if not isinstance(command, Simple) or len(command.words) != 1:
        return False
    word = command.words[0]
    return isinstance(word, Word) and word.literal in ("true", "false", ":")


def _truth(value: Value, source: Source, word: Word) -> Status:
    """Return the status of an arithmetic command."""
    if isinstance(value, str):
        return int(int(value) == 0)
    return Check(("((", word.raw, "))"), source, word.start, word.end)


def _unchanged(before: State, after: State) -> bool:
    """Tell whether a round of a loop changed nothing that matters."""
    for one, other in zip(before.scopes, after.scopes, strict=True):
        if one.keys() != other.keys():
            return False
        for name, variable in one.items():
            there = other[name]
            if variable is there:
                continue
            if variable.flags != there.flags:
                return False
            if variable.value != there.value:
                return False
    return (
        before.functions == after.functions
        and before.unnamed == after.unnamed
        and before.positional == after.positional
        and before.output == after.output
    )
