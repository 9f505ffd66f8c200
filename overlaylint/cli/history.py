"""`overlaylint history`: each rule over the overlay's commits."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from overlaylint.cli import FINDINGS, INTERRUPTED, NOTHING_FOUND, tell
from overlaylint.cli.choosing import Choosing, choosing_options
from overlaylint.cli.options import Command, master_option
from overlaylint.cli.overlays import Opened, masters_given, open_overlay
from overlaylint.cli.progress import Watch
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.engine.replay import Replay, Revision, Window
    from overlaylint.tree import Tree
    from overlaylint.tree.git import Commit, RawChange

#: How many revisions are looked at, if nothing else is said.
SAMPLES = 200


@click.command("history", cls=Command)
@click.argument("path", metavar="[PATH]", type=click.Path(path_type=Path), default=Path())
@choosing_options
@master_option
@click.option(
    "--folder",
    metavar="FOLDER",
    help="The overlay's folder in the repository at PATH, where it is not there now.",
)
@click.option(
    "--from",
    "--since",
    "start",
    metavar="DATE|REVISION",
    help="Begin here; else with the first commit.",
)
@click.option("--to", "end", metavar="DATE|REVISION", help="End here; else with HEAD.")
@click.option(
    "--samples",
    type=click.IntRange(min=2),
    metavar="N",
    help=f"Look at N commits, evenly in time.  [default: {SAMPLES}]",
)
@click.option(
    "--every", type=click.IntRange(min=1), metavar="N", help="Look at each Nth commit; 1 for all."
)
@click.option(
    "--bisect",
    is_flag=True,
    help="Look for the very commits, between those, with which something came and went.",
)
@click.option(
    "--output-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How the windows are shown.",
)
def command(
    path: Path,
    choosing: Choosing,
    masters: tuple[str, ...],
    folder: str | None,
    start: str | None,
    end: str | None,
    samples: int | None,
    every: int | None,
    output_format: str,
    *,
    bisect: bool,
) -> int:
    """Show from when until when each rule found something, over the overlay's commits.

    PATH is an overlay in a git repository, at its root or in a folder of it. The commits are
    those of the main line (first parents) that changed it, or a master in the same repository. A
    master in another git repository is taken as it was at the time of each commit.

    A rule runs again only where something has changed that it reads. Where not every commit is
    looked at, windows begin and end with those that are: `~` tells that it may have been
    earlier. --bisect finds the commit.

    Exit status: 0 nothing was found, 1 something was, 2 overlaylint could not do its job.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.engine.packs import load_catalog
    from overlaylint.engine.replay import Replay, evenly
    from overlaylint.engine.run import is_about_the_overlay

    if samples is not None and every is not None:
        raise UsageError("--samples and --every: only one of them can be")
    line = _open_line(path, folder, masters_given(masters))
    revisions = line.revisions(start, end)
    newest = next((one for one in reversed(revisions) if one.trees()), None)
    if newest is None:
        raise UsageError(f"{path}: no commit there has an overlay in it")
    catalog = load_catalog()
    opened = line.opened(newest.trees())
    plan = choosing.plan(opened, catalog, line.selection)
    rules = tuple(filter(is_about_the_overlay, plan.rules))
    if every is not None:
        places = frozenset({*range(0, len(revisions), every), len(revisions) - 1})
    else:
        places = evenly([one.time for one in revisions], samples or SAMPLES)

    def open_(trees: Mapping[str, Tree]) -> tuple[Any, Any]:
        from dataclasses import replace

        found = line.opened(trees)
        return found.overlay, replace(plan, missing_masters=found.missing)

    with Watch() as watch:
        replay = Replay(
            revisions,
            rules,
            open_,
            places,
            lambda at: watch(at, len(revisions), "commit", _date(revisions[at].time)),
        )
        try:
            replay.run()
            if bisect:
                replay.narrow()
            is_stopped = False
        except KeyboardInterrupt:
            is_stopped = True
    if output_format == "json":
        _print_json(replay, line)
    else:
        _print_text(replay, line)
    if is_stopped:
        tell("stopped before the end: the windows are right as far as it came")
        return INTERRUPTED
    return FINDINGS if replay.windows else NOTHING_FOUND


@dataclass(frozen=True)
class _Other:
    """A master in a repository of its own, with the commits of its main line."""

    repository: Path
    folder: str
    commits: Sequence[Commit]

    @cached_property
    def times(self) -> list[int]:
        """The time of each commit, never before that of an earlier one."""
        return list(accumulate((one.time for one in self.commits), max))

    def at(self, time: int) -> str:
        """Return the commit that was the newest at a time; empty if there was none yet."""
        place = bisect_right(self.times, time)
        return self.commits[place - 1].id if place else ""


