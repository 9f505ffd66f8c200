"""What holds for an overlay in the end, and where each value came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from overlaylint.engine.configuration import Configuration
from overlaylint.engine.schema import plain
from overlaylint.engine.settings import key_of
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.engine.configuration import Configured
    from overlaylint.engine.packs import Catalog

COMMAND_LINE = "command line"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting: its key, its value as TOML has it, and where it came from.

    `origin` is `command line`, `default`, or the file; `line` is the line in that file.
    """

    keys: tuple[str | int, ...]
    value: Any
    origin: str
    line: int | None = None

    @property
    def where(self) -> str:
        """Where the value came from, in one word: `overlaylint.toml:3`."""
        return self.origin if self.line is None else f"{self.origin}:{self.line}"


def effective_settings(
    configured: Configured, catalog: Catalog, given: Mapping[str, Any]
) -> Iterator[Effective]:
    """Yield every setting that there is. `given` are those of the command line, by key.

    Of the options of rules, those are there that are set in the file, and the others of the same
    rule. Raises ConfigurationError for a rule or option that there is not.
    """
    for one in fields(Configuration):
        key = key_of(one)
        value = getattr(configured.settings, one.name)
        if key == "rules":
            yield from _rule_options(configured, catalog)
        elif given.get(key) and key != "masters":
            yield Effective((key,), plain(given[key]), COMMAND_LINE)
        elif key in ("masters", "severity"):
            yield from _entries(configured, key, value, given.get(key, {}))
        elif key in ("ignore-paths", "policy") and value:
            for at, entry in enumerate(value):
                yield _from_file(configured, (key, at), plain(entry))
        elif (key,) in configured.lines:
            yield _from_file(configured, (key,), plain(value))
        else:
            yield Effective((key,), plain(value), DEFAULT)


def _from_file(configured: Configured, keys: tuple[str | int, ...], value: Any) -> Effective:
    from overlaylint.engine.toml_lines import line_of

    return Effective(keys, value, configured.file, line_of(configured.lines, keys))


def _entries(
    configured: Configured, key: str, table: Mapping[str, Any], given: Mapping[str, Any]
) -> Iterator[Effective]:
    """Yield the entries of a table, of which some may stand on the command line."""
    merged = {**table, **given}
    if not merged:
        yield Effective((key,), {}, DEFAULT)
    for name, value in merged.items():
        if name in given:
            yield Effective((key, name), str(value), COMMAND_LINE)
        else:
            yield _from_file(configured, (key, name), plain(value))


def _rule_options(configured: Configured, catalog: Catalog) -> Iterator[Effective]:
    options = configured.rule_options(catalog)
    for name, rule in catalog.rules.items():
        if rule.options is None:
            continue
        table: Any = options.get(name) or rule.options()
        for one in fields(table):
            assert one.default is not MISSING or one.default_factory is not MISSING
            keys = ("rules", name, key_of(one))
            value = plain(getattr(table, one.name))
            if key_of(one) in configured.settings.rules.get(name, {}):
                yield _from_file(configured, keys, value)
            else:
                yield Effective(keys, value, DEFAULT)
