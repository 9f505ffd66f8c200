"""`overlaylint packages`: what a profile sees of an overlay and its masters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from overlaylint.cli import FINDINGS, NOTHING_FOUND, tell
from overlaylint.cli.options import master_option, overlay_option
from overlaylint.cli.overlays import (
    atom_given,
    by_overlay,
    ebuilds_named,
    masters_given,
    open_overlay,
    profile_given,
)
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.finding import Span
    from overlaylint.overlay.atom import Atom
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.profile import Profile
    from overlaylint.overlay.repository import Repository
    from overlaylint.overlay.use import UseState
    from overlaylint.report.places import Places

FLAGS = ("on", "off", "forced", "masked")


@dataclass(frozen=True, slots=True)
class Row:
    """One ebuild under a profile.

    `is_visible` is None where that can't be told, because a value of the ebuild is unknown;
    then `reasons` say which, and `use` is None. `mask` is the line of package.mask that hides it,
    `comment` what stands above that line.
    """

    ebuild: Ebuild
    is_visible: bool | None
    reasons: tuple[str, ...]
    use: UseState | None = None
    mask: Span | None = None
    comment: str = ""
    notes: tuple[str, ...] = field(default=())
    """What people may want to know besides: why an ebuild can't be sourced."""


@click.command("packages")
@click.argument("atoms", metavar="[ATOM]...", nargs=-1)
@click.option(
    "--profile",
    "profile_name",
    metavar="PROFILE",
    required=True,
    help="The profile, by its path below profiles/; REPOSITORY:PATH for a master's.",
)
@click.option("--use", "with_use", is_flag=True, help="Show the USE flags as well.")
@click.option(
    "--output-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How the packages are listed.",
)
@overlay_option
@master_option
def command(
    atoms: tuple[str, ...],
    profile_name: str,
    output_format: str,
    path: Path,
    masters: tuple[str, ...],
    *,
    with_use: bool,
) -> int:
    """List the ebuilds of an overlay and its masters as a profile sees them.

    For each ebuild that an ATOM matches (without ATOM, for all): whether it is visible, and if
    not why, in Portage's words; with --use its flags. Ebuilds are evaluated, never run.

    Exit status: 0 all could be told, 1 something could not, 2 overlaylint could not do its job.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.report.places import Places

    ((root, _),) = by_overlay([path]).items()
    wanted = [atom_given(text) for text in atoms]
    found = open_overlay(root, masters_given(masters))
    for name, reason in found.missing.items():
        tell(f"master {name} is missing: {reason}; --master {name}=PATH says where it is")
    profile = profile_given(found.overlay, profile_name)
    places = Places(found.overlay)
    rows = _rows(found.overlay, wanted, profile, places, with_use=with_use)
    if output_format == "json":
        shown = list(rows)
        _print_json(profile, shown, places, with_use=with_use)
    else:
        shown = []
        for row in rows:
            shown.append(row)
            print(*_text(row, places), sep="\n")
    if not shown:
        raise UsageError(f"no ebuild matches {' '.join(atoms)}" if atoms else "there is no ebuild")
    return FINDINGS if any(row.is_visible is None for row in shown) else NOTHING_FOUND


def _rows(
    repository: Repository,
    wanted: list[Atom],
    profile: Profile,
    places: Places,
    *,
    with_use: bool,
) -> Iterator[Row]:
    for ebuild in _candidates(repository, wanted):
        row = row_of(ebuild, profile, wanted, places, with_use=with_use)
        if row is not None:
            yield row


def _candidates(repository: Repository, wanted: list[Atom]) -> Iterable[Ebuild]:
    if not wanted:
        return (ebuild for one in repository.family for ebuild in one.ebuilds)
    found = {str(one): one for atom in wanted for one in ebuilds_named(repository, atom)}
    return found.values()


def row_of(
    ebuild: Ebuild,
    profile: Profile,
    wanted: list[Atom],
    places: Places,
    *,
    with_use: bool,
) -> Row | None:
    """Return an ebuild as a profile sees it; None where its slot is none that is wanted."""
    from overlaylint.overlay.available import NEEDED
    from overlaylint.overlay.evaluation import evaluate
    from overlaylint.overlay.metadata import metadata
    from overlaylint.overlay.use import candidate_of
    from overlaylint.overlay.visibility import Mask, mask_comment
    from overlaylint.tree import TreeError

    try:
        evaluation = evaluate(ebuild)
    except TreeError as error:
        return Row(ebuild, False, ("corruption",), notes=(str(error),))
    if evaluation.failure is not None:
        # Portage's word for an ebuild without metadata.
        where = places.text(evaluation.failure.span)
        note = f"it can't be sourced: {evaluation.failure.reason} ({where})"
        return Row(ebuild, False, ("corruption",), notes=(note,))
    found = metadata(evaluation)
    lost = {key: found.unknown[key] for key in NEEDED if key in found.unknown}
    if lost:
        texts = (
            f"{key} is unknown: {one.reason}" + (f" ({where})" if (where := places.of(one)) else "")
            for key, one in lost.items()
        )
        return Row(ebuild, None, tuple(texts))
    if wanted:
        candidate = candidate_of(ebuild, found.values)
        if not any(atom.matches(candidate) for atom in wanted):
            return None
    visibility = profile.visibility(ebuild, found.values)
    mask = next((one.span for one in visibility.reasons if one.mask is Mask.PACKAGE_MASK), None)
    index = places.index(mask) if mask is not None else None
    return Row(
        ebuild,
        visibility.is_visible,
        tuple(reason.text for reason in visibility.reasons),
        profile.use(ebuild, found.values) if with_use else None,
        mask,
        mask_comment(index.data, mask.start) if index is not None and mask is not None else "",
    )


def _text(row: Row, places: Places) -> Iterator[str]:
    from overlaylint.report.escape import visible

    if row.is_visible:
        yield f"{row.ebuild}: visible"
    else:
        word = "unknown" if row.is_visible is None else "hidden"
        yield f"{row.ebuild}: {word}: {'; '.join(visible(reason) for reason in row.reasons)}"
    if row.mask is not None:
        yield f"  {places.text(row.mask)}"
        yield from (f"    {visible(line)}" for line in row.comment.split("\n") if line)
    yield from (f"  {visible(note)}" for note in row.notes)
    if row.use is not None:
        for kind in FLAGS:
            flags = sorted(getattr(row.use, kind))
            if flags:
                yield f"  {kind}: {visible(' '.join(flags))}"


def _print_json(profile: Profile, rows: list[Row], places: Places, *, with_use: bool) -> None:
    import json

    from overlaylint.report.escape import plain

    packages = {plain(str(row.ebuild)): _json(row, places, with_use=with_use) for row in rows}
    json.dump({"profile": plain(profile.name), "packages": packages}, sys.stdout, indent=2)
    print()


def _json(row: Row, places: Places, *, with_use: bool) -> Mapping[str, Any]:
    from overlaylint.report.escape import plain

    found: dict[str, Any] = {
        "visible": row.is_visible,
        "reasons": [plain(reason) for reason in row.reasons],
    }
    if row.mask is not None:
        index = places.index(row.mask)
        found["mask"] = {
            "repository": plain(row.mask.repository or places.repository.name),
            "path": plain(row.mask.path),
            "line": 1 if index is None else index.line(row.mask.start),
            "comment": plain(row.comment),
        }
    if row.notes:
        found["notes"] = [plain(note) for note in row.notes]
    if with_use:
        use = row.use
        found["use"] = None if use is None else {kind: sorted(getattr(use, kind)) for kind in FLAGS}
    return found
