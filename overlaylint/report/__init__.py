"""How a result is shown: one module a format, each with a function `render`.

A format joins by its name in `FORMATS`; the module's name is the same with `_` for `-`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from overlaylint.engine.result import Result
from overlaylint.records import dataclass

FORMATS = (
    "text",
    "concise",
    "json",
    "json-lines",
    "github",
    "sarif",
    "gitlab",
    "rdjson",
    "junit",
    "checkstyle",
)

#: The formats that are lines for people, and so can share standard output.
FORMATS_OF_LINES = frozenset({"text", "concise", "github"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a report may take into account besides the results.

    `width` is the terminal's, in columns. `environment` is that of the process, which is how
    hosts say where they run.
    """

    use_color: bool = False
    width: int = 100
    show_undecided: bool = False
    show_gone: bool = False
    """Whether to list what of the baseline is gone."""
    is_beside_text: bool = False
    """Whether the same place shows the findings as text too, so that none need be repeated."""
    show_statistics: bool = False
    """Whether to count the findings of each rule instead of showing them."""
    explain_silence: bool = False
    """Whether to say of each rule where it held, did not apply, or could not tell."""
    is_quiet: bool = False
    """Whether findings alone are wanted, without a summary."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=Path)
    """The working folder, from which paths are found that a host wants relative to its own."""


class Format(Protocol):
    """What a format's module holds."""

    def render(self, results: Sequence[Result], settings: Settings) -> str:
        """Return the whole report, each overlay's result in turn."""
        ...


def load_format(name: str) -> Format:
    """Return the module of a format of `FORMATS`."""
    return cast(Format, import_module(f"{__name__}.{name.replace('-', '_')}"))
