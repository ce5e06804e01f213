"""Two models beside each other on the open photograph, at the same place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.scene import Scene
from retina_viewer.ui.comparison.linked import LinkedPanes
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.comparing import KEY, Enlargements, Vessels
from retina_viewer.ui.models.installed_models import ModelEntry
from retina_viewer.ui.photo import Photo, origin_chips
from retina_viewer.ui.services import Services
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.viewer import Viewer
from retina_viewer.ui.widgets.banner import Banner
from retina_viewer.ui.widgets.choices import Chooser
from retina_viewer.ui.widgets.fields import dim_label

SIZE = (1280, 660)


class ComparisonDialog(QDialog):
    """The original and two results; wheel and drag move all three, the cursor is seen in all.

    Args:
        entries: the models of one task to choose from, at least two.
        first, second: names of the two to begin with.
        viewer: of the window: its photograph, place and settings.
    """

    def __init__(
        self,
        entries: Sequence[ModelEntry],
        first: str,
        second: str,
        viewer: Viewer,
        services: Services,
        jobs: Jobs,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare two models")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        self._cards = {entry.card.name: entry.card for entry in entries}
        self._viewer = viewer
        self.original = Pane()
        self.panes = (Pane(), Pane())
        self.linked = LinkedPanes((self.original, *self.panes), jobs, KEY, self)
        self.choosers = (Chooser("Model in the middle"), Chooser("Model on the right"))
        self.banner = Banner()
        for chooser, name in zip(self.choosers, (first, second), strict=True):
            for entry in entries:
                used = "  (in use)" if entry.is_default else ""
                chooser.addItem(f"{entry.card.title}{used}", entry.card.name)
            chooser.setCurrentIndex(chooser.findData(name))
            chooser.activated.connect(self.show_results)
        self.work: Enlargements | Vessels
        if entries[0].card.task == "vessels":
            self.work = Vessels(jobs, viewer.device, self)
        else:
            shelf, scale = viewer.tiles.shelf, viewer.state.scale
            self.work = Enlargements(services, jobs, shelf, scale, viewer.device, self)
        self._arrange()
        self._connect()
        self._show_photo(viewer.photo)

    def _arrange(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(2)
        label = QLabel("The photograph")
        label.setMargin(4)
        tops, panes = (label, *self.choosers), (self.original, *self.panes)
        for place, (top, pane) in enumerate(zip(tops, panes, strict=True)):
            grid.addWidget(top, 0, place)
            grid.addWidget(pane, 1, place)
            grid.setColumnStretch(place, 1)
        grid.setRowStretch(1, 1)
        close = QPushButton("Close")
        close.setMinimumHeight(HIT_TARGET)
        close.clicked.connect(self.close)
        last = QGridLayout()
        last.setContentsMargins(12, 4, 12, 8)
        last.addWidget(
            dim_label(
                "Wheel and drag move all three. Amber marks what a network made: verify it on the "
                "photograph. What looks better need not be truer; the card says what was measured."
            ),
            0,
            0,
        )
        last.addWidget(close, 0, 1)
        last.setColumnStretch(0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.banner)
        column.addLayout(grid, 1)
        column.addLayout(last)

    def _connect(self) -> None:
        self.linked.moved.connect(self.show_results)
        self.work.changed.connect(self.show_results)
        self.work.failed.connect(self._failed)
        self._viewer.photo_changed.connect(self._show_photo)

    @property
    def chosen(self) -> tuple[str, str]:
        """The names of the two models."""
        first, second = (str(chooser.currentData()) for chooser in self.choosers)
        return first, second

    def use_icons(self, icons: Icons) -> None:
        self.banner.use_icons(icons)

    def show_results(self) -> None:
        """Bring the panes up to what is chosen and where one looks."""
        photo, view, original = self.linked.photo, self.linked.view, self.linked.original
        if photo is None:
            return
        chips = origin_chips(photo.image, smoothed=view.main.zoom > 1)
        um = photo.image.um_per_px
        self.original.show_scene(
            Scene(view.main, original, chips=chips, overview=not view.whole, um_per_px=um)
        )
        cards = [self._cards[name] for name in self.chosen]
        sides = list(zip(cards, self.panes, strict=True))
        self.work.show(photo, original, view.main, sides)
        self.linked.mark_pointer()

    def _show_photo(self, photo: Photo | None) -> None:
        if isinstance(self.work, Enlargements):
            photo = self._viewer.photo_to_enlarge
        self.linked.show_photo(photo)
        self.linked.begin_as(self._viewer)
        self.show_results()

    # What comes back

    def _failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.banner.show_problem(error.message, error.hint)
        else:
            self.banner.show_problem(f"It failed: {error}", "Choose another model.")

    def done(self, result: int) -> None:
        """Closed in whatever way: nothing is computed for it any more."""
        self.work.end()
        self.linked.end()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.work.end()
        self.linked.end()
        super().closeEvent(event)
