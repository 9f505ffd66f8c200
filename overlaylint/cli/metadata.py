"""`overlaylint metadata`: the metadata of ebuilds, as Portage would cache it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli import FINDINGS, NOTHING_FOUND, tell
from overlaylint.cli.destinations import must_follow_no_link
from overlaylint.cli.options import master_option
from overlaylint.cli.overlays import (
    by_overlay,
    ebuilds_in,
    masters_given,
    open_overlay,
    profile_given,
)

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.metadata import Metadata
    from overlaylint.report.places import Places

CACHE = Path("metadata", "md5-cache")


@click.command("metadata")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--output-dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write DIR/CATEGORY/PF files in md5-cache format instead of printing.",
)
@click.option(
    "--profile",
    "profile_name",
    metavar="PROFILE",
    help="Take what ebuilds read of the profile (CHOST, ARCH) from this one; REPOSITORY:PATH for a"
    " master's.",
)
@master_option
def command(
    paths: tuple[Path, ...],
    folder: Path | None,
    profile_name: str | None,
    masters: tuple[str, ...],
) -> int:
    """Print the metadata of ebuilds, or write a metadata cache, without running a line of them.

    PATH is an overlay's root, a folder of it or an ebuild. Without PATH, it is the working
    folder.

    Metadata must not depend on the profile. Where an ebuild's does, it is unknown, unless
    --profile says which it is: then it is what Portage makes of it under that profile, with a
    make.conf that changes none of the profile's variables.

    A value that can't be told is left out and named on standard error, with the reason and the
    place. Its file in DIR then has no _md5_ line, so that Portage does not take it for
    whole. An ebuild that Portage can't source is named, too, and has no file.

    Exit status: 0 all is known, 1 something is not, 2 overlaylint could not do its job.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.overlay.evaluation import evaluate
    from overlaylint.overlay.metadata import cache_entry, metadata
    from overlaylint.report.places import Places
    from overlaylint.tree import TreeError

    overlays = by_overlay(paths or (Path(),))
    writer = None if folder is None else CacheWriter(folder, list(overlays))
    if writer is not None and len(overlays) > 1:
        raise UsageError("--output-dir takes the ebuilds of one overlay only")
    seen = unknown = failed = 0
    for root, given in overlays.items():
        found = open_overlay(root, masters_given(masters))
        places = Places(found.overlay)
        set_by_profile = None
        if profile_name is not None:
            from overlaylint.overlay.profile_environment import profile_environment

            set_by_profile = profile_environment(profile_given(found.overlay, profile_name))
        for name, reason in found.missing.items():
            tell(f"master {name} is missing: {reason}; --master {name}=PATH says where it is")
        for ebuild in ebuilds_in(found.overlay, given):
            seen += 1
            try:
                # not `ebuild.evaluation`, which would be kept as long as the ebuild is
                evaluation = evaluate(ebuild, set_by_profile)
                values = metadata(evaluation)
                if evaluation.failure is not None:
                    failed += 1
                    where = places.text(evaluation.failure.span)
                    tell(f"{ebuild}: it can't be sourced: {evaluation.failure.reason} ({where})")
                    continue
                for line in unknown_values(values, places):
                    tell(f"{ebuild}: {line}")
                unknown += bool(values.unknown)
                entry = cache_entry(evaluation, values)
                # whoever asks for one ebuild's metadata has no more use for what it says
                found.overlay.forget_script(ebuild.source_path)
            except TreeError as error:
                failed += 1
                tell(f"{ebuild}: {error}")
                continue
            if writer is not None:
                writer.write(ebuild, entry)
            else:
                _print(ebuild, entry)
    if not seen:
        names = ", ".join(str(path) for path in paths) or "."
        raise UsageError(f"there is no ebuild in {names}")
    if writer is not None:
        print(f"{seen} ebuilds: {seen - unknown - failed} known, {unknown} with unknown values,"
              f" {failed} that can't be sourced; {writer.written} files written to {folder},"
              f" {writer.kept} were up to date")  # fmt: skip
    return FINDINGS if unknown or failed else NOTHING_FOUND


def unknown_values(values: Metadata, places: Places) -> Iterator[str]:
    """Yield a line for each reason why values are unknown, with its place."""
    reasons: dict[str, list[str]] = {}
    for key, reason in values.unknown.items():
        where = places.of(reason)
        text = f"{reason.reason} ({where})" if where else reason.reason
        reasons.setdefault(text, []).append(key)
    for text, keys in reasons.items():
        are = "is" if len(keys) == 1 else "are"
        yield f"{', '.join(keys)} {are} unknown: {text}"


def _print(ebuild: Ebuild, entry: str) -> None:
    from overlaylint.report.escape import visible

    print(f"{ebuild}")
    for line in entry.splitlines():
        # the tabs between eclasses do no harm
        print("  " + "\t".join(map(visible, line.split("\t"))))


class CacheWriter:
    """Writes md5-cache files below a folder, and nowhere else.

    Nothing is written into a checked overlay but its metadata/md5-cache, where that is what was
    asked for. Links below the folder are not followed: they may be the overlay's.
    Raises UsageError where the folder may not be written to, or can't.
    """

    def __init__(self, folder: Path, roots: list[Path]) -> None:
        from overlaylint.engine.errors import UsageError

        self.folder = folder
        self.written = self.kept = 0
        self.categories: set[str] = set()  # those that have their folder
        must_follow_no_link(folder, roots)
        real = folder.resolve()
        for root in roots:
            own = root.resolve()
            cache = own / CACHE
            if real != cache and (real == own or own in real.parents):
                raise UsageError(
                    f"--output-dir {folder}: nothing is written into the overlay itself, except"
                    f" into its {CACHE.as_posix()}"
                )

    def write(self, ebuild: Ebuild, entry: str) -> None:
        """Write the file of one ebuild, at once or not at all; leave one that is up to date."""
        import os
        from contextlib import suppress

        from overlaylint.engine.errors import UsageError

        category = self.folder / ebuild.category
        # plain text, and the functions of `os`: there are thousands of files
        place = f"{category}/{ebuild.PF}"
        data = entry.encode("utf-8", "surrogateescape")
        new = f"{category}/.{ebuild.PF}.{os.getpid()}"
        try:
            if ebuild.category not in self.categories:
                category.mkdir(parents=True, exist_ok=True)
                if category.is_symlink():
                    raise UsageError(f"{category} is a link, which is not followed")
                self.categories.add(ebuild.category)
            if _holds(place, data):
                self.kept += 1
                return
            try:
                # 'x' makes a file of its own, whatever stands there already
                with open(new, "xb") as file:  # noqa: PTH123
                    file.write(data)
                os.replace(new, place)  # noqa: PTH105
            except OSError:
                with suppress(OSError):
                    os.unlink(new)  # noqa: PTH108
                raise
        except OSError as error:
            raise UsageError(f"{place} can't be written: {error.strerror}") from error
        self.written += 1


def _holds(place: str, data: bytes) -> bool:
    """Tell whether a file, not a link to one, has this content."""
    import os
    import stat

    try:
        status = os.lstat(place)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != len(data):
        return False
    with open(place, "rb") as file:  # noqa: PTH123
        return file.read() == data
