"""A wizard on tiny trainings: the bundled photographs, shrunk, and a model of a few weights."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from retina_viewer.core.paths import resources_dir
from retina_viewer.core.settings import Settings
from retina_viewer.finetuning.run_folder import RunFolder, list_runs
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.training import trainings
from retina_viewer.ui.training.trainings import Trainings
from retina_viewer.ui.training.wizard import TrainingWizard
from tests.finetuning.tiny_clinic import clinic

SAMPLES = resources_dir() / "samples"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four photographs of four patients, each with a mask; ``patient0_ä.png`` and so on."""
    clinic(tmp_path / "clinic")
    return tmp_path / "clinic"


@pytest.fixture
def mixed_folder(folder: Path) -> Path:
    """The same with a copy, a blurred one, a file that is no picture, and a text."""
    first = folder / "patient0_ä.png"
    (folder / "copy.png").write_bytes(first.read_bytes())
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    (folder / "notes.txt").write_text("not a photograph")
    noise = np.random.default_rng(1).integers(0, 255, (320, 320, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "holiday.png")
    return folder


@pytest.fixture(autouse=True)
def _quick_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings are processes of their own, with a shorter gate: see quick_child.py."""
    whole = trainings.command_for

    def quick(run: RunFolder) -> list[str]:
        program, *rest = whole(run)
        return [program, str(Path(__file__).with_name("quick_child.py")), *rest[2:]]

    monkeypatch.setattr(trainings, "command_for", quick)
    monkeypatch.setattr(trainings, "_NICENESS", 0)


@pytest.fixture
def no_training_left() -> Iterator[None]:
    """Whatever a test began is ended with it."""
    yield
    for run in list_runs():
        pid = run.state().pid
        if run.is_alive() and pid is not None:
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def jobs(qapp: QApplication) -> Iterator[Jobs]:
    one = Jobs()
    yield one
    one.close()


MakeWizard = Callable[[], TrainingWizard]


@pytest.fixture
def make_wizard(
    qtbot: QtBot, qapp: QApplication, jobs: Jobs, no_training_left: None
) -> Iterator[MakeWizard]:
    made: list[TrainingWizard] = []

    def make() -> TrainingWizard:
        trainings = Trainings(jobs)
        wizard = TrainingWizard(trainings, jobs, Settings())
        trainings.setParent(wizard)
        made.append(wizard)
        wizard.present()
        return wizard

    yield make
    for wizard in made:
        wizard.close()
        wizard.deleteLater()
        qapp.sendPostedEvents(wizard, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def wizard(make_wizard: MakeWizard) -> TrainingWizard:
    return make_wizard()


def look_at(wizard: TrainingWizard, qtbot: QtBot, folder: Path) -> None:
    """Add a folder on the first page and wait until it was looked at."""
    wizard.source.add([folder])
    qtbot.waitUntil(lambda: wizard.draft.intake is not None, timeout=60_000)
