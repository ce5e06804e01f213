"""What a clinician looks for: whether microaneurysms keep their contrast.

A microaneurysm is a dark dot a few pixels wide. Its contrast is the mean green of a ring around it
minus its own; what a method keeps of it, after the photograph was shrunk and enlarged again, is
counted lesion by lesion.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
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
from retina_viewer.quality.tables import Record, RecordLog
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhance_image
from studies.contenders import Contenders
from studies.data_folders import find_photographs
from studies.lesion_summary import BASELINE, summarise
from studies.measuring import Job, measure_all
from studies.report import (
    command_line,
    held_out_photographs,
    make_folder,
    provenance,
    write_tables,
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
_KEY = ("dataset", "photograph", "kernel", "scale", "method", "model")


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
    _read: tuple[Truth, Mask, Mask] | None = field(default=None, repr=False)

    def read(self) -> tuple[Truth, Mask, Mask]:
        """The photograph, its microaneurysms, and all its other lesions."""
        if self._read is None:
            rgb8 = _halved(self.photograph.read_rgb())
            masks = {kind: _halved_mask(path) for kind, path in self.photograph.lesions.items()}
            none = np.zeros(rgb8.shape[:2], bool)
            others = [mask for kind, mask in masks.items() if kind != KIND]
            union = np.logical_or.reduce([none, *others])
            self._read = (Truth(rgb8, ~none), masks[KIND], union)
        return self._read

    def figures(self, kernel: Kernel, scale: int, enhancer: Enhancer) -> Record:
        truth, mask, others = self.read()
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

    def job(subject: _Subject, condition: Condition, method: str) -> Job:
        who: Record = {
            "dataset": subject.photograph.dataset,
            "photograph": subject.photograph.id,
            "kernel": condition.kernel,
            "scale": condition.scale,
            "method": method,
            "model": identities.get(method, ""),
        }

        def measured() -> Record:
            enhancer = contenders.enhancer(method, condition)
            return subject.figures(condition.kernel, condition.scale, enhancer)

        return Job(who, measured, ("lesions",))

    jobs = [
        job(subject, condition, method)
        for subject in map(_Subject, photographs)
        for condition, method in product(contenders.conditions, contenders.methods)
    ]
    return measure_all(jobs, log=log, progress=progress)


def evaluate_lesions_command(
    data: Path,
    out: Path,
    *,
    scales: Sequence[int] = (2, 4, 8, 16),
    methods: Sequence[str] = ("pixel",),
    kernels: Sequence[Kernel] = ("gaussian",),
    limit: int | None = None,
    model: str | None = None,
    fidelity: float | None = None,
    back_projection: bool = True,
    device: str = "auto",
    progress: Progress = no_progress,
) -> str:
    """``retina-viewer evaluate lesions DATA``: measure, write, return the Markdown table.

    Measures on held-out photographs with microaneurysm masks, at half their size (IDRiD's are
    soft and strongly compressed). Writes ``lesions.md``, ``lesions.csv``,
    ``lesions_per_image.csv``, ``lesions.json`` and ``lesions_records.jsonl``, from which an
    interrupted run continues, into ``out``.

    Args:
        data: a folder of set folders, or one set folder.
        out: where the report goes; an older report there is replaced.
        methods: of ``superres.methods``; bicubic is always measured with them.
        model: a model for the methods with a network.
        fidelity: of the saliency GAN; None for what its card says.

    Raises:
        UserError: no data with lesions, unknown method or model, or the report cannot be written.
    """
    found = [one for one in find_photographs(data) if KIND in one.lesions]
    photographs = held_out_photographs(found, (), limit)
    conditions = [Condition("native", kernel, scale) for kernel, scale in product(kernels, scales)]
    compared = (BASELINE, *(method for method in methods if method != BASELINE))
    contenders = Contenders(
        compared, conditions, (), model, device,
        fidelity=fidelity, back_projection=back_projection,
    )  # fmt: skip
    make_folder(out)
    log = RecordLog(out / "lesions_records.jsonl", _KEY)
    records = evaluate_lesions(photographs, contenders, log=log, progress=progress)
    options = {
        "scales": scales, "methods": methods, "kernels": kernels, "limit": limit,
        "model": model, "fidelity": fidelity, "no-back-projection": not back_projection,
    }  # fmt: skip
    about = provenance(command_line("lesions", options), photographs, contenders.models())
    return write_tables(out, "lesions", [summarise(records)], records, about)
