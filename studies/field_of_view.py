"""How well the field of view is found, against the masks of public data sets.

DATA holds any of DRIVE, CHASE_DB1 and HRF, each with its photographs and masks. Each photograph is
measured as it is, at 1/4 of its size, and as grey; the table gives Dice (median, worst) and the
median time in seconds.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.metrics import dice
from retina_viewer.quality.records import Record
from studies.data_folders import find_photographs
from studies.study import WithData
from studies.tables import Table, columns


def measured(rgb8: NDArray[np.uint8], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Dice and seconds."""
    start = time.perf_counter()
    view = find_field_of_view(rgb8)
    return dice(view.mask, truth, None), time.perf_counter() - start


@dataclass(frozen=True)
class FieldOfViewStudy(WithData):
    def measure(self, progress: Progress = no_progress) -> str:
        found: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
        masked = [one for one in find_photographs(self.data) if one.fov is not None]
        for number, photograph in enumerate(masked):
            progress(number / len(masked), photograph.name)
            for variant, picture, truth in variants(photograph):
                result = (*measured(picture, truth), photograph.image.name)
                found.setdefault((photograph.dataset, variant), []).append(result)
        rows: list[Record] = [
            {
                "dataset": name, "variant": variant, "n": len(results),
                "median": float(np.median([score for score, _, _ in results])),
                "worst": min(results)[0], "image": min(results)[2],
                "seconds": float(np.median([seconds for _, seconds, _ in results])),
            }
            for (name, variant), results in found.items()
        ]  # fmt: skip
        said = (
            "dataset:set", "variant", "n", "median:median:4", "worst:worst:4", "seconds:s:3",
            "image:worst image",
        )  # fmt: skip
        return Table(columns(*said), rows).to_markdown()


def variants(photograph: Photograph) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.bool_]]]:
    """Its name, ``(H, W, 3)`` and the true field of view ``(H, W)``."""
    assert photograph.fov is not None
    rgb, truth = open_image(photograph.image).display_rgb, read_mask(photograph.fov)
    yield "as it is", rgb, truth
    quarter = (rgb.shape[1] // 4, rgb.shape[0] // 4)
    small, small_truth = (
        cv2.resize(one, quarter, interpolation=cv2.INTER_AREA).astype(np.uint8)
        for one in (rgb, truth.astype(np.uint8))
    )
    yield "1/4 size", small, small_truth > 0
    grey = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    yield "grey", grey.astype(np.uint8), truth
