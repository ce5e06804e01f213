"""Two models on the open photograph."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from retina_viewer.ui.models.comparing import Enlargements
from retina_viewer.ui.models.comparison import ComparisonDialog

from retina_viewer.core.paths import user_models_dir
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.scene import Content, Source
from retina_viewer.ui.models.installed_models import read_installed
from retina_viewer.ui.window import Window
from tests.model_store.models import make_unet, own

WAIT = 30_000


@pytest.fixture
def with_photo(window: Window, photograph: Path, qtbot: QtBot) -> Window:
    with qtbot.waitSignal(window.library.opened, timeout=WAIT):
        window.open([photograph])
    return window


def compare(window: Window, name: str) -> ComparisonDialog:
    installed = read_installed()
    entry = installed.entry(name)
    assert entry is not None
    window.manager.compare(entry, installed)
    assert window.manager.comparison is not None
    return window.manager.comparison


def test_two_enlargements_of_one_place(with_photo: Window, qtbot: QtBot) -> None:
    own("one", seed=1)
    own("two", seed=2)
    dialog = compare(with_photo, "two")
    assert dialog.chosen[1] == "two"
    dialog.choosers[0].setCurrentIndex(dialog.choosers[0].findData("one"))
    dialog.show_results()
    dialog.linked.state.zoom_at_centre(6.0)
    dialog.show_results()

    def sharp() -> bool:
        scenes = [pane.scene for pane in dialog.panes]
        return all(
            scene.content is Content.RESULT and not scene.note and scene.recipe is not None
            for scene in scenes
        )

    qtbot.waitUntil(sharp, timeout=WAIT)
    left, right = (pane.scene for pane in dialog.panes)
    assert left.camera == right.camera == dialog.original.scene.camera
    assert [one.recipe.settings.model for one in (left, right) if one.recipe] == ["one", "two"]
    assert left.result_chips[0].source is Source.NETWORK
    assert "Model one" in left.result_chips[0].text
    pictures = [pane.grab().toImage() for pane in dialog.panes]
    assert pictures[0] != pictures[1]
    dialog.panes[1].dragged.emit(40.0, 0.0)
    assert left.camera != dialog.original.scene.camera == dialog.panes[0].scene.camera
    dialog.close()
    assert with_photo.manager.comparison is None


def test_the_viewers_own_tiles_go_on(with_photo: Window, qtbot: QtBot) -> None:
    own("one", seed=1)
    dialog = compare(with_photo, "one")
    assert isinstance(dialog.work, Enlargements)
    for enlarging in dialog.work.enlargings.values():
        assert enlarging.tiles.cache is not with_photo.viewer.tiles.cache
    qtbot.waitUntil(lambda: with_photo.viewer.sharp >= 1, timeout=WAIT)
    dialog.close()


def _all_failed(panes: Sequence[Pane]) -> bool:
    """Each pane has a job of its own: the first to fail shows the banner, the other follows."""
    return all(pane.scene.result_chips[-1].text.startswith("failed") for pane in panes)


def test_a_model_that_fails_says_so(with_photo: Window, qtbot: QtBot) -> None:
    card = own("one", seed=1)
    card.weights_file.write_bytes(b"damaged")
    dialog = compare(with_photo, "one")
    dialog.choosers[0].setCurrentIndex(dialog.choosers[0].findData("one"))
    dialog.show_results()
    qtbot.waitUntil(dialog.banner.isVisible, timeout=WAIT)
    assert "not those its card names" in dialog.banner.message.text()
    qtbot.waitUntil(lambda: _all_failed(dialog.panes), timeout=WAIT)
    dialog.close()


def test_two_vessel_maps(with_photo: Window, qtbot: QtBot) -> None:
    make_unet(user_models_dir() / "vein", seed=1, threshold=0.4)
    make_unet(user_models_dir() / "artery", seed=2, threshold=0.5)
    dialog = compare(with_photo, "vein")
    index = dialog.choosers[0].findData("artery")
    dialog.choosers[0].setCurrentIndex(index)
    dialog.show_results()
    qtbot.waitUntil(
        lambda: all(pane.scene.layers for pane in dialog.panes),
        timeout=WAIT,
    )
    assert [chip.text for pane in dialog.panes for chip in pane.scene.result_chips] == [
        "AI VESSELS · Model artery",
        "AI VESSELS · Model vein",
    ]
    first, second = (pane.scene.layers[0].art for pane in dialog.panes)
    assert first is not second
    dialog.close()


def test_without_a_photograph_nothing_is_compared(window: Window) -> None:
    installed = read_installed()
    window.manager.compare(installed.entries[0], installed)
    assert window.manager.comparison is None
