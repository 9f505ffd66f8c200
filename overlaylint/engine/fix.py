"""Apply the edits of fixes to the text of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from overlaylint.finding import Edit, Fix


def apply_fixes(
    fixes: Iterable[Fix], read: Callable[[str], bytes], *, unsafe: bool = False
) -> dict[str, bytes]:
    """Return the new content of each file that fixes change, by path.

    A fix is applied as a whole or not at all: one that touches what an earlier one changes
    is left for the next run, as its offsets may no longer fit. `read` gives a file's content
    (empty for a file that a fix is to make).
    """
    accepted: dict[str, list[Edit]] = {}
    for fix in fixes:
        edits = sorted(set(fix.edits), key=lambda edit: (edit.span.start, edit.span.end))
        if (fix.is_safe or unsafe) and not any(
            _touch(edit, other) for edit in edits for other in accepted.get(edit.span.path, ())
        ):
            for edit in edits:
                accepted.setdefault(edit.span.path, []).append(edit)
    return {path: _edited(read(path), edits) for path, edits in sorted(accepted.items())}


def _touch(one: Edit, other: Edit) -> bool:
    first, second = sorted((one.span, other.span), key=lambda span: (span.start, span.end))
    return second.start < first.end or first.start == second.start


def _edited(data: bytes, edits: Iterable[Edit]) -> bytes:
    # From the end, so that the offsets before an edit stay what they are.
    for edit in sorted(edits, key=lambda one: (one.span.start, one.span.end), reverse=True):
        text = edit.text.encode("utf-8", "surrogateescape")
        data = data[: edit.span.start] + text + data[edit.span.end :]
    return data
