"""Background work: delivery in the GUI thread, replacement, cancellation, no leaked threads."""

import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.ui import jobs as jobs_module
from retina_viewer.ui.jobs import MOST_WORKERS, PROGRESS_INTERVAL, Job, Jobs, Lane


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    jobs = Jobs()
    yield jobs
    jobs.close()


def test_result_arrives_in_the_gui_thread(jobs: Jobs, qtbot: QtBot) -> None:
    seen: list[tuple[int, bool, bool]] = []
    gui = QThread.currentThread()
    main = threading.current_thread()
    jobs.submit(
        "sum",
        lambda progress: (sum(range(10)), threading.current_thread() is main),
        lambda r: seen.append((r[0], r[1], QThread.currentThread() is gui)),
    )
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [(45, False, True)]
    assert not jobs.active


def test_newer_job_replaces_the_older_and_stale_results_are_dropped(
    jobs: Jobs, qtbot: QtBot
) -> None:
    release = threading.Event()
    results: list[str] = []

    def slow(progress: Progress) -> str:
        release.wait(5)
        return "stale"

    first = jobs.submit("photo", slow, results.append)
    jobs.submit("photo", lambda progress: "fresh", results.append)
    release.set()
    qtbot.waitUntil(lambda: results == ["fresh"])
    qtbot.wait(20)
    assert results == ["fresh"]
    assert first.is_cancelled


def test_cancel_reaches_the_work_through_its_progress(jobs: Jobs, qtbot: QtBot) -> None:
    stopped = threading.Event()
    results: list[object] = []

    def endless(progress: Progress) -> None:
        try:
            while True:
                progress(0.5, "working")
                time.sleep(0.001)
        finally:
            stopped.set()

    with qtbot.waitSignal(jobs.progressed):
        jobs.submit("endless", endless, results.append, failed=results.append)
    with qtbot.waitSignal(jobs.ended):
        jobs.cancel("endless")
    assert stopped.is_set()
    assert results == []


def test_lanes_do_not_wait_for_each_other(jobs: Jobs, qtbot: QtBot) -> None:
    release = threading.Event()
    results: list[str] = []
    jobs.submit("map", lambda p: release.wait(5), lambda r: results.append("map"))
    jobs.submit("tile", lambda p: None, lambda r: results.append("tile"), lane=Lane.TILES)
    qtbot.waitUntil(lambda: results == ["tile"])
    release.set()
    qtbot.waitUntil(lambda: results == ["tile", "map"])


def test_failures_reach_their_owner_or_the_window(jobs: Jobs, qtbot: QtBot) -> None:
    owned: list[Exception] = []
    unowned: list[tuple[Job, Exception]] = []
    jobs.unhandled.connect(lambda job, error: unowned.append((job, error)))

    def fail(progress: Progress) -> None:
        raise UserError("No such file.", "Choose another.")

    jobs.submit("a", fail, lambda r: None, failed=owned.append)
    jobs.submit("b", fail, lambda r: None)
    qtbot.waitUntil(lambda: bool(owned and unowned))
    assert isinstance(owned[0], UserError)
    assert unowned[0][0].key == "b"


def test_progress_is_forwarded_at_most_ten_times_a_second(jobs: Jobs, qtbot: QtBot) -> None:
    reports: list[float] = []
    jobs.progressed.connect(lambda job: reports.append(job.fraction))

    def chatty(progress: Progress) -> float:
        start = time.monotonic()
        while (passed := time.monotonic() - start) < 0.35:
            progress(passed / 0.35, "chatting")
        return passed

    done: list[float] = []
    jobs.submit("chatty", chatty, done.append)
    qtbot.waitUntil(lambda: bool(done))
    assert 2 <= len(reports) <= done[0] / PROGRESS_INTERVAL + 1


def test_two_thousand_signals_leave_the_interpreter_alive(jobs: Jobs, qtbot: QtBot) -> None:
    # PySide6 6.12.0 drops a reference to True on every emission and aborts after a few hundred.
    results: list[bool] = []
    for number in range(2000):
        jobs.submit(f"signal {number}", lambda progress: True, results.append)
    qtbot.waitUntil(lambda: len(results) == 2000, timeout=20_000)
    assert all(results)


def test_close_leaves_no_thread_behind(qtbot: QtBot) -> None:
    before = set(threading.enumerate())
    jobs = Jobs()

    def endless(progress: Progress) -> None:
        while True:
            progress(0, "")
            time.sleep(0.001)

    with qtbot.waitSignal(jobs.started):
        jobs.submit("endless", endless, lambda r: None)
    jobs.close()
    assert set(threading.enumerate()) == before


def test_a_drive_that_does_not_answer_keeps_no_other_photograph_waiting(
    jobs: Jobs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "PATIENCE", 0.2)
    back = threading.Event()
    results: list[str] = []

    def stalled(progress: Progress) -> str:
        back.wait(20)
        return "late"

    jobs.submit("thumbnail", stalled, results.append, lane=Lane.FILES)
    jobs.submit("open", lambda progress: "photograph", results.append, lane=Lane.FILES)
    qtbot.waitUntil(lambda: results == ["photograph"])
    back.set()
    qtbot.waitUntil(lambda: results == ["photograph", "late"])  # it is still wanted
    jobs.submit("open", lambda progress: "next", results.append, lane=Lane.FILES)
    qtbot.waitUntil(lambda: results[-1] == "next")
    alive = [one for one in threading.enumerate() if one.name == "retina-files"]
    assert len(alive) == 1


def test_what_nobody_wants_any_more_is_not_waited_for(
    jobs: Jobs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "PATIENCE", 60.0)
    back = threading.Event()
    results: list[object] = []
    jobs.submit("open", lambda progress: back.wait(20), results.append, lane=Lane.FILES)
    jobs.submit("open", lambda progress: "photograph", results.append, lane=Lane.FILES)
    qtbot.waitUntil(lambda: results == ["photograph"])
    back.set()


def test_drives_that_do_not_answer_cost_few_threads(
    jobs: Jobs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "PATIENCE", 0.01)
    back = threading.Event()
    for number in range(12):
        jobs.submit(f"{number}", lambda progress: back.wait(20), lambda r: None, lane=Lane.FILES)
    most = 0
    for _ in range(20):
        jobs._relieve()
        qtbot.wait(20)
        alive = sum(one.name == "retina-files" for one in threading.enumerate())
        most = max(most, alive)
    back.set()
    assert most == MOST_WORKERS
    qtbot.waitUntil(lambda: not jobs.active)
