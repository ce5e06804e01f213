"""Whether microaneurysms keep their contrast in enlargements.

A microaneurysm is a dark dot a few pixels wide. Its contrast is the mean green of a ring around it
minus its own; what a method keeps of it, after the photograph was shrunk and enlarged again, is
counted lesion by lesion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel, crop_to_multiple
from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.metrics import Mask
from retina_viewer.quality.protocols import Condition, Truth, small_image
from retina_viewer.quality.records import Record, RecordLog
from retina_viewer.quality.statistics import wilcoxon_p
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhance_image
from studies.contenders import Contenders
from studies.measuring import Job, grouped, mean_row, measure_all
from studies.study import ComparingMethods
from studies.tables import Table, columns

BASELINE = "bicubic"
_COLUMNS = columns(
    "dataset:set", "kernel", "scale", "method", "n", "lesions", "kept:contrast kept:3",
    "kept_sd:SD:3", f"kept_gain:gain over {BASELINE} %:+0", "lost:lost:3", "inverted:inverted:3",
    f"p:p vs {BASELINE}:p",
)  # fmt: skip
_NOTE = (
    "Microaneurysms in photographs at half size. Contrast: mean green of a ring 2 to 6 px around "
    "the lesion minus that of the lesion, for lesions with at least 2 grey levels of it in the "
    "original; kept: after shrinking and enlarging, the median over an image's lesions, mean and "
    "SD over images. Lost: share of lesions that keep less than a quarter; inverted: less than "
    "nothing. p: Wilcoxon signed-rank test of the images' medians, two-sided, exact: with n images "
    "not below 2^(1 - n)."
)
KIND = "MA"
RING = (2.0, 6.0)
"""The ring's inner and outer distance from the lesion, pixels."""
LEAST_AREA = 6
"""Pixels; what is smaller is a slip of the pen."""
LEAST_CONTRAST = 2.0
"""Grey levels of green: lesions that are fainter in the original have nothing to keep."""
LOST = 0.25
"""Of its contrast; a lesion that keeps less is lost."""
_WHERE = ("dataset", "kernel", "scale")
_KEY = ("dataset", "photograph", "kernel", "scale", "method", "model")


def summarise(records: Sequence[Record]) -> Table:
    """One row a set, kernel, scale and method; images without a visible lesion do not count.

    Args:
        records: of :func:`~studies.lesions.evaluate_lesions`, with the method
            ``bicubic`` among them.
    """
    seen = sorted((r for r in records if "kept" in r), key=lambda one: str(one["photograph"]))
    rows: list[Record] = []
    for (dataset, kernel, scale), some in sorted(grouped(seen, _WHERE).items()):
        methods = grouped(some, ("method",))
        base = [float(one["kept"]) for one in methods[(BASELINE,)]]
        for (method,), members in methods.items():
            row: Record = {
                "dataset": dataset, "kernel": kernel, "scale": scale, "method": method,
                "n": len(members), "lesions": sum(int(one["lesions"]) for one in members),
            }  # fmt: skip
            row |= mean_row(members, ("kept", "lost", "inverted"))
            row |= mean_row(members, ("kept",), spread=("kept",))
            if method != BASELINE:
                own = [float(one["kept"]) for one in members]
                row["kept_gain"] = 100 * float(np.mean(own) / np.mean(base) - 1)
                row["p"] = wilcoxon_p(own, base)
            rows.append(row)
    return Table(_COLUMNS, rows, (_NOTE,))


@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion: where it lies, and which pixels are its own and its ring's.

    ``box``: rows and columns of the photograph; ``inside`` and ``ring``: ``box``-shaped, bool.
    """

    box: tuple[slice, slice]
    inside: Mask
    ring: Mask

    def contrast(self, green: NDArray[np.uint8]) -> float:
        """Mean green of the ring minus that of the lesion: positive where it is darker."""
        part = green[self.box].astype(np.float64)
        return float(part[self.ring].mean() - part[self.inside].mean())


def find_lesions(mask: Mask, others: Mask) -> list[Lesion]:
    """The connected parts of a lesion mask, with their rings.

    Args:
        mask: ``(H, W)`` bool, where the lesions are.
        others: ``(H, W)`` bool, where further lesions are; no ring lies on these, nor on another
            lesion of ``mask``.

    Returns:
        Those of at least :data:`LEAST_AREA` pixels whose ring lies inside the photograph and is
        not mostly hidden.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    reach = int(np.ceil(RING[1])) + 1
    found: list[Lesion] = []
    for number in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[number])
        top, bottom, left, right = y - reach, y + height + reach, x - reach, x + width + reach
        within = top >= 0 and left >= 0 and bottom <= mask.shape[0] and right <= mask.shape[1]
        if area < LEAST_AREA or not within:
            continue
        box = (slice(top, bottom), slice(left, right))
        inside = np.asarray(labels[box] == number)
        away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5)
        around = np.asarray((away > RING[0]) & (away <= RING[1]))
        ring = around & ~(mask | others)[box]
        if ring.sum() >= around.sum() / 2:
            found.append(Lesion(box, inside, ring))
    return found


