"""Assignments (bash manual 3.4, 6.7): values as attributes change them, and arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from overlaylint.records import dataclass
from overlaylint.shell import expansion
from overlaylint.shell.problems import BadSubscript, ExpansionProblem, FatalProblem
from overlaylint.shell.syntax import (
    Assignment,
    Context,
    Element,
    Quoted,
    Source,
    Text,
    Word,
    encode,
)
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import (
    ARRAYS,
    DOUBTS,
    Elements,
    Flag,
    Mixed,
    Value,
    Variable,
    concatenate,
)

if TYPE_CHECKING:
    from overlaylint.shell.interpreter import Interpreter


def transformed(
    shell: Interpreter,
    flags: int,
    current: Value | None,
    value: Value,
    place: tuple[Source, int, int],
    *,
    append: bool,
) -> Value:
    """Return what a variable with these attributes comes to when `value` is assigned to it."""
    if flags & Flag.INTEGER:
        return integer(shell, current, value, *place, append=append)
    if append and current is not None:
        value = concatenate(current, value)
    if flags & (Flag.LOWERCASE | Flag.UPPERCASE | Flag.CAPITALIZED):
        return expansion.in_case(shell, flags, value, *place)
    return value


def integer(
    shell: Interpreter,
    current: Value | None,
    value: Value,
    source: Source,
    start: int,
    end: int,
    *,
    append: bool,
) -> Value:
    """Return what is assigned to a variable with the integer attribute."""
    if not append:
        current = None
    if not isinstance(value, str) or isinstance(current, Mixed):
        return shell.value_unknown(
            "it is computed from an unknown value", source, start, end, value, current
        )
    text = f"({current or 0}) + ({value or 0})" if append else value
    word = Word(shell.made(text), 0, len(text))
    try:
        result = expansion.computed(shell, source, word, text)
    except ExpansionProblem as problem:
        raise FatalProblem(str(problem)) from problem
    return result


def read_only(name: str) -> ExpansionProblem:
    """Return the error of an assignment to a readonly variable: bash gives up the line."""
    return ExpansionProblem(f"{name}: readonly variable")


def assign_subscript_text(
    shell: Interpreter,
    target: str,
    value: Value,
    source: Source,
    start: int,
    end: int,
    *,
    append: bool = False,
) -> None:
    """Assign to `name` or `name[subscript]`, given as text."""
    name, bracket, rest = target.partition("[")
    if not bracket:
        shell.assign(name, value, source, start, end, append=append)
        return
    text = encode(rest.removesuffix("]"))
    word = Word(shell.made(text), 0, len(text), Context.OPERAND)
    assign_subscript(shell, name, word, value, source, start, end, append=append)


def assign_subscript(
    shell: Interpreter,
    name: str,
    subscript: Word | None,
    value: Value,
    source: Source,
    start: int,
    end: int,
    *,
    append: bool = False,
) -> None:
    """Assign to an array's element, or to a scalar if there is no subscript."""
    if subscript is None:
        shell.assign(name, value, source, start, end, append=append)
        return
    target = shell.resolve(name)
    if target is None or "[" in target:
        shell.lose(source, start, end, "the element that a reference names is unknown")
        return
    variable = shell.state.find(target)
    is_associative = variable is not None and variable.flags & Flag.ASSOCIATIVE
    if not is_associative and subscript.raw in ("@", "*"):
        raise BadSubscript
    key = expansion.subscript_key(shell, subscript, variable)
    assign_element(shell, target, key, value, source, start, end, append=append)


def assign_element(
    shell: Interpreter,
    name: str,
    key: int | str | Mixed,
    value: Value,
    source: Source,
    start: int,
    end: int,
    *,
    append: bool = False,
) -> None:
    """Assign one element of an array."""
    variable = shell.state.find(name)
    flags = (variable.flags if variable is not None else 0) & ~Flag.MAYBE_UNSET
    if flags & Flag.READONLY:
        raise read_only(name)
    if variable is not None and flags & DOUBTS:
        shell.assign_doubtful(name, variable, source, start, end)
        return
    current = variable.value if variable is not None else shell.inherited(name)
    if variable is None and shell.state.havoc is not None:
        current = Mixed((shell.state.havoc,))
    if not flags & ARRAYS:
        flags |= Flag.INDEXED
        if isinstance(current, str):
            current = {0: current}
    elements = element_assigned(
        shell, current, flags, key, value, (source, start, end), append=append
    )
    shell.store(name, Variable(elements, flags, source, start, end))


