"""The symbols that a kernel's merged configuration sets."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from overlaylint.finding import Edit, Finding, Fix, NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.kernel_config import KernelConfig
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.version import Version, parse_version
from overlaylint.policies.forms import ForbidKernelOption, RequireKernelOption
from overlaylint.policies.matching import matches_any
from overlaylint.syntax import each


def required_kernel_option(
    config: KernelConfig, form: RequireKernelOption, repository: Repository | None = None
) -> Iterator[Outcome]:
    """Report a symbol that the last line about it does not set as it has to, or that has none.

    With the repository, where the files are read anew, the fix sets it.
    """
    cause = _not_looked_at(config, form)
    if cause is not None:
        yield cause
        return
    value = config.value(form.option)
    if (value or "n") == form.value:
        return
    wanted = f"CONFIG_{form.option}={form.value}"
    if form.value == "n":
        wanted = f"# CONFIG_{form.option} is not set"
    line = config.options.get(form.option)
    kernel = f"the kernel {config.version} for {config.arch}"
    if line is None:
        message = f"{kernel} does not set CONFIG_{form.option}: it has to be {form.value}"
        span, fix = _end(config, wanted, repository)
        yield Finding(span, message, f"add `{wanted}`", fix=fix)
        return
    message = f"{kernel} has CONFIG_{form.option}={value or 'n'}: it has to be {form.value}"
    fix = None if line.span.repository else Fix.safe("set it", Edit(line.span, wanted))
    yield Finding(line.span, message, f"write `{wanted}` here", fix=fix)


def forbidden_kernel_option(config: KernelConfig, form: ForbidKernelOption) -> Iterator[Outcome]:
    """Report the line that sets a symbol as it may not be."""
    cause = _not_looked_at(config, form)
    if cause is not None:
        yield cause
        return
    value = config.value(form.option)
    line = config.options.get(form.option)
    if value is None or line is None or not fnmatchcase(value, form.value):
        return
    off = f"# CONFIG_{form.option} is not set"
    message = f"the kernel {config.version} for {config.arch} has CONFIG_{form.option}={value}"
    fix = None if line.span.repository else Fix.safe("turn it off", Edit(line.span, off))
    yield Finding(line.span, message, f"write `{off}` here", fix=fix)


def _not_looked_at(
    config: KernelConfig, form: RequireKernelOption | ForbidKernelOption
) -> Outcome | None:
    """Return why the form is not for a configuration; None where it is."""
    if not matches_any(form.arch, config.arch):
        return NotApplicable(f"the configuration is for {config.arch}")
    ranges = each(form.kernels)
    version = config.kernel_version
    if not ranges:
        return None
    if version is None:
        return Undecided(
            Span(config.paths[0]), f"it is unknown of which version {config.version!r} is"
        )
    if not all(is_in_range(version, one) for one in ranges):
        return NotApplicable(f"the configuration is for {config.version}")
    return None


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


def _end(
    config: KernelConfig, wanted: str, repository: Repository | None
) -> tuple[Span, Fix | None]:
    """Return the end of the last file, which has the last word, and the edit that adds a line."""
    path = config.paths[-1]
    last = next((one for one in reversed(config.lines) if one.span.path == path), None)
    span = last.span if last is not None else Span(path)
    if repository is None or span.repository:
        return span, None
    data = repository.tree.read(path)
    text = f"{wanted}\n" if not data or data.endswith(b"\n") else f"\n{wanted}\n"
    return span, Fix.safe(f"add {wanted}", Edit(Span(path, len(data), len(data)), text))