@dataclass(frozen=True)
class _Line:
    """The overlay at `folder` of a repository, and its masters: beside it, apart, or fixed."""

    repository: Path
    folder: str
    now: Opened | None
    """The overlay as it is now, whose configuration holds for all times."""
    beside: Mapping[str, str]
    others: Mapping[str, _Other]
    fixed: Mapping[str, Tree]

    @property
    def selection(self) -> Any:
        """What is reported on: all that is not excluded."""
        from overlaylint.engine.selection import Selection

        if self.now is None:
            return Selection()
        configured = self.now.configuration
        return Selection(exclude=configured.exclude, base=configured.base)

    def opened(self, trees: Mapping[str, Tree]) -> Opened:
        """Return the overlay of one revision."""
        from overlaylint.engine.configuration import Configured
        from overlaylint.overlay.masters import find_repositories

        configured = Configured() if self.now is None else self.now.configuration
        masters = {name: tree for name, tree in trees.items() if name}
        found = find_repositories(None, masters, trees[""], configured.settings.profiles)
        return Opened(self.repository / self.folder, configured, found, masters)

    def revisions(self, start: str | None, end: str | None) -> list[Revision]:
        """Return the revisions from one date or revision to another, oldest first."""
        from overlaylint.engine.errors import UsageError
        from overlaylint.engine.replay import Revision
        from overlaylint.tree import TreeError, changes_between, first_parents

        from_time, from_revision = _moment(start, "--from")
        to_time, to_revision = _moment(end, "--to")
        folders = [self.folder, *self.beside.values()]
        try:
            commits = first_parents(self.repository, to_revision or "HEAD", folders)
            if from_revision:
                new = first_parents(
                    self.repository, to_revision or "HEAD", folders, after=from_revision
                )
                # The revision itself is where it begins.
                commits = commits[max(0, len(commits) - len(new) - 1) :]
        except TreeError as error:
            raise UsageError(f"{self.repository}: {error.reason}") from error
        commits = tuple(
            one
            for one in commits
            if (from_time is None or one.time >= from_time)
            and (to_time is None or one.time < to_time)
        )
        if not commits:
            raise UsageError("no commit of that time changed the overlay")
        steps = [(old.id, new.id) for old, new in pairwise(commits)]
        own = {
            name: changes_between(self.repository, steps, folder)
            for name, folder in (("", self.folder), *self.beside.items())
        }
        apart = {}
        for name, other in self.others.items():
            at = [other.at(one.time) for one in commits]
            pairs = [(old, new) for old, new in pairwise(at) if old and old != new]
            apart[name] = at, changes_between(other.repository, pairs, other.folder)
        found = []
        for place, commit in enumerate(commits):
            changes: dict[str, tuple[RawChange, ...] | None] = {
                name: between[steps[place - 1]] if place else None for name, between in own.items()
            }
            at_time = {}
            for name, (at, between) in apart.items():
                before, now = (at[place - 1] if place else ""), at[place]
                changes[name] = () if before == now else between.get((before, now))
                at_time[name] = now
            found.append(
                Revision(commit.id, commit.time, _Trees(self, commit.id, at_time), changes)
            )
        return found


@dataclass(frozen=True, slots=True)
class _Trees:
    """Calling it returns the trees of one revision; they are not kept."""

    line: _Line
    commit: str
    at_time: Mapping[str, str]

    def __call__(self) -> Mapping[str, Tree]:
        from overlaylint.tree import GitTree, TreeError

        line = self.line
        places = [("", line.repository, self.commit, line.folder)]
        places += [(n, line.repository, self.commit, folder) for n, folder in line.beside.items()]
        places += [
            (name, line.others[name].repository, commit, line.others[name].folder)
            for name, commit in self.at_time.items()
            if commit
        ]
        trees: dict[str, Tree] = dict(line.fixed)
        for name, repository, commit, folder in places:
            try:
                trees[name] = GitTree(repository, commit, folder)
            except TreeError:
                # It was not there then.
                continue
        if "" not in trees or not _is_overlay(trees[""]):
            return {}
        return trees


def _is_overlay(tree: Tree) -> bool:
    from overlaylint.overlay.layout import LAYOUT_PATH
    from overlaylint.tree import Kind

    return any(tree.kind(path) is Kind.FILE for path in ("profiles/repo_name", LAYOUT_PATH))


