"""The process that trains: the program itself, with the verb ``train``."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.run_folder import RunFolder

LOG = "output.txt"
"""In the run's folder: what the process wrote before it could write events."""
_NICENESS = 5
_TAIL = 2000  # bytes
_DETACHED = 0x00000208
"""Of Windows: a process group of its own, no console."""


class Child:
    """A training process that this window started. It outlives the window."""

    _started: set[subprocess.Popen[bytes]] = set()  # noqa: RUF012
    """Kept, so that Python does not complain of processes that are meant to go on."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._started.add(process)

    @property
    def lives(self) -> bool:
        if self._process.poll() is None:
            return True
        self._started.discard(self._process)
        return False


def command_for(run: RunFolder) -> list[str]:
    """Begins a run or goes on with it; a frozen program is its own interpreter."""
    verb = ["train", "--plan", str(run.plan_file), "--out", str(run.path), "--resume", "--json"]
    frozen = bool(getattr(sys, "frozen", False))
    return [sys.executable, *verb] if frozen else [sys.executable, "-m", "retina_viewer", *verb]


def launch(run: RunFolder) -> Child:
    """Start the process of a run.

    Raises:
        UserError: the system refuses to, or the run's folder is not there.
    """
    try:
        with (run.path / LOG).open("wb") as output:
            process = subprocess.Popen(
                command_for(run),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A closed terminal or Ctrl+C there must not reach it.
                start_new_session=os.name == "posix",
                creationflags=0 if os.name == "posix" else _DETACHED,
            )
    except OSError as error:
        raise UserError(
            f"The training could not be started: {error.strerror or error}.",
            "Look whether its folder is there and the disk has space, and try again.",
        ) from error
    _step_back(process.pid)
    return Child(process)


def _step_back(pid: int) -> None:
    """The window goes first; elsewhere than on POSIX the system favours it already."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, _NICENESS)


def last_words(run: RunFolder) -> str:
    """The end of what the process wrote, for those who look for the cause; empty for nothing."""
    try:
        with (run.path / LOG).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
            text = stream.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line and not line.startswith("{")]
    return "\n".join(lines)
