"""A training that only tells: a run folder of this process, events as a training writes them."""

import shutil
from pathlib import Path

from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder

LOSSES = (
    "generator/rgb", "generator/luminance", "generator/adversarial", "discriminator/adversarial",
)  # fmt: skip
METRICS = ("psnr_gaussian", "psnr_bicubic", "ssim", "lpips")


class MadeRun:
    """A running training of one stage; every round of it is one poll's worth of events.

    Args:
        folder: of the run; made.
        plan: any; its first photograph serves as every picture.
        pictures: validation patches.
    """

    def __init__(self, folder: Path, plan: TrainingPlan, pictures: int = 12) -> None:
        self.run, self.plan = RunFolder(folder), plan
        self.step = 0
        self.run.prepare(plan)
        self.run.set_state("running")
        self._pictures = pictures
        self._crops = self.run.crops / "stage1"
        self._crops.mkdir(parents=True)
        self.run.append_event(
            {"event": "start", "device": "cpu", "seconds_planned": 36_000, "stages": [100_000]}
        )

    def tell_round(self, *, validated_every: int = 20) -> None:
        """Ten more steps with their losses, progress, and now and then a validation."""
        self.step += 10
        place = {"task": "superres step 1", "stage": 1, "step": self.step}
        wave = (self.step // 10 * 7919 % 101) / 101
        losses = dict.fromkeys(LOSSES, 0.1 + 0.02 * wave)
        self.run.append_event(
            {"event": "losses", **place, "iterations": 100_000, "steps_per_second": 3.0} | losses
        )
        about = {"fraction": self.step / 100_000, "what": "superres step 1"}
        self.run.append_event({"event": "progress", **about})
        if self.step % (10 * validated_every) == 0:
            self.validate(place, wave)

    def validate(self, place: dict[str, object], wave: float) -> None:
        """A validation and its pictures."""
        metrics = dict.fromkeys(METRICS, 0.5 + 0.1 * wave)
        self.run.append_event({"event": "validation", **place, "score": 30 + wave} | metrics)
        for number in range(1, self._pictures + 1):
            for kind in ("truth", "before", "after"):
                path = self._crops / f"patch{number:02}_{kind}.png"
                shutil.copyfile(self.plan.photographs[0].path, path)
        about = {"stage": 1, "folder": str(self._crops), "patches": self._pictures}
        self.run.append_event({"event": "crops", **about})
