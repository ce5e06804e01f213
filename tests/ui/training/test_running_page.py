"""The page of a running training: no work without news, the same work at every refresh, and no
news that it can miss."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.ui.training import trainings as followed
from retina_viewer.ui.training.training_status import Phase, TrainingStatus
from retina_viewer.ui.training.wizard import TrainingWizard
from tests.finetuning.tiny_clinic import clinic_plan
from tests.ui.training.made_run import MadeRun

MOST_MS = 20.0


@pytest.fixture
def made(folder: Path, tmp_path: Path, wizard: TrainingWizard, qtbot: QtBot) -> MadeRun:
    """A running training whose page is open; it is looked at when a test says so."""
    one = MadeRun(tmp_path / "run", clinic_plan(folder), pictures=2)
    for _ in range(20):
        one.tell_round()
    wizard._trainings.follow(one.run, one.plan)
    wizard.show_run()
    qtbot.waitUntil(lambda: wizard._trainings.status.step == one.step)
    wizard._trainings._timer.blockSignals(True)
    settle(qtbot)
    assert wizard.training.curves.curves is not None
    return one


def settle(qtbot: QtBot) -> None:
    for _ in range(10):
        qtbot.wait(5)


class Counter(QObject):
    """How often widgets were shown and painted."""

    def __init__(self, widgets: list[QWidget]) -> None:
        super().__init__()
        self.shown = self.painted = 0
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.shown += event.type() == QEvent.Type.Show
        self.painted += event.type() == QEvent.Type.Paint
        return False


def look(wizard: TrainingWizard, qtbot: QtBot) -> None:
    """Look at the folder, as at every beat, and wait for what comes of it."""
    wizard._trainings.poll()
    qtbot.waitUntil(lambda: not wizard._trainings._jobs.is_active("training events"))


def test_nothing_is_done_while_nothing_changes(
    made: MadeRun, wizard: TrainingWizard, qtbot: QtBot
) -> None:
    page = wizard.training
    counter = Counter([page, *page.findChildren(QWidget)])
    news: list[bool] = []
    wizard._trainings.changed.connect(lambda: news.append(True))
    for _ in range(5):
        look(wizard, qtbot)
    assert news == []
    for _ in range(5):
        wizard._trainings.changed.emit()  # told once too often: still there is nothing to draw
        settle(qtbot)
    assert (counter.shown, counter.painted) == (0, 0)


def test_the_page_of_a_finished_training_is_at_rest(
    made: MadeRun, wizard: TrainingWizard, qtbot: QtBot
) -> None:
    made.run.set_state("finished")
    look(wizard, qtbot)
    assert wizard.training.isComplete()
    settle(qtbot)
    counter = Counter([wizard.training])
    wizard._trainings.changed.emit()
    settle(qtbot)
    assert (counter.shown, counter.painted) == (0, 0)


def refreshes(count: int, tell: Callable[[], None]) -> list[float]:
    """The GUI thread's own milliseconds for each, with all that is painted after it."""
    times = []
    for _ in range(count):
        started = time.thread_time()
        tell()
        for _ in range(5):
            QApplication.processEvents()
        times.append((time.thread_time() - started) * 1e3)
    return times


def test_the_thousandth_refresh_costs_what_the_first_does(
    made: MadeRun, wizard: TrainingWizard, qtbot: QtBot
) -> None:
    trainings, page = wizard._trainings, wizard.training
    rest = RunFolder(made.run.path)
    offset = rest.events_since()[1]

    def tell() -> None:
        nonlocal offset
        made.tell_round(validated_every=10**6)
        events, offset = rest.events_since(offset)
        trainings.status = trainings.status.copy()
        trainings.status.take(events)
        trainings.changed.emit()

    counter = Counter([page, *page.findChildren(QWidget)])
    first = refreshes(25, tell)
    at_first = counter.painted
    page.hide()
    for _ in range(950):
        tell()
    page.show()
    settle(qtbot)
    counter.shown = counter.painted = 0
    last = refreshes(25, tell)
    assert counter.shown == 0
    assert counter.painted <= 1.2 * at_first
    assert statistics.median(first) < MOST_MS
    assert statistics.median(last) < MOST_MS
    assert f"step {made.step:,}" in page.state.text()


def told(run: RunFolder) -> TrainingStatus:
    """What a run's folder says, read at once."""
    status = TrainingStatus()
    status.take(run.events_since()[0])
    status.history.names = ["×2"]
    return status


def test_a_look_that_was_not_heard_is_no_loss(
    made: MadeRun, wizard: TrainingWizard, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as deaf:
        deaf.setattr(followed.Trainings, "_looked", lambda self, look: None)
        made.tell_round()
        look(wizard, qtbot)
    look(wizard, qtbot)
    assert wizard._trainings.status == told(made.run)
    assert f"step {made.step:,}" in wizard.training.state.text()


def test_damaged_events_are_left_out_and_the_rest_is_shown(
    made: MadeRun, wizard: TrainingWizard, qtbot: QtBot
) -> None:
    place = {"stage": 1, "step": 5, "task": "superres step 1"}
    damaged = (
        {"event": "losses"},
        {"event": "losses", **place, "step": "many"},
        {"event": "losses", **place, "steps_per_second": float("nan"), "generator/rgb": 0.1},
        {"event": "losses", **place, "step": made.step + 1, "generator/rgb": float("inf")},
        {"event": "losses", **place, "stage": 10**9},
        {"event": "start", "stages": 7},
        {"event": "progress", "fraction": []},
    )
    for event in damaged:
        made.run.append_event(event)
    with (made.run.path / "events.jsonl").open("ab") as stream:
        stream.write(b"[" * 100_000 + b"\n")
    made.tell_round()
    look(wizard, qtbot)
    assert wizard._trainings.status.step == made.step
    assert len(wizard._trainings.status.history.stages) == 1
    settle(qtbot)


def test_events_that_begin_anew_are_read_anew(
    made: MadeRun, wizard: TrainingWizard, qtbot: QtBot
) -> None:
    (made.run.path / "events.jsonl").write_bytes(b"")
    made.step = 0
    made.tell_round()
    look(wizard, qtbot)
    look(wizard, qtbot)
    assert wizard._trainings.status == told(made.run)
    assert wizard._trainings.status.step == 10


def test_one_that_goes_on_by_another_hand_is_seen(
    made: MadeRun, wizard: TrainingWizard, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed, "IDLE_POLL_MS", 20)
    wizard._trainings._timer.blockSignals(False)
    made.run.set_state("paused")
    qtbot.waitUntil(lambda: wizard._trainings.phase is Phase.PAUSED)
    made.run.set_state("running")
    made.tell_round()
    qtbot.waitUntil(lambda: wizard._trainings.status.step == made.step)
    assert wizard._trainings.phase is Phase.RUNNING
    made.run.set_state("paused")
    qtbot.waitUntil(lambda: wizard._trainings.phase is Phase.PAUSED)