@dataclass
class _Subject:
    """One photograph at half its size, and its lesions; read when first asked for."""

    photograph: Photograph

    @cached_property
    def read(self) -> tuple[Truth, Mask, Mask]:
        """The photograph, its microaneurysms, and all its other lesions."""
        rgb8 = _halved(self.photograph.read_rgb())
        masks = {kind: _halved_mask(path) for kind, path in self.photograph.lesions.items()}
        none = np.zeros(rgb8.shape[:2], bool)
        others = [mask for kind, mask in masks.items() if kind != KIND]
        return Truth(rgb8, ~none), masks[KIND], np.logical_or.reduce([none, *others])

    def figures(self, kernel: Kernel, scale: int, enhancer: Enhancer) -> Record:
        truth, mask, others = self.read
        truth = truth.cropped(scale)
        small = small_image(truth, Condition("native", kernel, scale))
        result = enhance_image(enhancer, small).astype(np.uint8, copy=False)
        lesions = find_lesions(crop_to_multiple(mask, scale), crop_to_multiple(others, scale))
        return kept_contrast(lesions, truth.rgb8[..., 1], result[..., 1])


def _halved(rgb8: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (rgb8.shape[1] // 2, rgb8.shape[0] // 2)
    return np.asarray(cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA), np.uint8)


def _halved_mask(path: Path) -> Mask:
    return _halved(read_mask(path).astype(np.uint8) * np.uint8(255)) > 127


def kept_contrast(
    lesions: Sequence[Lesion], truth: NDArray[np.uint8], result: NDArray[np.uint8]
) -> Record:
    """How much of the lesions' contrast in ``truth`` is left in ``result``, both green planes.

    Returns:
        ``lesions``: how many are visible in the truth, that is darker than their ring by
        :data:`LEAST_CONTRAST`; ``faint``: how many are not, and do not count; if any is:
        ``kept``, the median over lesions of the ratio of contrasts; ``lost`` and ``inverted``, the
        shares that keep less than :data:`LOST`, and less than nothing.
    """
    pairs = [(lesion.contrast(truth), lesion.contrast(result)) for lesion in lesions]
    ratios = np.array([own / true for true, own in pairs if true >= LEAST_CONTRAST])
    figures: Record = {"lesions": len(ratios), "faint": len(pairs) - len(ratios)}
    if len(ratios):
        figures["kept"] = float(np.median(ratios))
        figures["lost"] = float(np.mean(ratios < LOST))
        figures["inverted"] = float(np.mean(ratios < 0))
    return figures


def evaluate_lesions(
    photographs: Sequence[Photograph],
    contenders: Contenders,
    *,
    log: RecordLog | None = None,
    progress: Progress = no_progress,
) -> list[Record]:
    """One record a photograph, condition and method: the names of :func:`kept_contrast`."""
    identities = contenders.identities()

    def measured(subject: _Subject, condition: Condition, method: str) -> Record:
        enhancer = contenders.enhancer(method, condition)
        return subject.figures(condition.kernel, condition.scale, enhancer)

    jobs = [
        Job(
            {
                "dataset": subject.photograph.dataset, "photograph": subject.photograph.id,
                "kernel": condition.kernel, "scale": condition.scale, "method": method,
                "model": identities.get(method, ""),
            },
            partial(measured, subject, condition, method),
            ("lesions",),
        )
        for subject in map(_Subject, photographs)
        for condition, method in product(contenders.conditions, contenders.methods)
    ]  # fmt: skip
    return measure_all(jobs, log=log, progress=progress)


@dataclass(frozen=True)
class LesionContrast(ComparingMethods):
    """On held-out photographs with masks of microaneurysms, at half their size: IDRiD's are soft
    and strongly compressed.

    Leaves ``lesions.md``, ``.csv``, ``_per_image.csv``, ``.json`` and ``lesions_records.jsonl``,
    from which an interrupted run continues.
    """

    def measure(self, progress: Progress = no_progress) -> str:
        photographs = self.held_out(lambda one: KIND in one.lesions)
        compared = (BASELINE, *(method for method in self.methods if method != BASELINE))
        contenders = Contenders(compared, self.conditions(), settings=self.settings())
        log = self.log("lesions_records.jsonl", _KEY)
        records = evaluate_lesions(photographs, contenders, log=log, progress=progress)
        models = contenders.models()
        return self.report("lesions", [summarise(records)], records, photographs, models)
