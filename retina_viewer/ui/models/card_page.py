"""The card of a model: what it was found to do, what it was trained on, the person's note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6 import QtWidgets
from PySide6.QtCore import Qt, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.model_store.card import Measurement, ModelCard
from retina_viewer.model_store.extras import HISTORY_FILE
from retina_viewer.model_store.own_models import LONGEST_NOTE
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.models import installed_models
from retina_viewer.ui.widgets import layout, table_views
from retina_viewer.ui.widgets.fields import dim_label, panel_form, value_label
from retina_viewer.ui.widgets.learning_curves import CurvesArea
from retina_viewer.ui.widgets.learning_history import LearningHistory, read_history
from retina_viewer.ui.widgets.segments import Segments


class ModelPage(QtWidgets.QWidget):
    """A heading and three pages, one of them shown; the same one for the next model."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.heading = layout.label(role="heading", wraps=False)
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.about = dim_label()
        self.card, self.curves, self.lineage = CardPage(), CurvesPage(jobs), LineagePage()
        self.pages = QtWidgets.QStackedWidget()
        for page in (self.card, self.curves, self.lineage):
            self.pages.addWidget(page)
        self.tabs = Segments(
            [(0, "Card", "What it is and was found to do"),
             (1, "Learning curves", "How its training went"),
             (2, "Lineage", "What it was trained on from")],
            "Page",
        )  # fmt: skip
        self.tabs.chosen.connect(self._show_page)
        self.tabs.set_value(0)
        self.setLayout(
            layout.column(
                self.heading, self.about, layout.row(self.tabs, ...), 4, (self.pages, 1),
                spacing=8, margins=0,
            )
        )  # fmt: skip

    def show_entry(self, entry: installed_models.ModelEntry) -> None:
        """Another model, or the same with news."""
        self.heading.setText(entry.card.title)
        used = "In use for its task. " if entry.is_default else ""
        self.about.setText(f"{used}{installed_models.subtitle(entry)}")
        for page in (self.card, self.curves, self.lineage):
            page.show_entry(entry)

    def _show_page(self, page: int) -> None:
        self.tabs.set_value(page)
        self.pages.setCurrentIndex(page)
        if page == self.pages.indexOf(self.curves):
            self.curves.draw()


_KEY = "models curves"
_COLUMNS = 3
NONE = (
    "No learning curves came with this model. Models that you train keep them, and so do models "
    "that are imported with them."
)


class _ScrolledPage(QtWidgets.QScrollArea):
    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        layout.scroll(self)

    def show_parts(self, *parts: layout.Part, spacing: int) -> None:
        """Parts from top to bottom, in the place of those before."""
        body = layout.holding(layout.column(*parts, ..., spacing=spacing, margins=(0, 0, 12, 12)))
        body.setObjectName("pageBody")
        self.setWidget(body)


