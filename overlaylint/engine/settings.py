"""Typed settings out of TOML: every setting is a field of a frozen dataclass.

What may be written, of what type, and what holds where nothing is written stand in one place,
which the JSON schema is made of as well (schema.py). An unknown key is an error.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from overlaylint.engine.errors import ConfigurationError, nearest
from overlaylint.records import dataclass
from overlaylint.syntax import NotEmpty, Syntax

Settings = TypeVar("Settings")
Keys = tuple[str | int, ...]

#: What a value of a plain type is called where TOML is written.
_PLAIN = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Where:
    """A value's place, for messages: the file, and the way to it.

    `text` is the file's text, in which the line is looked up when it is asked for. `table` is
    the way to the table that all the rest stands in, which messages leave out.
    """

    file: str
    keys: Keys = ()
    text: str = ""
    table: Keys = ()
    names: tuple[tuple[Keys, str], ...] = ()
    """What entries of a list are called, for messages: their `name`."""

    def at(self, key: str | int, name: str = "") -> Where:
        """Return the place of a value inside this one."""
        keys = (*self.keys, key)
        names = ((keys, name), *self.names) if name else self.names
        return Where(self.file, keys, self.text, self.table, names)

    @property
    def line(self) -> int | None:
        """The line of the statement, from 1; None where it is unknown."""
        if not self.text:
            return None
        from overlaylint.engine.toml_lines import line_of, statement_lines

        return line_of(statement_lines(self.text), (*self.table, *self.keys))

    @property
    def written(self) -> str:
        """The way to the value, as one would say it: `policy.no-daemon.forbid-use`."""
        called = dict(self.names)
        text = ""
        for end, key in enumerate(self.keys, 1):
            name = called.get(self.keys[:end])
            if isinstance(key, int) and not name:
                text += f"[{key}]"
            else:
                text += f".{name or key}"
        return text.lstrip(".")

    def __str__(self) -> str:
        line = self.line
        place = self.file if line is None else f"{self.file}:{line}"
        return f"{place}: {self.written}" if self.keys else place

    def error(self, message: str) -> ConfigurationError:
        """Return the error that says what is wrong here."""
        return ConfigurationError(f"{self}: {message}")


def from_table(
    kind: type[Settings],
    table: Mapping[str, Any],
    where: Where,
    later: Mapping[str, Any] | None = None,
) -> Settings:
    """Make a dataclass of a TOML table, in whose keys `-` stands for a field's `_`.

    `later` has types that the dataclass's module does not import itself. Raises
    ConfigurationError for a key that is no field, and for a value of another type.
    """
    assert is_dataclass(kind)
    hints = get_type_hints(kind, localns=dict(later or {}), include_extras=True)
    by_key = {key_of(one): one for one in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        place = where.at(key)
        if key not in by_key:
            place = Where(where.file, place.keys, where.text, where.table, where.names)
            raise ConfigurationError(
                f"{_up_to_table(where, place)}: unknown key {key!r}{nearest(key, by_key)}"
            )
        name = by_key[key].name
        values[name] = convert(hints[name], value, place)
    for key, one in by_key.items():
        if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
            raise where.error(f"{key!r} is missing")
    try:
        return kind(**values)
    except ValueError as error:
        raise where.error(str(error)) from error


def key_of(field: Field[Any]) -> str:
    """Return how TOML calls a field; a name that is a word of Python's ends in `_` there."""
    return field.name.rstrip("_").replace("_", "-")


def _up_to_table(table: Where, key: Where) -> str:
    """Return the table's place with the key's own line."""
    line = key.line
    place = table.file if line is None else f"{table.file}:{line}"
    return f"{place}: {table.written}" if table.keys else place


def convert(kind: Any, value: Any, where: Where) -> Any:
    """Return a TOML value as the type `kind`. Raises ConfigurationError if it is none of it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is Annotated:
        return _checked(arguments, convert(arguments[0], value, where), where)
    if kind in _PLAIN:
        if type(value) is kind:
            return value
    elif origin is tuple and isinstance(value, list):
        return tuple(
            convert(arguments[0], one, where.at(at, _name_of(one))) for at, one in enumerate(value)
        )
    elif origin is frozenset and isinstance(value, list):
        return frozenset(convert(arguments[0], one, where.at(at)) for at, one in enumerate(value))
    elif origin in (dict, Mapping) and isinstance(value, dict):
        return {key: convert(arguments[1], one, where.at(key)) for key, one in value.items()}
    elif origin is Literal:
        if value in arguments:
            return value
    elif isinstance(kind, type) and issubclass(kind, Enum):
        for member in kind:
            if str(member) == value:
                return member
    elif origin in (Union, types.UnionType):
        return _one_of(arguments, value, where)
    elif is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        return from_table(kind, value, where)
    raise where.error(f"this must be {described(kind)}")


def _checked(arguments: tuple[Any, ...], value: Any, where: Where) -> Any:
    for syntax in arguments[1:]:
        if isinstance(syntax, Syntax):
            try:
                syntax.check(value)
            except ValueError as error:
                raise where.error(f"{value!r} is no {syntax.name}: {error}") from error
        elif isinstance(syntax, NotEmpty) and not value:
            raise where.error("the list is empty")
    return value


def _one_of(kinds: tuple[Any, ...], value: Any, where: Where) -> Any:
    """Return the value as the one type of a union that its own type fits."""
    candidates = [one for one in kinds if one is not types.NoneType]
    for one in candidates:
        if len(candidates) == 1 or (_bare_origin(one) is tuple) is isinstance(value, list):
            return convert(one, value, where)
    raise where.error(f"this must be {' or '.join(map(described, candidates))}")


def _bare_origin(kind: Any) -> Any:
    """Return what a type is made by, without its annotations."""
    if get_origin(kind) is Annotated:
        return _bare_origin(get_args(kind)[0])
    return get_origin(kind)


def _name_of(value: Any) -> str:
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""


def described(kind: Any) -> str:
    """Return what a value of a type is called where TOML is written."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if origin is Annotated:
        return described(arguments[0])
    if origin in (tuple, frozenset):
        return f"a list, each of which is {described(arguments[0])}"
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(map(str, kind))
    if origin in (Union, types.UnionType):
        return " or ".join(described(one) for one in arguments if one is not types.NoneType)
    return "a table"
