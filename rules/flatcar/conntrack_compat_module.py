"""A patch adds an empty kernel module nf_conntrack_ipv4.

## What it does

Reads every patch below `sys-kernel/`, and what `coreos/user-patches/sys-kernel` holds, and reports
one that adds the module: its source file, its object file in a Makefile, or the symbol in a
Kconfig. What counts is what the patch adds, not what it is called. The entry of `UNIPATCH_LIST` or
`PATCHES` that names such a patch is reported too, and a kernel configuration that sets the symbol,
and a phase that itself, below `S`, creates the source file, or adds the object file to a Makefile
or the symbol to a Kconfig, unless a later step takes that back.

## Why it matters

Linux 4.19 merged `nf_conntrack_ipv4` into `nf_conntrack`. Old versions of kube-proxy asked for the
module by its old name, so the kernel got an empty one. Since Kubernetes 1.13 that is not needed,
and a patch that no upstream has must be carried to each new kernel by hand.

## Example

`sys-kernel/coreos-sources/files/5.8/z0003-compat.patch`:

```diff
--- a/net/netfilter/Makefile
+++ b/net/netfilter/Makefile
@@ -1,2 +1,3 @@
 # connection tracking
 obj-$(CONFIG_NF_CONNTRACK) += nf_conntrack.o
+obj-$(CONFIG_NF_CONNTRACK_IPV4_COMPAT) += nf_conntrack_ipv4.o
```

## Use instead

Nothing: remove the patch, and the line that names it.

`sys-kernel/coreos-sources/coreos-sources-5.8.14.ebuild`:

```bash
EAPI=5
UNIPATCH_LIST="
        ${FILESDIR}/5.8/z0001-kbuild.patch
"
```

## Options

- `module`: the module, as its source file is called without `.c`.
- `symbol`: the symbol of its own that it was given.
- `category`: where the kernel's packages are.

## Fix

An entry that stands on a line of its own is removed from the list. The patch itself is left for
you to delete.

## Limits

Up to Linux 4.18 the module is upstream's: patches to it, and `CONFIG_NF_CONNTRACK_IPV4`, are no
fault. A compressed patch is not read. What `sed` may put into a Makefile is undecided, since
upstream's lines are not at hand, and so is a text that is unknown where the module may stand.
What upstream's programs make of its files is taken to have no such module.

## References

- flatcar/coreos-overlay, commit 4a51977a3527: "sys-kernel: remove blank kernel module
  nf-conntrack-ipv4".
- kubernetes/kubernetes, commit 4b9055936926: which module is loaded for which kernel.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule
from overlaylint.shell.values import Mixed, Value
from overlaylint.tree import Kind, TreeError, walk

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild, Package
    from overlaylint.overlay.evaluation import Evaluated
    from overlaylint.overlay.file_texts import File, Piece
    from overlaylint.overlay.patch import FilePatch, PatchLine
    from overlaylint.overlay.source_edits import SourceEdit
    from overlaylint.overlay.steps import Location, Step

_USER_PATCHES = "coreos/user-patches"

# The first kernel that has no such module of its own.
_MERGED = "4.19"

_LISTS = ("UNIPATCH_LIST", "PATCHES")
_APPLY = ("eapply", "epatch")
_COMPRESSED = (".gz", ".bz2", ".xz", ".lzma", ".zst")

_MAKEFILES = ("Makefile", "Kbuild")
_BUILD_FILES = (*_MAKEFILES, "Kconfig")

# `obj-m += a.o`, `a-objs := b.o`, `a-$(CONFIG_A) += b.o`, and no flags for the compiler.
_OBJECTS = re.compile(r"(?:\s*(?!\S*flags)\S+-(?:objs|[ym]|\$\S+)\s*[+:?]?=)?(?P<objects>[^=]*)")


@dataclass(frozen=True, slots=True)
class Options:
    """Which module is not to be added, and by which symbol of its own."""

    module: str = "nf_conntrack_ipv4"
    symbol: str = "NF_CONNTRACK_IPV4_COMPAT"
    category: str = "sys-kernel"


@rule(
    severity=Severity.ERROR,
    files=("sys-kernel/*", f"{_USER_PATCHES}/*", "eclass/*"),
    decided_in="4a51977a3527",
)
def conntrack_compat_module(repository: Repository, options: Options) -> Iterator[Outcome]:
    if repository.tree.kind(options.category) is not Kind.FOLDER:
        yield NotApplicable(f"there is no {options.category}")
        return
    patches: dict[str, Finding] = {}
    compressed: list[str] = []
    for path in _files(repository, options):
        if path.endswith(_COMPRESSED):
            compressed.append(path)
            continue
        try:
            data = repository.tree.read(path)
        except TreeError as error:
            yield Undecided(Span(path), f"{path} {error.reason}")
            continue
        if options.module.encode() in data or options.symbol.encode() in data:
            finding = _patch(path, data, options)
            if finding is not None:
                patches[path] = finding
    yield from patches.values()
    packages = tuple(_packages(repository, options))
    for package in packages:
        yield from _configs(package, options)
        yield from _made(package, options)
        for ebuild in package.ebuilds if patches or compressed else ():
            yield from _entries(ebuild, patches, frozenset(compressed))


def _files(repository: Repository, options: Options) -> Iterator[str]:
    """Yield what may be a patch: the files of the kernel's packages, and their user patches."""
    for folder in (options.category, f"{_USER_PATCHES}/{options.category}"):
        if repository.tree.kind(folder) is not Kind.FOLDER:
            continue
        for path in walk(repository.tree, folder):
            name = path.rpartition("/")[2]
            if not name.endswith(".ebuild") and name not in ("Manifest", "metadata.xml"):
                yield path


