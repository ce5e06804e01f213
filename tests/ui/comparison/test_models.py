"""Two models on the open photograph."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from retina_viewer.core.paths import user_models_dir
from retina_viewer.ui.canvas.scene import Content, Source
from retina_viewer.ui.comparison.comparison_controller import OF_VESSELS, ComparisonController
from retina_viewer.ui.models.installed_models import read_installed
from retina_viewer.ui.window import Window
from tests.model_store.models import make_unet, own
from tests.ui.comparison.conftest import WAIT, finish


@pytest.fixture
def with_photo(window: Window, photograph: Path, qtbot: QtBot) -> Window:
    with qtbot.waitSignal(window.library.opened, timeout=WAIT):
        window.open([photograph])
    return window


def compare(window: Window, *names: str) -> ComparisonController:
    """From the models' dialog; then these by their chips."""
    installed = read_installed()
    entry = installed.entry(names[0])
    assert entry is not None
    window.manager.compare(entry, installed)
    comparison, chosen = window.comparison, window.view.state.results
    assert comparison.is_shown
    for name in names[1:]:
        comparison.header.chips.chip(name).click()
    for one in chosen:
        if comparison.offer.key(one) not in names:
            comparison.header.chips.chip(comparison.offer.key(one)).click()
    return comparison


def test_two_enlargements_of_one_place(with_photo: Window, qtbot: QtBot) -> None:
    own("one", seed=1)
    own("two", seed=2)
    before = with_photo.view.state.result
    comparison = compare(with_photo, "two", "one")
    stage = with_photo.stage
    with_photo.view.change(loupe_shown=False)
    with_photo.controller.zoom_to(6.0)
    finish(with_photo, qtbot)
    left, right = (pane.scene for pane in stage.mains[1:3])
    assert left.content is Content.RESULT
    assert left.camera == right.camera == stage.original.scene.camera
    assert [one.request.settings.model for one in (left, right) if one.request] == ["two", "one"]
    assert left.result_chips[0].source is Source.NETWORK
    assert "Model two" in left.result_chips[0].text
    pictures = [pane.grab().toImage() for pane in stage.mains[1:3]]
    assert pictures[0] != pictures[1]
    stage.mains[2].dragged.emit(40.0, 0.0)
    assert left.camera != stage.original.scene.camera == stage.mains[1].scene.camera
    comparison.stop()
    assert with_photo.view.state.result.title == before.title == ""
    assert with_photo.view.state.result.model == "two"  # the active one stays


def test_they_are_measured_as_methods_are(with_photo: Window, qtbot: QtBot) -> None:
    own("one", seed=1)
    own("two", seed=2)
    comparison = compare(with_photo, "two", "one")
    with_photo.toolbar.scales.button(2).click()
    comparison.reference.use_photo_itself()
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    qtbot.waitUntil(
        lambda: all(one.spoken.count("dB") == 2 for one in comparison.strips[:2]), timeout=WAIT
    )
    assert comparison.strips[0].accessibleName().startswith("Figures of Model two")


def test_a_model_that_fails_says_so(with_photo: Window, qtbot: QtBot) -> None:
    card = own("one", seed=1)
    card.weights_file.write_bytes(b"damaged")
    compare(with_photo, "one")
    qtbot.waitUntil(with_photo.banner.isVisible, timeout=WAIT)
    assert "not those its card names" in with_photo.banner.message.text()
    place = [one.model for one in with_photo.view.state.results].index("one") + 1
    chips = with_photo.stage.mains[place].scene.result_chips
    assert chips[-1].text.startswith("failed")


def test_a_model_that_is_deleted_meanwhile(with_photo: Window, qtbot: QtBot) -> None:
    """Its name never stands over another model's result."""
    for name in ("one", "two"):
        own(name, seed=1)
    comparison = compare(with_photo, "two", "one")
    with_photo.manager.show()
    dialog = with_photo.manager.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.installed.entries), timeout=WAIT)
    dialog.operations.delete("two", with_twin=False)
    qtbot.waitUntil(lambda: comparison.offer.option("two") is None, timeout=WAIT)
    assert "Model two" not in [one.title for one in with_photo.view.picture.results]
    models = [one.model for one in with_photo.view.state.results]
    assert len(models) == 2
    assert "one" in models
    assert not {"two", None} & set(models)


def test_two_vessel_maps(with_photo: Window, qtbot: QtBot) -> None:
    make_unet(user_models_dir() / "vein", seed=1, threshold=0.4)
    make_unet(user_models_dir() / "artery", seed=2, threshold=0.5)
    before = with_photo.view.state.result
    comparison = compare(with_photo, "artery", "vein")
    panes = with_photo.stage.mains[1:3]
    qtbot.waitUntil(lambda: all(pane.scene.layers for pane in panes), timeout=WAIT)
    assert [chip.text for pane in panes for chip in pane.scene.result_chips] == [
        "AI VESSELS · Model artery",
        "AI VESSELS · Model vein",
    ]
    first, second = (pane.scene.layers[0].art for pane in panes)
    assert first is not second
    assert comparison.header.words.text() == OF_VESSELS
    assert not comparison.header.reference.isEnabled()
    comparison.stop()
    assert with_photo.view.state.result == before


def test_vessels_are_found_in_the_photograph_as_it_is(with_photo: Window, qtbot: QtBot) -> None:
    make_unet(user_models_dir() / "vein", seed=1, threshold=0.4)
    comparison, opened = with_photo.comparison, with_photo.view.photo
    comparison.start()
    with_photo.toolbar.scales.button(2).click()
    comparison.reference.use_photo_itself()
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    compare(with_photo, "vein")
    assert with_photo.view.photo is opened
    assert not comparison.strips[0].isVisible()


def test_without_a_photograph_nothing_is_compared(window: Window) -> None:
    installed = read_installed()
    window.manager.compare(installed.entries[0], installed)
    assert not window.comparison.is_shown
