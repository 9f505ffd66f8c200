"""Manifest files: the size and checksums of a package's distfiles (GLEP 44, GLEP 74)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from overlaylint.overlay.text import Line, lines
from overlaylint.records import dataclass

#: The types of GLEP 44 and GLEP 74 that have a file name, a size and checksums.
FILE_TYPES = frozenset({"AUX", "EBUILD", "MISC", "DIST", "DATA", "MANIFEST"})

_OTHER_TYPES = frozenset({"TIMESTAMP", "IGNORE", "OPTIONAL"})


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One line: a file of a type, its size in bytes, and its checksums by algorithm."""

    type: str
    name: str
    size: int
    checksums: Mapping[str, str]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ManifestProblem:
    """A line that is none of a Manifest's."""

    message: str
    start: int
    end: int


@dataclass(frozen=True)
class Manifest:
    """A whole Manifest. A signature around it is passed over, and not looked at."""

    entries: tuple[ManifestEntry, ...] = ()
    problems: tuple[ManifestProblem, ...] = ()

    @cached_property
    def distfiles(self) -> Mapping[str, ManifestEntry]:
        """The DIST entries by file name; the last one counts."""
        return {entry.name: entry for entry in self.entries if entry.type == "DIST"}


def parse_manifest(data: bytes) -> Manifest:
    """Read a Manifest, the lines that are none of it as problems."""
    entries = []
    problems = []
    is_signature = is_header = False
    for line in lines(data):
        if line.text.startswith("-----BEGIN PGP SIGNED"):
            is_header = True
        elif line.text.startswith("-----BEGIN PGP SIGNATURE"):
            is_signature = True
        elif line.text.startswith("-----END PGP"):
            is_signature = False
        elif is_header and line.words[0].text.endswith(":"):
            continue
        elif not is_signature and line.words[0].text not in _OTHER_TYPES:
            is_header = False
            entry = _entry(line)
            if isinstance(entry, ManifestEntry):
                entries.append(entry)
            else:
                problems.append(ManifestProblem(entry, line.start, line.end))
    return Manifest(tuple(entries), tuple(problems))


def _entry(line: Line) -> ManifestEntry | str:
    words = [word.text for word in line.words]
    if words[0] not in FILE_TYPES:
        return f"{words[0]!r} is not a type of entry"
    if len(words) < 3 or not (words[2].isascii() and words[2].isdigit()):
        return "a file name and a size are missing"
    pairs = words[3:]
    if len(pairs) % 2:
        return "a checksum is missing behind its algorithm's name"
    checksums = dict(zip(pairs[::2], pairs[1::2], strict=True))
    # No file is so large that its size has more than 18 digits.
    size = int(words[2][:18])
    return ManifestEntry(words[0], words[1], size, checksums, line.start, line.end)
