"""What bash complains of while it expands words."""

from __future__ import annotations


class ExpansionProblem(Exception):
    """Bash gives up the line of commands that it is at (a bad substitution, a division by zero)."""


class BadSubscript(ExpansionProblem):
    """An array has no such element; an arithmetic assignment to it does not fail by that."""

    def __init__(self, name: str = "") -> None:
        super().__init__(f"{name}: bad array subscript" if name else "bad array subscript")


class FatalProblem(ExpansionProblem):
    """A shell that is not interactive exits (`${x?}`); a subshell with a status of its own."""

    def __init__(self, message: str, status: int = 1, subshell_status: int = 1) -> None:
        super().__init__(message)
        self.status = status
        self.subshell_status = subshell_status
