"""The colours of the text output."""

from __future__ import annotations

from overlaylint.finding import Severity
from overlaylint.records import dataclass

_SEVERITY = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTICE: "1;36"}


@dataclass(frozen=True, slots=True)
class Style:
    """Wraps text in the escape sequences for its meaning, or leaves it as it is."""

    use_color: bool = False

    def gutter(self, text: str) -> str:
        """Line numbers and the bar beside them."""
        return self._paint("1;34", text)

    def primary(self, text: str) -> str:
        """The mark under the place of a finding."""
        return self._paint("1;31", text)

    def secondary(self, text: str) -> str:
        """The mark under a related place."""
        return self._paint("1;34", text)

    def strong(self, text: str) -> str:
        """What is to be read first."""
        return self._paint("1", text)

    def severity(self, severity: Severity, text: str) -> str:
        """Text in the colour of a severity."""
        return self._paint(_SEVERITY[severity], text)

    def added(self, text: str) -> str:
        """A line that a diff adds."""
        return self._paint("32", text)

    def removed(self, text: str) -> str:
        """A line that a diff takes away."""
        return self._paint("31", text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.use_color and text else text