def _open_line(path: Path, folder: str | None, masters: Mapping[str, Path]) -> _Line:
    from overlaylint.engine.errors import UsageError
    from overlaylint.overlay.masters import find_overlay_root
    from overlaylint.tree import DirectoryTree, first_parents

    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    root = find_overlay_root(path) if folder is None else None
    place = _in_git(root or path)
    if place is None:
        raise UsageError(f"{path}: it lies in no git repository")
    repository, inside = place
    if folder is not None:
        inside = "/".join(part for part in (inside, folder.strip("/")) if part)
    now = None if root is None else open_overlay(root, masters)
    known: dict[str, Path] = dict(masters)
    for master in now.overlay.family[1:] if now is not None else ():
        if isinstance(master.tree, DirectoryTree):
            known |= {name: master.tree.root for name in master.names if name not in known}
    beside: dict[str, str] = {}
    others: dict[str, _Other] = {}
    fixed: dict[str, Tree] = {}
    for name, master_path in known.items():
        found = _in_git(master_path)
        if found is None:
            fixed[name] = DirectoryTree(master_path)
        elif found[0] == repository:
            beside[name] = found[1]
        else:
            commits = first_parents(found[0], "HEAD", [found[1]])
            others[name] = _Other(found[0], found[1], commits)
    return _Line(repository, inside, now, beside, others, fixed)


def _in_git(path: Path) -> tuple[Path, str] | None:
    """Return the repository that a folder lies in, or is, and the folder's path in it."""
    from overlaylint.tree import find_git_root

    found = find_git_root(path)
    if found is not None:
        return found
    is_bare = (path / "HEAD").is_file() and (path / "objects").is_dir()
    return (path.resolve(), "") if is_bare else None


def _moment(text: str | None, option: str) -> tuple[int | None, str]:
    """Return the time that a date means, in seconds since 1970 (UTC), or else the revision."""
    from datetime import UTC, datetime

    from overlaylint.engine.errors import UsageError

    if text is None:
        return None, ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        if not text or text.startswith("-"):
            raise UsageError(f"{option} {text}: neither a date nor a revision") from None
        return None, text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()), ""


def _date(time: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time, UTC).date().isoformat()


def _print_text(replay: Replay, line: _Line) -> None:
    from overlaylint.report.escape import visible

    for window in replay.windows:
        begins = _place(replay, window.first, window.before)
        if window.until is None:
            ends = "still there"
        else:
            ends = f"until {_place(replay, window.until, window.last)}"
        print(
            f"{visible(window.rule)}: {visible(window.path)}: from {begins}, {ends}:"
            f" {visible(window.message)}"
        )
    for text in _summary(replay, line):
        print(text)


def _place(replay: Replay, at: int, neighbour: int | None) -> str:
    revision = replay.revisions[at]
    is_exact = neighbour is None or abs(at - neighbour) == 1
    return f"{'' if is_exact else '~'}{_date(revision.time)} {revision.commit[:12]}"


def _summary(replay: Replay, line: _Line) -> Iterator[str]:
    from overlaylint.report.escape import visible

    revisions = replay.revisions
    first, last = revisions[0], revisions[-1]
    yield (
        f"{len(replay.windows)} windows in {len(revisions)} commits"
        f" from {_date(first.time)} {first.commit[:12]} to {_date(last.time)} {last.commit[:12]}"
    )
    if len(replay.samples) < len(revisions):
        yield f"{len(replay.samples)} of them were looked at"
    for name in line.fixed:
        yield f"master {visible(name)} lies in no git repository, and is taken as it is now"


def _print_json(replay: Replay, line: _Line) -> None:
    import json

    revisions = replay.revisions

    def place(at: int | None) -> dict[str, Any] | None:
        if at is None:
            return None
        return {"commit": revisions[at].commit, "date": _date(revisions[at].time)}

    def window_json(window: Window) -> dict[str, Any]:
        from overlaylint.report.escape import plain

        return {
            "rule": window.rule,
            "path": plain(window.path),
            "severity": str(window.severity),
            "message": plain(window.message),
            "absent_before": place(window.before),
            "from": place(window.first),
            "last_seen": place(window.last),
            "until": place(window.until),
        }

    report = {
        "schema": 1,
        "commits": len(revisions),
        "from": place(0),
        "to": place(len(revisions) - 1),
        "looked_at": [revisions[at].commit for at in sorted(replay.samples)],
        "fixed_masters": sorted(line.fixed),
        "windows": [window_json(one) for one in replay.windows],
    }
    json.dump(report, sys.stdout, indent=2)
    print()
