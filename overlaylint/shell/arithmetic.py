"""Shell arithmetic (bash manual 6.5): 64-bit integers, C's operators, variables by name.

An expression is parsed once into closures, which are kept. Bash evaluates while it parses; where
that shows (an assignment before a syntax error), what was assigned is not decided.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NoReturn, Protocol

from overlaylint.records import dataclass
from overlaylint.shell.undecidable import TooExpensive, Undecidable

__all__ = ["ArithmeticProblem", "TooExpensive", "Undecidable", "Variables", "evaluate"]

_CACHE_SIZE = 4096
_DEEPEST = 40  # of parentheses and the like in one expression
_DEEPEST_VALUE = 40  # of variables whose values are expressions
_MOST_VALUES = 10_000  # of variables looked up by one expression
_LONGEST = 100_000

_SMALLEST: Final = -(1 << 63)
_LARGEST: Final = (1 << 63) - 1
_MASK: Final = (1 << 64) - 1


class ArithmeticProblem(Exception):
    """Bash would refuse the expression; `message` is what it would say.

    `is_late` tells that it may have assigned something before it met the fault.
    """

    def __init__(self, message: str, *, is_late: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_late = is_late


class Variables(Protocol):
    """The variables that an expression can name.

    A subscript is the text between the brackets as it is written: for an indexed array it is an
    expression of its own, for an associative one the key.
    """

    def get(self, name: str, subscript: str | None) -> str:
        """Return the value, or nothing if it is unset; what this raises ends the evaluation."""
        ...

    def set(self, name: str, subscript: str | None, value: int) -> None:
        """Assign a value."""
        ...


def evaluate(expression: str, variables: Variables) -> int:
    """Return the value of an expression, as a signed 64-bit integer.

    Raises `ArithmeticProblem` where bash would fail, and `Undecidable` where it can't be told.
    Sides of `&&`, `||` and `?:` that bash passes over are not looked up.
    """
    if _is_plain(expression):
        return int(expression)
    try:
        return _compiled(expression)(_Environment(variables))
    except RecursionError:
        raise TooExpensive("an expression nested too deeply") from None


def _is_plain(text: str) -> bool:
    """Whether `text` is a decimal number that needs no thought."""
    return (
        text.isdigit() and text.isascii() and len(text) < 19 and (text[0] != "0" or len(text) == 1)
    )


class _Environment:
    """What closures need: the variables, and what is left of the budget."""

    __slots__ = ("depth", "left", "variables")

    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.depth = 0
        self.left = _MOST_VALUES

    def value(self, name: str, subscript: str | None) -> int:
        """Return a variable's value; it may be an expression itself."""
        text = self.variables.get(name, subscript)
        if _is_plain(text):
            return int(text)
        if not text:
            return 0
        self.left -= 1
        if self.depth >= _DEEPEST_VALUE or self.left < 0:
            raise TooExpensive("variables whose values are expressions, nested too deeply")
        run = _compiled(text)
        self.depth += 1
        result = run(self)
        self.depth -= 1
        return result


_Run = Callable[[_Environment], int]
_cache: dict[str, _Run] = {}


def _compiled(expression: str) -> _Run:
    run = _cache.get(expression)
    if run is None:
        if len(expression) > _LONGEST:
            raise TooExpensive("a very long expression")
        run = _compile(_Parser(expression).parse())
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[expression] = run
    return run


# --- the tree --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Number:
    value: int


@dataclass(frozen=True, slots=True)
class _Name:
    name: str
    subscript: str | None


@dataclass(frozen=True, slots=True)
class _Unary:
    operator: str
    operand: _Node


@dataclass(frozen=True, slots=True)
class _Binary:
    operator: str
    left: _Node
    right: _Node


@dataclass(frozen=True, slots=True)
class _Logical:
    """`&&` or `||`."""

    is_or: bool
    left: _Node
    right: _Node


