"""Kernel configurations: `CONFIG_X=y`, and which files make up the one of a kernel.

The format is Kconfig's (Documentation/kbuild/kconfig.rst); how files are found and joined
is `find_config` of coreos-kernel.eclass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.overlay.text import decode
from overlaylint.overlay.version import Version, parse_version
from overlaylint.records import dataclass, once_each
from overlaylint.tree import Kind

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild, Package
    from overlaylint.overlay.steps import Step
    from overlaylint.overlay.trace import Trace
    from overlaylint.shell.conditions import Check
    from overlaylint.shell.values import Value

# What the files of a kernel package are called: a base name, and perhaps a version.
_COMMON = "commonconfig"
_DEFCONFIG = "_defconfig"

_OPTION = re.compile(
    rb"^(?:CONFIG_(?P<set>[A-Za-z0-9_]+)=(?P<value>[^\r\n]*)"
    rb"|# CONFIG_(?P<unset>[A-Za-z0-9_]+) is not set[ \t]*)\r?$",
    re.MULTILINE,
)
_FILE = re.compile(
    r"(?P<base>commonconfig|(?P<arch>[A-Za-z0-9_]+?)_defconfig)(?:-(?P<version>.+))?"
)


#: A release of Linux by its first two numbers, which tell what it has: 5.13.
Release = tuple[int, int]

_RELEASE = re.compile(r"(\d+)\.(\d+)")


def release_of(version: str) -> Release | None:
    """Return the release that a version is of; a candidate counts as what it leads to."""
    match = _RELEASE.match(version)
    return None if match is None else (int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Option:
    """What one line says of a symbol; `value` is None for `# CONFIG_X is not set`."""

    symbol: str
    value: str | None
    span: Span

    @property
    def is_on(self) -> bool:
        """Whether the symbol is set to anything but `n`."""
        return self.value not in (None, "n")


@dataclass(frozen=True)
class KernelConfig:
    """A configuration out of several files, of which a later one overrules an earlier one.

    `version` is what the files' names have (`5.8`), or the ebuild's version; `arch` is
    Portage's name of the architecture.
    """

    version: str
    arch: str
    paths: tuple[str, ...]
    lines: tuple[Option, ...]

    @cached_property
    def options(self) -> Mapping[str, Option]:
        """Each symbol's last line."""
        return {option.symbol: option for option in self.lines}

    def value(self, symbol: str) -> str | None:
        """Return a symbol's value, without `CONFIG_`: None where it is off or not named."""
        option = self.options.get(symbol)
        return option.value if option is not None and option.is_on else None

    @property
    def kernel_version(self) -> Version | None:
        """The version for comparing, or None where the files' names have none."""
        return parse_version(self.version)


def parse_kernel_config(data: bytes, path: str, repository: str = "") -> tuple[Option, ...]:
    """Return every line of a configuration that says something of a symbol, in order."""
    return tuple(
        Option(
            decode(match["set"] or match["unset"]),
            None if match["unset"] else _value(decode(match["value"])),
            Span(path, match.start(), match.start() + len(match.group().rstrip(b"\r")), repository),
        )
        for match in _OPTION.finditer(data)
    )


def _value(text: str) -> str:
    """Return a value as Kconfig takes it: of `y`, `m` and `n`, only the first letter counts."""
    return text[0] if text.startswith(("y", "m", "n")) else text.rstrip()


def kernel_configs(package: Package) -> tuple[KernelConfig, ...]:
    """Return the configuration for each version and architecture that `files/` has files for.

    For a version without a file of its own name, the one counts that the eclass would take for
    an ebuild of that version.
    """
    names = _config_files(package)
    versions = sorted({version for _, version in names})
    found = []
    for version in versions:
        for arch in _arches(names):
            bases = (f"{arch}{_DEFCONFIG}", _COMMON)
            files = [_nearest(names, base, version) for base in bases]
            has_own = any((base, version) in names for base in bases)
            if has_own and files[0] is not None:
                found.append(_joined(package, version, arch, [path for path in files if path]))
    return tuple(found)


