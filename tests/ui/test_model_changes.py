"""Models come and go while the window is open."""

from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from retina_viewer.model_store.store import find_model
from retina_viewer.superres.methods import weights_behind
from tests.ui.conftest import MakeWindow
from tests.ui.test_window import finish, pixels_of, show
from tests.ui.tiny_models import GAN, install_pair


def test_another_model_of_the_same_name_makes_its_own_result(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    """Removed and imported again under one name, with other weights: no tile of before stays."""
    install_pair()
    before = weights_behind(find_model(GAN))
    window = make(method="saliency-gan", model=GAN, scale=2, fidelity=0.0)
    window.controller.choose(back_projection=False)
    show(window, qtbot, photograph)
    finish(window, qtbot)
    bright = pixels_of(window.stage.result.grab().toImage())
    install_pair(brighter=0.0)
    after = weights_behind(find_model(GAN))
    assert after[0] != before[0]
    assert after[1:] == before[1:]  # the twin's, and what estimates blur and noise
    assert len(after) == 3
    window.models.refresh()
    finish(window, qtbot)
    dark = pixels_of(window.stage.result.grab().toImage())
    middle = np.s_[300:500, 100:250]
    assert (bright[middle] - dark[middle]).mean() > 5
