"""Plans that several tests need."""

from pathlib import Path
from typing import Any

from retina_viewer.finetuning.plan import PlannedPhotograph, Subset, TrainingPlan


def photograph(number: int, subset: Subset, **more: Any) -> PlannedPhotograph:
    fields: dict[str, Any] = {
        "path": Path(f"/clinic/photograph {number} ä.jpg"),
        "sha256": f"{number:064x}",
        "group": f"patient {number}",
        "subset": subset,
    }
    return PlannedPhotograph(**(fields | more))


def some_plan(**changes: Any) -> TrainingPlan:
    fields: dict[str, Any] = {
        "name": "ours",
        "task": "superres",
        "base": "pixel",
        "photographs": (
            photograph(1, "train"),
            photograph(2, "validation"),
            photograph(3, "held_out"),
        ),
    }
    return TrainingPlan(**(fields | changes))