def _packages(repository: Repository, options: Options) -> Iterator[Package]:
    for entry in repository.entries(options.category):
        package = repository.package(f"{options.category}/{entry.name}")
        if package is not None:
            yield package


# --- patches ---


def _patch(path: str, data: bytes, options: Options) -> Finding | None:
    """Return what is wrong with a patch, at the first place that adds something of the module."""
    added = _added(data, options)
    if not added:
        return None
    places: dict[str, Span] = {}
    for start, end, what in sorted(added, key=lambda one: one[0]):
        places.setdefault(what, Span(path, start, end))
    (what, span), *others = places.items()
    return Finding(
        span,
        f"this patch adds an empty module {options.module} to the kernel: it {what}",
        "remove the patch, and the line that names it: nothing asks for the module any more",
        tuple(Related(place, f"it {other}") for other, place in others),
    )


_Place = tuple[int, int, str]


def _added(data: bytes, options: Options) -> list[_Place]:
    """Return what of the module a patch adds, and where in it."""
    from overlaylint.overlay.patch import parse_patch

    files = parse_patch(data).files
    return [*_created(files, f"{options.module}.c"), *_lines(files, options)]


def _created(files: Iterable[FilePatch], name: str) -> Iterator[_Place]:
    """Yield where a file of that name comes to be that the patch takes from nowhere else."""
    made = [
        file
        for file in files
        if not file.is_deleted
        and _name(file.new_path) == name
        and (file.is_new or _name(file.old_path) != name)
    ]
    gone = sum(
        _name(file.old_path) == name and (file.is_deleted or _name(file.new_path) != name)
        for file in files
    )
    for file in made[: max(0, len(made) - gone)]:
        first = file.added[0] if file.added else None
        where = (first.start, first.end) if first else (file.start, file.start)
        yield *where, f"creates {name}"


def _lines(files: Iterable[FilePatch], options: Options) -> Iterator[_Place]:
    """Yield the lines that add a part of the module, less those that are only moved."""
    found: dict[str, list[PatchLine]] = {}
    gone: Counter[str] = Counter()
    for file in files:
        name = _name(file.path())
        for line in file.added:
            for what in _parts(name, line.text, options):
                found.setdefault(what, []).append(line)
        for line in file.removed:
            gone.update(_parts(name, line.text, options))
    for what, lines in found.items():
        for line in lines[: max(0, len(lines) - gone[what])]:
            yield line.start, line.end, what


