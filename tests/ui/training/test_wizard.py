"""The wizard, through a real training to a model that the viewer uses; and what may go wrong."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWizard
from pytestqt.qtbot import QtBot

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.run_folder import list_runs
from retina_viewer.imaging.formats import SUPPORTED
from retina_viewer.model_store.store import find_model
from retina_viewer.ui.training.draft import Way
from retina_viewer.ui.training.training_status import Phase
from retina_viewer.ui.training.verdict_page import BlindedDialog
from retina_viewer.ui.training.wizard import TrainingWizard
from retina_viewer.ui.training.wizard_page import PageId
from tests.finetuning.tiny_clinic import clinic_plan, tiny_cascade
from tests.ui.conftest import SAMPLES, MakeWindow
from tests.ui.training.conftest import look_at

pytestmark = pytest.mark.slow

TINY = {"iterations": 4, "batch": 1, "patch": 16, "validate_every": 2, "validation_patches": 1}
SLOW = 240_000  # ms; a training shares its computer with others


def to_options(wizard: TrainingWizard, qtbot: QtBot, folder: Path, **expert: int) -> None:
    """Through the pages, each photograph a patient, with the tiny model."""
    tiny_cascade()
    look_at(wizard, qtbot, folder)
    wizard.next()
    wizard.next()
    wizard.patients.way.button(Way.FILE).click()
    qtbot.waitUntil(wizard.patients.isComplete, timeout=20_000)
    wizard.next()
    qtbot.waitUntil(lambda: wizard.choices.card is not None, timeout=20_000)
    choose_tiny(wizard)
    for name, value in (TINY | expert).items():
        wizard.choices.expert.lines[name].setText(str(value))
    wizard.choices.expert.changed.emit()
    wizard.choices.steps[2].setChecked(False)


def choose_tiny(wizard: TrainingWizard) -> None:
    base = wizard.choices.base
    base.setCurrentIndex(base.findData("tiny"))
    base.activated.emit(base.currentIndex())


def start(wizard: TrainingWizard, qtbot: QtBot) -> None:
    wizard.button(QWizard.WizardButton.CommitButton).click()
    assert wizard.currentId() == PageId.TRAINING, wizard.choices.problem.text()


def answer(wizard: TrainingWizard, text: str) -> None:
    """Press the button of the question that is open."""
    (box,) = [one for one in wizard.findChildren(QMessageBox) if one.isVisible()]
    (button,) = [one for one in box.findChildren(QPushButton) if one.text() == text]
    button.click()


def test_from_photographs_to_a_model_that_the_viewer_uses(
    make: MakeWindow, no_training_left: None, qtbot: QtBot, folder: Path
) -> None:
    window = make(method="pixel")
    window.open([SAMPLES / "chase_14L.jpg"])
    window.training.show()
    wizard = window.training.wizard
    assert wizard is not None
    to_options(wizard, qtbot, folder)
    assert "trained on 2 photographs of 2 patients for 4 steps" in (
        wizard.choices.summary_text.text()
    )
    start(wizard, qtbot)
    qtbot.waitUntil(lambda: window.training.trainings.phase is Phase.RUNNING, timeout=SLOW)
    assert window.training.chip.isVisible()
    assert window.training.chip.button.text().startswith("Training")
    wizard.close()  # and look at the photograph meanwhile
    window.controller.next_arrangement()
    window.training.chip.button.click()
    assert wizard.isVisible()
    assert wizard.currentId() == PageId.TRAINING
    qtbot.waitUntil(lambda: not window.training.trainings.is_active, timeout=SLOW)
    assert window.training.trainings.phase is Phase.FINISHED, wizard.training.state.text()
    qtbot.waitUntil(lambda: wizard.training.curves.curves is not None, timeout=20_000)
    curves = wizard.training.curves.curves
    assert curves is not None
    assert curves.plot_of(0, "psnr_gaussian").isVisibleTo(wizard)
    wizard.training.view.button("crops").click()
    crops = wizard.training.crops
    assert all(not crops.pictures[kind].image.isNull() for kind in ("before", "after", "truth"))
    wizard.next()
    qtbot.waitUntil(lambda: wizard.verdict.verdict is not None, timeout=20_000)
    assert wizard.verdict.heading.text() == "Too few patients to tell"
    next_button = wizard.button(QWizard.WizardButton.NextButton)
    assert not next_button.isEnabled()
    wizard.verdict.reason.setText("A test of the whole way")
    assert next_button.isEnabled()
    wizard.next()
    wizard.keep.title_line.setText("Clinic A")
    assert wizard.keep.name.text() == "clinic-a"
    wizard.button(QWizard.WizardButton.FinishButton).click()
    qtbot.waitUntil(lambda: window.training.wizard is None, timeout=20_000)
    card = find_model("clinic-a")
    assert (card.reason, card.parent) == ("A test of the whole way", "tiny 1")
    network = window.view.network
    assert network is not None
    assert network.name == "clinic-a"
    assert not window.training.chip.isVisible()
    window.training.trainings.look_for_runs()
    with qtbot.waitSignal(window.training.trainings.found) as found:
        pass
    assert found.args == [[]]


def test_pause_and_resume_and_stop_and_keep_the_best(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    to_options(wizard, qtbot, folder, iterations=5000)
    trainings = wizard._trainings
    start(wizard, qtbot)
    qtbot.waitUntil(lambda: any(trainings.status.history.stages), timeout=SLOW)
    page = wizard.training
    page.controls.pause.click()
    assert page.state.text().startswith("Pausing")
    qtbot.waitUntil(lambda: trainings.phase is Phase.PAUSED, timeout=SLOW)
    assert page.controls.pause.text() == "Resume"
    step = trainings.status.step
    page.controls.pause.click()
    with pytest.raises(UserError, match="Another training"):
        trainings.begin(clinic_plan(folder, name="second"))
    qtbot.waitUntil(lambda: trainings.status.step > step, timeout=SLOW)
    page.controls.stop.click()
    qtbot.waitUntil(lambda: trainings.phase is Phase.FINISHED, timeout=SLOW)
    assert trainings.status.step < 5000
    assert trainings.run is not None
    assert (trainings.run.model / "card.json").exists()


def test_a_killed_training_says_so_and_can_be_cancelled(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    to_options(wizard, qtbot, folder, iterations=5000)
    trainings = wizard._trainings
    start(wizard, qtbot)
    qtbot.waitUntil(lambda: trainings.phase is Phase.RUNNING, timeout=SLOW)
    assert trainings.run is not None
    pid = trainings.run.state().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: trainings.phase is Phase.KILLED, timeout=SLOW)
    assert "without a word" in wizard.training.state.text()
    assert wizard.training.controls.pause.text() == "Resume"
    wizard.training.controls.cancel.click()
    answer(wizard, "Cancel the training")
    qtbot.waitUntil(lambda: trainings.phase is Phase.CANCELLED, timeout=20_000)
    assert not wizard.button(QWizard.WizardButton.NextButton).isEnabled()
    assert not trainings.run.cache.exists()


def test_a_photograph_that_vanishes_pauses_the_training_with_a_word(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    to_options(wizard, qtbot, folder)
    shutil.rmtree(folder)
    start(wizard, qtbot)
    trainings = wizard._trainings
    qtbot.waitUntil(lambda: trainings.phase in (Phase.PAUSED, Phase.FAILED), timeout=SLOW)
    assert "cannot be read" in wizard.training.state.text()
    assert wizard.training.controls.pause.isVisible()


def test_a_full_disk_is_named_and_resuming_offered(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    trainings = wizard._trainings
    plan = clinic_plan(folder)
    from retina_viewer.core.paths import user_runs_dir
    from retina_viewer.finetuning.run_folder import RunFolder

    run = RunFolder(user_runs_dir() / "one")
    run.prepare(plan)
    run.set_state("paused", message="The disk is full.", hint="Free some space and go on.")
    trainings.follow(run, plan)
    wizard.show_run()
    qtbot.waitUntil(lambda: trainings.phase is Phase.PAUSED)
    assert wizard.training.state.text() == "The disk is full. Free some space and go on."
    assert wizard.training.controls.pause.text() == "Resume"
    shutil.rmtree(run.path)
    trainings.poll()
    qtbot.waitUntil(lambda: trainings.phase is Phase.GONE)
    assert "not there any more" in wizard.training.state.text()
    assert not wizard.training.controls.pause.isVisible()


def test_a_process_that_cannot_start_says_why(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    to_options(wizard, qtbot, folder)
    wizard.button(QWizard.WizardButton.CommitButton).click()
    assert wizard.currentId() == PageId.OPTIONS
    assert "could not be started" in wizard.choices.problem.text()


def test_a_process_that_dies_at_once_is_not_waited_for(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    to_options(wizard, qtbot, folder)
    start(wizard, qtbot)
    qtbot.waitUntil(lambda: wizard._trainings.phase is Phase.KILLED, timeout=20_000)
    assert "without a word" in wizard.training.state.text()


# Before the training


def test_drop_a_folder_without_photographs(
    wizard: TrainingWizard, qtbot: QtBot, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("nothing")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(empty))])
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    left = Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(300, 300), copy, data, left, none)
    QApplication.sendEvent(wizard.source, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(300, 300), copy, data, left, none)
    QApplication.sendEvent(wizard.source, drop)
    qtbot.waitUntil(lambda: wizard.draft.intake is not None)
    assert wizard.source.found.text().startswith(f"No photographs were found there. {SUPPORTED}")
    assert not wizard.button(QWizard.WizardButton.NextButton).isEnabled()


def test_a_folder_that_is_not_there_is_named(
    wizard: TrainingWizard, qtbot: QtBot, tmp_path: Path
) -> None:
    look_at(wizard, qtbot, tmp_path / "unplugged")
    assert "unplugged: it is not there" in wizard.source.found.text()
    assert not wizard.source.isComplete()


def test_doubtful_photographs_are_shown_and_kept_by_the_person(
    wizard: TrainingWizard, qtbot: QtBot, mixed_folder: Path
) -> None:
    look_at(wizard, qtbot, mixed_folder)
    assert wizard.source.task.button("vessels").isEnabled()  # masks lie there
    wizard.next()
    model = wizard.check.model
    names = [model.index(row, 1).data() for row in range(model.rowCount())]
    assert sorted(names)[:1] == ["broken.jpg"]
    assert "holiday.png" in names
    assert len(names) == 3
    assert "4 photographs will be used" in wizard.check.count.text()
    row = names.index("holiday.png")
    checked = Qt.CheckState.Checked.value
    assert model.setData(model.index(row, 0), checked, Qt.ItemDataRole.CheckStateRole)
    assert "5 photographs will be used" in wizard.check.count.text()
    qtbot.waitUntil(lambda: model._pictures.get(mixed_folder / "holiday.png") is not None)
    broken = model.index(names.index("broken.jpg"), 0)
    assert broken.data(Qt.ItemDataRole.CheckStateRole) is None


def test_too_few_patients_are_said_on_the_page(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    look_at(wizard, qtbot, folder)
    wizard.next()
    wizard.next()
    wizard.patients.way.button(Way.FOLDER).click()
    qtbot.waitUntil(wizard.patients.problem.isVisible)
    assert "1 patient only" in wizard.patients.problem.text()
    assert not wizard.button(QWizard.WizardButton.NextButton).isEnabled()


def test_that_each_photograph_is_another_patient_is_for_the_person_to_say(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    for number, path in enumerate(sorted(folder.glob("*.png"))):
        path.rename(folder / f"{'abcdefgh'[number]}.png")
    page, jobs = wizard.patients, wizard.intake_job._jobs
    for _ in range(2):  # what was said of other photographs is not said of these
        look_at(wizard, qtbot, folder)
        wizard.next()
        wizard.next()
        qtbot.waitUntil(lambda: not jobs.is_active("training patients"))
        assert not any(page.way.button(way).isChecked() for way in Way)
        assert "Choose how patients are told apart" in page.sentence_of_way.text()
        assert not page.warning.isVisible()
        assert not wizard.button(QWizard.WizardButton.NextButton).isEnabled()
        page.way.button(Way.FILE).click()
        qtbot.waitUntil(page.isComplete)
        assert page.warning.isVisible()
        assert "no two of them are of one person" in page.warning.text()
        assert wizard.button(QWizard.WizardButton.NextButton).isEnabled()
        wizard.intake_job.start([])
        wizard.restart()


def first_patient(wizard: TrainingWizard) -> str:
    item = wizard.patients.preview.item(0, 1)
    return item.text() if item is not None else ""


def test_a_pattern_is_tried_while_it_is_typed(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    look_at(wizard, qtbot, folder)
    wizard.next()
    wizard.next()
    page = wizard.patients
    page.way.button(Way.PATTERN).click()
    for typed, shown in (("{patient}_*", "patient0"), ("pat*t{patient}_*", "0")):
        page.pattern.setText(typed)
        page.pattern.textEdited.emit(typed)
        qtbot.waitUntil(lambda shown=shown: first_patient(wizard) == shown)  # type: ignore[misc]
        assert page.count.text() == "4 patients in 4 photographs."
    page.pattern.setText("(")
    page.pattern.textEdited.emit("(")
    qtbot.waitUntil(page.problem.isVisible)
    assert "not valid" in page.problem.text()
    assert not page.isComplete()


def test_patients_out_of_a_table(wizard: TrainingWizard, qtbot: QtBot, folder: Path) -> None:
    table = folder.parent / "patients.csv"
    rows = [f"clinic/patient{n}_ä.png;{'AABC'[n]}" for n in range(4)]
    table.write_text("\n".join(["file;patient", *rows]), encoding="utf-8")
    look_at(wizard, qtbot, folder)
    wizard.next()
    wizard.next()
    wizard.patients.use_table(str(table))
    qtbot.waitUntil(wizard.patients.isComplete)
    assert wizard.patients.count.text() == "3 patients in 4 photographs."


def test_masks_are_paired_by_name_and_checked(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    look_at(wizard, qtbot, folder)
    wizard.source.task.button("vessels").click()
    wizard.next()
    wizard.next()
    assert wizard.currentId() == PageId.MASKS
    assert wizard.masks.mask_pattern.text() == "{key}_mask"
    qtbot.waitUntil(wizard.masks.isComplete, timeout=60_000)
    assert wizard.masks.count.text().startswith("4 of 4 photographs have a mask; 4 of them")
    wizard.masks.mask_pattern.setText("{key}_nothing")
    wizard.masks.match()
    assert not wizard.masks.isComplete()


def test_an_expert_field_that_cannot_be_is_named(
    wizard: TrainingWizard, qtbot: QtBot, folder: Path
) -> None:
    to_options(wizard, qtbot, folder)
    line = wizard.choices.expert.lines["rate"]
    for text, said in (("quick", "is no number"), ("5", "less than or equal to 0.01")):
        line.setText(text)
        line.textEdited.emit(text)
        assert said in wizard.choices.problem.text()
        assert not wizard.choices.isComplete()
    line.setText("")
    line.textEdited.emit("")
    assert wizard.choices.isComplete()
    assert not list_runs()


def test_blinded_answers_by_key_and_what_they_say(qtbot: QtBot, jobs: object) -> None:
    import numpy as np

    from retina_viewer.quality.blinded import Pair
    from retina_viewer.ui.jobs import Jobs

    assert isinstance(jobs, Jobs)
    grey = np.full((32, 32, 3), 90, np.uint8)
    pairs = [Pair(grey, grey, grey, "left"), Pair(grey, grey, grey, "right")]
    from PySide6.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = BlindedDialog(lambda progress: pairs, jobs, parent)
    dialog.open()
    qtbot.waitUntil(lambda: len(dialog.pairs) == 2)
    assert dialog.focusWidget() not in dialog.buttons.values()  # none is suggested
    qtbot.keyClick(dialog, Qt.Key.Key_Left)
    dialog.buttons["same"].click()
    assert dialog.preference is not None
    assert (dialog.preference.tuned, dialog.preference.undecided) == (1, 1)
    assert dialog.question.text() == dialog.preference.sentence
    dialog.close()
