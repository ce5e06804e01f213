"""Trainings of earlier days, and the question when the window closes."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMenu, QMessageBox, QToolButton, QWizard
from pytestqt.qtbot import QtBot

from retina_viewer.core.paths import user_runs_dir
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder, RunStatus
from retina_viewer.ui.training.draft import Way
from retina_viewer.ui.training.training_status import Phase
from retina_viewer.ui.training.trainings import found_runs, mark_reviewed
from retina_viewer.ui.training.wizard import TrainingWizard
from retina_viewer.ui.training.wizard_page import PageId
from retina_viewer.ui.window import Window
from tests.finetuning.tiny_clinic import clinic_plan, tiny_cascade
from tests.ui.conftest import MakeWindow
from tests.ui.training.conftest import look_at


def prepared(folder: Path, name: str, status: RunStatus, message: str = "") -> RunFolder:
    """A run in a state; one that is running is this very process."""
    run = RunFolder(user_runs_dir() / name)
    run.prepare(clinic_plan(folder, name=name))
    if status != "prepared":
        run.set_state(status, message=message)
    return run


def look(window: Window, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.training.trainings.found):
        window.training.trainings.look_for_runs()


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        ("paused", "", "is paused."),
        ("failed", "A photograph has changed.", "has failed: A photograph has changed."),
        ("finished", "", "is finished and waits for your decision."),
        ("prepared", "", "was prepared and not started."),
    ],
)
def test_a_training_that_waits_is_offered_and_shown(
    window: Window, qtbot: QtBot, folder: Path, status: RunStatus, message: str, words: str
) -> None:
    prepared(folder, "ours", status, message)
    look(window, qtbot)
    assert window.training.waiting_bar.isVisible()
    assert words in window.training.waiting_bar.text.text()
    assert "tiny on 4 photographs" in window.training.waiting_bar.text.text()
    window.training.waiting_bar.show_button.click()
    assert not window.training.waiting_bar.isVisible()
    wizard = window.training.wizard
    assert wizard is not None
    assert wizard.currentId() == PageId.TRAINING
    qtbot.waitUntil(lambda: window.training.trainings.phase.value == status)
    if message:
        assert wizard.training.state.text() == message
    assert window.close()  # nothing runs: no question


def test_what_is_cancelled_or_decided_is_not_offered(
    window: Window, qtbot: QtBot, folder: Path
) -> None:
    prepared(folder, "cancelled", "cancelled")
    decided = prepared(folder, "decided", "finished")
    mark_reviewed(decided, "not kept")
    assert (decided.path / "reviewed").exists()
    (user_runs_dir() / "rubbish").mkdir()
    look(window, qtbot)
    assert not window.training.waiting_bar.isVisible()
    assert len(found_runs()) == 2


def test_several_are_in_the_menu(window: Window, qtbot: QtBot, folder: Path) -> None:
    prepared(folder, "one", "paused")
    prepared(folder, "two", "failed")
    look(window, qtbot)
    assert "1 more" in window.training.waiting_bar.text.text()
    menu = QMenu(window)
    window.training.fill_menu(menu)
    texts = [action.text() for action in menu.actions()]
    assert texts[0].startswith("Train a model…")
    assert sum("tiny on 4 photographs" in text for text in texts) == 2
    (failed,) = [one for one in menu.actions() if "has failed" in one.text()]
    failed.trigger()
    qtbot.waitUntil(lambda: window.training.trainings.phase is Phase.FAILED)


@pytest.mark.parametrize("damage", ["a = " + "[" * 100_000, "name = 'ours'", "\0", None])
def test_one_damaged_training_hides_no_other(
    window: Window, qtbot: QtBot, folder: Path, damage: str | None
) -> None:
    broken = prepared(folder, "broken", "paused")
    prepared(folder, "whole", "paused")
    if damage is None:
        broken.plan_file.unlink()
    else:
        broken.plan_file.write_text(damage)
    look(window, qtbot)
    assert "tiny on 4 photographs" in window.training.waiting_bar.text.text()
    assert "more" not in window.training.waiting_bar.text.text()  # of those that can be opened
    menu = QMenu(window)
    window.training.fill_menu(menu)
    enabled = {action.text(): action.isEnabled() for action in menu.actions()}
    assert enabled["“broken” cannot be read"] is False
    assert enabled["tiny on 4 photographs is paused"] is True


@pytest.mark.parametrize(
    "state",
    [
        "[" * 100_000,
        '{"created": "2026-01-01T00:00:00"}',
        '{"created": "2026-01-01T00:00:00Z", "status": "running", "pid": 1e99}',
        '{"created": NaN}',
        "",
    ],
)
def test_one_damaged_state_hides_no_other(folder: Path, state: str) -> None:
    broken = prepared(folder, "broken", "paused")
    whole = prepared(folder, "whole", "paused")
    (broken.path / "state.json").write_text(state)
    assert [one.run for one in found_runs()] == [whole]


def running(window: Window, qtbot: QtBot, folder: Path) -> RunFolder:
    run = prepared(folder, "ours", "running")
    look(window, qtbot)
    qtbot.waitUntil(lambda: window.training.trainings.phase is Phase.RUNNING)
    return run


def press(window: Window, text: str) -> None:
    box = window.training.question
    assert isinstance(box, QMessageBox)
    (button,) = [one for one in box.buttons() if one.text() == text]
    button.click()


def test_a_running_training_is_in_the_status_bar_at_once(
    window: Window, qtbot: QtBot, folder: Path
) -> None:
    run = running(window, qtbot, folder)
    run.append_event({"event": "progress", "fraction": 0.25, "what": "decoding photographs"})
    qtbot.waitUntil(lambda: window.training.chip.button.text() == "Training 25%")
    run.set_state("paused")
    qtbot.waitUntil(lambda: window.training.chip.button.text() == "Training paused")
    assert not window.training.chip.bar.isVisible()


def test_the_line_under_the_toolbar_never_contradicts_the_status_bar(
    window: Window, qtbot: QtBot, folder: Path
) -> None:
    run = running(window, qtbot, folder)
    offer, chip = window.training.waiting_bar, window.training.chip
    assert offer.isVisible()
    assert "is running in the background" in offer.text.text()
    assert chip.button.text().startswith("Training 0%")
    run.set_state("finished")
    qtbot.waitUntil(lambda: chip.button.text().startswith("Training finished"))
    assert not offer.isVisible()


def test_a_paused_training_is_offered_until_it_is_followed_and_goes_on(
    window: Window, qtbot: QtBot, folder: Path
) -> None:
    run = prepared(folder, "ours", "paused")
    look(window, qtbot)
    assert window.training.waiting_bar.isVisible()
    trainings = window.training.trainings
    trainings.follow(run, run.read_plan())
    qtbot.waitUntil(lambda: trainings.phase is Phase.PAUSED)
    run.set_state("running")
    trainings.poll()
    qtbot.waitUntil(lambda: trainings.phase is Phase.RUNNING)
    assert not window.training.waiting_bar.isVisible()
    run.set_state("paused")
    trainings.poll()
    qtbot.waitUntil(lambda: not trainings.is_active)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Keep training in the background", None),
        ("Pause it", "pause"),
        ("Stop it and keep the best", "stop"),
    ],
)
def test_closing_asks_what_shall_become_of_a_training(
    window: Window, qtbot: QtBot, folder: Path, text: str, word: str | None
) -> None:
    run = running(window, qtbot, folder)
    assert not window.close()
    assert not window.close()  # asking once is enough
    press(window, text)
    qtbot.waitUntil(lambda: not window.isVisible())
    assert run.take_request() == word


def test_the_window_may_stay_after_all(window: Window, qtbot: QtBot, folder: Path) -> None:
    run = running(window, qtbot, folder)
    assert not window.close()
    press(window, "Do not close")
    assert window.isVisible()
    assert window.training.question is None
    assert run.take_request() is None
    run.set_state("paused")
    qtbot.waitUntil(lambda: not window.training.trainings.is_active)


def retrain(window: Window, qtbot: QtBot, name: str) -> TrainingWizard:
    """Choose a model in the models' dialog, and press the button."""
    window.manager.show()
    dialog = window.manager.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.installed.entry(name) is not None, timeout=20_000)
    dialog.list.choose(name)
    dialog.buttons.retrain.click()
    assert window.training.wizard is not None
    return window.training.wizard


