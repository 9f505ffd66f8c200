"""The symbols that a kernel's configuration sets, for each version and architecture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from fnmatch import fnmatchcase

from overlaylint.finding import Edit, Finding, Fix, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Package
from overlaylint.overlay.kernel_config import (
    KernelConfig,
    Option,
    config_arches,
    edited_config,
    kernel_config_for,
    kernel_configs,
    parse_kernel_config,
)
from overlaylint.overlay.version import Version, parse_version
from overlaylint.policies.forms import ForbidKernelOption, RequireKernelOption
from overlaylint.policies.matching import matches_any
from overlaylint.records import dataclass
from overlaylint.syntax import each


def required_kernel_option(package: Package, form: RequireKernelOption) -> Iterator[Outcome]:
    """Report where a symbol is not set as it has to be, once for all kernels that it goes for."""

    def fault(config: KernelConfig) -> Fault | None:
        if (config.value(form.option) or "n") == form.value:
            return None
        return to_set(package, config, {form.option: form.value})

    yield from _looked_at(package, form, fault)


def forbidden_kernel_option(package: Package, form: ForbidKernelOption) -> Iterator[Outcome]:
    """Report the line that sets a symbol as it may not be, once for all kernels."""

    def fault(config: KernelConfig) -> Fault | None:
        value = config.value(form.option)
        line = config.options.get(form.option)
        if value is None or line is None or not fnmatchcase(value, form.value):
            return None
        off = written(form.option, "n")
        edits = edits_in(config, Edit(line.span, off))
        return Fault(line.span, f"{form.option} is {value}", f"write `{off}`", edits)

    yield from _looked_at(package, form, fault)


def _looked_at(
    package: Package,
    form: RequireKernelOption | ForbidKernelOption,
    fault_of: Callable[[KernelConfig], Fault | None],
) -> Iterator[Outcome]:
    """Yield what is wrong with the configurations of a package that a form is for."""
    faults: list[tuple[Fault, KernelConfig]] = []
    is_one = False
    for config in configurations(package):
        is_one = True
        if not matches_any(form.arch, config.arch):
            continue
        ranges = each(form.kernels)
        version = config.kernel_version
        if ranges and version is None:
            reason = f"it is unknown for which kernel {config.paths[0]} is"
            yield Undecided(Span(config.paths[0]), reason)
        elif version is None or all(is_in_range(version, one) for one in ranges):
            built, doubts = as_built(package, config, (form.option,))
            yield from doubts
            fault = None if doubts else fault_of(built)
            if fault is not None:
                faults.append((fault, config))
    if not is_one:
        yield NotApplicable(f"{package.cp} has no kernel configuration")
    yield from not_built(package)
    for fault in gathered(faults):
        message = f"Linux {fault.versions} on {fault.arches}: {fault.what}"
        yield Finding(fault.span, message, fault.title, fault.related, fault.fix)


def is_in_range(version: Version, text: str) -> bool:
    """Whether a version is in a range like `>=5.8`."""
    bare = text.lstrip("<>=")
    other = parse_version(bare)
    if other is None:
        raise ValueError(f"not a range of versions: {text!r}")
    match text[: len(text) - len(bare)]:
        case "<":
            return version < other
        case "<=":
            return version <= other
        case ">":
            return version > other
        case ">=":
            return version >= other
        case _:
            return version == other


def configurations(package: Package) -> Iterator[KernelConfig]:
    """Yield what the files are joined to for the package's ebuilds.

    Where no ebuild is built with any, they may be for something else: then that is each of them.
    """
    built = _built(package)
    if not built:
        yield from kernel_configs(package)
        return
    for config in kernel_configs(package):
        if config.version and built.pop(config.paths, None) is not None:
            yield config
    yield from built.values()


def not_built(package: Package) -> Iterator[NotApplicable]:
    """Yield that a policy does not apply to files for a version that no ebuild has."""
    built = _built(package)
    for config in kernel_configs(package) if built else ():
        if config.paths not in built:
            names = " and ".join(config.paths)
            yield NotApplicable(f"no ebuild of {package.cp} is built with {names}")


def _built(package: Package) -> dict[tuple[str, ...], KernelConfig]:
    """Return the configurations that ebuilds are built with, by their files."""
    found: dict[tuple[str, ...], KernelConfig] = {}
    for arch in config_arches(package):
        for ebuild in package.ebuilds:
            built = kernel_config_for(ebuild, package, arch)
            if built is not None and not ebuild.is_built_as_links_only:
                found.setdefault(built.paths, built)
    return found


def as_built(
    package: Package, config: KernelConfig, symbols: Iterable[str]
) -> tuple[KernelConfig, list[Undecided]]:
    """Return a configuration after the phases of the ebuilds that are built with it.

    What they may do besides is undecided.
    """
    doubts = []
    wanted = tuple(symbols)
    for ebuild in package.ebuilds:
        same = kernel_config_for(ebuild, package, config.arch)
        if same is None or same.paths != config.paths:
            continue
        edited = edited_config(ebuild, config, wanted)
        config = edited.config
        for span, reason in edited.doubts:
            where = ebuild.span() if span.repository or not span.path else span
            doubts.append(Undecided(where, f"what is set in the end: {reason}"))
    return config, doubts


@dataclass(slots=True)
class Fault:
    """What is wrong at one place, what mends it, and the configurations that it is a part of."""

    span: Span
    what: str
    title: str
    edits: tuple[Edit, ...] = ()
    related: tuple[Related, ...] = ()
    configs: list[KernelConfig] = field(default_factory=list)

    @property
    def fix(self) -> Fix | None:
        """What mends it, where that is an edit of the files; the title says it in any case."""
        return Fix.safe(self.title, *self.edits) if self.edits else None

    @property
    def arches(self) -> str:
        """The architectures, for messages."""
        return " and ".join(dict.fromkeys(config.arch for config in self.configs))

    @property
    def versions(self) -> str:
        """The kernels' versions, for messages."""
        return " and ".join(dict.fromkeys(config.version for config in self.configs))


