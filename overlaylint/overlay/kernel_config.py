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
    from overlaylint.overlay.trace import Trace
    from overlaylint.shell.calls import Call

#: What the files of a kernel package are called: a base name, and perhaps a version.
COMMON = "commonconfig"
DEFCONFIG = "_defconfig"

_OPTION = re.compile(
    rb"^(?:CONFIG_(?P<set>[A-Za-z0-9_]+)=(?P<value>[^\r\n]*)"
    rb"|# CONFIG_(?P<unset>[A-Za-z0-9_]+) is not set[ \t]*)\r?$",
    re.MULTILINE,
)
_FILE = re.compile(
    r"(?P<base>commonconfig|(?P<arch>[A-Za-z0-9_]+?)_defconfig)(?:-(?P<version>.+))?"
)


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
            bases = (f"{arch}{DEFCONFIG}", COMMON)
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
    first, last = (_nearest(names, base, ebuild.PVR) for base in (f"{arch}{DEFCONFIG}", COMMON))
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
    return tuple(sorted({base.removesuffix(DEFCONFIG) for base, _ in names if base != COMMON}))


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

    That is what `sed -i`, `echo >>` and the kernel's `scripts/config` do to a file `.config`, in
    functions of the overlay's eclasses too.
    """
    wanted = frozenset(symbols)
    lines = [one for one in config.lines if one.symbol in wanted]
    doubts: list[tuple[Span, str]] = []
    for trace in _configuring(ebuild, config.arch):
        for call in trace:
            changed = _edited_by(trace, call, lines, wanted, doubts)
            if changed is None:
                continue
            if call.guards and changed != lines:
                doubts.append((trace.span(call), f"it depends on `{call.guards[-1]}`"))
            elif not call.guards:
                lines = changed
    others = [one for one in config.lines if one.symbol not in wanted]
    return EditedConfig(replace(config, lines=(*others, *lines)), tuple(doubts))


@once_each
def _configuring(ebuild: Ebuild, arch: str) -> tuple[Trace, ...]:
    """Return the phases that may edit a configuration; of the architectures' flags one is on."""
    from overlaylint.overlay.own_code import own_traces

    use = {**dict.fromkeys(("amd64", "arm64", "arm", "x86"), False), arch: True}
    traces = own_traces(ebuild, use, last=_CONFIGURING[-1])
    return tuple(trace for trace in traces if trace.phase in _CONFIGURING)


_CONFIGURING = ("src_unpack", "src_prepare", "src_configure", "src_compile")


def _edited_by(
    trace: Trace,
    call: Call,
    lines: list[Option],
    wanted: frozenset[str],
    doubts: list[tuple[Span, str]],
) -> list[Option] | None:
    """Return the lines after one call; None where it does not edit a configuration."""
    from overlaylint.overlay.sed import UnknownEdit, parse_call

    name = str(call.name)
    words = [str(one) for one in call.arguments]
    span = trace.span(call)
    if name == "sed":
        if not any(word.endswith(".config") for word in words):
            return None
        try:
            sed = parse_call(call.arguments)
            if not sed.is_in_place:
                return None
            return [
                changed
                for line in lines
                for text in sed.edit(_text(line))
                for changed in _parsed(text, line.span if text == _text(line) else span, wanted)
            ]
        except UnknownEdit as problem:
            if any(symbol in word for symbol in wanted for word in words):
                doubts.append((span, f"it is unknown what sed does: {problem}"))
            return None
    if name in ("echo", "printf", "cat"):
        targets = [one for one in call.redirections if str(one.target).endswith(".config")]
        if not targets:
            return None
        text = str(call.input or "") if name == "cat" else "\n".join(words)
        added = list(_parsed(text.replace("\\n", "\n"), span, wanted))
        return [*lines, *added]
    if name.endswith("scripts/config"):
        return [*lines, *_set_by_script(words, span, wanted)]
    return None


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
}  # fmt: skip


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
    lines = [
        option
        for path in kept
        for option in parse_kernel_config(
            repository.tree.read(path), path, repository.span(path).repository
        )
    ]
    return KernelConfig(version, arch, kept, tuple(lines))