def kernel_config_for(ebuild: Ebuild, package: Package, arch: str) -> KernelConfig | None:
    """Return the configuration an ebuild is built with on an architecture, or None.

    The files may lie in another package, as coreos-modules has those of coreos-kernel.
    They are looked for by PVR, PV, PV without its last part, and without any version.
    """
    names = _config_files(package)
    first, last = (_nearest(names, base, ebuild.PVR) for base in (f"{arch}{_DEFCONFIG}", _COMMON))
    if first is None:
        return None
    return _joined(package, ebuild.PVR, arch, [path for path in (first, last) if path])


def config_arches(package: Package) -> tuple[str, ...]:
    """Return the architectures that a package has configurations for, by Portage's names."""
    return _arches(_config_files(package))


def config_paths(package: Package) -> tuple[str, ...]:
    """Return the files of a package that are configurations, or parts of one."""
    return tuple(_config_files(package).values())


def _arches(names: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted({base.removesuffix(_DEFCONFIG) for base, _ in names if base != _COMMON}))


def _nearest(names: Mapping[tuple[str, str], str], base: str, pvr: str) -> str | None:
    """Return the first file there is of those that `find_config` tries for a version."""
    version = pvr.partition("-")[0]
    shorter = re.sub(r"[._][^._]*$", "", version)
    tried = (names.get((base, suffix)) for suffix in (pvr, version, shorter, ""))
    return next(filter(None, tried), None)


@dataclass(frozen=True, slots=True)
class EditedConfig:
    """A configuration after an ebuild's phases; `doubts` are where and why they may change more."""

    config: KernelConfig
    doubts: tuple[tuple[Span, str], ...] = ()


def edited_config(ebuild: Ebuild, config: KernelConfig, symbols: Iterable[str]) -> EditedConfig:
    """Return what the phases of an ebuild make of a configuration, as far as some symbols go.

    That is what `cat`, `cp`, `echo`, `sed -i` and the kernel's `scripts/config` do to a file
    `.config` until it is built with, in functions of the overlay's eclasses and in hooks too.
    """
    from overlaylint.overlay.steps import steps
    from overlaylint.overlay.ways import certain

    wanted = frozenset(symbols)
    lines = list(config.lines)
    # What they are where all tests hold, and the first test that makes a difference.
    others = lines
    on: tuple[Span, str] | None = None
    doubts: list[tuple[Span, str]] = []
    for trace in _configuring(ebuild, config.arch):
        for step in steps(trace):
            if "compile" in trace.phase and step.name in _BUILDS:
                break
            runs = certain(step.call.guards, _is_new)
            changed = _edited_by(ebuild, trace, step, config, others, wanted, doubts)
            if changed is None or runs is False:
                continue
            if runs:
                is_one = others is lines
                again = (
                    changed
                    if is_one
                    else _edited_by(ebuild, trace, step, config, lines, wanted, [])
                )
                lines = lines if again is None else again
                others = lines if is_one else changed
            elif _of(changed, wanted) != _of(others, wanted):
                others = changed
                on = on or (trace.span(step.call), f"it depends on `{step.call.guards[-1]}`")
    if on is not None and _values(others, wanted) != _values(lines, wanted):
        doubts.insert(0, on)
    rest = [one for one in config.lines if one.symbol not in wanted]
    return EditedConfig(replace(config, lines=(*rest, *_of(lines, wanted))), tuple(doubts))


def _values(lines: Iterable[Option], symbols: frozenset[str]) -> dict[str, str | None]:
    return {one.symbol: one.value for one in _of(lines, symbols)}


def _of(lines: Iterable[Option], symbols: frozenset[str]) -> list[Option]:
    return [one for one in lines if one.symbol in symbols]


def _is_new(test: Check) -> bool | None:
    """Tell that there is no configuration before the first is written: none has been saved."""
    is_asked = test.words[:1] == ("test",) and str(test.words[-1]).endswith(".config")
    return False if is_asked and test.words[1] in ("-e", "-f", "-s") else None


