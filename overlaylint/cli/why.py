"""`overlaylint why`: where a value came from."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli import FINDINGS, NOTHING_FOUND
from overlaylint.cli.options import color_option, master_option, overlay_option, uses_color
from overlaylint.cli.overlays import (
    Opened,
    atom_given,
    by_overlay,
    ebuilds_in,
    ebuilds_named,
    masters_given,
    open_overlay,
    profile_given,
)

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.report.why import Answer


@click.command("why")
@click.argument("target", metavar="PATH|PACKAGE")
@click.argument("variable", metavar="VARIABLE|USE=FLAG")
@click.option(
    "--profile",
    "profile_name",
    metavar="PROFILE",
    help="Ask about a USE flag, or a variable of make.defaults, under this profile.",
)
@click.option(
    "--output-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How the answer is shown.",
)
@overlay_option
@master_option
@color_option
def command(
    target: str,
    variable: str,
    profile_name: str | None,
    output_format: str,
    path: Path,
    masters: tuple[str, ...],
    color: str,
) -> int:
    """Show where a variable of an ebuild, or a USE flag under a profile, got its value.

    \b
    overlaylint why sys-process/audit/audit-2.8.ebuild IUSE
    overlaylint why sys-process/audit USE=daemon --profile coreos/amd64/generic
    overlaylint why sys-process/audit-2.8 ACCEPT_KEYWORDS --profile coreos/amd64/generic

    Without --profile, it shows every assignment to the variable while the ebuild is sourced,
    through its eclasses, and what is unknown in the value. With it, every line of the profile
    that speaks of the flag or the variable, parents first.

    Exit status: 0 the value is known, 1 it is not, 2 overlaylint could not do its job.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.report.places import Places
    from overlaylint.report.style import Style
    from overlaylint.report.why import as_json, as_text

    given = masters_given(masters)
    is_flag = variable.startswith("USE=")
    if is_flag and profile_name is None:
        raise UsageError(f"{variable}: --profile says under which profile")
    if is_flag and not variable.removeprefix("USE="):
        raise UsageError("USE=: the name of a flag is missing")
    found, ebuilds = _find(target, path, given, prefers_package=profile_name is not None)
    if not ebuilds:
        raise UsageError(f"there is no ebuild in {target}")
    answers = list(_answers(found, ebuilds, variable, profile_name))
    places = Places(found.overlay)
    if output_format == "json":
        import json

        json.dump({"schema": 1, "answers": [as_json(one, places) for one in answers]},
                  sys.stdout, indent=2)  # fmt: skip
        print()
    else:
        import shutil

        style = Style(uses_color(color, is_terminal=sys.stdout.isatty()))
        width = shutil.get_terminal_size((100, 24)).columns
        for answer in answers:
            print(*as_text(answer, places, style, width), sep="\n")
    return NOTHING_FOUND if all(one.is_known for one in answers) else FINDINGS


def _find(
    target: str, path: Path, given: dict[str, Path], *, prefers_package: bool
) -> tuple[Opened, list[Ebuild]]:
    """Return the ebuilds that a path or the name of a package means, and their overlay."""
    from overlaylint.engine.errors import UsageError

    is_path = os.path.lexists(target)
    is_name = target.count("/") == 1 and not target.endswith((".ebuild", "/"))
    if is_path and not (prefers_package and is_name):
        ((root, inside),) = by_overlay([Path(target)]).items()
        found = open_overlay(root, given)
        return found, list(ebuilds_in(found.overlay, inside))
    if not is_name and "/" in target:
        raise UsageError(f"{target}: no such file or folder")
    ((root, _),) = by_overlay([path]).items()
    found = open_overlay(root, given)
    ebuilds = list(ebuilds_named(found.overlay, atom_given(target)))
    if not ebuilds and is_path:
        ((root, inside),) = by_overlay([Path(target)]).items()
        found = open_overlay(root, given)
        ebuilds = list(ebuilds_in(found.overlay, inside))
    return found, ebuilds


def _answers(
    found: Opened, ebuilds: list[Ebuild], variable: str, profile_name: str | None
) -> Iterator[Answer]:
    from overlaylint.report.why import FlagAnswer, ProfileAnswer, VariableAnswer

    if profile_name is None:
        for ebuild in ebuilds:
            yield VariableAnswer.of(ebuild, variable)
        return
    profile = profile_given(found.overlay, profile_name)
    for ebuild in ebuilds:
        if variable.startswith("USE="):
            yield FlagAnswer.of(ebuild, profile, variable.removeprefix("USE="))
        else:
            yield ProfileAnswer.of(ebuild, profile, variable)
