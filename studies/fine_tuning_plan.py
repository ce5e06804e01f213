"""The plan of the experiment behind the presets: DRIVE's training half, judged on its test half.

``retina-viewer train --plan PLAN.toml --out RUN --json`` then trains it. DRIVE's licence allows the
experiment; weights trained on it are not shipped. Every photograph is of another patient. Of the 20
training photographs the last four tell when to stop; the 20 test photographs are held out, so the
verdict at the end is that of DRIVE's test half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retina_viewer.core.files import sha256_of
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.finetuning.plan import (
    PRESET_NAMES,
    Expert,
    PlannedPhotograph,
    Subset,
    TrainingPlan,
    save_plan,
)
from retina_viewer.quality.datasets import Photograph
from studies.data_folders import find_photographs
from studies.study import WithData

_VALIDATING = 4


@dataclass(frozen=True)
class FineTuningPlan(WithData):
    plan: Path = option(metavar="PLAN.toml", help="the plan that is written")
    base: str = option("pixel-fast", metavar="NAME", help="the model that is tuned")
    preset: str = option("standard", choices=PRESET_NAMES, help="how long and how much")
    steps: Sequence[int] = option((1, 2), metavar="K", help="of the cascade")
    minutes: float = option(30.0, metavar="M", help="at most")
    seed: int = option(20261122, metavar="N", help="of the training")

    def measure(self, progress: Progress = no_progress) -> str:
        plan = self.drive_plan()
        save_plan(plan, self.plan)
        counts = {subset: len(plan.of(subset)) for subset in ("train", "validation", "held_out")}
        return f"{self.plan}: {counts}"

    def drive_plan(self) -> TrainingPlan:
        """The plan for the DRIVE photographs below ``data``."""
        found = [p for p in find_photographs(self.data) if p.dataset == "DRIVE"]
        training = [p for p in found if p.part == "training"]
        subsets: dict[str, Subset] = {p.id: "train" for p in training[:-_VALIDATING]}
        subsets |= {p.id: "validation" for p in training[-_VALIDATING:]}

        def planned(photograph: Photograph) -> PlannedPhotograph:
            return PlannedPhotograph(
                path=photograph.image.resolve(),
                sha256=sha256_of(photograph.image),
                group=f"{photograph.part}-{photograph.id}",
                subset=subsets.get(photograph.id, "held_out"),
            )

        return TrainingPlan.model_validate(
            {
                "name": f"drive-{self.preset}", "title": f"DRIVE, {self.preset}",
                "task": "superres", "base": self.base, "steps": self.steps,
                "minutes": self.minutes, "preset": self.preset, "device": "cpu",
                "expert": Expert(seed=self.seed),
                "photographs": [planned(photograph) for photograph in found],
            }
        )  # fmt: skip
