"""overlaylint: a linter and policy checker for Portage overlays that executes nothing."""

__version__ = "0.1.0"
