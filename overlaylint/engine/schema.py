"""The JSON schema of the configuration, made of the types that the loader reads it with.

What a type can't say, such as that an atom is one, is a `format`: `atom`, `package`, `range of
versions`. Validators pass over formats that they don't know.
"""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from overlaylint.engine.configuration import Configuration
from overlaylint.engine.settings import key_of
from overlaylint.policies.policy import Policy
from overlaylint.syntax import NotEmpty, Syntax

if TYPE_CHECKING:
    from overlaylint.engine.packs import Catalog

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: The schema of the packs that overlaylint brings along, beside this package's modules.
FILE_NAME = "overlaylint.schema.json"

Schema = dict[str, Any]

_PLAIN: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_OPTION = re.compile(
    r"^- `(?P<name>[^`]+)`: (?P<text>.+?)(?=^- `|^ {4,}\S|\Z)", re.MULTILINE | re.DOTALL
)


def configuration_schema(catalog: Catalog) -> Schema:
    """Return the schema of an `overlaylint.toml`, with the options of every rule there is."""
    made = _Maker()
    schema = made.table(Configuration, {"Policy": Policy})
    rules: Schema = {}
    for name, rule in catalog.rules.items():
        if rule.options is not None:
            told = _told_options(rule.documentation.sections.get("Options", ""))
            rules[name] = made.table(rule.options, None, told)
            rules[name]["description"] = rule.documentation.title
    schema["properties"]["rules"] = {
        "type": "object",
        "description": "The options of a rule, by its name.",
        "properties": rules,
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "title": "The configuration of overlaylint",
        **schema,
        "$defs": dict(sorted(made.definitions.items())),
    }


class _Maker:
    """Makes schemas of types, and keeps those of the dataclasses that they refer to."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def table(
        self,
        kind: Any,
        later: Mapping[str, Any] | None = None,
        told: Mapping[str, str] | None = None,
    ) -> Schema:
        """Return the schema of a dataclass; `told` describes fields that don't do so themselves."""
        hints = get_type_hints(kind, localns=dict(later or {}), include_extras=True)
        descriptions = {**_told_fields(kind), **(told or {})}
        properties = {}
        required = []
        for one in fields(kind):
            key = key_of(one)
            schema = self.of(hints[one.name])
            description = descriptions.get(one.name) or descriptions.get(key)
            if description:
                schema = {"description": description, **schema}
            if one.default is MISSING and one.default_factory is MISSING:
                required.append(key)
            elif one.default is not MISSING and one.default is not None:
                schema = {**schema, "default": plain(one.default)}
            properties[key] = schema
        found: Schema = {
            "type": "object",
            "description": _first_paragraph(inspect.getdoc(kind) or ""),
            "properties": properties,
            "additionalProperties": False,
        }
        if required:
            found["required"] = required
        names = getattr(kind, "exactly_one_of", ())
        if names:
            found["oneOf"] = [{"required": [name.replace("_", "-")]} for name in names]
        return found

    def of(self, kind: Any) -> Schema:
        """Return the schema of a type; the types are those of settings.convert."""
        origin, arguments = get_origin(kind), get_args(kind)
        if kind is Any:
            return {}
        if kind in _PLAIN:
            return {"type": _PLAIN[kind]}
        if origin is Annotated:
            schema = self.of(arguments[0])
            for one in arguments[1:]:
                if isinstance(one, Syntax):
                    schema |= {"pattern": one.pattern} if one.pattern else {"format": one.name}
                elif isinstance(one, NotEmpty):
                    schema["minItems"] = 1
            return schema
        if origin in (tuple, frozenset):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is Literal:
            return {"enum": list(arguments)}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [str(member) for member in kind]}
        if origin in (Union, types.UnionType):
            ways = [self.of(one) for one in arguments if one is not types.NoneType]
            return ways[0] if len(ways) == 1 else {"anyOf": ways}
        if is_dataclass(kind) and isinstance(kind, type):
            if kind.__name__ not in self.definitions:
                self.definitions[kind.__name__] = {}
                self.definitions[kind.__name__] = self.table(kind)
            return {"$ref": f"#/$defs/{kind.__name__}"}
        # Mapping and dict are left.
        return {"type": "object", "additionalProperties": self.of(arguments[1])}


def plain(value: Any) -> Any:
    """Return a setting as JSON and TOML have it."""
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, (tuple, list, frozenset, set)):
        items: Iterable[Any] = sorted(value) if isinstance(value, (frozenset, set)) else value
        return [plain(one) for one in items]
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            key_of(one): plain(getattr(value, one.name))
            for one in fields(value)
            if getattr(value, one.name) is not None
        }
    return value


def _told_fields(kind: type) -> dict[str, str]:
    """Return the text under each field of a dataclass and of those that it is made from."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if not is_dataclass(one):
            continue
        (definition,) = ast.parse(inspect.cleandoc(inspect.getsource(one))).body
        assert isinstance(definition, ast.ClassDef)
        name = ""
        for node in definition.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name:
                found[name] = _first_paragraph(inspect.cleandoc(str(node.value.value)))
                name = ""
            else:
                name = ""
    return found


def _told_options(section: str) -> dict[str, str]:
    """Return what a rule's documentation says of each of its options."""
    return {match["name"]: " ".join(match["text"].split()) for match in _OPTION.finditer(section)}


def _first_paragraph(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())
