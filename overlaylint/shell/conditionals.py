"""`[[ ]]`, `test` and `case`: what holds, what does not, and what nobody can tell (6.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from overlaylint.shell.arithmetic import ArithmeticProblem, evaluate
from overlaylint.shell.conditions import Check, Condition, both, either, negate
from overlaylint.shell.expansion import (
    UnknownValue,
    Variables,
    fetch,
    pattern_of,
    pattern_pieces,
    value_of,
)
from overlaylint.shell.patterns import Pattern
from overlaylint.shell.regexes import search
from overlaylint.shell.syntax import (
    Context,
    Source,
    Test,
    TestBoth,
    TestExpression,
    TestNot,
    Word,
    encode,
)
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import Elements, Flag, Mixed, Value, Variable

if TYPE_CHECKING:
    from overlaylint.shell.interpreter import Interpreter

Truth = bool | Condition

_NUMERIC = {
    "-eq": int.__eq__, "-ne": int.__ne__, "-lt": int.__lt__,
    "-le": int.__le__, "-gt": int.__gt__, "-ge": int.__ge__,
}  # fmt: skip


def conditional(shell: Interpreter, expression: TestExpression) -> Truth:
    """Return whether what stands between `[[` and `]]` holds."""
    if isinstance(expression, Test):
        return _test(shell, expression)
    if isinstance(expression, TestNot):
        inside = conditional(shell, expression.test)
        return not inside if isinstance(inside, bool) else negate(inside)
    assert isinstance(expression, TestBoth)
    left = conditional(shell, expression.left)
    if isinstance(left, bool):
        if left == expression.is_or:
            return left
        return conditional(shell, expression.right)
    right = conditional(shell, expression.right)
    if isinstance(right, bool):
        if right == expression.is_or:
            return right
        return left
    return either(left, right) if expression.is_or else both(left, right)


def _test(shell: Interpreter, test: Test) -> Truth:
    """Return whether one test inside `[[ ]]` holds."""
    operator = test.operator
    if test.left is None:
        value = value_of(shell, test.right)
        return unary(shell, operator, value, test.right.source, test.start, test.end)
    left = value_of(shell, test.left)
    if operator in ("==", "=", "!="):
        result = matches(shell, left, test.right, ("[[", test.start, test.end), is_test=True)
        if operator == "!=":
            return not result if isinstance(result, bool) else negate(result)
        return result
    if operator == "=~":
        return _regular(shell, left, test)
    right = value_of(shell, test.right)
    return binary(
        shell, left, operator, right, test.right.source, test.start, test.end, is_arithmetic=True
    )


def matches(
    shell: Interpreter,
    subject: Value,
    word: Word,
    place: tuple[str, int, int],
    *,
    is_test: bool = False,
) -> Truth:
    """Return whether a pattern matches the whole of `subject`."""
    pattern, _ = pattern_of(shell, word, always_extended=is_test)
    if pattern is not None:
        if isinstance(subject, str):
            try:
                return pattern.matches(subject)
            except Undecidable:
                pass
        elif len(subject.parts) == 1 and subject.unknown.choices:
            try:
                return decided_by(subject, pattern.matches)
            except Undecidable:
                pass
        else:
            certain = _matches_mixed(subject, pattern, word)
            if certain is not None:
                return certain
        written: Value = word.raw if pattern.literal is None else pattern.literal
    else:
        written = value_of(shell, word)
        if written == subject and isinstance(written, Mixed) and written.is_symbolic:
            return True
        if (
            isinstance(subject, str)
            and isinstance(written, Mixed)
            and _differ(subject, written)
            and not _wild(word)
        ):
            return False
    name, start, end = place
    return Check((name, subject, "==", written), word.source, start, end)


def decided_by(subject: Mixed, test: Callable[[str], bool]) -> Truth:
    """Return when a test holds for a value that is one of several texts."""
    result: Truth = False
    answers = [(condition, test(text)) for condition, text in subject.unknown.choices]
    if all(answer == answers[0][1] for _, answer in answers):
        return answers[0][1]
    for condition, answer in answers:
        if answer:
            result = condition if isinstance(result, bool) else either(result, condition)
    return result


def _wild(word: Word) -> bool:
    """Tell whether a pattern has unquoted parts that could hold wildcards."""
    from overlaylint.shell.syntax import DoubleQuoted, Quoted

    return not all(isinstance(part, DoubleQuoted | Quoted) for part in word.parts)


def _matches_mixed(subject: Mixed, pattern: Pattern, word: Word) -> bool | None:
    """Return whether a pattern matches partly known text, where that is certain."""
    if pattern.literal is not None:
        if _differ(pattern.literal, subject):
            return False
        return None
    if word.raw == "*":
        return True
    return None


def _differ(text: str, mixed: Mixed) -> bool:
    """Tell whether partly known text is certainly not `text`."""
    if not text.startswith(mixed.head) or not text.endswith(mixed.tail):
        return True
    if len(mixed.head) + len(mixed.tail) > len(text):
        return True
    return text == "" and mixed.is_nonempty


def _regular(shell: Interpreter, left: Value, test: Test) -> Truth:
    """Return whether `left =~ right` holds; sets BASH_REMATCH."""
    pieces, problem = pattern_pieces(shell, test.right)
    place = test.right.source, test.start, test.end
    reason = ""
    if problem is None and isinstance(left, str):
        try:
            groups = search(tuple(pieces), left)
        except Undecidable as undecidable:
            reason = str(undecidable)
        else:
            found: Elements = dict(enumerate(groups or ()))
            shell.store("BASH_REMATCH", Variable(found, Flag.INDEXED, *place))
            return groups is not None
    unknown_groups = shell.value_unknown(
        reason or "what was matched is unknown", *place, left, problem
    )
    shell.store("BASH_REMATCH", Variable(unknown_groups, Flag.INDEXED, *place))
    return Check(("[[", left, "=~", test.right.raw), *place)


def unary(
    shell: Interpreter,
    operator: str,
    value: Value,
    source: Source,
    start: int,
    end: int,
) -> Truth:
    """Return whether `operator value` holds."""
    if operator in ("-n", "-z"):
        if isinstance(value, str):
            return (value != "") == (operator == "-n")
        if value.is_nonempty:
            return operator == "-n"
        if len(value.parts) == 1 and value.unknown.choices:
            return decided_by(value, lambda text: (text != "") == (operator == "-n"))
    elif operator == "-v" and isinstance(value, str):
        is_set = _is_set(shell, value)
        if is_set is not None:
            return is_set
    elif operator == "-R" and isinstance(value, str):
        variable = shell.state.find(value)
        if variable is None or not variable.flags & Flag.MAYBE_UNSET:
            return variable is not None and bool(variable.flags & Flag.REFERENCE)
    elif operator == "-o" and value in ("noglob", "errexit", "nounset", "noexec", "xtrace"):
        letter = {"noglob": "f", "errexit": "e", "nounset": "u", "noexec": "n", "xtrace": "x"}[
            str(value)
        ]
        return letter in shell.state.shell_options
    elif value == "" and operator not in ("-o", "-t"):
        return False  # there is no file without a name
    return Check(("test", operator, value), source, start, end)


def _is_set(shell: Interpreter, name: str) -> bool | None:
    """Return whether `[[ -v name ]]` holds; None if unknown."""
    base, bracket, rest = name.partition("[")
    variable = shell.find(base)
    if variable is None:
        special = shell.special(base) if base else None
        if isinstance(special, Mixed):
            return None
        return special is not None
    if variable.flags & Flag.MAYBE_UNSET:
        return None
    value = variable.value
    if not bracket:
        if isinstance(value, dict):
            return ("0" if variable.flags & Flag.ASSOCIATIVE else 0) in value
        if isinstance(value, Mixed) and variable.flags & (Flag.INDEXED | Flag.ASSOCIATIVE):
            return None
        return value is not None
    subscript = rest.removesuffix("]")
    if subscript in ("@", "*"):
        if isinstance(value, Mixed) and variable.flags & (Flag.INDEXED | Flag.ASSOCIATIVE):
            return None
        return bool(value) if isinstance(value, dict) else value is not None
    text = encode(subscript)
    found = fetch(
        shell, shell.made(""), base, Word(shell.made(text), 0, len(text), Context.OPERAND)
    )
    if isinstance(found, Mixed) and isinstance(value, Mixed):
        return None
    return found is not None


def binary(
    shell: Interpreter,
    left: Value,
    operator: str,
    right: Value,
    source: Source,
    start: int,
    end: int,
    *,
    is_arithmetic: bool,
) -> Truth:
    """Return whether `left operator right` holds; patterns are not matched here."""
    check = Check(("test", left, operator, right), source, start, end)
    if operator in _NUMERIC:
        numbers: list[int] = []
        for value in (left, right):
            if isinstance(value, Mixed):
                return check
            try:
                numbers.append(
                    _number(shell, value, source, start, end, is_arithmetic=is_arithmetic)
                )
            except UnknownValue:
                return check
            except ArithmeticProblem:
                return False  # bash only complains
        return _NUMERIC[operator](numbers[0], numbers[1])
    if operator in ("=", "==", "!="):
        if isinstance(left, str) and isinstance(right, str):
            return (left == right) == (operator != "!=")
        if left == right and isinstance(left, Mixed) and left.is_symbolic:
            return operator != "!="
        if isinstance(left, str) and isinstance(right, Mixed) and _differ(left, right):
            return operator == "!="
        if isinstance(right, str) and isinstance(left, Mixed) and _differ(right, left):
            return operator == "!="
        return (
            negate(Check(("test", left, "=", right), source, start, end))
            if operator == "!="
            else check
        )
    if operator not in ("<", ">") or isinstance(left, Mixed) or isinstance(right, Mixed):
        return check
    if not left.isascii() or not right.isascii():
        return check
    return left < right if operator == "<" else left > right


def _number(
    shell: Interpreter, text: str, source: Source, start: int, end: int, *, is_arithmetic: bool
) -> int:
    """Return the operand of a numeric test; `[[` takes an expression, `test` only a number."""
    stripped = text.strip(" \t\n")
    if is_arithmetic:
        if not stripped:
            return 0
        return evaluate(text, Variables(shell, source, Word(source, start, end)))
    digits = stripped[1:] if stripped[:1] in ("-", "+") else stripped
    if not digits.isdecimal() or not digits.isascii():
        raise _NotANumber(text)
    return int(stripped)


class _NotANumber(Exception):
    """`test` was given something else than a number: it fails with status 2."""


# --- test and [ ---------------------------------------------------------------------------

_UNARY = frozenset("-" + letter for letter in "abcdefghknoprstuvwxzGLNORS")
_BINARY = frozenset({"=", "==", "!=", "<", ">", "-nt", "-ot", "-ef", *_NUMERIC})


class _Malformed(Exception):
    """The arguments of `test` make no expression: status 2."""


def test_command(
    shell: Interpreter, arguments: list[Value], source: Source, start: int, end: int
) -> Truth | None:
    """Return whether `test arguments` holds; None where it fails with status 2 (4.1)."""
    check = Check(("test", *arguments), source, start, end)
    if any(isinstance(argument, Mixed) and argument.is_many for argument in arguments):
        return check
    try:
        return _Arguments(shell, arguments, source, start, end).whole()
    except (_Malformed, _NotANumber):
        return None


class _Arguments:
    """The arguments of `test`, read as POSIX has it: the rule depends on their number."""

    def __init__(
        self, shell: Interpreter, words: list[Value], source: Source, start: int, end: int
    ) -> None:
        self.shell = shell
        self.words = words
        self.place = source, start, end

    def whole(self) -> Truth:
        """Return the truth of all the arguments."""
        return self.of(self.words)

    def of(self, words: list[Value]) -> Truth:
        """Return the truth of some arguments, by their number."""
        count = len(words)
        if count == 0:
            return False
        if count == 1:
            return unary(self.shell, "-n", words[0], *self.place)
        if count == 2:
            if words[0] == "!":
                return _not(self.of(words[1:]))
            if words[0] in _UNARY:
                return unary(self.shell, str(words[0]), words[1], *self.place)
            raise _Malformed
        if count == 3:
            if words[1] in _BINARY:
                return binary(
                    self.shell, words[0], str(words[1]), words[2], *self.place, is_arithmetic=False
                )
            if words[1] in ("-a", "-o"):
                return self.joined(words, 1)
            if words[0] == "!":
                return _not(self.of(words[1:]))
            if words[0] == "(" and words[2] == ")":
                return self.of(words[1:2])
            raise _Malformed
        if count == 4:
            if words[0] == "!":
                return _not(self.of(words[1:]))
            if words[0] == "(" and words[3] == ")":
                return self.of(words[1:3])
        return self.long(words)

    def joined(self, words: list[Value], index: int) -> Truth:
        """Return the truth of two sides joined by `-a` or `-o` at `index`."""
        left, right = self.of(words[:index]), self.of(words[index + 1 :])
        is_or = words[index] == "-o"
        if isinstance(left, bool):
            return left if left == is_or else right
        if isinstance(right, bool):
            return right if right == is_or else left
        return either(left, right) if is_or else both(left, right)

    def long(self, words: list[Value]) -> Truth:
        """Return the truth of five arguments or more: `-o` binds weakest, then `-a`."""
        for operator in ("-o", "-a"):
            depth = 0
            for index in range(1, len(words) - 1):
                word = words[index]
                if word == "(":
                    depth += 1
                elif word == ")":
                    depth -= 1
                elif word == operator and depth == 0 and words[index - 1] not in _BINARY:
                    return self.joined(words, index)
        if words[0] == "!":
            return _not(self.of(words[1:]))
        if words[0] == "(" and words[-1] == ")":
            return self.of(words[1:-1])
        raise _Malformed


def _not(truth: Truth) -> Truth:
    return not truth if isinstance(truth, bool) else negate(truth)
