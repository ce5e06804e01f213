"""Processes: whether one still runs, told apart from a later one with its number; signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PLATFORM: str = sys.platform  # a plain text, or the type checker leaves out all but its own


def process_identity(pid: int) -> str | None:
    """What tells this process from every other, before or after it: its start time.

    Process numbers are used again, within hours on a busy machine; a number alone would take a
    stranger for a training that was killed. The text stays the same while the process runs; it is
    None where there is no such process (or only its unreaped remains).
    """
    if pid <= 0:
        return None
    if _PLATFORM == "win32":
        return _windows_identity(pid)
    if _PLATFORM.startswith("linux"):
        return _linux_identity(pid)
    return _posix_identity(pid)


def _linux_identity(pid: int) -> str | None:
    try:
        # The second field is the program's name in parentheses, which may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[0] in "ZX" else f"{boot} {fields[19]}"


def _posix_identity(pid: int) -> str | None:
    result = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    state, _, started = result.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def _windows_identity(pid: int) -> str | None:
    import ctypes
    from ctypes import wintypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # known to the checker on Windows only
    kernel.OpenProcess.restype = wintypes.HANDLE
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return None
    try:
        times = [wintypes.FILETIME() for _ in range(4)]
        code = wintypes.DWORD()
        pointers = [ctypes.byref(time) for time in times]
        alive = kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code))
        known = kernel.GetProcessTimes(wintypes.HANDLE(handle), *pointers)
        if not (alive and known and code.value == 259):  # STILL_ACTIVE
            return None
        return f"{times[0].dwHighDateTime}-{times[0].dwLowDateTime}"
    finally:
        kernel.CloseHandle(wintypes.HANDLE(handle))


@contextmanager
def heeding(handler: Callable[[int, object], None], *names: str) -> Iterator[None]:
    """Have signals call the handler; afterwards all is as before.

    A signal that is ignored (nohup) stays so. Only the main thread can do this; elsewhere, and for
    signals that the system lacks, nothing happens.
    """
    is_main = threading.current_thread() is threading.main_thread()
    known = [getattr(signal, name) for name in names if hasattr(signal, name) and is_main]
    heeded = [one for one in known if signal.getsignal(one) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
