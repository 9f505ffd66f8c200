"""The options that say which rules run on an overlay, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from overlaylint.cli.completion import complete_names
from overlaylint.cli.options import names_in, options
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.cli.overlays import Opened
    from overlaylint.engine.packs import Catalog
    from overlaylint.engine.run import Plan
    from overlaylint.engine.selection import Selection


@dataclass(frozen=True, slots=True)
class Choosing:
    """What is given on the command line; it goes before the configuration."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def plan(self, opened: Opened, catalog: Catalog, selection: Selection) -> Plan:
        """Return what to run on an overlay. Raises UsageError for a name that is none."""
        from overlaylint.engine.errors import UsageError
        from overlaylint.engine.path_ignores import path_ignores
        from overlaylint.engine.run import Plan

        configuration = opened.configuration
        catalog = catalog.with_policies(configuration)
        selected = names_in(self.select)
        if self.select and not selected:
            # As by an empty variable of a script: it does not ask for what is on anyway.
            raise UsageError("--select: it names no rule and no pack")
        ignored = names_in(self.ignore)
        rules = catalog.select(
            opened.overlay.name,
            selected or configuration.select,
            (*ignored, *(() if selected else configuration.ignore)),
        )
        return Plan(
            rules=rules,
            known=frozenset(catalog.rules),
            selection=selection,
            severities=configuration.severities(catalog),
            options=configuration.rule_options(catalog),
            ignores=path_ignores(configuration, catalog),
            missing_masters=opened.repositories.missing,
            root=opened.root,
        )


choosing_options = options(
    "choosing",
    "Rules",
    Choosing,
    click.option(
        "--select",
        multiple=True,
        metavar="NAMES",
        shell_complete=complete_names,
        help="Run only these rules or packs, or ALL; with commas between them.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="NAMES",
        shell_complete=complete_names,
        help="Leave out these rules or packs.",
    ),
)