@once_each
def _configuring(ebuild: Ebuild, arch: str) -> tuple[Trace, ...]:
    """Return the phases that may edit a configuration; of the architectures' flags one is on."""
    from overlaylint.overlay.own_code import in_build_order, own_traces

    use = {**dict.fromkeys(("amd64", "arm64", "arm", "x86"), False), arch: True}
    traces = own_traces(ebuild, use, variables={"ARCH": arch}, last=_CONFIGURING[-1])
    names = tuple(name.removeprefix("src_") for name in _CONFIGURING)
    return tuple(one for one in in_build_order(traces) if any(name in one.phase for name in names))


_CONFIGURING = ("src_unpack", "src_prepare", "src_configure", "src_compile")

# What the kernel is built with: what the configuration is by then counts.
_BUILDS = frozenset({"emake", "make", "kmake"})


def _edited_by(
    ebuild: Ebuild,
    trace: Trace,
    step: Step,
    config: KernelConfig,
    lines: list[Option],
    wanted: frozenset[str],
    doubts: list[tuple[Span, str]],
) -> list[Option] | None:
    """Return the lines after one step; None where it does not edit a configuration."""
    from overlaylint.overlay.install_targets import COPYING, appends
    from overlaylint.overlay.source_edits import edits_in_place

    span = trace.span(step.call)
    if step.name == "sed" and any(_is_config(step, word) for word in step.arguments):
        return _edited_by_sed(step, span, lines, wanted, doubts)
    if step.name.rpartition("/")[2] == "config" and _is_script(step):
        return [*lines, *_set_by_script(list(map(str, step.arguments)), span, wanted)]
    outputs = [one.operator for one in step.call.redirections if _is_config(step, one.target)]
    if step.name == "tee" and any(_is_config(step, one) for one in step.arguments):
        outputs = [">>" if appends(step) else ">"]
    if step.name in COPYING and step.arguments and _is_config(step, step.arguments[-1]):
        outputs = [">"]
    if edits_in_place(step.name, step.arguments):
        outputs += [">>" for word in step.arguments if _is_config(step, word)]
    outlet = step.call.outlet
    if not outputs and outlet is not None and _is_config(step, outlet.target):
        # It stands in a group that is redirected as a whole.
        outputs = [">>"]
    if not outputs:
        return None
    if step.call.name == ":":
        return [] if outputs[-1] == ">" else None
    by = step
    if step.name == "envsubst" and step.reads is not None:
        # What it puts in stands within values.
        by = step.reads
    if by.name in ("cat", *COPYING) and by.call.input is None:
        files = _own_files(ebuild, by)
        if files is None:
            if step.name in COPYING:
                doubts.append((span, f"it is unknown what `{step.name}` puts in its place"))
            return None
        # Where the configuration is put together, it is that of the files in this order.
        is_first = lines == list(config.lines)
        is_joined = any(path in config.paths for path, _ in files)
        starts = outputs[-1] == ">" or (is_first and is_joined)
        return [*([] if starts else lines), *_lines_of(files)]
    text = step.call.input if step.name == "cat" else step.call.output
    if step.name == "tee":
        text = step.call.input if step.reads is None else step.reads.call.output
    if not isinstance(text, str):
        # What functions write is seen where their commands do.
        if step.name != "cat" and not step.call.is_function:
            doubts.append((span, f"it is unknown what `{step.name}` writes into it"))
        return None
    return [*([] if outputs[-1] == ">" else lines), *_parsed(text, span, wanted)]


def _is_config(step: Step, word: Value) -> bool:
    place = step.at(word)
    return _is_named_so(str(word) if place is None else place.path)


def _is_named_so(path: str) -> bool:
    return path.rpartition("/")[2] == ".config"


def _own_files(ebuild: Ebuild, step: Step) -> list[tuple[str, bytes]] | None:
    """Return the files of FILESDIR that a step reads; None if it reads others."""
    from overlaylint.overlay.filesdir import FilesDir

    words = [one for one in step.arguments if not str(one).startswith("-")]
    found = FilesDir(ebuild)
    paths = [found.path(word) for word in (words if step.name == "cat" else words[:-1])]
    if not paths or not all(path and found.tree.kind(path) is Kind.FILE for path in paths):
        return None
    return [(path, found.tree.read(path)) for path in paths if path]


