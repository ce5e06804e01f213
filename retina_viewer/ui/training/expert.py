"""The fields for experts, folded away; empty ones are left to the preset."""

from __future__ import annotations

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.plan import Expert
from retina_viewer.ui.widgets.fields import dim_label, panel_form

_FIELDS: tuple[tuple[str, str, type], ...] = (
    ("rate", "Learning rate", float),
    ("patience", "Patience, validations without a better score", int),
    ("replay", "Share of bundled photographs, 0 to 0.9", float),
    ("ema", "Decay of the moving average", float),
    ("seed", "Seed of all random numbers", int),
    ("iterations", "Steps of each stage, instead of a time budget", int),
    ("batch", "Patches in a batch", int),
    ("patch", "Side of the small patch, px", int),
    ("validate_every", "Steps between two validations", int),
    ("validation_patches", "Validation patches", int),
)


class ExpertFields(QWidget):
    """One line a field of :class:`~retina_viewer.finetuning.plan.Expert`."""

    changed = Signal()

    def __init__(self, expert: Expert) -> None:
        super().__init__()
        self.lines: dict[str, QLineEdit] = {}
        form = panel_form()
        form.setContentsMargins(8, 4, 0, 0)
        for name, title, _ in _FIELDS:
            line = self.lines[name] = QLineEdit()
            line.setPlaceholderText("by the preset")
            line.setMaximumWidth(160)
            line.setAccessibleName(title)
            value = getattr(expert, name)
            line.setText("" if value is None else f"{value}")
            line.textEdited.connect(lambda _: self.changed.emit())
            label = dim_label(title)
            label.setWordWrap(False)
            form.addRow(label, line)
        self.setLayout(form)

    def value(self) -> Expert:
        """What was typed.

        Raises:
            UserError: a field that cannot be, named.
        """
        given: dict[str, object] = {}
        for name, title, kind in _FIELDS:
            text = self.lines[name].text().strip()
            if not text:
                continue
            try:
                given[name] = kind(text)
            except ValueError as error:
                raise UserError(f"{title}: {text!r} is no number.", "Leave it empty.") from error
        try:
            return Expert.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            titles = {name: title for name, title, _ in _FIELDS}
            where = titles.get(str(first["loc"][0]), str(first["loc"][0]))
            raise UserError(f"{where}: {first['msg'].lower()}.") from error