def element_assigned(
    shell: Interpreter,
    current: Value | Elements | None,
    flags: int,
    key: int | str | Mixed,
    value: Value,
    place: tuple[Source, int, int],
    *,
    append: bool,
) -> Mixed | Elements:
    """Return an array after an assignment to one of its elements."""
    if isinstance(current, Mixed):
        return current
    if isinstance(key, Mixed):
        return shell.value_unknown("an element with an unknown subscript was assigned", *place, key)
    assert not isinstance(current, str)
    elements: Elements = {} if current is None else dict(current)
    if isinstance(key, int) and key < 0:
        key += expansion.last_index(elements) + 1
        if key < 0:
            raise BadSubscript
    if key == "":
        raise BadSubscript
    elements[key] = transformed(shell, flags, elements.get(key), value, place, append=append)
    shell.spend(len(elements) // 64)
    return elements


@dataclass(frozen=True, slots=True)
class Subscript:
    """The subscript of an element in a compound assignment: as written, and expanded."""

    word: Word
    text: Value

    @classmethod
    def of(cls, shell: Interpreter, word: Word) -> Subscript:
        """Expand a subscript; what it comes to as a number is for `number`."""
        return cls(word, expansion.value_of(shell, word))

    @property
    def is_number(self) -> bool:
        """Whether it is written as a number, and no expression."""
        return isinstance(self.text, str) and self.text.isdecimal()

    def number(self, shell: Interpreter) -> int | Mixed:
        """Return the index that it comes to."""
        return expansion.subscript_number(shell, self.word, self.text)


# The words of a compound assignment, each with its subscript, and whether it is appended.
Expanded = list[tuple[Subscript | Value | None, Value, bool]]


def assign_compound(
    shell: Interpreter,
    name: str,
    elements: tuple[Element, ...],
    flags: int,
    source: Source,
    start: int,
    end: int,
    *,
    append: bool,
    scope: dict[str, Variable] | None = None,
    is_declared: bool = False,
    expanded: Expanded | Mixed | None = None,
) -> None:
    """Assign `name=(...)` (6.7), in a `declare` or the like or by itself.

    `expanded` are its words, where `compound_words` has been asked before.
    """
    target = shell.resolve(name)
    if target is None or "[" in target:
        raise shell.exhausted(f"`{name}` refers to what can't be told")
    variable = shell.state.find(target) if scope is None else scope.get(target)
    flags |= (variable.flags if variable is not None else 0) & ~Flag.MAYBE_UNSET
    flags &= ~(Flag.INDEXED << Flag.DOUBT)
    if not flags & Flag.ASSOCIATIVE:
        flags |= Flag.INDEXED
    if flags & Flag.READONLY:
        raise read_only(target)
    if variable is not None and flags & DOUBTS:
        # it is an array now, whatever it was
        shell.assign_doubtful(target, replace(variable, flags=flags), source, start, end)
        return
    current = variable.value if variable is not None else shell.inherited(target)
    if variable is None and shell.state.havoc is not None and scope is None:
        current = Mixed((shell.state.havoc,))
    if isinstance(current, str):
        current = {"0": current} if flags & Flag.ASSOCIATIVE else {0: current}
    place = source, start, end
    try:
        words = expanded
        if words is None:
            words = compound_words(shell, elements, flags, is_declared=is_declared)
        if append:
            # expanding the words may have changed the array
            changed = shell.state.find(target) if scope is None else scope.get(target)
            if changed is not None and changed is not variable:
                current = changed.value
                if isinstance(current, str):
                    current = {0: current}
    except ExpansionProblem:
        # it has become an array all the same; expanding the words may have changed it
        changed = shell.state.find(target) if scope is None else scope.get(target)
        if changed is not None and changed is not variable:
            current = changed.value
            if isinstance(current, str):
                current = {0: current}
        shell.store(target, Variable(current or {}, flags, *place), scope)
        raise
    if shell.on_elements is not None and words.__class__ is list:
        shell.on_elements(target, [word for _, word, _ in words], place)
    value: Elements | Mixed
    if words.__class__ is Mixed or (append and isinstance(current, Mixed)):
        lost = words if words.__class__ is Mixed else current
        value = shell.value_unknown("its elements are unknown", *place, lost)
    else:

        def show() -> None:
            shell.store(target, Variable(dict(result), flags, *place), scope)

        earlier = current if isinstance(current, dict) else {}
        result: Elements = dict(earlier) if append else {}
        if append or not flags & Flag.ASSOCIATIVE:
            earlier = result
        elif isinstance(current, Mixed) and any(one.append for one in elements):
            raise Undecidable("an element is added to one that is unknown")
        try:
            value = fill(shell, result, earlier, words, flags, place, show)  # type: ignore[arg-type]
        except ExpansionProblem:
            shell.store(target, Variable(result, flags, *place), scope)
            raise
    shell.store(target, Variable(value, flags, *place), scope)


def compound_words(
    shell: Interpreter, elements: tuple[Element, ...], flags: int, *, is_declared: bool
) -> Expanded | Mixed:
    """Expand the words of a compound assignment, all before the first is assigned."""
    words: Expanded = []
    is_associative = flags & Flag.ASSOCIATIVE
    expand = expansion.unsplit if is_associative else expansion.value_of
    takes_pairs = is_associative and bool(elements) and elements[0].key is None
    for element in elements:
        if element.key is not None:
            made = [] if is_associative else braced_elements(shell, element)
            if made:
                words += [(None, word, False) for word in made]
                continue
            if is_associative and not takes_pairs:
                key = expand(shell, element.key)
                # where the key is empty, bash does not come to the value
                is_skipped = key == "" and not is_declared
                value = "" if is_skipped else expand(shell, element.value)
                words.append((key, value, element.append))
                continue
            if not is_associative:
                check_element(shell, element.value)
            indexed = None if takes_pairs else Subscript.of(shell, element.key)
            value = expand(shell, element.value)
            if takes_pairs:
                operator = "]+=" if element.append else "]="
                value = concatenate("[", expand(shell, element.key), operator, value)
                words.append((None, value, False))
            else:
                words.append((indexed, value, element.append))
        elif is_associative:
            words.append((None, expand(shell, element.value), False))
        else:
            for field in expansion.fields(shell, (element.value,)):
                words.append((None, field, False))
    lost = next((w for _, w, _ in words if w.__class__ is Mixed and w.is_many), None)
    if lost is None or is_associative:
        return words
    for subscript, _, _ in words:
        if isinstance(subscript, Subscript):
            subscript.number(shell)  # which may assign something
    return lost


def check_element(shell: Interpreter, word: Word) -> None:
    """Leave open what a list comes to: bash joins it by IFS or by blanks, as it is written."""
    raw = word.source.text[word.start : word.end]
    if "$" in raw and ("@" in raw or "*" in raw) and shell.ifs() is not None:
        raise Undecidable("a list in an array's element where IFS was changed")


def braced_elements(shell: Interpreter, element: Element) -> list[Value]:
    """Return the words that braces make of `[key]=value`: these are no assignments any more.

    Nothing is returned where there are no braces to expand.
    """
    key, value = element.key, element.value
    assert key is not None
    if "{" not in value.source.text[key.start : value.end]:
        return []
    whole = Word(value.source, key.start - 1, value.end)
    operator = "+=" if element.append else "="
    parts = (Quoted("["), *key.parts, Quoted("]"), Text(operator), *value.parts)
    whole.__dict__["parts"] = parts
    alternatives = list(expansion.brace_alternatives(shell, whole))
    made: list[Value] = []
    if len(alternatives) > 1:
        for word in alternatives:
            expansion.expand_parts(shell, word, word.parts, made)
    return made


def fill(
    shell: Interpreter,
    result: Elements,
    earlier: Elements,
    words: Expanded,
    flags: int,
    place: tuple[Source, int, int],
    show: Callable[[], None],
) -> Elements | Mixed:
    """Return an array with the words of a compound assignment added to it.

    `show` lets expressions see what an indexed array holds so far. `[key]+=value` is added to the
    element of `earlier`: in an associative array that is the one before the assignment, however
    often the key is given.
    """
    if flags & Flag.ASSOCIATIVE and words and words[0][0] is None:
        # bash takes the words as keys and values in turn
        for position in range(0, len(words), 2):
            key = words[position][1]
            if isinstance(key, Mixed):
                return key
            if not key:
                continue  # bash only complains
            value = words[position + 1][1] if position + 1 < len(words) else ""
            result[key] = transformed(shell, flags, None, value, place, append=False)
        return result
    index = expansion.last_index(result) + 1
    for subscript, value, append in words:
        if subscript is None:
            if flags & Flag.ASSOCIATIVE:
                continue  # bash only complains
            found: int | str | Mixed = index
        else:
            if not isinstance(subscript, Subscript):
                found = subscript
            elif subscript.word.raw in ("@", "*", "") or subscript.text == "":
                continue  # bash only complains
            else:
                if not subscript.is_number:
                    show()
                found = subscript.number(shell)
            if isinstance(found, Mixed):
                return shell.value_unknown("an element's subscript is unknown", *place, found)
            if isinstance(found, int) and found < 0:
                found += expansion.last_index(result) + 1
                if found < 0:
                    continue
            if found == "":
                continue
        assert not isinstance(found, Mixed)
        if flags & Flag.INTEGER and not flags & Flag.ASSOCIATIVE:
            show()
        result[found] = transformed(shell, flags, earlier.get(found), value, place, append=append)
        if isinstance(found, int):
            index = found + 1
    shell.spend(len(result) // 16)
    return result


def perform(shell: Interpreter, assignment: Assignment, source: Source) -> None:
    """Carry out an assignment statement."""
    value = assignment.value
    if isinstance(value, tuple):
        assign_compound(
            shell,
            assignment.name,
            value,
            0,
            source,
            assignment.start,
            assignment.end,
            append=assignment.append,
        )
        return
    text = expansion.value_of(shell, value)
    assign_subscript(
        shell,
        assignment.name,
        assignment.subscript,
        text,
        source,
        assignment.start,
        assignment.end,
        append=assignment.append,
    )
