"""Tables as the wizard shows them: quiet, whole rows, ticks that are seen on any ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6 import QtWidgets
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPalette, QStandardItem, QStandardItemModel

from retina_viewer.model_store.card import Change, ComparedFigure, Verdict
from retina_viewer.ui.theme import tabular
from retina_viewer.ui.widgets.choices import BOX, draw_box

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ACROSS, _TIP = Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole
_HEAD = ("Figure", "Base", "Tuned", "Change")
_HELD_OUT = (*_HEAD, "Better : worse", "p", "Effect", "Reading")
_GENERAL = (*_HEAD, "Reading")
PATIENTS_COLUMN = 4
_TIPS = {
    PATIENTS_COLUMN: "How many patients gained, and how many lost",
    5: "Wilcoxon's signed-rank test over patients: how likely chance alone does this",
    6: "Rank-biserial correlation: 1 if every patient gained, -1 if every patient lost",
}


def show_held_out(verdict: Verdict) -> QtWidgets.QTableView:
    """One row a figure of the held-out patients, the leading one first and bold."""
    rows = [
        [
            *_values(one),
            f"{one.improved} : {one.worsened}",
            "< 0.001" if one.p < 0.001 else f"{one.p:.3f}",
            f"{one.effect:+.2f}",
            _reading(one),
        ]
        for one in verdict.comparisons
    ]
    table = number_table(_HELD_OUT, rows, "Figures of the held-out patients", _TIPS, words=1)
    bold = tabular(table.font())
    bold.setBold(True)
    for row, one in enumerate(verdict.comparisons):
        for column in range(len(_HELD_OUT) if one.leads else 0):
            place = table.model().index(row, column)
            table.model().setData(place, bold, Qt.ItemDataRole.FontRole)
    return table


def show_general(verdict: Verdict) -> QtWidgets.QTableView:
    """One row a figure of the bundled photographs of other cameras."""
    rows = [[*_values(one), _reading(one)] for one in verdict.general]
    return number_table(_GENERAL, rows, "Figures of photographs of other cameras", words=1)


def _values(change: Change) -> list[str]:
    """``Closeness to the true photograph (PSNR), dB`` and its base, tuned, and change."""
    digits, unit = change.digits, f", {change.unit}" if change.unit else ""
    return [
        f"{change.title[:1].upper()}{change.title[1:]}{unit}",
        f"{change.base:.{digits}f}",
        f"{change.tuned:.{digits}f}",
        f"{change.tuned - change.base:+.{digits}f}",
    ]


def _reading(change: Change) -> str:
    if isinstance(change, ComparedFigure):
        if change.forbids_better and not change.leads:
            return "worse" if change.p < 0.05 else "worse, may be chance"
        if change.p >= 0.05 and (change.is_gain or change.is_loss):
            return "may be chance"
    if change.is_gain:
        return "better"
    return "worse" if change.is_loss else "no difference"


def number_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    name: str,
    tips: Mapping[int, str] | None = None,
    *,
    words: int = 0,
) -> QtWidgets.QTableView:
    """A name and figures, all of it at once: a table that scrolls within a page that scrolls
    takes its wheel away.

    Args:
        name: for screen readers.
        tips: of the heads of columns.
        words: how many of the last columns are no figures.
    """
    model = QStandardItemModel(0, len(titles))
    model.setHorizontalHeaderLabels(list(titles))
    for row in rows:
        model.appendRow([QStandardItem(text) for text in row])
        model.item(model.rowCount() - 1).setToolTip(row[0])
    for column in range(1, len(titles) - words):
        model.horizontalHeaderItem(column).setTextAlignment(_RIGHT)
        for line in range(model.rowCount()):
            model.item(line, column).setTextAlignment(_RIGHT)
    for column, tip in (tips or {}).items():
        model.setHeaderData(column, _ACROSS, tip, _TIP)
    table = plain_table(name)
    model.setParent(table)
    table.setModel(model)
    table.setFont(tabular(table.font()))
    table.setSelectionMode(QtWidgets.QTableView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    if words:  # they are verdicts, and the unit stands at the end of a name
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    header = table.horizontalHeader()  # figures as wide as they are, names take what is left
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QtWidgets.QHeaderView.ResizeMode.Stretch)
    height = table.verticalHeader().defaultSectionSize() * model.rowCount()
    table.setFixedHeight(header.sizeHint().height() + height + 10)
    table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return table


def text_table(name: str) -> tuple[QtWidgets.QTableView, QStandardItemModel]:
    """A quiet table, and the model of what it shows."""
    table = plain_table(name)
    model = QStandardItemModel(table)
    table.setModel(model)
    return table, model


def plain_table(name: str) -> QtWidgets.QTableView:
    """A quiet table: whole rows, no grid, the last column takes what is left."""
    view = QtWidgets.QTableView()
    view.setAccessibleName(name)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setSelectionBehavior(QtWidgets.QTableView.SelectionBehavior.SelectRows)
    view.setEditTriggers(QtWidgets.QTableView.EditTrigger.NoEditTriggers)
    view.setVerticalScrollMode(QtWidgets.QTableView.ScrollMode.ScrollPerPixel)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.Fixed)
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    view.horizontalHeader().setDefaultAlignment(left)
    view.horizontalHeader().setStretchLastSection(True)
    view.horizontalHeader().setHighlightSections(False)
    view.setTabKeyNavigation(False)
    return view


class TickDelegate(QtWidgets.QStyledItemDelegate):
    """Draws the tick in a box that is seen on any ground, as :class:`Switch` does."""

    def paint(
        self, painter: QPainter, option: QtWidgets.QStyleOptionViewItem, index: Index
    ) -> None:
        super().paint(painter, option, index)
        state = index.data(Qt.ItemDataRole.CheckStateRole)
        if state is None:
            return
        view: QtWidgets.QWidget = option.widget
        mine = QtWidgets.QStyleOptionViewItem(option)
        self.initStyleOption(mine, index)
        part = QtWidgets.QStyle.SubElement.SE_ItemViewItemCheckIndicator
        place = view.style().subElementRect(part, mine, view)
        chosen = bool(option.state & QtWidgets.QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole
        palette = QGuiApplication.palette()  # a table's own has the colours of its selection
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0, 0, BOX, BOX)
        box.moveCenter(QRectF(place).center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(option.palette.color(role.Mid if chosen else role.Base))
        painter.drawRoundedRect(box, 3, 3)
        is_on = Qt.CheckState(state) is Qt.CheckState.Checked
        fill = palette.color(role.Highlight) if is_on else None
        tick, ink = palette.color(role.HighlightedText), palette.color(role.WindowText)
        draw_box(painter, box, fill, tick, ink)
        painter.restore()
