"""The command line. Exit status: 0 nothing found, 1 findings, 2 the job could not be done."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from errno import ENOENT
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from overlaylint import __version__

NOTHING_FOUND = 0
FINDINGS = 1
FAILED = 2
#: What a shell reports of a program that Ctrl-C ended.
INTERRUPTED = 130

#: Each command's module, imported when the command is run. A command joins by a line here.
COMMANDS = {
    "check": "overlaylint.cli.check",
    "completion": "overlaylint.cli.completion",
    "config": "overlaylint.cli.config",
    "explain": "overlaylint.cli.explain",
    "history": "overlaylint.cli.history",
    "metadata": "overlaylint.cli.metadata",
    "packages": "overlaylint.cli.packages",
    "rules": "overlaylint.cli.rules",
    "why": "overlaylint.cli.why",
}


class _Commands(click.Group):
    """The commands of COMMANDS, each imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
)
@click.version_option(__version__, prog_name="overlaylint", message="%(prog)s %(version)s")
def overlaylint() -> None:
    """Check the policies of a Gentoo/Portage overlay, without running a line of it.

    Exit status: 0 nothing found, 1 findings, 2 overlaylint could not do its job.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit status. Errors are one line on stderr."""
    from overlaylint.engine.errors import UsageError
    from overlaylint.rule import RuleError
    from overlaylint.tree import TreeError

    # Syntax trees live to the end and hold no cycles: to look through them again and again for
    # garbage takes a fifth of a run's time, and saves nothing.
    gc.set_threshold(100_000, 50, 1000)
    if sys.stderr is None:
        # It is closed (`2>&-`), and print would take standard output in its place.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (to the end)
    if sys.stdout is None:
        sys.stdout = sys.stderr
        return _fail("standard output is closed")
    for stream in (sys.stdout, sys.stderr):
        # Text from an overlay may not fit the terminal's encoding; it is shown all the same.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = overlaylint.main(
            None if arguments is None else list(arguments),
            prog_name="overlaylint",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except click.ClickException as error:
        return _fail(error.format_message())
    except (UsageError, RuleError, TreeError) as error:
        return _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        return _fail("stopped before the end; nothing of the run is reported", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has had enough (`| head`).
        _give_up_output()
        return FAILED
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        _give_up_output()
        # What fails without a name is the output, or the working folder, which is gone.
        where = "." if error.errno == ENOENT else "standard output"
        return _fail(f"{os.fsdecode(error.filename or where)}: {reason}")
    except Exception:  # noqa: BLE001 (a defect: Python's own status 1 would mean findings)
        return _fail_by_defect()
    return status if isinstance(status, int) else NOTHING_FOUND


def run() -> NoReturn:
    """Run the process's own command line, and end the process with its exit status."""
    status = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # it is closed, and `main` has flushed what it wrote
            stream.flush()
    # Python would take apart every syntax tree before it ends, which takes a tenth of a run.
    os._exit(status)


def tell(text: str) -> None:
    """Print one line on stderr, with what is said before it on its way."""
    from overlaylint.report.escape import visible, without_commands

    sys.stdout.flush()
    print(f"overlaylint: {without_commands(visible(' '.join(text.split())))}", file=sys.stderr)


def _give_up_output() -> None:
    """Drop what standard output does not take. Python would try again, and complain, at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail_by_defect() -> int:
    """Show where the exception at hand came from, with what it says of an overlay escaped."""
    import traceback

    from overlaylint.report.escape import visible, without_commands

    for line in traceback.format_exc().splitlines():
        print(without_commands(f"| {visible(line)}"), file=sys.stderr)
    return _fail("this is a defect of overlaylint; what is needed to mend it stands above")


def _fail(message: str, status: int = FAILED) -> int:
    tell(message)
    return status
