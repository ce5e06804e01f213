"""The division of patients as three cards: how many train, tell when to stop, are held out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from retina_viewer.finetuning.patients import Division
from retina_viewer.finetuning.plan import SUBSETS, Subset
from retina_viewer.ui.training.draft import counted
from retina_viewer.ui.widgets.fields import dim_label

PURPOSES: dict[Subset, str] = {
    "train": "to train on",
    "validation": "to tell when to stop",
    "held_out": "held out for the verdict",
}


class DivisionCards(QWidget):
    """A dash on each while there is no division."""

    def __init__(self) -> None:
        super().__init__()
        self.values = {subset: QLabel() for subset in SUBSETS}
        self.warnings = QLabel()
        self.warnings.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(12)
        for subset in SUBSETS:
            row.addWidget(_card(self.values[subset], PURPOSES[subset]), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.warnings)
        self.show_division(None, {})

    def show_division(self, division: Division | None, groups: Mapping[Path, str]) -> None:
        """Show who goes where; ``groups`` is the patient of every photograph."""
        for subset, label in self.values.items():
            if division is None:
                label.setText("–")
                continue
            photographs = [division.subset_of[group] for group in groups.values()].count(subset)
            label.setText(
                f"{counted(patients_in(division, subset), 'patient')}, "
                f"{counted(photographs, 'photograph')}"
            )
        self.warnings.setText("\n".join(division.warnings if division is not None else ()))
        self.warnings.setVisible(bool(self.warnings.text()))


def patients_in(division: Division, subset: Subset) -> int:
    return sum(1 for one in division.subset_of.values() if one == subset)


def _card(value: QLabel, purpose: str) -> QWidget:
    card = QFrame()
    card.setProperty("role", "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(12, 8, 12, 8)
    column.setSpacing(2)
    value.setProperty("role", "strong")
    column.addWidget(value)
    column.addWidget(dim_label(purpose))
    return card
