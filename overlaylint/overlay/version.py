"""Package names and versions: their syntax and their order (PMS 3.1, 3.2, 3.3).

pkgcore knows all of this too, but importing it costs more than checking one file may,
and every file name of an overlay has to be taken apart. The tests hold what is here
equal to pkgcore and to Portage.
"""

from __future__ import annotations

import re
from dataclasses import field
from functools import lru_cache

from overlaylint.records import dataclass

_CATEGORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9+_.-]*")
_PACKAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9+_-]*")
_VERSION = re.compile(
    r"(?P<numbers>[0-9]+(?:\.[0-9]+)*)(?P<letter>[a-z]?)"
    r"(?P<suffixes>(?:_(?:alpha|beta|pre|rc|p)[0-9]*)*)(?:-r(?P<revision>[0-9]+))?"
)
_SUFFIX = re.compile(r"_(alpha|beta|pre|rc|p)([0-9]*)")
_REVISION = re.compile(r"r[0-9]+")

# A version without a further suffix comes after _rc and before _p.
_SUFFIX_ORDER = {"alpha": 0, "beta": 1, "pre": 2, "rc": 3, "p": 5}
_NO_SUFFIX = (4, (0, ""))

_Number = tuple[int, str]
_Component = tuple[int, int, str]
_Key = tuple[tuple[_Component, ...], str, tuple[tuple[int, _Number], ...], _Number]


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version with its revision, ordered as PMS 3.3 has it.

    Two versions that are written differently may be equal (`1` and `1-r0`).
    """

    _key: _Key = field(repr=False)
    text: str = field(compare=False)
    """The version as it is written, with the revision: PMS's PVR, or `1-r0` kept so."""

    @property
    def without_revision(self) -> str:
        """The version alone: PMS's PV."""
        return self.text.partition("-")[0]

    @property
    def revision(self) -> str:
        """The revision as PMS's PR has it: `r0` where none is written."""
        return self.text.partition("-")[2] or "r0"

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=16384)
def parse_version(text: str) -> Version | None:
    """Return the version that `text` writes, or None if it is none (PMS 3.2)."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    first, *others = match["numbers"].split(".")
    suffixes = tuple(
        (_SUFFIX_ORDER[name], _number(digits))
        for name, digits in _SUFFIX.findall(match["suffixes"])
    )
    key = (
        ((1, *_number(first)), *(_component(digits) for digits in others)),
        match["letter"],
        (*suffixes, _NO_SUFFIX),
        _number(match["revision"] or ""),
    )
    return Version(key, text)


def split_pf(pf: str) -> tuple[str, str] | None:
    """Return (PN, PVR) of a package name with a version, or None if it is none.

    `foo-1-2` is none: a name may not end in a hyphen and what looks like a version
    (PMS 3.1.2).
    """
    name, _, version = pf.rpartition("-")
    if _REVISION.fullmatch(version):
        name, _, before = name.rpartition("-")
        version = f"{before}-{version}"
    if not is_package_name(name) or _VERSION.fullmatch(version) is None:
        return None
    return name, version


def is_category_name(name: str) -> bool:
    """Whether `name` may be a category's (PMS 3.1.1)."""
    return _CATEGORY.fullmatch(name) is not None


def is_package_name(name: str) -> bool:
    """Whether `name` may be a package's (PMS 3.1.2)."""
    if _PACKAGE.fullmatch(name) is None:
        return False
    before, dash, last = name.rpartition("-")
    if not dash:
        return True
    if _REVISION.fullmatch(last):
        dash, last = before.rpartition("-")[1:]
    return not (dash and _VERSION.fullmatch(last))


def _number(digits: str) -> _Number:
    """Return a key that orders digits as the number they write, however long."""
    significant = digits.lstrip("0")
    return len(significant), significant


def _component(digits: str) -> _Component:
    """Return the key of a number after the first dot.

    With a leading zero in either of two, PMS compares them as text without trailing
    zeros. Such a component is then less than any that has no leading zero, and those
    compare as integers: hence one key for both ways.
    """
    if digits.startswith("0"):
        return 0, 0, digits.rstrip("0")
    return 1, *_number(digits)
