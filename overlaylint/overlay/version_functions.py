"""`ver_cut`, `ver_rs` and `ver_test` (PMS 12.3.14), on known versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from overlaylint.overlay.version import Version, parse_version

_COMPONENT = re.compile(r"([^A-Za-z0-9]*)([0-9]+|[A-Za-z]+|\Z)")

_OPERATORS: Mapping[str, Callable[[int], bool]] = {
    "-eq": lambda order: order == 0, "-ne": lambda order: order != 0,
    "-lt": lambda order: order < 0, "-le": lambda order: order <= 0,
    "-gt": lambda order: order > 0, "-ge": lambda order: order >= 0,
}  # fmt: skip


class VersionProblem(Exception):
    """The function dies: a range or a version is malformed."""


def split(version: str) -> list[str]:
    """Return separators and components by turns, a separator first."""
    parts: list[str] = []
    position = 0
    while position < len(version):
        match = _COMPONENT.match(version, position)
        if match is None:
            raise VersionProblem(f"can't split {version!r}")
        parts += match.groups()
        position = match.end()
    return parts


def _range(text: str, last: int) -> tuple[int, int]:
    """Return the first and last component that a range names."""
    match = re.fullmatch(r"([0-9]+)(?:-([0-9]*))?", text)
    if match is None:
        if not text[:1].isdigit():
            raise VersionProblem("range must start with a number")
        raise VersionProblem(f"can't read the range {text!r}")
    start = int(match.group(1))
    if match.group(2) is None:
        end = start
    elif match.group(2):
        end = int(match.group(2))
    else:
        return start, last
    if start > end:
        raise VersionProblem("end of range must be >= start")
    return start, min(end, last)


def ver_cut(range_: str, version: str) -> str:
    """Return the components of `version` that `range_` names, with what stands between them."""
    parts = split(version)
    start, end = _range(range_, len(parts) // 2)
    if start > 0:
        start = start * 2 - 1
    return "".join(parts[start : start + max(0, end * 2 - start)])


def ver_rs(pairs: list[tuple[str, str]], version: str) -> str:
    """Return `version` with the separators in each range replaced."""
    parts = split(version)
    last = len(parts) // 2 - 1
    for range_, separator in pairs:
        start, end = _range(range_, last)
        for index in range(start * 2, end * 2 + 1, 2):
            if index == 0 and (not parts or not parts[0]):
                continue
            if index >= len(parts):
                parts.append(separator)
            else:
                parts[index] = separator
    return "".join(parts)


def ver_test(left: str, operator: str, right: str) -> bool:
    """Return whether two versions are in the order that `operator` names (PMS 3.3)."""
    compare = _OPERATORS.get(operator)
    if compare is None:
        raise VersionProblem(f"invalid operator: {operator}")
    one, other = _version(left), _version(right)
    return compare((one > other) - (one < other))


def _version(text: str) -> Version:
    version = parse_version(text)
    if version is None:
        raise VersionProblem(f"invalid version: {text}")
    return version
