"""The process that trains: the program itself, with the verb ``train``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from PySide6.QtCore import QProcess

from retina_viewer.core.errors import UserError
from retina_viewer.training.run_folder import RunFolder

LOG = "output.txt"
"""In the run's folder: what the process wrote before it could write events."""
_NICENESS = 5
_TAIL = 2000  # characters


def command_for(run: RunFolder) -> tuple[str, list[str]]:
    """Program and arguments that begin a run or go on with it; of a frozen program, itself."""
    verb = ["train", "--plan", str(run.plan_file), "--out", str(run.path), "--resume", "--json"]
    frozen = bool(getattr(sys, "frozen", False))
    return sys.executable, verb if frozen else ["-m", "retina_viewer", *verb]


def launch(run: RunFolder) -> int:
    """Start the process of a run. It outlives the window.

    Returns:
        Its number.

    Raises:
        UserError: the system refuses to start it.
    """
    program, arguments = command_for(run)
    process = QProcess()
    process.setProgram(program)
    process.setArguments(arguments)
    process.setWorkingDirectory(str(run.path))
    output = str(run.path / LOG)
    process.setStandardOutputFile(output, QProcess.OpenModeFlag.Truncate)
    process.setStandardErrorFile(output, QProcess.OpenModeFlag.Append)
    started, pid = process.startDetached()
    if not started:
        raise UserError(
            "The training could not be started: the system refused a new process.",
            "Close other programs and try again.",
        )
    _step_back(pid)
    return int(pid)


def _step_back(pid: int) -> None:
    """The window goes first; elsewhere than on POSIX the system favours it already."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, _NICENESS)


def last_words(run: RunFolder) -> str:
    """The end of what the process wrote, for those who look for the cause; empty for nothing."""
    try:
        text = (run.path / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line for line in text[-_TAIL:].splitlines() if line and not line.startswith("{")]
    return "\n".join(lines)
