"""A process is told apart from what comes after it."""

import os
import subprocess
import sys

from retina_viewer.core.processes import process_identity


def test_this_process_keeps_its_identity() -> None:
    assert process_identity(os.getpid()) == process_identity(os.getpid()) is not None


def test_another_process_has_another_identity_until_it_ends() -> None:
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        identity = process_identity(child.pid)
        assert identity is not None
        assert process_identity(child.pid) == identity
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet reaped
        assert process_identity(child.pid) is None
        child.wait()
        assert process_identity(child.pid) is None


def test_numbers_that_no_process_has() -> None:
    assert process_identity(0) is None
    assert process_identity(-5) is None
    assert process_identity(2**22 + 7) is None
