"""Places as a host shows them: paths from the root of its repository, and lines that exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from overlaylint.engine.result import Result
from overlaylint.finding import Edit, Fix, Span
from overlaylint.lines import LineIndex
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.tree import DirectoryTree

#: Where the host says that it checked the repository out: GitHub, GitLab.
_WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")

#: What a column counts: one of LineIndex's methods.
Column = Callable[[LineIndex, int], int]


@dataclass(frozen=True, slots=True)
class Region:
    """Lines and columns from 1; the end is the first position behind the place."""

    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1


def region(result: Result, span: Span, column: Column = LineIndex.character_column) -> Region:
    """Return where a span is in its file, in lines that a host can show.

    A line feed at its end is left out, so that no line is named that is not part of the
    place. The end of a file is the end of its last line. What has no content (a folder, a
    link to nothing) is at line 1, column 1.
    """
    index = result.sources.index(span)
    if index is None or not index.data:
        return Region()
    size = len(index.data)
    start = min(span.start, size)
    if start == size and index.data.endswith(b"\n"):
        start -= 1
    end = max(start, min(span.end, size))
    if end > start and index.data[end - 1 : end] == b"\n":
        end -= 1
    return Region(index.line(start), column(index, start), index.line(end), column(index, end))


def exact_region(result: Result, span: Span, column: Column) -> Region:
    """Return where a span is in its file, to the byte: what an edit replaces."""
    index = result.sources.index(span)
    if index is None:
        return Region()
    end = max(span.start, span.end)
    return Region(
        index.line(span.start), column(index, span.start), index.line(end), column(index, end)
    )


class HostPaths:
    """The paths of an overlay and its masters, as a host has them."""

    def __init__(self, result: Result, environment: Mapping[str, str]) -> None:
        self.repository = result.repository
        self.root = None if result.root is None else result.root.resolve()
        self.base = None if self.root is None else repository_root(self.root, environment)

    def of(self, span: Span) -> str | None:
        """Return the path from the root of the host's repository, None for one outside it."""
        if not span.repository:
            return _joined(self.root, self.base, span.path) or "."
        master = self.repository.named(span.repository)
        root = None if master is None else _folder_of(master)
        if root is None or self.base is None or not root.is_relative_to(self.base):
            return None
        return _joined(root, self.base, span.path)


def repository_root(folder: Path, environment: Mapping[str, str]) -> Path:
    """Return the folder that the host's paths are relative to.

    That is the host's working folder (`$GITHUB_WORKSPACE`, `$CI_PROJECT_DIR`) if the overlay
    lies in it, else the git work tree that the overlay lies in, else the overlay itself.
    """
    folder = folder.resolve()
    for name in _WORKSPACES:
        workspace = environment.get(name, "")
        if workspace and folder.is_relative_to(Path(workspace).resolve()):
            return Path(workspace).resolve()
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():
            return parent
    return folder


def one_edit(result: Result, fix: Fix) -> Edit | None:
    """Return one edit that does what all edits of a fix do, None where none can say it.

    Hosts take each edit for a suggestion of its own, and half a fix may be worse than none.
    Edits of one file become one, with the text between them as it is.
    """
    edits = sorted(set(fix.edits), key=lambda one: (one.span.start, one.span.end))
    if not edits or {(one.span.repository, one.span.path) for one in edits} != {
        ("", edits[0].span.path)
    }:
        return None
    index = result.sources.index(edits[0].span)
    if index is None:
        return None
    parts: list[str] = []
    at = edits[0].span.start
    for number, edit in enumerate(edits):
        start = edit.span.start
        if start < at or (number and start == edits[number - 1].span.start):
            return None
        parts.append(index.data[at : edit.span.start].decode("utf-8", "surrogateescape"))
        parts.append(edit.text)
        at = max(edit.span.start, edit.span.end)
    span = Span(edits[0].span.path, edits[0].span.start, at)
    return Edit(span, "".join(parts))


def _joined(root: Path | None, base: Path | None, path: str) -> str:
    if root is None or base is None or root == base:
        return path
    prefix = root.relative_to(base).as_posix()
    return f"{prefix}/{path}" if path else prefix


def _folder_of(repository: Repository) -> Path | None:
    tree = repository.tree
    return tree.root.resolve() if isinstance(tree, DirectoryTree) else None
