"""Page 3: which photographs are of one patient, and who is held out for the verdict; before it, for
vessels, which mask belongs to which photograph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtGui import QStandardItem
from PySide6.QtWidgets import QFileDialog, QFrame, QLabel, QLineEdit, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning import masks
from retina_viewer.finetuning.patients import LEAST_PATIENTS, Division, Grouping, installation_salt
from retina_viewer.finetuning.plan import SUBSETS, Subset
from retina_viewer.ui.jobs import Job, Lane
from retina_viewer.ui.training.draft import SIDES, GroupingChoice, Way, counted, suggested_grouping
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.choices import Chooser
from retina_viewer.ui.widgets.fields import dim_label, panel_form
from retina_viewer.ui.widgets.segments import Segments
from retina_viewer.ui.widgets.table_views import text_table

_MASKS = "training masks"
Checked = dict[Path, masks.MaskCheck | UserError]


class MasksPage(WizardPage):
    """Two patterns, and the pairs that they make, each checked."""

    following = PageId.PATIENTS

    def __init__(self, context: WizardContext) -> None:
        super().__init__(
            context,
            "Which mask belongs to which photograph?",
            "{key} stands for the part of the name that is the same in both, * for any text. "
            "Every pair is opened and checked: size, two levels, and that vessels are drawn in it.",
        )
        self.photograph_pattern, self.mask_pattern = QLineEdit(), QLineEdit()
        typing = layout.delayed(self, _TYPING_MS, self.match)
        for line in (self.photograph_pattern, self.mask_pattern):
            line.textEdited.connect(lambda _: typing.start())
        self.count = layout.label()
        self.bar = layout.bar()
        self.table, self.pairs = text_table("Pairs of photographs and masks")
        form = panel_form()
        form.addRow(dim_label("Photographs are called"), self.photograph_pattern)
        form.addRow(dim_label("Their masks are called"), self.mask_pattern)
        layout.add(self.column, form, self.count, self.bar, (self.table, 1))
        self._matching: masks.Matching | None = None
        context.jobs.progressed.connect(self._progressed)

    def initializePage(self) -> None:
        if not self.photograph_pattern.text():
            patterns = masks.suggest_patterns(self._photographs(), self._masks())
            self.photograph_pattern.setText(patterns.photograph)
            self.mask_pattern.setText(patterns.mask)
        self.match()

    @property
    def summary(self) -> str:
        return counted(len(self.draft.masks), "mask") if self.draft.masks else ""

    def _photographs(self) -> list[Path]:
        return [file.path for file in self.draft.chosen]

    def _masks(self) -> Sequence[Path]:
        return () if self.draft.intake is None else self.draft.intake.masks

    def match(self) -> None:
        """Pair by the patterns, and check the pairs in the background."""
        texts = (line.text().strip() for line in (self.photograph_pattern, self.mask_pattern))
        patterns = masks.NamePatterns(*texts)
        self.draft.masks, self.draft.patients = {}, None
        self.show_problem(None)
        try:
            matching = masks.match_masks(self._photographs(), self._masks(), patterns)
        except UserError as error:
            self.show_problem(error)
            matching = masks.Matching({}, self._photographs(), list(self._masks()), [])
        self.draft.patterns, self._matching = patterns, matching
        self._show({})
        if not matching.pairs:
            self.context.jobs.cancel(_MASKS)
            self.bar.hide()
            return

        self.bar.setValue(0)
        self.bar.show()
        self.do(_MASKS, partial(_checked, matching.pairs), self._done, lane=Lane.LONG)

    def _progressed(self, job: Job) -> None:
        if job.key == _MASKS:
            self.bar.setValue(round(job.fraction * 1000))

    def _done(self, checked: Checked) -> None:
        self.bar.hide()
        assert self._matching is not None
        self.draft.masks = {
            photograph: (self._matching.pairs[photograph], found)
            for photograph, found in checked.items()
            if isinstance(found, masks.MaskCheck)
        }
        self._show(checked)

    def failed(self, error: Exception) -> None:
        self.bar.hide()
        super().failed(error)

    def _show(self, checked: Checked) -> None:
        matching = self._matching
        assert matching is not None
        self.pairs.clear()
        self.pairs.setHorizontalHeaderLabels(["Photograph", "Mask", "What was found"])
        rows = [
            (photograph.name, mask.name, _words(checked.get(photograph)))
            for photograph, mask in matching.pairs.items()
        ]
        left = [
            (path.name, "", "has no mask: it is not used") for path in matching.photographs_left
        ]
        for row in (*rows, *left):
            self.pairs.appendRow([QStandardItem(text) for text in row])
        for column in (0, 1):
            self.table.setColumnWidth(column, 220)
        self.count.setText(self._sentence(matching, bool(checked)))
        self.completeChanged.emit()

    def _sentence(self, matching: masks.Matching, checked: bool) -> str:
        pairs = f"{len(matching.pairs)} of {len(self._photographs())} photographs have a mask"
        if not checked:
            return f"{pairs}." if not matching.pairs else f"{pairs}; checking them."
        good = len(self.draft.masks)
        text = f"{pairs}; {good} of them can be used."
        if matching.ambiguous:
            several = ", ".join(matching.ambiguous[:3])
            text += f" More than one file fits {several}: make the patterns narrower."
        return text

    def isComplete(self) -> bool:
        return len(self.draft.masks) >= LEAST_PATIENTS


def _checked(pairs: dict[Path, Path], progress: Progress) -> Checked:
    found: Checked = {}
    for number, (photograph, mask) in enumerate(pairs.items()):
        progress(number / len(pairs), f"checking {mask.name}")
        try:
            found[photograph] = masks.check_mask(photograph, mask)
        except UserError as error:
            found[photograph] = error
    return found


def _words(found: masks.MaskCheck | UserError | None) -> str:
    if found is None:
        return "…"
    if isinstance(found, UserError):
        return found.message
    dark = "dark lines, " if found.inverted else ""
    return f"{dark}vessels cover {found.share:.0%} of the field"


PURPOSES: dict[Subset, str] = {
    "train": "to train on",
    "validation": "to tell when to stop",
    "held_out": "held out for the verdict",
}


class DivisionCards(QWidget):
    """How many patients are in each part of a division, a card a part; a dash where there is no
    division."""

    def __init__(self) -> None:
        super().__init__()
        self.values = {subset: layout.label(role="strong", wraps=False) for subset in SUBSETS}
        self.warnings = layout.label()
        cards = [(_card(self.values[subset], PURPOSES[subset]), 1) for subset in SUBSETS]
        self.setLayout(
            layout.column(layout.row(*cards, spacing=12), self.warnings, spacing=8, margins=0)
        )
        self.show_division(None, {})

    def show_division(self, division: Division | None, groups: Mapping[Path, str]) -> None:
        """Show who goes where; ``groups`` is the patient of every photograph."""
        for subset, label in self.values.items():
            if division is None:
                label.setText("–")
                continue
            photographs = [division.subset_of[group] for group in groups.values()].count(subset)
            patients = counted(patients_in(division, subset), "patient")
            label.setText(f"{patients}, {counted(photographs, 'photograph')}")
        self.warnings.setText("\n".join(division.warnings if division is not None else ()))
        self.warnings.setVisible(bool(self.warnings.text()))


def patients_in(division: Division, subset: Subset) -> int:
    return list(division.subset_of.values()).count(subset)


def _card(value: QLabel, purpose: str) -> QWidget:
    card = QFrame()
    card.setProperty("role", "card")
    card.setLayout(layout.column(value, dim_label(purpose), spacing=2, margins=(12, 8, 12, 8)))
    return card


_KEY = "training patients"
_TYPING_MS = 250
_MOST_SHOWN = 500
PATTERNS = (
    ("the eye at the end: 0815_L, 0815R, 0815_left", SIDES),
    ("all before the first _", r"^([^_]+)"),
    ("all before the first -", r"^([^-]+)"),
    ("the digits at the start", r"^([0-9]+)"),
    ("a pattern of your own", "{patient}_*"),
)
SENTENCES: dict[Way | None, str] = {
    Way.FOLDER: "Every folder is one patient.",
    Way.PATTERN: "A part of the file name is the patient.",
    Way.DICOM: "The PatientID in DICOM files; it is hashed and never shown or stored.",
    Way.TABLE: "A CSV file with the columns file and patient.",
    Way.FILE: "Every photograph is a patient of its own.",
    None: "Names and folders do not tell. Choose how patients are told apart.",
}
WAYS = (
    (Way.FOLDER, "Folder"),
    (Way.PATTERN, "File name"),
    (Way.DICOM, "DICOM"),
    (Way.TABLE, "Table"),
    (Way.FILE, "Each one"),
)
WARNING = (
    "Be sure that no two of them are of one person. Else the model is tested on people that it was "
    "trained on, and looks better than it is."
)
"""Of photographs that count as patients of their own."""


class PatientsPage(WizardPage):
    """The way, a preview, and the division that follows."""

    following = PageId.OPTIONS

    def __init__(self, context: WizardContext) -> None:
        super().__init__(
            context,
            "Which photographs are of one patient?",
            "Photographs of one patient stay together: the model is judged on patients that it has "
            "never seen.",
        )
        tips = SENTENCES | {Way.FILE: "Every photograph is another patient"}
        self.way = Segments(
            [(way, title, tips[way]) for way, title in WAYS], "How patients are told apart"
        )
        self.way.chosen.connect(self._choose_way)
        self.sentence_of_way = dim_label()
        self.known = Chooser("Common patterns")
        for title, pattern in PATTERNS:
            self.known.addItem(title, pattern)
        self.known.activated.connect(lambda: self._use_pattern(str(self.known.currentData())))
        self.pattern = QLineEdit()
        self.pattern.setAccessibleName("Pattern")
        self.pattern.setToolTip("{patient} with * and ?, or a regular expression with one group")
        typing = layout.delayed(self, _TYPING_MS, lambda: self._use_pattern(self.pattern.text()))
        self.pattern.textEdited.connect(lambda _: typing.start())
        self.choose_table = layout.button("Choose a table…", act=self._ask_for_table)
        self.warning = layout.label(WARNING, "problem")
        self.count = layout.label()
        self.table, self.preview = text_table("Patients by photograph")
        self.cards = DivisionCards()
        self.division: Division | None = None
        self._pattern_row = layout.holding(
            layout.row(self.known, (self.pattern, 1), spacing=8, margins=0)
        )
        layout.add(
            self.column,
            layout.row(self.way, (self.sentence_of_way, 1), spacing=12),
            self._pattern_row,
            self.choose_table,
            self.count,
            self.warning,
            (self.table, 1),
            self.cards,
        )

    def initializePage(self) -> None:
        draft, files = self.draft, self._files()
        if draft.patients is not None:
            return

        def work(progress: Progress) -> GroupingChoice:
            fresh = draft.grouping == GroupingChoice()
            return suggested_grouping(files) if fresh else draft.grouping

        self.do(_KEY, work, self._choose)

    @property
    def summary(self) -> str:
        if self.division is None:
            return ""
        counts = [patients_in(self.division, subset) for subset in SUBSETS]
        return f"{sum(counts)} patients: {counts[0]} + {counts[1]} + {counts[2]}"

    def _files(self) -> list[Path]:
        return [file.path for file in self.draft.kept]

    def _choose_way(self, way: object) -> None:
        assert isinstance(way, Way)
        old = self.draft.grouping
        self._choose(GroupingChoice(way, old.pattern, old.table))

    def _use_pattern(self, pattern: str) -> None:
        self._choose(GroupingChoice(Way.PATTERN, pattern))

    def _ask_for_table(self) -> None:
        dialog = QFileDialog(self, "Choose a table of patients")
        dialog.setNameFilter("Tables (*.csv *.txt)")
        dialog.fileSelected.connect(self.use_table)
        dialog.open()

    def use_table(self, path: str) -> None:
        """Take the patients from this CSV file."""
        self._choose(GroupingChoice(Way.TABLE, self.draft.grouping.pattern, Path(path)))

    def _choose(self, choice: GroupingChoice) -> None:
        draft, files = self.draft, self._files()
        draft.grouping, draft.patients, self.division = choice, None, None
        if choice.way is None:
            self.way.set_value(None)
        else:
            self.way.set_value(choice.way)
        self.warning.setVisible(choice.way is Way.FILE)
        self.sentence_of_way.setText(SENTENCES[choice.way])
        self._pattern_row.setVisible(choice.way is Way.PATTERN)
        self.choose_table.setVisible(choice.way is Way.TABLE)
        if self.pattern.text() != choice.pattern:
            self.pattern.setText(choice.pattern)
        patterns = [pattern for _, pattern in PATTERNS]
        known = choice.pattern if choice.pattern in patterns else patterns[-1]
        self.known.setCurrentIndex(patterns.index(known))
        self.show_problem(None)
        if choice.way is None:
            self._show_nothing()
            return
        self.do(_KEY, partial(choice.group, files), self._grouped)
        self.completeChanged.emit()

    def _grouped(self, found: Grouping) -> None:
        self.draft.patients = found
        self.show_problem(None)
        self._show_preview(found)
        try:
            self.division = self.draft.division(installation_salt())
        except UserError as error:
            self.show_problem(error)
        self._show_division()
        self.completeChanged.emit()

    def failed(self, error: Exception) -> None:
        super().failed(error)
        self._show_nothing()

    def _show_nothing(self) -> None:
        self.division = None
        self.preview.clear()
        self.count.setText("")
        self._show_division()
        self.completeChanged.emit()

    def _show_preview(self, found: Grouping) -> None:
        self.preview.clear()
        self.preview.setHorizontalHeaderLabels(["Photograph", "Patient"])
        hidden = self.draft.grouping.way is Way.DICOM
        numbers: dict[str, int] = {}
        own = "does not fit: counts as a patient of its own"
        rows = [(path, own) for path in found.unmatched[:_MOST_SHOWN]]  # first: to be looked at
        for path, label in list(found.patients.items())[:_MOST_SHOWN]:
            number = numbers.setdefault(label, len(numbers) + 1)
            short = _short(label, self.draft.grouping.way)
            rows.append((path, f"patient {number}" if hidden else short))
        for path, name in rows:
            self.preview.appendRow([QStandardItem(path.name), QStandardItem(name)])
        self.table.setColumnWidth(0, 320)
        total = len(found.patients) + len(found.unmatched)
        text = f"{counted(found.count, 'patient')} in {counted(total, 'photograph')}"
        if found.unmatched:
            text += f"; {len(found.unmatched)} do not fit and count as patients of their own"
            self.warning.show()
        self.count.setText(f"{text}.")

    def _show_division(self) -> None:
        groups = self.draft.groups(installation_salt()) if self.division is not None else {}
        self.cards.show_division(self.division, groups)

    def isComplete(self) -> bool:
        return self.division is not None


def _short(label: str, way: Way | None) -> str:
    """Folders by their name; a label of the file itself by the file's."""
    return Path(label).name if way in (Way.FOLDER, Way.FILE) else label
