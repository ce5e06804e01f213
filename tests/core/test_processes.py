"""A process is told apart from what comes after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from retina_viewer.core.processes import heeding, process_identity


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


@pytest.fixture
def heard() -> list[int]:
    return []


def test_a_signal_is_heeded_and_afterwards_all_is_as_before(heard: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with heeding(lambda number, frame: heard.append(number), "SIGTERM", "SIGNOTHING"):
        signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_ignored_stays_ignored(heard: list[int]) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with heeding(lambda number, frame: heard.append(number), "SIGTERM"):
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == []


def test_outside_the_main_thread_nothing_happens(heard: list[int]) -> None:
    entered: list[bool] = []

    def work() -> None:
        with heeding(lambda number, frame: heard.append(number), "SIGTERM"):
            entered.append(signal.getsignal(signal.SIGTERM) is before)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]
