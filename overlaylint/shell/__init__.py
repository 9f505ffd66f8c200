"""Bash as data: parsed, evaluated and traced, never run."""

import sys

from overlaylint.shell.parser import parse
from overlaylint.shell.syntax import Comment, Script, Source, SyntaxProblem

__all__ = ["Comment", "Script", "Source", "SyntaxProblem", "parse"]

# The parser and the interpreter recurse as the script does; their own bounds are well below this.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 12_000))