@dataclass(frozen=True, slots=True)
class _Choice:
    condition: _Node
    yes: _Node
    no: _Node


@dataclass(frozen=True, slots=True)
class _Assignment:
    """`name = value`, or `name operator= value`."""

    target: _Name
    operator: str
    value: _Node


@dataclass(frozen=True, slots=True)
class _Step:
    """`name++` and the like; `is_after` if the value is the one before the step."""

    target: _Name
    by: int
    is_after: bool


_Node = _Number | _Name | _Unary | _Binary | _Logical | _Choice | _Assignment | _Step


def _wrapped(value: int) -> int:
    """Return `value` as 64 bits hold it."""
    if _SMALLEST <= value <= _LARGEST:
        return value
    return ((value - _SMALLEST) & _MASK) + _SMALLEST


def _divided(left: int, right: int) -> int:
    if not right:
        raise ArithmeticProblem("division by 0")
    quotient = abs(left) // abs(right)
    return _wrapped(quotient if (left < 0) == (right < 0) else -quotient)


def _remainder(left: int, right: int) -> int:
    if not right:
        raise ArithmeticProblem("division by 0")
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def _power(base: int, exponent: int) -> int:
    if exponent < 0:
        raise ArithmeticProblem("exponent less than 0")
    return _wrapped(pow(base, exponent, 1 << 64))


_BINARY: Final[dict[str, Callable[[int, int], int]]] = {
    "+": lambda left, right: _wrapped(left + right),
    "-": lambda left, right: _wrapped(left - right),
    "*": lambda left, right: _wrapped(left * right),
    "/": _divided,
    "%": _remainder,
    "**": _power,
    # the processor takes the low six bits of the count
    "<<": lambda left, right: _wrapped(left << (right & 63)),
    ">>": lambda left, right: left >> (right & 63),
    "&": lambda left, right: left & right,
    "^": lambda left, right: left ^ right,
    "|": lambda left, right: left | right,
    "<": lambda left, right: int(left < right),
    ">": lambda left, right: int(left > right),
    "<=": lambda left, right: int(left <= right),
    ">=": lambda left, right: int(left >= right),
    "==": lambda left, right: int(left == right),
    "!=": lambda left, right: int(left != right),
    ",": lambda _left, right: right,
}
_DIVISIONS: Final = ("/", "%")
_UNARY: Final[dict[str, Callable[[int], int]]] = {
    "!": lambda value: int(not value),
    "~": lambda value: ~value,
    "-": lambda value: _wrapped(-value),
    "+": lambda value: value,
}
_PRECEDENCE: Final = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7,
    "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip


def _passed_over(node: _Node) -> int:
    """Return what a side that isn't evaluated comes to: variables are 0, nothing is assigned.

    Bash computes it all the same, and fails if it has a negative exponent.
    """
    match node:
        case _Number(value):
            return value
        case _Unary(operator, operand):
            return _UNARY[operator](_passed_over(operand))
        case _Binary(operator, left, right):
            first, second = _passed_over(left), _passed_over(right)
            if operator in _DIVISIONS and not second:
                second = 1
            return _BINARY[operator](first, second)
        case _Logical(is_or, left, right):
            first, second = _passed_over(left), _passed_over(right)
            return int(bool(first or second) if is_or else bool(first and second))
        case _Choice(condition, yes, no):
            first, second, third = map(_passed_over, (condition, yes, no))
            return second if first else third
        case _Assignment(_, operator, value):
            result = _passed_over(value)
            if not operator:
                return result
            return _BINARY[operator](0, (result or 1) if operator in _DIVISIONS else result)
        case _Step(_, by, is_after):
            return 0 if is_after else by
        case _Name():
            return 0


