"""Which of some files of the repository a word names that is known in part: `${FILESDIR}/x-*.y`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from posixpath import normpath

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.shell.values import Value, pieces_of
from overlaylint.tree import Kind, walk

# Stand for FILESDIR, and for a piece that is unknown; no path has them.
_FILESDIR, _UNKNOWN = "\x00", "\x01"


def named_by(
    ebuild: Ebuild, value: Value | None, files: Iterable[str], *, is_split: bool
) -> Iterator[tuple[str, ...] | None]:
    """Yield, for each word of a value, which of `files` it names, or a folder that they lie in.

    Files are paths in the repository. A word that may name one of them, or another file, has None.
    Unless it `is_split` at its blanks, the value is one word.
    """
    wanted = tuple(files)
    text = "".join(
        part
        if isinstance(part, str)
        else _FILESDIR
        if part.symbol == "FILESDIR"
        else part.pattern or _UNKNOWN
        for part in pieces_of(value or "")
    )
    for word in text.split() if is_split else [text]:
        yield _named(ebuild, word, wanted)


def _named(ebuild: Ebuild, word: str, files: tuple[str, ...]) -> tuple[str, ...] | None:
    if _FILESDIR not in word and _UNKNOWN not in word:
        return ()
    pattern = word.replace(_FILESDIR, ebuild.filesdir)
    is_certain = _UNKNOWN not in pattern
    if ".." in pattern.split("/") and is_certain:
        pattern = normpath(pattern)
    if pattern.strip(_UNKNOWN) == "":
        # Nothing of it is known: most often a list that is empty.
        return None if any(path.startswith(f"{ebuild.filesdir}/") for path in files) else ()
    # A folder stands for the files in it.
    whole = pattern.replace(_UNKNOWN, "*").rstrip("/")
    parts = whole.split("/")
    least = len(parts) + pattern.endswith("/")

    def fits(path: str) -> bool:
        if not is_certain:
            return any(fnmatchcase(path, one) for one in (whole, f"{whole}/*"))
        # A wildcard stands for no slash, where text that is unknown may have one.
        names = path.split("/")
        return len(names) >= least and all(map(fnmatchcase, names, parts))

    found = tuple(path for path in files if fits(path))
    if not found or is_certain:
        return found
    tree = ebuild.repository.tree
    others = walk(tree, ebuild.filesdir) if tree.kind(ebuild.filesdir) is Kind.FOLDER else ()
    return found if all(path in found for path in others if fits(path)) else None
