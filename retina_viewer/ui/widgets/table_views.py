"""Tables as the wizard shows them: quiet, whole rows, ticks that are seen on any ground."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QPainter,
    QPalette,
    QPen,
    QPolygonF,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from retina_viewer.model_store.verdict import Change, Comparison, Verdict
from retina_viewer.ui.theme import tabular
from retina_viewer.ui.widgets.choices import BOX

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


Index = QModelIndex | QPersistentModelIndex


class TickDelegate(QStyledItemDelegate):
    """Draws the tick in a box that is seen on any ground, as :class:`Switch` does."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        state = index.data(Qt.ItemDataRole.CheckStateRole)
        if state is None:
            return
        view: QWidget = option.widget
        mine = QStyleOptionViewItem(option)
        self.initStyleOption(mine, index)
        place = view.style().subElementRect(
            QStyle.SubElement.SE_ItemViewItemCheckIndicator, mine, view
        )
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole
        ground = option.palette.color(role.Mid if chosen else role.Base)
        draw_tick(painter, place, Qt.CheckState(state) is Qt.CheckState.Checked, view, ground)


def draw_tick(
    painter: QPainter, place: QRect, is_on: bool, view: QWidget, ground: QColor | None
) -> None:
    """A box of 16 px in the middle of ``place``, over what was drawn there."""
    palette = QGuiApplication.palette()  # a table's own has the colours of its selection
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box = QRectF(0, 0, BOX, BOX)
    box.moveCenter(QRectF(place).center())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color(QPalette.ColorRole.Highlight) if is_on else ground)
    painter.drawRoundedRect(box, 3, 3)
    if is_on:
        painter.setPen(QPen(palette.color(QPalette.ColorRole.HighlightedText), 2))
        tick = [(4.0, 8.5), (7.0, 11.5), (12.5, 5.0)]
        painter.drawPolyline(QPolygonF([QPointF(box.x() + x, box.y() + y) for x, y in tick]))
    else:
        painter.setPen(QPen(palette.color(QPalette.ColorRole.WindowText), 1.2))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    painter.restore()


def plain_table() -> QTableView:
    """A quiet table: whole rows, no grid, the last column takes what is left."""
    view = QTableView()
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    view.horizontalHeader().setDefaultAlignment(left)
    view.horizontalHeader().setStretchLastSection(True)
    view.horizontalHeader().setHighlightSections(False)
    view.setTabKeyNavigation(False)
    return view


def whole_height(view: QTableView) -> None:
    """As high as all its rows; numbers as wide as they are, names take what is left."""
    header = view.horizontalHeader()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    rows = view.verticalHeader().defaultSectionSize() * view.model().rowCount()
    view.setFixedHeight(header.sizeHint().height() + rows + 10)
    view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
