"""The window's few icons: strokes on a 24 px grid, drawn in the theme's text colour.

They are drawn here because an icon font costs most of a second at start, for a dozen glyphs.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_STROKES = {
    "open": "M3 19V5.5h6l2 2.5h10v11z M3 11h18",
    "export": "M12 15V3.5 M7.5 8 12 3.5 16.5 8 M4 14v6.5h16V14",
    "help": "M12 3a9 9 0 1 0 .01 0z M9.3 9.4a2.7 2.7 0 1 1 4 2.6c-.9.5-1.3 1-1.3 2 M12 16.8v.4",
    "close": "M6 6l12 12 M18 6 6 18",
    "fit": "M4 9V4h5 M15 4h5v5 M20 15v5h-5 M9 20H4v-5",
    "ruler": "M3 15.5 15.5 3 21 8.5 8.5 21z M7 11.5l2 2 M10.5 8l2 2 M14 4.5l2 2",
    "down": "M6 9.5l6 6 6-6",
    "right": "M9.5 6l6 6-6 6",
    "menu": "M4 6.5h16 M4 12h16 M4 17.5h16",
    "photo": "M3 5h18v14H3z M3 16l5-5 4 4 3-3 6 6 M15.5 9a1 1 0 1 0 .01 0z",
    "retina": "M12 3.5a8.5 8.5 0 1 0 .01 0z M15.5 10.5a1.6 1.6 0 1 0 .01 0z "
    "M14 12C11 10 9 7.5 8 5 M14 12.5C11 13.5 9 15.5 8 18.5 M12 10.8C10 11 8 11 5.5 10",
}
_PATTERN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
    '<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" '
    'stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


def pixmap(name: str, colour: str, side: int, ratio: float = 1.0) -> QPixmap:
    """An icon of ``side`` logical pixels for a screen with this pixel ratio."""
    svg = _PATTERN.format(path=_STROKES[name], colour=colour)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    picture = QPixmap(round(side * ratio), round(side * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    renderer.render(painter)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def icon(name: str, colour: str, dim: str | None = None) -> QIcon:
    """An icon in the sizes that buttons use; ``dim`` is its colour where the button is disabled."""
    result = QIcon()
    for ratio in (1.0, 2.0):
        result.addPixmap(pixmap(name, colour, 18, ratio))
        if dim is not None:
            result.addPixmap(pixmap(name, dim, 18, ratio), QIcon.Mode.Disabled)
    return result


ICON_SIZE = QSize(18, 18)