def _parts(name: str, line: str, options: Options) -> Iterator[str]:
    """Yield what a line of a file called `name` does for the module.

    A line without an assignment may go on with a list of objects.
    """
    text = line.partition("#")[0]
    symbol = re.escape(options.symbol)
    if name.startswith("Kconfig"):
        if re.fullmatch(rf"\s*(?:menu)?config\s+{symbol}\s*", text):
            yield f"adds the symbol {options.symbol}"
    elif name.startswith(_MAKEFILES):
        objects = _OBJECTS.fullmatch(text)
        if objects is not None and f"{options.module}.o" in objects["objects"].split():
            yield f"adds {options.module}.o to a Makefile"
        if re.search(rf"\bCONFIG_{symbol}\b", text):
            yield f"builds what depends on the symbol {options.symbol}"
    elif re.fullmatch(rf"CONFIG_{symbol}=[ym]\s*", text):
        yield f"sets the symbol {options.symbol}"


def _name(path: str) -> str:
    return path.rpartition("/")[2]


# --- what names them ---


def _entries(
    ebuild: Ebuild, patches: Mapping[str, Finding], compressed: frozenset[str]
) -> Iterator[Outcome]:
    """Report the entries of an ebuild's lists, and its calls, that name such a patch."""
    from overlaylint.overlay.named_files import named_by
    from overlaylint.overlay.own_code import build_traces

    files = (*patches, *compressed)
    listed: set[str] = set()
    for name in _LISTS:
        variable = ebuild.variable(name)
        if variable is None:
            continue
        values = variable.elements if variable.is_array else (variable.value,)
        for value in values or ():
            for named in named_by(ebuild, value, files, is_split=not variable.is_array):
                yield from _entry(ebuild, variable, named, patches)
                listed.update(named or ())
    if not any(path.startswith(f"{ebuild.filesdir}/") for path in patches):
        return
    for trace in build_traces(ebuild, ebuild.repository):
        for call in trace.named(*_APPLY):
            span = _own(ebuild, trace.span(call))
            for argument in call.arguments:
                for named in named_by(ebuild, argument, files, is_split=False):
                    # What a list names is reported where it stands, and not where it is applied.
                    for path in named or ():
                        if path not in listed:
                            yield _applied(span, call.name, path, patches)


def _entry(
    ebuild: Ebuild,
    variable: Evaluated,
    named: tuple[str, ...] | None,
    patches: Mapping[str, Finding],
) -> Iterator[Outcome]:
    from overlaylint.overlay.assignments import assignments, word_with

    if named is None:
        reason = f"it is unknown which patches {variable.name} names"
        yield Undecided(_own(ebuild, variable.span), reason)
        return
    places = assignments(ebuild, variable.name) if patches.keys() & set(named) else ()
    for path in named:
        span = word_with(ebuild, places, _name(path)) if path in patches else None
        fix = None if span is None else _removal(ebuild, span)
        where = span or _own(ebuild, variable.span)
        yield _applied(where, variable.name, path, patches, fix)


def _applied(
    span: Span, name: Value, path: str, patches: Mapping[str, Finding], fix: Fix | None = None
) -> Outcome:
    if path not in patches:
        return Undecided(span, f"{name} applies {path}, which is compressed and not read")
    return Finding(
        span,
        f"{name} applies {_name(path)}, which adds an empty module to the kernel",
        "remove this entry, and the patch with it",
        (Related(patches[path].span, "the patch adds it here"),),
        fix,
    )


def _made(package: Package, options: Options) -> Iterator[Outcome]:
    """Report where an ebuild's own phases make the module, without any patch."""
    from overlaylint.overlay.own_code import build_traces, in_build_order
    from overlaylint.overlay.steps import steps
    from overlaylint.overlay.version import parse_version

    merged = parse_version(_MERGED)
    assert merged is not None
    said = set()
    for ebuild in package.ebuilds:
        if ebuild.is_built_as_links_only or ebuild.version < merged:
            continue
        failure = ebuild.evaluation.failure
        if failure is not None:
            yield Undecided(ebuild.span(), f"sourcing {ebuild.cpv} fails: {failure.reason}")
            continue
        of: list[Step] = []
        spans: dict[int, Span] = {}
        for trace in in_build_order(build_traces(ebuild, ebuild.repository)):
            if "src_" not in trace.phase:
                continue
            if trace.unknown is not None and trace.is_defined:
                reason = f"{trace.phase} can't be followed: {trace.unknown.reason}"
                yield Undecided(ebuild.span(), reason)
            found = steps(trace)
            spans |= {id(step): _own(ebuild, trace.span(step.call)) for step in found}
            of += found
        for step, what, doubt in _makes(ebuild, of, options):
            span = spans[id(step)]
            if (span, what) in said:
                continue
            said.add((span, what))
            if doubt:
                yield Undecided(span, f"whether this {what} is unknown: {doubt}")
            else:
                yield Finding(
                    span,
                    f"this adds an empty module {options.module} to the kernel: it {what}",
                    "remove it: nothing asks for the module any more",
                )


