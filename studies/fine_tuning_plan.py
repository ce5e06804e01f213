"""The plan of the experiment behind the presets: DRIVE's training half, judged on its test half.

::

    python -m studies.fine_tuning_plan DATA PLAN.toml [--base pixel-fast] [--preset standard]
    retina-viewer train --plan PLAN.toml --out RUN --json

DRIVE's licence allows the experiment; weights trained on it are not shipped. Every photograph is of
another patient. Of the 20 training photographs the last four tell when to stop; the 20 test
photographs are held out, so the verdict at the end is that of DRIVE's test half.
"""

import argparse
from pathlib import Path

from retina_viewer.core.files import sha256_of
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

_VALIDATING = 4


def drive_plan(data: Path, base: str, preset: str, steps: tuple[int, ...], minutes: float,
               seed: int) -> TrainingPlan:  # fmt: skip
    """The plan for the DRIVE photographs below ``data``."""
    found = [p for p in find_photographs(data) if p.dataset == "DRIVE"]
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
            "name": f"drive-{preset}",
            "title": f"DRIVE, {preset}",
            "task": "superres",
            "base": base,
            "steps": steps,
            "minutes": minutes,
            "preset": preset,
            "device": "cpu",
            "expert": Expert(seed=seed),
            "photographs": [planned(photograph) for photograph in found],
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("plan", type=Path)
    parser.add_argument("--base", default="pixel-fast")
    parser.add_argument("--preset", default="standard", choices=PRESET_NAMES)
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    plan = drive_plan(
        options.data, options.base, options.preset, tuple(options.steps), options.minutes,
        options.seed,
    )  # fmt: skip
    save_plan(plan, options.plan)
    counts = {subset: len(plan.of(subset)) for subset in ("train", "validation", "held_out")}
    print(f"{options.plan}: {counts}")


if __name__ == "__main__":
    main()
