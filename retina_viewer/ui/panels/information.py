"""Inspector: what is known of the photograph."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from retina_viewer.core.names import readable
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.panels.layers import uncertainty_text
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.choices import NumberBox
from retina_viewer.ui.widgets.fields import dim_label, panel_column, panel_form, value_label

_ROWS = (
    "File",
    "Made by",
    "Size",
    "Format",
    "Colours",
    "Field of view",
    "Pixel size",
    "SHA-256",
    "Remarks",
    "Uncertainty",
)


class InformationPanel(QWidget):
    """Names and values."""

    page_chosen = Signal(int)
    """Of several pictures in one file, from 0"""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view
        self._values = {row: value_label() for row in _ROWS}
        form = panel_form()
        for row, value in self._values.items():
            form.addRow(dim_label(row), value)
        self._page = NumberBox("Picture of the file")
        self._page.setKeyboardTracking(False)
        self._page.valueChanged.connect(lambda number: self.page_chosen.emit(number - 1))
        form.insertRow(1, dim_label("Picture"), self._page)
        form.setRowVisible(self._page, False)
        self._form = form
        panel_column(self).addLayout(form)
        view.photo_changed.connect(self.show_photo)
        view.changed.connect(self._show_uncertainty)
        view.progressed.connect(self._show_uncertainty)

    def show_photo(self, photo: Photo | None) -> None:
        """Everything that is known without computing."""
        if photo is None:
            for value in self._values.values():
                value.setText("")
            self._show_pages(0, 1)
            return
        image = photo.image
        megapixels = image.width * image.height / 1e6
        profile = "embedded profile" if image.icc_profile else "sRGB"
        um = image.um_per_px
        for row, text in {
            "File": readable(image.name),
            "Made by": "" if image.made_by is None else image.made_by.summary,
            "Size": f"{image.width} × {image.height} px ({megapixels:.1f} MP)",
            "Format": f"{image.format}, {image.bit_depth} bit",
            "Colours": "grey" if image.is_grey else profile,
            "Pixel size": "not stated in the file" if um is None else f"{um:.2f} µm nominal",
            "SHA-256": f"{image.sha256[:12]}…" if image.sha256 else "",
            "Field of view": "…",
            "Remarks": "\n".join(image.remarks) or "none",
        }.items():
            self._values[row].setText(text)
        self._values["SHA-256"].setToolTip(image.sha256)

        self._form.setRowVisible(self._values["Made by"], image.made_by is not None)
        self._show_pages(image.page, image.pages)

    def _show_pages(self, page: int, pages: int) -> None:
        self._page.blockSignals(True)
        self._page.setRange(1, max(pages, 1))
        self._page.setSuffix(f" of {pages}")
        self._page.setValue(page + 1)
        self._page.blockSignals(False)
        self._form.setRowVisible(self._page, pages > 1)

    def _show_uncertainty(self) -> None:
        """How wrong the chosen result is likely to be, where that has been computed."""
        view = self._view
        value, found = self._values["Uncertainty"], view.picture.result.uncertainty
        if not view.picture.has_image:
            value.setText("")
        elif found is not None:
            value.setText(uncertainty_text(found))
        else:
            value.setText("not computed (U)" if view.method.learned else "none: interpolated")

    def show_field_of_view(self, field: FieldOfView) -> None:
        self._values["Field of view"].setText(field.doubt or f"{field.diameter:.0f} px across")
