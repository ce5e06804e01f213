"""What is known, what is certain and what is still to come look different."""

import numpy as np
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.canvas.mapping import Mapping
from retina_viewer.ui.canvas.painting import paint_uncertainty
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Camera, UncertaintyArt


def painted(art: UncertaintyArt, opacity: float = 0.8) -> np.ndarray:
    """On a grey ground of 200 x 200 device pixels, one source pixel each."""
    image = QImage(200, 200, QImage.Format.Format_RGB888)
    image.fill(QColor(90, 90, 90))
    painter = QPainter(image)
    painter.setOpacity(opacity)
    paint_uncertainty(painter, art, Mapping(Camera(100, 100, 1), 200, 200))
    assert painter.opacity() == opacity
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(200, image.bytesPerLine())
    return rows[:, :600].reshape(200, 200, 3).astype(int) - 90


def picture(side: int, alpha: int) -> Pyramid:
    bgra = np.zeros((side, side, 4), np.uint8)
    bgra[..., 0] = bgra[..., 3] = alpha
    return Pyramid(bgra, has_alpha=True)


def test_pending_certain_and_guessed_look_different(qtbot: QtBot) -> None:
    art = UncertaintyArt(
        tiles=((Rect(0, 0, 96, 96), picture(96, 0)), (Rect(96, 0, 96, 96), picture(96, 255))),
        pending=(Rect(0, 96, 96, 96),),
    )
    change = painted(art)
    assert not change[:96, :96].any()  # certain: the picture as it is
    assert change[8:88, 104:184, 2].min() > 100  # guessed: blue all over
    pending = change[96:192, :96].reshape(-1, 3)
    assert 0.05 < (pending.max(axis=1) > 20).mean() < 0.9  # lines
    assert not change[100:, 100:].any()
    thin = painted(UncertaintyArt(pending=art.pending), opacity=0.05)
    assert (thin[96:192, :96] == change[96:192, :96]).all()  # at any opacity of the layer


def test_a_spot_is_outlined_and_never_too_small_to_be_seen(qtbot: QtBot) -> None:
    change = painted(UncertaintyArt(spots=((Rect(99, 99, 2, 2), picture(2, 0)),)))
    rows, columns = np.nonzero(change.any(axis=2))
    assert 8 <= np.ptp(rows) <= 14
    assert 8 <= np.ptp(columns) <= 14
    assert not change[98:103, 98:103].any()  # low, and computed
    full = painted(UncertaintyArt(spots=((Rect(99, 99, 2, 2), picture(2, 255)),)))
    assert full[98:103, 98:103, 2].min() > 80
