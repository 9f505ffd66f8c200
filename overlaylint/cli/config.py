"""`overlaylint config`: what holds for an overlay, and where each value came from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from overlaylint.cli.choosing import Choosing, choosing_options
from overlaylint.cli.options import Command, master_option, names_in

if TYPE_CHECKING:
    from overlaylint.cli.overlays import Opened
    from overlaylint.engine.effective import Effective

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@click.command("config", cls=Command)
@click.argument("path", metavar="[PATH]", default=Path(), type=click.Path(path_type=Path))
@choosing_options
@master_option
@click.option("--baseline", metavar="FILE", help="As `check` takes it.")
@click.option(
    "--output-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How the settings are shown.",
)
@click.option(
    "--schema",
    is_flag=True,
    help="Print the JSON schema of overlaylint.toml, with the options of every installed rule.",
)
def command(
    path: Path,
    choosing: Choosing,
    masters: tuple[str, ...],
    baseline: str | None,
    output_format: str,
    *,
    schema: bool,
) -> int:
    """Show what holds for the overlay that PATH lies in, and where each value came from.

    With --select, --ignore, --master and --baseline, as `check` would have it. Paths are relative
    to the file that they stand in.
    """
    from overlaylint.engine.packs import load_catalog

    catalog = load_catalog()
    if schema:
        from overlaylint.engine.schema import configuration_schema

        print(_json(configuration_schema(catalog)))
        return 0
    from overlaylint.cli.overlays import by_overlay, masters_given, open_overlay
    from overlaylint.engine.effective import effective_settings
    from overlaylint.engine.selection import Selection
    from overlaylint.report.escape import visible

    ((root, _),) = by_overlay((path,)).items()
    given: dict[str, Any] = {
        "select": names_in(choosing.select),
        "ignore": names_in(choosing.ignore),
        "masters": masters_given(masters),
        "baseline": baseline,
    }
    opened = open_overlay(root, given["masters"])
    # What can't be run is said here as well.
    plan = choosing.plan(opened, catalog, Selection())
    found = list(
        effective_settings(opened.configuration, catalog.with_policies(opened.configuration), given)
    )
    if output_format == "json":
        print(_json(_as_json(opened, found, [rule.name for rule in plan.rules])))
    else:
        for line in _as_text(opened, found, len(plan.rules)):
            print(visible(line))
    return 0


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2)


def _as_json(opened: Opened, found: list[Effective], rules: list[str]) -> dict[str, Any]:
    return {
        "overlay": opened.overlay.name,
        "root": str(opened.root),
        "file": opened.configuration.file or None,
        "settings": [
            {
                "key": list(one.keys),
                "value": one.value,
                "origin": one.origin,
                "line": one.line,
            }
            for one in found
        ],
        "rules": rules,
    }


def _as_text(opened: Opened, found: list[Effective], rules: int) -> list[str]:
    file = opened.configuration.file or "there is no file"
    head = f"# {opened.overlay.name}: {file}; {rules} rules run"
    written = [(f"{_dotted(one.keys)} = {_toml(one.value)}", one.where) for one in found]
    width = min(60, max(len(text) for text, _ in written))
    return [head, *(f"{text:<{width}}  # {where}" for text, where in written)]


def _dotted(keys: tuple[str | int, ...]) -> str:
    """Return keys with dots between them, and places in lists in brackets."""
    import json

    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key if _BARE_KEY.fullmatch(key) else json.dumps(key)}"
    return text.lstrip(".")


def _toml(value: Any) -> str:
    """Return a value as TOML writes it, on one line."""
    import json

    if isinstance(value, dict):
        inside = ", ".join(f"{_dotted((key,))} = {_toml(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
