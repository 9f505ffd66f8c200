"""How far a long run is, on a terminal: what people would otherwise wait for in the dark."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Seconds after which a run is long.
PATIENCE = 1.0


class Watch:
    """Is told where a run is, and shows it on stderr once the run has proved to be long.

    It shows nothing where stderr is no terminal, and leaves nothing behind.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._shows_at = time.monotonic() + PATIENCE if is_terminal and not is_quiet else None
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, done: int, of: int, what: str, where: str) -> None:
        """Take note: `done` of `of` steps are done, and `what` is at work on `where`."""
        if self._shows_at is None:
            return
        if self._progress is None:
            if time.monotonic() < self._shows_at:
                return
            self._progress, self._task = _begin()
        from overlaylint.report.escape import visible

        assert self._task is not None
        text = f"{visible(what)} {visible(where)}"
        self._progress.update(self._task, completed=done, total=of, description=text)

    def close(self) -> None:
        """Take away what is shown, before the report."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        self._shows_at = None


def _begin() -> tuple[Progress, TaskID]:
    # rich takes longer to import than most runs take.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    progress = Progress(
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=8,
    )
    task = progress.add_task("", total=None)
    progress.start()
    return progress, task