def _makes(ebuild: Ebuild, of: Sequence[Step], options: Options) -> Iterator[tuple[Step, str, str]]:
    """Yield the steps that make something of the module in the sources, and what that is.

    Where it is unknown whether it is made, or stays, the third value says why. What is certainly
    taken back is left out.
    """
    from overlaylint.overlay.file_texts import file_texts
    from overlaylint.overlay.source_edits import edits_of
    from overlaylint.overlay.steps import sources
    from overlaylint.overlay.text import encode

    folder = sources(ebuild)
    for place, file in file_texts(ebuild, of, ebuild.repository).items():
        if not place.is_in(folder):
            continue
        name = _name(place.path)
        if name == f"{options.module}.c":
            found = [(one, f"creates {name}", "") for one in _created_by(file.pieces, name, folder)]
        elif name.startswith(_BUILD_FILES):
            found = list(_built_by(ebuild, file, name, folder, options))
        else:
            continue
        for piece, what, doubt in found:
            fate = piece.fate()
            if fate is not None:
                yield piece.step, what, doubt or fate
    for step in of:
        given = step.call.input
        if step.name == "patch" and isinstance(given, str):
            for _, _, what in _added(encode(given), options):
                yield step, what, ""
        for edit in edits_of(ebuild, step, folder, ebuild.repository):
            if edit.patch is None and _may_put_in(edit, options):
                yield step, "adds the module to a build", "upstream's lines are not at hand"


def _created_by(pieces: Iterable[Piece], name: str, folder: Location) -> Iterator[Piece]:
    """Yield what makes a file, but for copies of the sources' own: that is there already."""
    for piece in pieces:
        source = piece.source
        is_own = source is not None and source.is_in(folder) and _name(source.path) == name
        if piece.step.name == "mv" or not is_own:
            yield piece


def _built_by(
    ebuild: Ebuild, file: File, name: str, folder: Location, options: Options
) -> Iterator[tuple[Piece, str, str]]:
    """Yield the lines of a build's file that are for the module, or may be, and what they do."""
    for line in file.lines():
        if isinstance(line.text, str):
            for what in islice(_parts(name, line.text, options), 1):
                yield line, what, ""
        elif _may_be_part(name, line.text, options) and not _is_upstreams(
            ebuild, line, folder, options
        ):
            yield line, "adds the module to a build", line.text.unknown.reason


def _may_be_part(name: str, line: Mixed, options: Options) -> bool:
    """Whether a line that is unknown in part may be for the module."""
    from overlaylint.overlay.file_texts import completions

    wanted = (
        f"obj-m += {options.module}.o",
        f"config {options.symbol}",
        f"CONFIG_{options.symbol}",
    )
    return any(
        True
        for one in wanted
        for piece, completed in completions(line, one)
        # Of a piece that is all of an option, nothing that is written speaks.
        if piece != f"CONFIG_{options.symbol}"
        for _ in _parts(name, completed, options)
    )


def _is_upstreams(ebuild: Ebuild, line: Piece, folder: Location, options: Options) -> bool:
    """Whether a line of which nothing is known is made of upstream's files by upstream's means.

    From 4.19 on, upstream has no such module.
    """
    assert isinstance(line.text, Mixed)
    if any(isinstance(part, str) for part in line.text.parts):
        return False
    if line.origin is not None and not line.origin.is_in(folder):
        return False
    writer = line.writer
    given = writer.call.input
    if writer.call.output is not None or (isinstance(given, Mixed) and len(given.parts) > 1):
        # A part of it is known: the rest is what the ebuild itself put there.
        return False
    words = (writer.call.name, *writer.call.arguments)
    if any(isinstance(word, Mixed) and not word.is_symbolic for word in words):
        return False
    return not any(_names_it(ebuild, word, options) for word in words)


