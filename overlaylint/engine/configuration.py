"""`overlaylint.toml` at an overlay's root, and how typed settings are made of TOML.

Every setting is a field of a frozen dataclass, so that what may be written, of what type,
and what holds where nothing is written stand in one place. An unknown key is an error.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from overlaylint.engine.errors import ConfigurationError, nearest
from overlaylint.tree import TreeError

if TYPE_CHECKING:
    from overlaylint.engine.packs import Catalog
    from overlaylint.overlay.repository import Repository

FILE_NAME = "overlaylint.toml"

Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What `overlaylint.toml` may hold; on the command line the same names are options."""

    select: tuple[str, ...] = ()
    """Rules and packs to run, instead of those that are on for the overlay."""
    ignore: tuple[str, ...] = ()
    """Rules and packs not to run."""
    exclude: tuple[str, ...] = ()
    """Globs over paths in the overlay that nothing is reported in."""
    masters: Mapping[str, str] = field(default_factory=dict)
    """Where a master is, by its name; relative to the overlay's root."""
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The options of a rule, by its name: `[rules.implicit-base-package]`."""


def load_configuration(repository: Repository) -> Configuration:
    """Return what the overlay's configuration file holds, the default where it has none.

    Raises ConfigurationError where the file can't be read, or holds what it can't hold.
    """
    if repository.tree.kind(FILE_NAME) is None:
        return Configuration()
    import tomllib

    try:
        text = repository.tree.read(FILE_NAME).decode("utf-8")
        table = tomllib.loads(text)
    except TreeError as error:
        raise ConfigurationError(f"{FILE_NAME}: {error.reason}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{FILE_NAME}: not UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{FILE_NAME}: {error}") from error
    return from_table(Configuration, table, FILE_NAME)


def rule_options(configuration: Configuration, catalog: Catalog) -> dict[str, object]:
    """Return the options that the configuration sets, typed as each rule has them."""
    options: dict[str, object] = {}
    for name, table in configuration.rules.items():
        where = f"{FILE_NAME}: rules.{name}"
        if name not in catalog.rules:
            raise ConfigurationError(
                f"{where}: no rule is called {name}{nearest(name, catalog.rules)}"
            )
        kind = catalog.rules[name].options
        if kind is None:
            raise ConfigurationError(f"{where}: the rule has no options")
        options[name] = from_table(kind, table, where)
    return options


def from_table(kind: type[Settings], table: Mapping[str, Any], where: str) -> Settings:
    """Make a dataclass of a TOML table, in whose keys `-` stands for a field's `_`.

    Raises ConfigurationError for a key that is no field, and for a value of another type.
    """
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    by_key: dict[str, Field[Any]] = {one.name.replace("_", "-"): one for one in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in by_key:
            raise ConfigurationError(f"{where}: unknown key {key!r}{nearest(key, by_key)}")
        name = by_key[key].name
        values[name] = _convert(hints[name], value, f"{where}: {key}")
    for key, one in by_key.items():
        if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
            raise ConfigurationError(f"{where}: {key!r} is missing")
    return kind(**values)


def _convert(kind: Any, value: Any, where: str) -> Any:
    """Return a TOML value as the type `kind`, which may be made of the types below."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if kind in (str, int, float, bool):
        if type(value) is kind:
            return value
    elif origin is tuple and isinstance(value, list):
        return tuple(_convert(arguments[0], one, f"{where}[{i}]") for i, one in enumerate(value))
    elif origin is frozenset and isinstance(value, list):
        return frozenset(_convert(arguments[0], one, where) for one in value)
    elif origin in (dict, Mapping) and isinstance(value, dict):
        return {key: _convert(arguments[1], one, f"{where}.{key}") for key, one in value.items()}
    elif origin is Literal:
        if value in arguments:
            return value
    elif isinstance(kind, type) and issubclass(kind, Enum):
        for member in kind:
            if str(member) == value:
                return member
    elif origin in (Union, types.UnionType):
        for one in arguments:
            if one is not type(None):
                return _convert(one, value, where)
    elif is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        return from_table(kind, value, where)
    raise ConfigurationError(f"{where}: this must be {_described(kind)}")


def _described(kind: Any) -> str:
    """Return what a value of a type is called where TOML is written."""
    origin, arguments = get_origin(kind), get_args(kind)
    plain = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}
    if kind in plain:
        return plain[kind]
    if origin in (tuple, frozenset):
        return f"a list, each of which is {_described(arguments[0])}"
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(map(str, kind))
    if origin in (Union, types.UnionType):
        return _described(next(one for one in arguments if one is not type(None)))
    return "a table"