def _compile(node: _Node) -> _Run:
    match node:
        case _Number(value):
            return lambda _environment: value
        case _Name(name, subscript):
            return lambda environment: environment.value(name, subscript)
        case _Unary(operator, operand):
            apply, run = _UNARY[operator], _compile(operand)
            return lambda environment: apply(run(environment))
        case _Binary(operator, left, right):
            combine, first, second = _BINARY[operator], _compile(left), _compile(right)
            return lambda environment: combine(first(environment), second(environment))
        case _Logical(is_or, left, right):
            return _compile_logical(is_or, _compile(left), _compile_side(right))
        case _Choice(condition, yes, no):
            return _compile_choice(_compile(condition), _compile_side(yes), _compile_side(no))
        case _Assignment(target, operator, assigned):
            return _compile_assignment(target, operator, _compile(assigned))
        case _Step(target, by, is_after):
            return _compile_step(target, by, is_after)


def _compile_side(node: _Node) -> tuple[_Run, ArithmeticProblem | None]:
    """Return how to run a side of `&&` and the like, and why to pass over it fails, if so."""
    try:
        _passed_over(node)
    except ArithmeticProblem as problem:
        return _compile(node), problem
    return _compile(node), None


def _compile_logical(is_or: bool, left: _Run, right: tuple[_Run, ArithmeticProblem | None]) -> _Run:
    run, problem = right

    def logical(environment: _Environment) -> int:
        if bool(left(environment)) == is_or:
            if problem:
                raise ArithmeticProblem(problem.message)
            return int(is_or)
        return int(bool(run(environment)))

    return logical


def _compile_choice(
    condition: _Run,
    yes: tuple[_Run, ArithmeticProblem | None],
    no: tuple[_Run, ArithmeticProblem | None],
) -> _Run:
    def choice(environment: _Environment) -> int:
        chosen, other = (yes, no) if condition(environment) else (no, yes)
        # the sides are met in the order in which they are written
        if chosen is no and other[1]:
            raise ArithmeticProblem(other[1].message)
        result = chosen[0](environment)
        if other[1]:
            raise ArithmeticProblem(other[1].message)
        return result

    return choice


_CHANGES = re.compile(r"\+\+|--|=")


def _check_subscript(target: _Name) -> None:
    """Refuse a subscript that changes something, where it would be evaluated twice."""
    if target.subscript is not None and _CHANGES.search(target.subscript):
        raise Undecidable("an assignment within the subscript of an assignment")


def _compile_assignment(target: _Name, operator: str, assigned: _Run) -> _Run:
    name, subscript = target.name, target.subscript
    if not operator:

        def assign(environment: _Environment) -> int:
            value = assigned(environment)
            environment.variables.set(name, subscript, value)
            return value

        return assign
    combine = _BINARY[operator]

    def update(environment: _Environment) -> int:
        _check_subscript(target)
        value = environment.value(name, subscript)
        value = combine(value, assigned(environment))
        environment.variables.set(name, subscript, value)
        return value

    return update


def _compile_step(target: _Name, by: int, is_after: bool) -> _Run:
    name, subscript = target.name, target.subscript

    def step(environment: _Environment) -> int:
        _check_subscript(target)
        before = environment.value(name, subscript)
        after = _wrapped(before + by)
        environment.variables.set(name, subscript, after)
        return before if is_after else after

    return step


# --- parsing ---------------------------------------------------------------------------------

_BLANKS = re.compile(r"[ \t\n]*+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
_NUMERAL = re.compile(r"[0-9][A-Za-z0-9#@_]*+")
_OPERATOR = re.compile(r"<<=|>>=|\*\*|[<>=!]=|<<|>>|&&|\|\||[*/%+\-&^|]=|[=<>+\-*/%!()&|^~?:,]")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}

# kinds of tokens that are no operators
_END = ""
_NAME = "name"
_NUMBER = "number"
_BEFORE = "before"  # `++` or `--` before a name
_AFTER = "after"  # the same after a name
_ASSIGN = "assign"  # an operator with `=` after it


