"""A file in FILESDIR is used, and is not there.

## What it does

Works out which files of `${FILESDIR}` each version of a package uses, and reports those that are
not in the package's folder `files`. It looks at every phase, hook and helper function, at
`PATCHES` and other lists that an eclass reads, and at functions of eclasses that use FILESDIR
themselves. Tests of a file (`[[ -e ${FILESDIR}/x ]]`) are answered, and wildcards looked up, as a
build would. A use whose failure is provided for (`cp x y || true`, `nonfatal doins x`) needs no
file.

## Why it matters

The build fails, and only when it comes to the phase, or to the flag, that uses the file. It
happens where an update renames an ebuild whose files have the version in their names, or where a
patch is removed that another version still applies.

## Example

`app-misc/hello/hello-1.2.ebuild`:

```bash
EAPI=8
PATCHES=( "${FILESDIR}/${P}-greeting.patch" )
```

`app-misc/hello/files/hello-1.1-greeting.patch`:

```diff
--- a/hello.c
+++ b/hello.c
```

## Use instead

`app-misc/hello/hello-1.2.ebuild`:

```bash
EAPI=8
PATCHES=( "${FILESDIR}/${PN}-1.1-greeting.patch" )
```

`app-misc/hello/files/hello-1.1-greeting.patch`:

```diff
--- a/hello.c
+++ b/hello.c
```

## Limits

A file whose name depends on what only the build knows is undecided, unless no file at all fits. A
file that a program looks for in a folder of FILESDIR which it is given is not seen, nor is one that
is named from inside of it (`cd "${FILESDIR}"`).

## References

- Package Manager Specification, 11.1: FILESDIR.
- Found broken again and again in the history of flatcar/coreos-overlay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from overlaylint.finding import NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.hooks import env_hooks
from overlaylint.rule import Finding, Severity, rule
from overlaylint.tree import Kind, TreeError

if TYPE_CHECKING:
    from overlaylint.overlay.file_uses import FileUse
    from overlaylint.overlay.filesdir import FilesDir


@rule(severity=Severity.ERROR)
def missing_file(ebuild: Ebuild) -> Iterator[Outcome]:
    from overlaylint.overlay.file_uses import LostPhase, each_place, file_uses, may_use_files
    from overlaylint.overlay.filesdir import FilesDir

    if ebuild.is_built_as_links_only:
        yield NotApplicable(f"{ebuild.path} is built as the versions that link to it")
        return
    if not may_use_files(ebuild) or ebuild.evaluation.failure is not None:
        # Where sourcing fails, there is no build; that is another rule's finding.
        return
    files = FilesDir(ebuild)
    for use in each_place(file_uses(ebuild)):
        if isinstance(use, LostPhase):
            reason = f"{use.phase} can't be followed: {use.reason}"
            yield Undecided(ebuild.span(), reason)
        else:
            yield from _outcome(ebuild, files, use)


def _outcome(ebuild: Ebuild, files: FilesDir, use: FileUse) -> Iterator[Outcome]:
    from overlaylint.overlay.file_uses import written_path

    path = files.path(use.path)
    if path is not None:
        if _is_there(files, path):
            return
        missing = path
    else:
        fitting = _fitting(files, use)
        if fitting is None:
            return
        missing = f"{ebuild.filesdir}{_shown(use)}"
        if fitting:
            span = written_path(ebuild, use)
            unknown = use.path.parts[1:]
            reason = next(part.reason for part in unknown if not isinstance(part, str))
            yield Undecided(span, f"which file {missing} is, is unknown: {reason}")
            return
    span = written_path(ebuild, use)
    if not use.is_certain:
        reason = f"{missing} is not there, and whether {use.phase} uses it is unknown"
        yield Undecided(span, reason)
        return
    yield _finding(ebuild, files, use, missing, span)


def _is_there(files: FilesDir, path: str) -> bool:
    kind = files.tree.kind(path)
    # What lies outside of the repository is there or not, on each machine.
    return kind is Kind.OUTWARD_LINK or (kind is not None and not kind.is_bad_link)


def _fitting(files: FilesDir, use: FileUse) -> bool | None:
    """Whether some file may be the one whose name is known in part; None if one certainly is.

    Wildcards that were left alone until now find what they find.
    """
    from overlaylint.overlay.file_uses import name_pattern

    pattern, is_unknown = name_pattern(use.path)
    fits = any(re.fullmatch(pattern, f"/{name}", re.DOTALL) for name in files.names)
    if fits and not is_unknown:
        return None
    return fits


def _shown(use: FileUse) -> str:
    return "".join(
        part if isinstance(part, str) else part.pattern or f"${{{part.symbol or '...'}}}"
        for part in use.path.parts[1:]
    )


def _finding(ebuild: Ebuild, files: FilesDir, use: FileUse, missing: str, span: Span) -> Finding:
    user = use.variable or use.phase
    is_many = any(sign in missing for sign in "*?[") or "${" in missing
    lack = "no file is called" if is_many else "there is no"
    message = f"{lack} {missing}, which {user} uses"
    help_ = "add the file, or name one that is there"
    near = _nearest(files, missing.removeprefix(f"{ebuild.filesdir}/"))
    if near:
        help_ += f": {near} perhaps"
    if span.path in (ebuild.source_path, *env_hooks(ebuild.repository, ebuild)):
        at = use.used_at
        return Finding(span, message, help_, (Related(at, "it is used here"),) if at else ())
    # An eclass is the same for all that inherit it: what lacks the file is this ebuild.
    related = (Related(span, "it is used here"),) if span.path else ()
    return Finding(ebuild.span(), message, help_, related)


def _nearest(files: FilesDir, name: str) -> str:
    """Return the file whose name is most like one that is missing, if one is much like it."""
    from difflib import get_close_matches

    try:
        found = get_close_matches(name, files.names, 1, 0.75)
    except TreeError:
        return ""
    return found[0] if found else ""