@pytest.mark.parametrize("name", ["tiny", "twin"])
def test_a_model_of_the_list_is_trained_on_to_the_plan(
    make: MakeWindow, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """From the button through the pages: its base stays chosen, a twin for itself too."""
    tiny_cascade("twin")
    tiny_cascade("tiny", twin="twin", seed=1)
    window = make()
    wizard = retrain(window, qtbot, name)
    assert wizard.isVisible()
    assert wizard.currentId() == PageId.SOURCE
    assert wizard.source.sentence.text().startswith(f"“{name.capitalize()}” is trained further")
    look_at(wizard, qtbot, folder)
    wizard.next()
    wizard.next()
    assert wizard.focusWidget() not in wizard.patients.way.findChildren(QToolButton)
    wizard.patients.way.button(Way.FILE).click()  # names do not tell: the person does
    qtbot.waitUntil(wizard.patients.isComplete, timeout=20_000)
    wizard.next()
    qtbot.waitUntil(lambda: wizard.choices.card is not None, timeout=20_000)
    assert wizard.choices.base.currentData() == name
    begun: list[TrainingPlan] = []
    monkeypatch.setattr(wizard._trainings, "begin", begun.append)
    wizard.button(QWizard.WizardButton.CommitButton).click()
    assert [plan.base for plan in begun] == [name]


def test_another_model_may_be_chosen_when_the_wizard_was_left_later_on(
    make: MakeWindow, qtbot: QtBot, folder: Path
) -> None:
    tiny_cascade("tiny")
    tiny_cascade("other", seed=1)
    window = make()
    wizard = retrain(window, qtbot, "tiny")
    look_at(wizard, qtbot, folder)
    wizard.next()
    wizard.close()
    assert retrain(window, qtbot, "other") is wizard
    assert wizard.currentId() == PageId.SOURCE
    assert wizard.draft.base == "other"
    assert wizard.draft.intake is not None  # the photographs are still there


def test_a_vessel_model_wants_masks(make: MakeWindow, qtbot: QtBot, folder: Path) -> None:
    window = make()
    wizard = retrain(window, qtbot, "vessels-unet")
    assert wizard.draft.task == "vessels"
    assert wizard.source.task.button("vessels").isChecked()
    for mask in folder.glob("*_mask.png"):
        mask.unlink()
    look_at(wizard, qtbot, folder)
    assert "No drawn masks" in wizard.source.problem.text()
    assert not wizard.source.isComplete()
    wizard.source.task.button("superres").click()
    assert wizard.source.isComplete()
    assert wizard.source.problem.isHidden()
    assert wizard.source.sentence.text().startswith("A model that comes with the program")


def test_while_a_training_is_open_it_is_shown_and_says_why(
    window: Window, qtbot: QtBot, folder: Path
) -> None:
    tiny_cascade()
    run = running(window, qtbot, folder)
    wizard = retrain(window, qtbot, "tiny")
    assert wizard.currentId() == PageId.TRAINING
    assert "when this training is done with" in wizard.training.problem.text()
    run.set_state("paused")
    qtbot.waitUntil(lambda: not window.training.trainings.is_active)
