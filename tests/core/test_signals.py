import signal
import threading

import pytest

from retina_viewer.core.processes import heeding


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