def _names_it(ebuild: Ebuild, word: Value, options: Options) -> bool:
    """Whether a word, or the file of the overlay that it names, speaks of the module."""
    from overlaylint.overlay.filesdir import FilesDir

    path, tree = FilesDir(ebuild).path(word), ebuild.repository.tree
    text = str(word).encode()
    if path is not None and tree.kind(path) is Kind.FILE:
        text = tree.read(path)
    return options.module.encode() in text or options.symbol.encode() in text


def _may_put_in(edit: SourceEdit, options: Options) -> bool:
    """Whether an editor may put the module's object or symbol into a file of the build."""
    from overlaylint.overlay.sed import UnknownEdit
    from overlaylint.overlay.steps import pattern_of

    names = [_name(file) for file in edit.files]
    if not any(
        name.startswith(_BUILD_FILES) or any(fnmatchcase(one, name) for one in _BUILD_FILES)
        for name in names
    ):
        return False
    texts = tuple(map(pattern_of, edit.step.arguments))
    if edit.sed is not None:
        try:
            texts = edit.sed.new_texts()
        except UnknownEdit:
            texts = (edit.sed.script,)
    wanted = (f"{options.module}.o", options.symbol)
    return any(one in text for text in texts for one in wanted)


def _own(ebuild: Ebuild, span: Span) -> Span:
    return ebuild.span() if span.repository or not span.path else span


def _removal(ebuild: Ebuild, span: Span) -> Fix | None:
    """Return the edit that takes a word out of a list, if it has a line to itself."""
    data = ebuild.repository.tree.read(span.path)
    start = data.rfind(b"\n", 0, span.start) + 1
    end = data.find(b"\n", span.end)
    if end < 0 or data[start : span.start].strip(b" \t"):
        return None
    if data[span.end : end].strip(b" \t") not in (b"", b"\\"):
        return None
    return Fix.safe("remove the entry", Edit(Span(span.path, start, end + 1), ""))


# --- configurations ---


def _configs(package: Package, options: Options) -> Iterator[Outcome]:
    """Report a configuration that sets the symbol, once the files of a kernel are joined."""
    from overlaylint.overlay.kernel_config import config_paths, kernel_configs, parse_kernel_config

    yield from _edits(package, options)
    tree = package.repository.tree
    symbol = options.symbol
    paths = [path for path in config_paths(package) if symbol.encode() in tree.read(path)]
    if not paths:
        return
    configs = kernel_configs(package)
    for path in paths:
        lines = [one for one in parse_kernel_config(tree.read(path), path) if one.symbol == symbol]
        joined = [config for config in configs if path in config.paths]
        if not lines or not lines[-1].is_on:
            continue
        if joined and all(config.value(symbol) is None for config in joined):
            continue
        yield Finding(
            lines[-1].span,
            f"this sets {symbol}, the symbol of an empty module {options.module}",
            "remove the line: nothing asks for the module any more",
        )


def _edits(package: Package, options: Options) -> Iterator[Outcome]:
    """Report where an ebuild itself sets the symbol in the configuration that it is built with."""
    from overlaylint.overlay.kernel_config import config_arches, edited_config, kernel_config_for

    said = set()
    for ebuild in package.ebuilds:
        for arch in config_arches(package):
            config = kernel_config_for(ebuild, package, arch)
            if config is None:
                continue
            edited = edited_config(ebuild, config, (options.symbol,))
            for span, reason in edited.doubts:
                reason = f"whether {options.symbol} is set: {reason}"
                yield Undecided(_own(ebuild, span), reason)
            option = edited.config.options.get(options.symbol)
            if option is None or not option.is_on or option.span.path in config.paths:
                continue
            span = _own(ebuild, option.span)
            if span not in said:
                said.add(span)
                yield Finding(
                    span,
                    f"this sets {options.symbol}, the symbol of an empty module {options.module}",
                    "do not set it: nothing asks for the module any more",
                )
