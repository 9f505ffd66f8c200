"""Apply the edits of fixes: once to a tree, or again and again until nothing is left to fix.

Nothing is written here: what comes out is the new content of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from overlaylint.engine.result import Result
from overlaylint.finding import Edit, Finding, Fix
from overlaylint.records import dataclass
from overlaylint.tree import Kind, OverlaidTree, Tree, TreeError

#: Fixes that touch each other are applied in turn. More rounds than this are a defect.
MOST_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Applied:
    """What one round came to.

    `files` has the new content of each file that is changed or made, by the path without links
    that it lies at, and `before` what it holds so far, None where there is none; `findings`
    are those whose fix is in it.
    """

    files: Mapping[str, bytes]
    before: Mapping[str, bytes | None]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What fixing a tree came to.

    `result` is that of the tree as it is after the fixes, with what was fixed in it; `before`
    and `after` hold the content of each file that differs, None where there was none.
    `unsettled` are rules whose fixes go in circles; what the circle would do is left out.
    """

    result: Result
    before: Mapping[str, bytes | None]
    after: Mapping[str, bytes]
    unsettled: tuple[str, ...] = ()


def fix_tree(
    tree: Tree,
    check: Callable[[Tree], Result],
    may_change: Callable[[str], bool],
    *,
    unsafe: bool = False,
) -> Fixed:
    """Fix what `check` finds until nothing more can be fixed.

    `may_change` says whether a file may be changed, by its path without links. Where the first
    check is stopped, nothing is fixed; where a later one is, this raises KeyboardInterrupt.
    """
    result = check(tree)
    if result.unfinished:
        # It does not say all that there is to fix.
        return Fixed(result, {}, {})
    files: dict[str, bytes] = {}
    before: dict[str, bytes | None] = {}
    done: list[Finding] = []
    unsettled: tuple[str, ...] = ()
    seen = [dict(files)]
    for _ in range(MOST_ROUNDS):
        now = OverlaidTree(tree, files)
        applied = apply_fixes(result.findings, now, may_change, unsafe=unsafe)
        if not applied.files:
            break
        files = {**files, **applied.files}
        if files in seen:
            unsettled = tuple(sorted({finding.rule for finding in applied.findings}))
            files = seen[-1]
            break
        seen.append(files)
        before = {**applied.before, **before}
        done += applied.findings
        result = check(OverlaidTree(tree, files))
        if result.unfinished:
            raise KeyboardInterrupt
    after = {path: data for path, data in sorted(files.items()) if data != before[path]}
    return Fixed(replace(result, fixed=tuple(done)), before, after, unsettled)


def apply_fixes(
    findings: Iterable[Finding],
    tree: Tree,
    may_change: Callable[[str], bool] = lambda _: True,
    *,
    unsafe: bool = False,
) -> Applied:
    """Return what the fixes of findings make of a tree's files.

    A fix is applied as a whole or not at all: one that touches what an earlier one changes is
    left for the next round, as its offsets may no longer fit. One that would change a file of
    a master, or anything but a file of the tree, is not applied.
    """
    accepted: dict[str, list[Edit]] = {}
    contents: dict[str, bytes | None] = {}
    fixed = []
    for finding in findings:
        fix = finding.fix
        if fix is None or not (fix.is_safe or unsafe):
            continue
        placed = _placed(fix, tree, contents, may_change)
        if placed is None:
            continue
        others = [one for edit in placed for one in accepted.get(edit.span.path, ())]
        if all(edit in others for edit in placed):
            # Another finding has the same fix.
            fixed.append(finding)
        elif not any(_touch(one, other) for one in placed for other in others):
            fixed.append(finding)
            for edit in placed:
                accepted.setdefault(edit.span.path, []).append(edit)
    files = {
        path: _edited(contents[path] or b"", edits) for path, edits in sorted(accepted.items())
    }
    return Applied(files, {path: contents[path] for path in files}, tuple(fixed))


def _placed(
    fix: Fix, tree: Tree, contents: dict[str, bytes | None], may_change: Callable[[str], bool]
) -> list[Edit] | None:
    """Return the edits of a fix at the paths without links that they mean, in order.

    None where one of them must not be made, or does not fit. `contents` is filled.
    """
    found = set()
    for edit in fix.edits:
        path = None if edit.span.repository else _real_path(tree, edit.span.path)
        if path is None or not may_change(path):
            return None
        if path not in contents:
            try:
                contents[path] = tree.read(path) if tree.kind(path) else None
            except TreeError:
                # What can't be read can't be fixed; the finding stays.
                return None
        if not 0 <= edit.span.start <= edit.span.end <= len(contents[path] or b""):
            return None
        found.add(replace(edit, span=replace(edit.span, path=path)))
    edits = sorted(found, key=lambda edit: (edit.span.start, edit.span.end))
    in_itself = any(
        _touch(one, other)
        for at, one in enumerate(edits)
        for other in edits[at + 1 :]
        if one.span.path == other.span.path
    )
    return None if in_itself else edits


def _real_path(tree: Tree, path: str) -> str | None:
    """Return where a file lies, or would lie if it were made; None if that is not in the tree."""
    if not path or any(part in ("", ".", "..") for part in path.split("/")):
        return None
    kind = tree.kind(path)
    if kind is Kind.FILE:
        return tree.resolve(path)
    if kind is not None:
        return None
    folder, _, name = path.rpartition("/")
    while folder and tree.kind(folder) is None:
        folder, _, above = folder.rpartition("/")
        name = f"{above}/{name}"
    if tree.kind(folder) is not Kind.FOLDER:
        return None
    real = tree.resolve(folder)
    return f"{real}/{name}" if real else name


def _touch(one: Edit, other: Edit) -> bool:
    if one.span.path != other.span.path:
        return False
    first, second = sorted((one.span, other.span), key=lambda span: (span.start, span.end))
    return second.start < first.end or first.start == second.start


def _edited(data: bytes, edits: Iterable[Edit]) -> bytes:
    has_carriage_returns = b"\r\n" in data and data.count(b"\n") == data.count(b"\r\n")
    # From the end, so that the offsets before an edit stay what they are.
    for edit in sorted(edits, key=lambda one: (one.span.start, one.span.end), reverse=True):
        text = edit.text.encode("utf-8", "surrogateescape")
        if has_carriage_returns:
            # The lines that a fix writes end as those around them do.
            text = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        data = data[: edit.span.start] + text + data[edit.span.end :]
    return data
