"""Places as text: where in which file of which repository something stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overlaylint.engine.result import Sources
from overlaylint.finding import Span
from overlaylint.overlay.evaluation import span_of
from overlaylint.report.escape import visible

if TYPE_CHECKING:
    from overlaylint.lines import LineIndex
    from overlaylint.overlay.repository import Repository
    from overlaylint.shell.values import Unknown


class Places:
    """Turns the places of an overlay and its masters into text; each file is read once."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._sources = Sources(repository)

    def index(self, span: Span) -> LineIndex | None:
        """Return the lines of the file that a span lies in, None where it has none."""
        return self._sources.index(span) if span.path else None

    def text(self, span: Span) -> str:
        """Return `path:line:column`, the path alone for a file as a whole, "" for nowhere.

        A place in a master has the master's name before it.
        """
        if not span.path:
            return ""
        path = visible(span.path)
        if span.repository:
            path = f"{visible(span.repository)}::{path}"
        index = self.index(span)
        if index is None or span.end == 0:
            return path
        return f"{path}:{index.line(span.start)}:{index.character_column(span.start)}"

    def span(self, unknown: Unknown) -> Span:
        """Return where something became unknown."""
        return span_of(self.repository, unknown.source, unknown.start, unknown.end)

    def of(self, unknown: Unknown) -> str:
        """Return where something became unknown, as text."""
        return self.text(self.span(unknown))
