"""Bash as data: parsed, evaluated and traced, never run."""

from overlaylint.shell.parser import parse
from overlaylint.shell.syntax import Comment, Script, Source, SyntaxProblem

__all__ = ["Comment", "Script", "Source", "SyntaxProblem", "parse"]