class CurvesPage(CurvesArea):
    """Reads the history in the background."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(_COLUMNS, margin=4)
        self.setObjectName("page")
        self._jobs = jobs
        self._entry: installed_models.ModelEntry | None = None
        self._drawn = ""

    def show_entry(self, entry: installed_models.ModelEntry) -> None:
        """Show another model; drawn at once only where the page is looked at."""
        self._entry = entry
        if self.isVisible():
            self.draw()

    def draw(self) -> None:
        """Draw what :meth:`show_entry` named, unless it is drawn already."""
        entry = self._entry
        if entry is None or self._drawn == entry.card.name:
            return
        self._drawn = entry.card.name
        self.say("…")
        work = partial(_history_of, entry.card)
        self._jobs.submit(_KEY, work, self.show_history, failed=self._failed, lane=Lane.FILES)

    def _failed(self, error: Exception) -> None:
        self.say(error.message if isinstance(error, UserError) else str(error))


def _history_of(card: ModelCard, progress: Progress) -> LearningHistory:
    if card.directory is None or not (card.directory / HISTORY_FILE).is_file():
        raise UserError(NONE)
    return read_history(card.directory / HISTORY_FILE)


_INDENT = 24


class LineagePage(_ScrolledPage):
    """A button for every ancestor and child that is installed."""

    picked = Signal(str)
    """(name)"""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_entry(self, entry: installed_models.ModelEntry) -> None:
        """Show another model."""
        parts: list[layout.Part] = []
        for depth, ancestor in enumerate(entry.chain):
            if depth:
                parts.append(_indented(dim_label("was trained on from"), depth))
            if ancestor.card is None:
                missing = QtWidgets.QLabel(f"{ancestor.name}, which is not installed here")
                parts.append(_indented(missing, depth))
            else:
                parts.append(_indented(self._button(ancestor.card, bool(depth)), depth))
        if len(entry.chain) == 1:
            parts.append(dim_label("It was trained from nothing."))
        if entry.children:
            parts += [16, _heading("Trained on from it")]
            parts += [_indented(self._button(card, True), 0) for card in entry.children]
        self.show_parts(*parts, spacing=4)

    def _button(self, card: ModelCard, enabled: bool) -> QtWidgets.QPushButton:
        button = layout.button(f"{card.title}   {card.name}, {card.created:%Y-%m-%d}")
        button.setEnabled(enabled)
        button.clicked.connect(lambda: self.picked.emit(card.name))
        return button


def _indented(widget: QtWidgets.QWidget, depth: int) -> QtWidgets.QWidget:
    return layout.holding(layout.row(widget, ..., margins=(depth * _INDENT, 0, 0, 0)))


@dataclass(frozen=True)
class Figure:
    """The head of a column, its tool tip, and the format of a value."""

    short: str
    meaning: str
    written: str = ".4g"


FIGURES = {
    "psnr": Figure("PSNR", "Closeness to the true photograph, dB; more is better", ".2f"),
    "gain": Figure("Gain", "PSNR over bicubic interpolation, dB", "+.2f"),
    "ssim": Figure("SSIM", "Structural similarity, at most 1", ".4f"),
    "rmse": Figure("RMSE", "Root mean square error, grey levels of 255; less is better", ".2f"),
    "lpips": Figure("LPIPS", "Visible difference; less is better", ".3f"),
    "lpips_change": Figure("LPIPS, %", "Change of LPIPS from bicubic; less is better", "+.0f"),
    "s3_ratio": Figure("S3", "Sharpness as a part of the true photograph's", ".2f"),
    "drift": Figure("Drift", "Colour drift, CIEDE2000; 1 is just seen", ".2f"),
    "dice": Figure("Dice", "Agreement with the drawn vessels, at most 1", ".3f"),
    "auc": Figure("AUC", "Area under the curve of the vessels' probability, at most 1", ".4f"),
    "accuracy": Figure("Accuracy", "Share of pixels told right", ".4f"),
    "sensitivity": Figure("Sensitivity", "Share of the drawn vessels that is found", ".3f"),
    "specificity": Figure("Specificity", "Share of the background that is left alone", ".4f"),
    "sensitivity_thin": Figure("Thin vessels", "Share of the thin drawn vessels found", ".3f"),
    "won_back": Figure("Won back", "Share of what shrinking lost that is found again", ".2f"),
    "blur_read": Figure("Blur read, px", "Blur as estimated, px", ".3f"),
    "blur_error": Figure("Blur error, px", "Error of the estimated blur, px", ".3f"),
    "noise_read": Figure("Noise read", "Noise as estimated, grey levels of 255", ".2f"),
}


@dataclass(frozen=True)
class Block:
    """One table: its columns, and rows of photographs and values, empty where there is none."""

    figures: tuple[Figure, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def blocks_of(measurements: Sequence[Measurement]) -> list[Block]:
    """Tables of measurements: figures that were measured of the same photographs are in one.

    Rows and columns come in the order of the card.
    """
    values: dict[str, dict[str, float]] = {}
    for one in measurements:
        values.setdefault(one.data, {})[one.metric] = one.value
    known = list(dict.fromkeys(one.metric for one in measurements))
    groups: list[tuple[set[str], set[str]]] = []  # metrics, and the data they were measured on
    for data, row in values.items():
        tied = [group for group in groups if group[0] & set(row)]
        metrics = set(row).union(*(group[0] for group in tied))
        places = {data}.union(*(group[1] for group in tied))
        groups = [*(group for group in groups if group not in tied), (metrics, places)]
    groups.sort(key=lambda group: min(list(values).index(data) for data in group[1]))
    return [
        _block(
            [metric for metric in known if metric in metrics],
            {data: values[data] for data in values if data in places},
        )
        for metrics, places in groups
    ]


def _block(metrics: Sequence[str], rows: Mapping[str, Mapping[str, float]]) -> Block:
    figures = {metric: _figure(metric) for metric in metrics}
    written = tuple(
        (
            data.replace(" x", " ×"),
            tuple(format(row[m], one.written) if m in row else "" for m, one in figures.items()),
        )
        for data, row in rows.items()
    )
    return Block(tuple(figures.values()), written)


def _figure(metric: str) -> Figure:
    name = metric.replace("_", " ")
    return FIGURES.get(metric, Figure(name[:1].upper() + name[1:], name))


class CardPage(_ScrolledPage):
    """Built anew for every model."""

    note_kept = Signal(str)
    """(text)"""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.note, self.keep_note = QtWidgets.QPlainTextEdit(), QtWidgets.QPushButton()
        self.entry: installed_models.ModelEntry | None = None
        self._written = ""

    @property
    def has_unkept_note(self) -> bool:
        """Whether the person has written what is not kept yet."""
        return self.entry is not None and self._written.strip() != self.entry.note

    def show_entry(self, entry: installed_models.ModelEntry) -> None:
        """Show another model, or what has become of this one; a note that is being written stays
        while the model does."""
        same = self.entry is not None and self.entry.card.name == entry.card.name
        text = self._written if same and self.has_unkept_note else entry.note
        self.entry, self._written = entry, text
        parts: list[layout.Part] = [_verdict(entry)]
        verdict = entry.card.verdict
        if verdict is not None and verdict.comparisons:
            table = table_views.show_held_out(verdict)
            across, tip = Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole
            # Shorter than in the wizard: there is less room.
            table.model().setHeaderData(table_views.PATIENTS_COLUMN, across, "Better : worse")
            table.model().setHeaderData(table_views.PATIENTS_COLUMN, across, "Patients", tip)
            parts += [_heading("On the held-out patients"), table]
        if verdict is not None and verdict.general:
            heading = _heading("On bundled photographs of other cameras")
            parts += [heading, table_views.show_general(verdict)]
        for block in blocks_of(entry.card.measurements):
            parts += [_heading("Measured"), _figures(block)]
        form = panel_form()
        for name, value in installed_models.card_rows(entry):
            label = value_label()
            label.setText(value)
            form.addRow(dim_label(name), label)
        parts += [_heading("The card"), form]
        if entry.is_own:
            parts += self._note_parts(text)
        self.show_parts(*parts, spacing=12)

    def _note_parts(self, text: str) -> list[layout.Part]:
        # New ones, since the old body takes its widgets with it.
        self.note, self.keep_note = QtWidgets.QPlainTextEdit(text), layout.button("Keep the note")
        self.note.setAccessibleName("Note")
        self.note.setPlaceholderText("What you want to remember of it. It stays on this computer.")
        self.note.setFixedHeight(84)
        self.note.setTabChangesFocus(True)
        self.note.textChanged.connect(self._note_changed)
        self.keep_note.clicked.connect(lambda: self.note_kept.emit(self.note.toPlainText()))
        self._note_changed()
        words = dim_label("Notes are not exported with the model.")
        return [_heading("Your note"), self.note, layout.row((words, 1), self.keep_note)]

    def _note_changed(self) -> None:
        self._written = self.note.toPlainText()
        fits = len(self._written) <= LONGEST_NOTE
        self.keep_note.setEnabled(self.has_unkept_note and fits)


def _heading(text: str) -> QtWidgets.QLabel:
    return layout.label(text, "group", wraps=False)


def _verdict(entry: installed_models.ModelEntry) -> QtWidgets.QFrame:
    frame = QtWidgets.QFrame()
    frame.setProperty("role", "card")
    heading = value_label()
    heading.setProperty("role", "group")
    heading.setText(installed_models.verdict_heading(entry))
    labels = [dim_label(sentence) for sentence in installed_models.verdict_sentences(entry)]
    for label in labels:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    frame.setLayout(layout.column(heading, *labels, spacing=4, margins=(16, 12, 16, 12)))
    return frame


def _figures(block: Block) -> QtWidgets.QTableView:
    titles = ("Photographs", *(one.short for one in block.figures))
    tips = {column: one.meaning for column, one in enumerate(block.figures, 1)}
    rows = [(data, *values) for data, values in block.rows]
    return table_views.number_table(titles, rows, "Measured figures", tips)
