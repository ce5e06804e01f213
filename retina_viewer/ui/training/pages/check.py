"""Page 2: what was found in the folders; what is doubtful is kept or left out by the person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton

from retina_viewer.finetuning.intake import Examined, Intake
from retina_viewer.finetuning.patients import LEAST_PATIENTS
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.training.draft import counted
from retina_viewer.ui.training.page import Page, PageId, Surroundings
from retina_viewer.ui.training.photograph_table import PhotographTable, make_view
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments

_MOST_NAMED = 3


class CheckPage(Page):
    """The table, what it amounts to, and the tick of every photograph."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(
            around,
            "Are these the right photographs?",
            "Every file was looked at. What could spoil the training is proposed to be left out; "
            "tick it to keep it.",
        )
        self.facts = dim_label()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.what = dim_label()
        self.model = PhotographTable(around.draft, around.jobs, self)
        self.model.decided.connect(self._decided)
        self.table = make_view(self.model)
        self.table.setAccessibleName("Photographs")
        self.shown = Segments(
            [
                ("flagged", "Doubtful", "Photographs with a finding"),
                ("kept", "Kept", "What will be trained and tested on"),
                ("all", "All", "Every photograph"),
            ],
            "Shown",
        )
        self.shown.chosen.connect(self._show_files)
        self._arrange()
        around.looking.progressed.connect(self._progressed)
        around.looking.ended.connect(self._ended)

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.shown)
        self.count = QLabel()
        row.addWidget(self.count, 1)
        for text, tip, act in (
            ("Keep", "Keep the selected photographs", lambda: self._decide(True)),
            ("Leave out", "Leave the selected photographs out", lambda: self._decide(False)),
        ):
            row.addWidget(_button(text, tip, act))
        self.column.addWidget(self.facts)
        self.column.addWidget(self.bar)
        self.column.addWidget(self.what)
        self.column.addLayout(row)
        self.column.addWidget(self.table, 1)

    def initializePage(self) -> None:
        self._show()

    @property
    def summary(self) -> str:
        if self.draft.intake is None:
            return ""
        left_out = len(self.draft.intake.photographs) - len(self._kept())
        return f"{len(self._kept())} kept, {left_out} left out"

    def _kept(self) -> list[Examined]:
        intake = self.draft.intake
        return (
            [] if intake is None else [one for one in intake.photographs if self.draft.keeps(one)]
        )

    def _decide(self, keep: bool) -> None:
        rows = [index.row() for index in self.table.selectionModel().selectedRows()]
        self.model.decide(rows, keep)

    def _decided(self) -> None:
        self.draft.patients = None
        self._show_count()
        self.completeChanged.emit()

    def _progressed(self, fraction: float, what: str) -> None:
        self.bar.setValue(round(fraction * 1000))
        self.what.setText(what)
        if self.isVisible():
            self._show()

    def _ended(self, error: Exception | None) -> None:
        self.show_problem(error)
        self._show()

    def _show(self) -> None:
        intake, busy = self.draft.intake, self.around.looking.is_busy
        self.bar.setVisible(busy)
        self.what.setVisible(busy)
        for widget in (self.facts, self.table, self.shown, self.count):
            widget.setVisible(intake is not None)
        if intake is not None:
            self.facts.setText(facts_of(intake))
            flagged = any(one.kind != "good" for one in intake.photographs)
            self.shown.button("flagged").setEnabled(flagged)
            self._show_files("flagged" if flagged else "all")
        self.completeChanged.emit()

    def _show_files(self, which: object) -> None:
        intake = self.draft.intake
        if intake is None:
            return
        self.shown.set_value(which)
        chosen = {
            "flagged": [one for one in intake.photographs if one.kind != "good"],
            "kept": self._kept(),
        }
        files = chosen.get(str(which), list(intake.photographs))
        self.model.show_files(files, self.devicePixelRatioF())
        self._show_count()

    def _show_count(self) -> None:
        kept = len(self._kept())
        text = f"{counted(kept, 'photograph')} will be used"
        if kept < LEAST_PATIENTS:
            text += f"; at least {LEAST_PATIENTS}, of as many patients, are needed"
        self.count.setText(f"{text}.")

    def isComplete(self) -> bool:
        return len(self._kept()) >= LEAST_PATIENTS

    def nextId(self) -> int:
        vessels = self.draft.task == "vessels"
        return self.step_to(PageId.MASKS if vessels else PageId.PATIENTS)


def facts_of(intake: Intake) -> str:
    """Count, findings, sizes and cameras, in one paragraph."""
    kinds = Counter(one.kind for one in intake.photographs)
    findings = [f"{count:,} {kind}" for kind, count in kinds.items() if kind != "good"]
    sizes = Counter({f"{w} × {h}": count for (w, h), count in intake.sizes.items()})
    cameras = Counter({name or "not stated": count for name, count in intake.cameras.items()})
    return " ".join(
        [
            f"{counted(len(intake.photographs), 'photograph')}"
            + (f": {', '.join(findings)}." if findings else ", none doubtful."),
            f"Pixels: {_most(sizes)}.",
            f"Camera: {_most(cameras)}.",
        ]
    )


def _most(counts: Counter[str]) -> str:
    """``565 × 584 (40), 2 others (3)``."""
    named = [f"{name} ({count:,})" for name, count in counts.most_common(_MOST_NAMED)]
    rest = counts.most_common()[_MOST_NAMED:]
    if rest:
        named.append(f"{len(rest)} others ({sum(count for _, count in rest):,})")
    return ", ".join(named) or "unknown"


def _button(text: str, tip: str, act: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMinimumHeight(HIT_TARGET)
    button.setAutoDefault(False)
    button.clicked.connect(act)
    return button
