"""`overlaylint rules`: what there is."""

from __future__ import annotations

from pathlib import Path

import click

from overlaylint.cli.options import overlay_option


@click.command("rules")
@click.option(
    "--output-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How the rules are listed.",
)
@overlay_option
def command(output_format: str, path: Path) -> int:
    """List every rule of every installed pack, and the policies of the overlay's configuration."""
    from overlaylint.cli.overlays import catalog_for
    from overlaylint.engine.packs import Catalog

    def as_text(catalog: Catalog) -> str:
        width = max(map(len, catalog.rules))
        lines = []
        for pack in catalog.packs:
            names = pack.pack.repositories
            where = f"on where the overlay is called {' or '.join(names)}" if names else "on"
            lines.append(f"{pack.name}: {pack.pack.title} ({where})")
            lines += [
                f"  {rule.name:<{width}}  {rule.severity!s:<7}  {rule.documentation.title}"
                for rule in pack.rules
            ]
            lines.append("")
        return "\n".join(lines[:-1])

    def as_json(catalog: Catalog) -> str:
        import json

        return json.dumps(
            [
                {
                    "name": rule.name,
                    "pack": pack.name,
                    "severity": str(rule.severity),
                    "title": rule.documentation.title,
                    "decided_in": rule.decided_in or None,
                    "packages": list(rule.packages),
                    "needs_masters": rule.needs_masters,
                }
                for pack in catalog.packs
                for rule in pack.rules
            ],
            indent=2,
        )

    catalog = catalog_for(path)
    print(as_json(catalog) if output_format == "json" else as_text(catalog))
    return 0