class _Parser:
    """A parser with bash's own idea of what `++` and `--` mean where."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.kind = _END
        # the kind of the token before the present one
        self.previous = _END
        self.token = ""
        self.subscript: str | None = None
        self.number = 0
        self.depth = 0
        self.has_effects = False

    def fail(self, message: str) -> NoReturn:
        """Refuse the expression."""
        raise ArithmeticProblem(message, is_late=self.has_effects)

    def parse(self) -> _Node:
        """Return the tree of the whole expression."""
        match = _BLANKS.match(self.text)
        if match and match.end() == len(self.text):
            return _Number(0)
        self.advance()
        node = self.comma()
        if self.kind != _END:
            self.fail("syntax error in expression")
        return node

    def advance(self) -> None:
        """Read the next token."""
        text = self.text
        blanks = _BLANKS.match(text, self.position)
        position = blanks.end() if blanks else self.position
        before, self.previous = self.previous, self.kind
        if position == len(text):
            self.kind, self.position = _END, position
            return
        match = _IDENTIFIER.match(text, position)
        if match:
            self.kind, self.token, self.position = _NAME, match.group(), match.end()
            self.subscript = None
            if text.startswith("[", self.position):
                self.read_subscript()
            return
        match = _NUMERAL.match(text, position)
        if match:
            self.kind, self.position = _NUMBER, match.end()
            self.number = self.numeral(match.group())
            return
        match = _OPERATOR.match(text, position)
        if not match:
            self.fail("syntax error: invalid arithmetic operator")
        operator = match.group()
        self.position = match.end()
        self.token = operator
        if operator in "+-" and text.startswith(operator, self.position):
            self.double(operator, before)
        elif operator[-1] == "=" and operator not in ("=", "==", "!=", "<=", ">="):
            self.kind, self.token = _ASSIGN, operator[:-1]
        else:
            self.kind = operator

    def double(self, operator: str, before: str) -> None:
        """Decide what `++` or `--` is; `before` is the kind of the last token but one."""
        after = self.position + 1
        if self.previous == _NAME:
            self.kind, self.position = _AFTER, after
            return
        if self.previous == _NUMBER and before == _BEFORE:
            self.fail(f"{operator * 2}: assignment requires lvalue")
        blanks = _BLANKS.match(self.text, after)
        if blanks and _IDENTIFIER.match(self.text, blanks.end()):
            self.kind, self.position = _BEFORE, after
        else:
            self.kind = operator

    def read_subscript(self) -> None:
        """Read `[...]` after a name."""
        text, start = self.text, self.position + 1
        depth, position = 1, start
        while position < len(text):
            character = text[position]
            if character == "[":
                depth += 1
                if depth > _DEEPEST:
                    raise TooExpensive("an expression nested too deeply")
            elif character == "]":
                depth -= 1
                if not depth:
                    self.subscript, self.position = text[start:position], position + 1
                    return
            elif character in "\\'\"`$":
                raise Undecidable("a subscript with quotes or expansions in an expression")
            position += 1
        self.fail("bad array subscript")

    def numeral(self, text: str) -> int:
        """Return the value of a number, with its base."""
        if text.isdigit() and text[0] != "0":
            return _wrapped(int(text)) if len(text) < 400 else self.digits(text, 10)
        if text[0] == "0":
            if text[1:2] in ("x", "X"):
                base, digits = 16, text[2:]
            else:
                base, digits = 8, text[1:]
        else:
            prefix, mark, digits = text.partition("#")
            if not mark:
                return self.digits(text, 10)
            base = self.digits(prefix, 10)
            if not 2 <= base <= 64:
                self.fail("invalid arithmetic base")
            if not digits or digits[0] == "#":
                self.fail("invalid integer constant")
        return self.digits(digits, base)

    def digits(self, text: str, base: int) -> int:
        """Return the value of digits in a base."""
        result = 0
        for digit in text.lower() if base <= 36 else text:
            if digit == "#":
                self.fail("invalid number")
            value = _VALUES[digit]
            if value >= base:
                self.fail("value too great for base")
            result = (result * base + value) & _MASK
        return _wrapped(result)

    # Each of these starts at its first token and ends at the first one that isn't its own.

    def deeper(self) -> None:
        """Note that the tree gets one level deeper."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise TooExpensive("an expression nested too deeply")

    def comma(self) -> _Node:
        """`a, b`; the value is the last one's."""
        node = self.assignment()
        while self.kind == ",":
            self.advance()
            node = _Binary(",", node, self.assignment())
        return node

    def assignment(self) -> _Node:
        """`a = b`, `a += b`."""
        self.deeper()
        node = self.choice()
        if self.kind in ("=", _ASSIGN):
            if self.previous != _NAME:
                self.fail("attempted assignment to non-variable")
            operator = "" if self.kind == "=" else self.token
            assert isinstance(node, _Name)
            self.advance()
            node = _Assignment(node, operator, self.assignment())
            self.has_effects = True
        self.depth -= 1
        return node

    def choice(self) -> _Node:
        """`a ? b : c`."""
        node = self.binary(0)
        if self.kind != "?":
            return node
        self.deeper()
        self.advance()
        if self.kind in (_END, ":"):
            self.fail("expression expected")
        yes = self.comma()
        if self.kind != ":":
            self.fail("`:' expected for conditional expression")
        self.advance()
        if self.kind == _END:
            self.fail("expression expected")
        node = _Choice(node, yes, self.choice())
        self.previous = "?"
        self.depth -= 1
        return node

    def binary(self, least: int) -> _Node:
        """Operators with two operands, of at least this precedence."""
        node = self.power()
        while True:
            operator = self.kind
            precedence = _PRECEDENCE.get(operator, 0)
            if precedence < least or not precedence:
                return node
            self.advance()
            right = self.binary(precedence + 1)
            if operator in ("&&", "||"):
                node = _Logical(operator == "||", node, right)
            else:
                node = _Binary(operator, node, right)
            self.previous = _NUMBER

    def power(self) -> _Node:
        """`a ** b`, which binds to the right, and less than `-a`."""
        node = self.unary()
        if self.kind == "**":
            self.deeper()
            self.advance()
            node = _Binary("**", node, self.power())
            self.previous = _NUMBER
            self.depth -= 1
        return node

    def unary(self) -> _Node:
        """`-a`, `!a` and so on."""
        operator = self.kind
        if operator not in _UNARY:
            return self.primary()
        self.deeper()
        self.advance()
        node = _Unary(operator, self.unary())
        self.previous = _NUMBER
        self.depth -= 1
        return node

    def primary(self) -> _Node:
        """A number, a name, a step, or an expression in parentheses."""
        kind = self.kind
        if kind == _NUMBER:
            number = _Number(self.number)
            self.advance()
            return number
        if kind == _NAME:
            name = _Name(self.token, self.subscript)
            self.advance()
            # `advance` changes it
            if self.kind == str(_AFTER):
                return self.step(name, is_after=True)
            return name
        if kind == "(":
            self.deeper()
            self.advance()
            node = self.comma()
            if self.kind != ")":
                self.fail("missing `)'")
            self.advance()
            self.depth -= 1
            return node
        if kind != _BEFORE:
            self.fail("syntax error: operand expected")
        sign = self.token
        self.advance()
        name = _Name(self.token, self.subscript)
        self.token = sign
        return self.step(name, is_after=False)

    def step(self, name: _Name, *, is_after: bool) -> _Node:
        """Finish `name++` and the like; `token` is the sign."""
        node = _Step(name, 1 if self.token == "+" else -1, is_after)
        self.has_effects = True
        # bash goes on as after a number
        self.kind = _NUMBER
        if is_after:
            self.previous = _NAME
        self.advance()
        return node
