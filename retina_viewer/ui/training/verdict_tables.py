"""The figures behind a verdict, in tables that can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QTableView

from retina_viewer.model_store.verdict import Change, Comparison, Verdict
from retina_viewer.ui.theme import tabular
from retina_viewer.ui.training.tables import plain_table, whole_height

_HELD_OUT = (
    "Figure", "Base", "Tuned", "Change", "Better : worse", "p", "Effect", "Reading",
)  # fmt: skip
_GENERAL = ("Figure", "Base", "Tuned", "Change", "Reading")
TIP_PATIENTS = "How many patients gained, and how many lost"
TIP_P = "Wilcoxon's signed-rank test over patients: how likely chance alone does this"
TIP_EFFECT = "Rank-biserial correlation: 1 if every patient gained, -1 if every patient lost"


def held_out_rows(verdict: Verdict) -> list[list[str]]:
    """One row a figure of the held-out patients, the leading one first."""
    return [
        [
            _title(one),
            *_values(one),
            f"{one.improved} : {one.worsened}",
            "< 0.001" if one.p < 0.001 else f"{one.p:.3f}",
            f"{one.effect:+.2f}",
            _reading(one),
        ]
        for one in verdict.comparisons
    ]


def general_rows(verdict: Verdict) -> list[list[str]]:
    """One row a figure of the bundled photographs of other cameras."""
    return [[_title(one), *_values(one), _reading(one)] for one in verdict.general]


def show_held_out(verdict: Verdict) -> QTableView:
    table = _table(_HELD_OUT, held_out_rows(verdict))
    model = table.model()
    bold = QFont(table.font())
    bold.setBold(True)
    for row, one in enumerate(verdict.comparisons):
        for column in range(len(_HELD_OUT) if one.leads else 0):
            model.setData(model.index(row, column), bold, Qt.ItemDataRole.FontRole)
    for column, tip in ((4, TIP_PATIENTS), (5, TIP_P), (6, TIP_EFFECT)):
        model.setHeaderData(column, Qt.Orientation.Horizontal, tip, Qt.ItemDataRole.ToolTipRole)
    table.setAccessibleName("Figures of the held-out patients")
    return table


def show_general(verdict: Verdict) -> QTableView:
    table = _table(_GENERAL, general_rows(verdict))
    table.setAccessibleName("Figures of photographs of other cameras")
    return table


def _title(change: Change) -> str:
    """``Closeness to the true photograph (PSNR), dB``."""
    unit = f", {change.unit}" if change.unit else ""
    return f"{change.title[:1].upper()}{change.title[1:]}{unit}"


def _values(change: Change) -> list[str]:
    digits = change.digits
    return [
        f"{change.base:.{digits}f}",
        f"{change.tuned:.{digits}f}",
        f"{change.tuned - change.base:+.{digits}f}",
    ]


def _reading(change: Change) -> str:
    if isinstance(change, Comparison) and change.forbids_better and not change.leads:
        return "worse" if change.p < 0.05 else "worse, may be chance"
    if isinstance(change, Comparison) and change.p >= 0.05 and (change.is_gain or change.is_loss):
        return "may be chance"
    if change.is_gain:
        return "better"
    return "worse" if change.is_loss else "no difference"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> QTableView:
    model = QStandardItemModel(0, len(titles))
    model.setHorizontalHeaderLabels(list(titles))
    for row in rows:
        items = [QStandardItem(text) for text in row]
        items[0].setToolTip(row[0])
        for item in items[1:-1]:
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        model.appendRow(items)
    for column in range(1, len(titles) - 1):
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        model.horizontalHeaderItem(column).setTextAlignment(right)
    table = plain_table()
    model.setParent(table)
    table.setModel(model)
    table.setFont(tabular(table.font()))
    table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the unit stands at the end
    table.setSelectionMode(QTableView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    whole_height(table)
    return table
