"""`[[ ]]`, `test` and `case`: what holds, what does not, and what nobody can tell (6.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from overlaylint.shell import branching, expansion
from overlaylint.shell.conditions import Check, Condition, both, either, negate
from overlaylint.shell.expansion import (
    is_split,
    known_pieces,
    last_index,
    may_assign,
    pattern_of,
    pattern_pieces,
    subscript_key,
    unsplit,
)
from overlaylint.shell.problems import ExpansionProblem, FatalProblem
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
from overlaylint.shell.values import (
    DOUBTS,
    MAYBE_ARRAY,
    Elements,
    Flag,
    Mixed,
    Value,
    Variable,
    concatenate,
)

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
    if _may_assign(expression.right):
        # what the right side does happens only if the left side lets it

        def right_side() -> int | Condition:
            truth = conditional(shell, expression.right)
            return int(not truth) if isinstance(truth, bool) else truth

        if expression.is_or:
            status = branching.branch(shell, left, lambda: 0, right_side)
        else:
            status = branching.branch(shell, left, right_side, lambda: 1)
        return status == 0 if isinstance(status, int) else status
    right = conditional(shell, expression.right)
    if isinstance(right, bool):
        if right == expression.is_or:
            return right
        return left
    return either(left, right) if expression.is_or else both(left, right)


def _may_assign(expression: TestExpression) -> bool:
    """Tell whether evaluating a test may change anything."""
    if isinstance(expression, TestNot):
        return _may_assign(expression.test)
    if isinstance(expression, TestBoth):
        return _may_assign(expression.left) or _may_assign(expression.right)
    words = [word for word in (expression.left, expression.right) if word is not None]
    if expression.operator == "=~" or any(may_assign(word.parts) for word in words):
        return True
    return expression.operator in _NUMERIC and any(
        "=" in w.raw or "++" in w.raw or "--" in w.raw for w in words
    )


def _test(shell: Interpreter, test: Test) -> Truth:
    """Return whether one test inside `[[ ]]` holds."""
    operator = test.operator
    if test.left is None:
        value = unsplit(shell, test.right)
        return unary(shell, operator, value, test.right.source, test.start, test.end)
    left = unsplit(shell, test.left)
    if operator in ("==", "=", "!="):
        result = matches(shell, left, test.right, ("[[", test.start, test.end), is_test=True)
        if operator == "!=":
            return not result if isinstance(result, bool) else negate(result)
        return result
    if operator == "=~":
        return _regular(shell, left, test)
    right = unsplit(shell, test.right)
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
    name, start, end = place
    if is_split(shell, word, joins=is_test):
        return Check((name, subject, "==", word.raw), word.source, start, end)
    pieces = pattern_pieces(shell, word)
    known = known_pieces(pieces)
    written: Value
    if known is not None:
        written = word.raw
        try:
            pattern = pattern_of(shell, known, always_extended=is_test, heeds_case=True)
            if pattern.literal is not None:
                written = pattern.literal
            if isinstance(subject, str):
                return pattern.matches(subject)
            if len(subject.parts) == 1 and subject.unknown.choices:
                return decided_by(subject, pattern.matches)
            answer = pattern.matches_around(subject.texts)
        except Undecidable:
            pass
        else:
            if answer is not None:
                return answer
            if any(_lacks(subject, text) for text in pattern.texts):
                return False
            if pattern.literal == "" and subject.is_nonempty:
                return False
    else:
        written = concatenate(*[text for text, _ in pieces])
        # what the package manager sets and names (`CHOST`, `D`) holds no wildcards
        is_literal = all(
            is_quoted or (isinstance(text, Mixed) and text.is_symbolic)
            for text, is_quoted in pieces
        )
        if is_literal and isinstance(written, Mixed):
            if written == subject and written.is_symbolic:
                return True
            if (
                isinstance(subject, str)
                and shell.state.option("nocasematch") is False
                and _differ(subject, written)
            ):
                return False
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


def _lacks(subject: Mixed, text: str) -> bool:
    """Tell whether `text` has a blank, and the subject certainly has none."""
    return any(blank in text for blank in " \t\n") and not any(
        any(blank in part for blank in " \t\n") if isinstance(part, str) else not part.is_word
        for part in subject.parts
    )


def _differ(text: str, mixed: Mixed) -> bool:
    """Tell whether partly known text is certainly not `text`."""
    if not text.startswith(mixed.head) or not text.endswith(mixed.tail):
        return True
    if len(mixed.head) + len(mixed.tail) > len(text):
        return True
    return text == "" and mixed.is_nonempty


def _regular(shell: Interpreter, left: Value, test: Test) -> Truth:
    """Return whether `left =~ right` holds; sets BASH_REMATCH."""
    pieces = pattern_pieces(shell, test.right)
    known = None if is_split(shell, test.right, joins=True) else known_pieces(pieces)
    place = test.right.source, test.start, test.end
    reason = "what was matched is unknown"
    ignores_case = shell.state.option("nocasematch")
    if known is not None and isinstance(left, str) and ignores_case is not None:
        from overlaylint.shell.regexes import search

        try:
            groups = search(known, left, ignore_case=bool(ignores_case))
        except Undecidable as undecidable:
            reason = undecidable.reason
        else:
            found: Elements = dict(enumerate(groups or ()))
            shell.store("BASH_REMATCH", Variable(found, Flag.INDEXED, *place))
            return groups is not None
    causes = [text for text, _ in pieces]
    groups_unknown = shell.value_unknown(reason, *place, left, causes)
    shell.store("BASH_REMATCH", Variable(groups_unknown, Flag.INDEXED | Flag.MAYBE_UNSET, *place))
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
        if variable is None and shell.state.havoc is None:
            return False
        if variable is not None and not variable.flags & (Flag.MAYBE_UNSET | DOUBTS):
            return bool(variable.flags & Flag.REFERENCE) and variable.value is not None
    elif operator == "-o" and isinstance(value, str):
        letter = _OPTION_LETTERS.get(value)
        options = shell.state.shell_options
        if letter is not None and f"?{letter}" not in options:
            return letter in options
    elif value == "" and operator not in ("-o", "-t", "-v", "-R"):
        return False  # there is no file without a name
    elif shell.files is not None and operator in _FILE_TESTS:
        holds = shell.files.test(operator, value)
        if holds is not None:
            return holds
    return Check(("test", operator, value), source, start, end)


_FILE_TESTS = frozenset(f"-{letter}" for letter in "abcdefghkprsuwxGLNOS")


_OPTION_LETTERS = {
    "noglob": "f", "errexit": "e", "nounset": "u", "noexec": "n", "xtrace": "x",
    "noclobber": "C", "pipefail": "|", "verbose": "v",
}  # fmt: skip


def _is_set(shell: Interpreter, name: str) -> bool | None:
    """Return whether `[[ -v name ]]` holds; None if unknown."""
    base, bracket, rest = name.partition("[")
    if not bracket and name.isdigit():
        positional = shell.state.positional[-1]
        if int(name) <= len(positional.words):
            return True
        return False if positional.rest is None else None
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", base) or (bracket and rest[-1:] != "]"):
        return False
    resolved = shell.resolve(base)
    if resolved is None or resolved != base:
        return None if resolved is None or bracket else _is_set(shell, resolved)
    variable = shell.find(base)
    if variable is None:
        special = shell.special(base)
        if isinstance(special, Mixed):
            return None
        return special is not None and (not bracket or rest in ("0]", "@]", "*]"))
    value, flags = variable.value, variable.flags
    if flags & Flag.MAYBE_UNSET or (isinstance(value, Mixed) and flags & MAYBE_ARRAY):
        return None
    if not bracket:
        if isinstance(value, dict):
            return ("0" if flags & Flag.ASSOCIATIVE else 0) in value
        return value is not None
    subscript = rest.removesuffix("]")
    if subscript in ("@", "*") and not flags & Flag.ASSOCIATIVE:
        return bool(value) if isinstance(value, dict) else value is not None
    if value is None:
        return False
    text = encode(subscript)
    key = subscript_key(shell, Word(shell.made(text), 0, len(text), Context.OPERAND), variable)
    if isinstance(key, Mixed):
        return None
    if isinstance(value, dict):
        if isinstance(key, int) and key < 0:
            key += last_index(value) + 1
        return key in value
    return key in (0, -1)


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
        if is_arithmetic:
            word = Word(source, start, end)
            try:
                values = [expansion.computed(shell, source, word, side) for side in (left, right)]
            except FatalProblem:
                raise
            except ExpansionProblem:
                return False  # bash only complains
            if isinstance(values[0], str) and isinstance(values[1], str):
                return _NUMERIC[operator](int(values[0]), int(values[1]))
            return check
        if isinstance(left, Mixed) or isinstance(right, Mixed):
            for side in (left, right):
                if isinstance(side, str):
                    _number(side)
            return check
        return _NUMERIC[operator](_number(left), _number(right))
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


def _number(text: str) -> int:
    """Return the operand of a numeric `test`."""
    stripped = text.strip(" \t\n\v\f\r")
    digits = stripped[1:] if stripped[:1] in ("-", "+") else stripped
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 1000:
        raise _NotANumber(text)
    number = int(stripped)
    if not -(1 << 63) <= number < 1 << 63:
        raise _NotANumber(text)
    return number


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
        return _Arguments(shell, arguments, source, start, end).of(arguments)
    except (_Malformed, _NotANumber):
        return None
    except _Open:
        return check


class _Open(Exception):
    """How the arguments of `test` are read depends on one that is unknown."""


class _Arguments:
    """The arguments of `test`, read as POSIX has it: the rule depends on their number."""

    def __init__(
        self, shell: Interpreter, words: list[Value], source: Source, start: int, end: int
    ) -> None:
        self.shell = shell
        self.words = words
        self.place = source, start, end
        self.position = 0

    def of(self, words: list[Value]) -> Truth:
        """Return the truth of some arguments, by their number."""
        count = len(words)
        if count == 0:
            return False
        if count == 1:
            return unary(self.shell, "-n", words[0], *self.place)
        first = words[0]
        if count == 2:
            if isinstance(first, Mixed):
                raise _Open
            if first == "!":
                return _not(self.of(words[1:]))
            if first in _UNARY:
                return unary(self.shell, first, words[1], *self.place)
            raise _Malformed
        if count == 3:
            operator = words[1]
            if isinstance(operator, Mixed):
                raise _Open
            if operator in _BINARY:
                return self.binary(first, operator, words[2])
            if operator in ("-a", "-o"):
                left, right = self.of(words[:1]), self.of(words[2:])
                return _joined(left, right, is_or=operator == "-o")
            if isinstance(first, Mixed):
                raise _Open
            if first == "!":
                return _not(self.of(words[1:]))
            if first == "(" and words[2] == ")":
                return self.of(words[1:2])
            raise _Malformed
        if isinstance(first, Mixed):
            raise _Open
        if count == 4:
            if first == "!":
                return _not(self.of(words[1:]))
            if first == "(" and words[3] == ")":
                return self.of(words[1:3])
        if any(isinstance(word, Mixed) and not _is_operand(word) for word in words):
            raise _Open
        truth = self.either()
        if self.position != len(self.words):
            raise _Malformed
        return truth

    def binary(self, left: Value, operator: str, right: Value) -> Truth:
        """Return the truth of two arguments with an operator between them."""
        return binary(self.shell, left, operator, right, *self.place, is_arithmetic=False)

    def peek(self, offset: int = 0) -> str | None:
        """Return an argument that is yet to be read; one known in part is a path, no operator."""
        index = self.position + offset
        if index >= len(self.words):
            return None
        word = self.words[index]
        return word if isinstance(word, str) else "/"

    def either(self) -> Truth:
        """Read what `-o` joins, which binds weakest."""
        truth = self.all_of()
        while self.peek() == "-o":
            self.position += 1
            truth = _joined(truth, self.either(), is_or=True)
        return truth

    def all_of(self) -> Truth:
        """Read what `-a` joins."""
        truth = self.term()
        while self.peek() == "-a":
            self.position += 1
            truth = _joined(truth, self.all_of(), is_or=False)
        return truth

    def term(self) -> Truth:
        """Read one test, one in parentheses, or a negated one."""
        word = self.peek()
        if word is None:
            raise _Malformed
        if word == "!":
            self.position += 1
            return _not(self.term())
        if word == "(":
            self.position += 1
            if self.peek() is None:
                raise _Malformed
            truth = self.either()
            if self.peek() != ")":
                raise _Malformed
            self.position += 1
            return truth
        operator = self.peek(1)
        right = self.peek(2)
        if right is not None and operator in _BINARY:
            left, following = self.words[self.position], self.words[self.position + 2]
            self.position += 3
            return self.binary(left, str(operator), following)
        if len(word) == 2 and word in _UNARY:
            if operator is None:
                raise _Malformed
            operand = self.words[self.position + 1]
            self.position += 2
            return unary(self.shell, word, operand, *self.place)
        self.position += 1
        return word != ""


def _is_operand(word: Mixed) -> bool:
    """Whether a word is certainly no operator of `test`: none has a slash in it."""
    return any(isinstance(part, str) and "/" in part for part in word.parts)


def _joined(left: Truth, right: Truth, *, is_or: bool) -> Truth:
    """Return the truth of two sides, both of which were read."""
    if isinstance(left, bool):
        return left if left == is_or else right
    if isinstance(right, bool):
        return right if right == is_or else left
    return either(left, right) if is_or else both(left, right)


def _not(truth: Truth) -> Truth:
    return not truth if isinstance(truth, bool) else negate(truth)