def gathered(faults: Iterable[tuple[Fault, KernelConfig]]) -> tuple[Fault, ...]:
    """Return each fault once, with all the configurations that it is a part of."""
    found: dict[tuple[Span, str], Fault] = {}
    for fault, config in faults:
        found.setdefault((fault.span, fault.what), fault).configs.append(config)
    return tuple(found.values())


# --- edits ---


def edits_in(config: KernelConfig, *edits: Edit) -> tuple[Edit, ...]:
    """Return edits if all are of the configuration's files, else none.

    What an ebuild's phase does to the file is not put right by a line.
    """
    return edits if all(edit.span.path in config.paths for edit in edits) else ()


def written(symbol: str, value: str) -> str:
    """Return the line that sets a symbol; `n` is not set."""
    return f"# CONFIG_{symbol} is not set" if value == "n" else f"CONFIG_{symbol}={value}"


def to_set(package: Package, config: KernelConfig, values: Mapping[str, str]) -> Fault:
    """Return the fault that symbols have not these values, of which none has its own.

    The last line about one of them is changed; if none speaks of any, they are added.
    """
    for symbol, value in values.items():
        option = config.options.get(symbol)
        if option is not None:
            is_off = "off" if option.value in (None, "n") else option.value
            title = f"set {written(symbol, value)}" if value != "n" else f"turn {symbol} off"
            edits = edits_in(config, Edit(option.span, written(symbol, value)))
            return Fault(option.span, f"{symbol} is {is_off}", title, edits)
    return _added(package, config, values)


def _added(package: Package, config: KernelConfig, values: Mapping[str, str]) -> Fault:
    edits: dict[Span, list[str]] = {}
    beside = None
    for symbol in sorted(values):
        near, at = sorted_place(package, config.paths[-1], symbol)
        beside = beside or near
        edits.setdefault(at, []).append(f"{written(symbol, values[symbol])}\n")
    names = " and ".join(values)
    title = "add " + " and ".join(written(*one) for one in values.items())
    verb = "is" if len(values) == 1 else "are"
    insertions = tuple(insertion(package, at, "".join(lines)) for at, lines in edits.items())
    what = f"{names} {verb} not set"
    return Fault(beside or Span(config.paths[-1]), what, title, insertions)


def sorted_place(package: Package, path: str, symbol: str) -> tuple[Span, Span]:
    """Return the line before the place that a symbol has in a sorted file, and that place.

    Files are sorted by name in the C locale, as sort_config.sh does it.
    """
    data = package.repository.tree.read(path)
    before: Option | None = None
    first: Option | None = None
    for option in parse_kernel_config(data, path, package.repository.span(path).repository):
        first = first or option
        if option.symbol < symbol and (before is None or option.symbol >= before.symbol):
            before = option
    if before is None:
        at = first.span.start if first else len(data)
        near = first.span if first else Span(path)
        return near, Span(path, at, at)
    at = data.find(b"\n", before.span.end) + 1 or len(data)
    return before.span, Span(path, at, at)


def insertion(package: Package, at: Span, text: str) -> Edit:
    """Return the edit that inserts lines, after a last line that may lack its end."""
    before = package.repository.tree.read(at.path)[: at.start]
    return Edit(at, text if not before or before.endswith(b"\n") else f"\n{text}")