def _edited_by_sed(
    step: Step,
    span: Span,
    lines: list[Option],
    wanted: frozenset[str],
    doubts: list[tuple[Span, str]],
) -> list[Option] | None:
    from overlaylint.overlay.sed import UnknownEdit, parse_call

    try:
        sed = parse_call(step.arguments)
        if not sed.is_in_place:
            return None
        brings = any(symbol in text for symbol in wanted for text in sed.inserted())
        found: list[Option] = []
        for line in lines:
            if line.symbol not in wanted and not brings:
                found.append(line)
                continue
            for text in sed.edit(_text(line)):
                found += [line] if text == _text(line) else _parsed(text, span, wanted)
    except UnknownEdit as problem:
        if any(symbol in str(word) for symbol in wanted for word in step.arguments):
            doubts.append((span, f"it is unknown what sed does: {problem}"))
        return None
    return found


def _text(option: Option) -> str:
    if option.value is None:
        return f"# CONFIG_{option.symbol} is not set"
    return f"CONFIG_{option.symbol}={option.value}"


def _parsed(text: str, span: Span, wanted: frozenset[str]) -> Iterator[Option]:
    for option in parse_kernel_config(text.encode("utf-8", "surrogateescape"), ""):
        if option.symbol in wanted:
            yield replace(option, span=span)


_SCRIPT_OPTIONS: Mapping[str, str | None] = {
    "-e": "y", "--enable": "y", "-m": "m", "--module": "m", "-d": None, "--disable": None,
    "-u": None, "--undefine": None,
}  # fmt: skip


def _is_script(step: Step) -> bool:
    """Whether a step runs the kernel's scripts/config on a `.config`."""
    words = list(map(str, step.arguments))
    file = words[words.index("--file") + 1 :][:1] if "--file" in words else []
    return str(step.call.name).endswith("scripts/config") and all(map(_is_named_so, file))


def _set_by_script(words: list[str], span: Span, wanted: frozenset[str]) -> Iterator[Option]:
    """Yield what arguments of the kernel's scripts/config set."""
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word in ("--file", "--keep-case", "-k"):
            waiting = waiting[word == "--file" :]
        elif word in _SCRIPT_OPTIONS and waiting:
            symbol = waiting.pop(0).removeprefix("CONFIG_")
            if symbol in wanted:
                yield Option(symbol, _SCRIPT_OPTIONS[word], span)
        elif word in ("--set-val", "--set-str") and len(waiting) > 1:
            symbol, value = waiting.pop(0).removeprefix("CONFIG_"), waiting.pop(0)
            if symbol in wanted:
                yield Option(symbol, value, span)


def _config_files(package: Package) -> dict[tuple[str, str], str]:
    """Return path by base name and version, for each configuration in `files/`."""
    folder = f"{package.path}/files"
    found = {}
    for entry in package.repository.entries(folder):
        match = _FILE.fullmatch(entry.name)
        if match is not None and entry.kind is Kind.FILE:
            found[match["base"], match["version"] or ""] = f"{folder}/{entry.name}"
    return found


def _joined(package: Package, version: str, arch: str, paths: Iterable[str]) -> KernelConfig:
    """Join files in the order the ebuild does: the architecture's, then the common one."""
    kept = tuple(paths)
    repository = package.repository
    lines = _lines_of((path, repository.tree.read(path)) for path in kept)
    owner = repository.span("").repository
    return KernelConfig(
        version,
        arch,
        kept,
        tuple(replace(one, span=replace(one.span, repository=owner)) for one in lines),
    )


def _lines_of(files: Iterable[tuple[str, bytes]]) -> Iterator[Option]:
    """Yield the lines of files that are joined: the last line of one may go on in the next."""
    has_ended = True
    for path, data in files:
        for option in parse_kernel_config(data, path):
            if has_ended or option.span.start:
                yield option
        has_ended = data.endswith(b"\n") or (not data and has_ended)
