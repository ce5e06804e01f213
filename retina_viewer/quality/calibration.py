"""Windows with a known truth: photographs shrunk and enlarged again, the evidence beside the error.

What is gathered does not depend on the calibration: it is kept in files, so a broken run goes on,
and a new fit needs no new enlargement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from retina_viewer import __version__
from retina_viewer.core.files import atomic_write
from retina_viewer.core.geometry import Rect, tiles_covering
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.colour import luminance
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.model_store.card import ModelCard
from retina_viewer.quality.candidates import Candidate
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import evaluation_mask
from retina_viewer.quality.protocols import KERNELS, Condition, Truth, small_image, truth_of
from retina_viewer.superres import uncertainty_calibration
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.tiles import quantised
from retina_viewer.superres.uncertainty import needs_twin, windowed_features
from retina_viewer.superres.uncertainty_calibration import Calibration, ScaleCalibration

FIELD_DIAMETERS = (540, 760, 1000)
"""Pixels: as fields of view are in small, usual and large photographs."""
_RESULT_TILE = 256
_LEAST_TILE = 32  # source pixels: at x16, smaller tiles would be margin alone
_INSIDE = 0.6  # share of a tile that the field of view must fill


@dataclass(frozen=True)
class Item:
    """One photograph under one condition."""

    photograph: Photograph
    diameter: int | None  # of the field of view that it is shrunk to, px; None for its own size
    kernel: Kernel
    scale: int
    fidelity: float | None  # of a model with a twin

    @property
    def key(self) -> str:
        """A file name: letters, digits, ``_``, ``.`` and ``-``."""
        size = self.diameter or "native"
        name = self.photograph.name.replace("/", "_")
        free = "" if self.fidelity is None else f"_f{self.fidelity:.2f}"
        return f"{name}_{size}_{self.kernel}_x{self.scale}{free}"


# A model's enhancer of a scale and fidelity, not yet fitted to a photograph.
EnhancerAt = Callable[[int, float | None], Enhancer]


def gather(
    item: Item,
    truth: Truth,
    enhancer_at: EnhancerAt,
    *,
    tiles: int | None,
    progress: Progress = no_progress,
) -> Windows:
    """Shrink, enlarge, and compare with the truth, in so many tiles of about 256 result pixels,
    spread evenly over the field of view; None for all of it."""
    scale = item.scale
    cropped = truth.cropped(scale)
    small = small_image(cropped, Condition("native", item.kernel, scale))
    rgb = small.astype(np.float32) / np.float32(255)
    enhancer = enhancer_at(scale, item.fidelity).fitted_to(rgb)
    twin = enhancer_at(scale, 1.0).fitted_to(rgb) if needs_twin(enhancer) else None
    mask = evaluation_mask(cropped.mask, scale)
    # (H // scale, W // scale): source pixels all of whose result pixels are inside
    inside = np.asarray(mask.reshape(len(rgb), scale, -1, scale).all(axis=(1, 3)))
    regions = spread_tiles(inside, max(_RESULT_TILE // scale, _LEAST_TILE), tiles)
    parts = []
    for number, region in enumerate(regions):
        share = part_of(progress, number / len(regions), (number + 1) / len(regions))
        planes = windowed_features(enhancer, rgb, region, other=twin, progress=share)
        error = true_error(enhancer, rgb, cropped.rgb8, region)
        chosen = inside[region.slices()]
        parts.append(Windows(error[chosen], {name: p[chosen] for name, p in planes.items()}))
    return joined(parts)


def true_error(
    enhancer: Enhancer, rgb: FloatImage, truth: NDArray[np.uint8], region: Rect
) -> NDArray[np.float32]:
    """The mean absolute error of luminance in the window around every source pixel of a region.

    Args:
        rgb: the shrunk photograph that the enhancer is fitted to, ``(H, W, 3)`` float32 in [0, 1].
        truth: what it was shrunk from, ``(H * scale, W * scale, 3)`` uint8.

    Returns:
        ``(region.height, region.width)`` float32, grey levels of 0..255, full range.
    """
    scale = enhancer.scale
    whole = Rect(0, 0, rgb.shape[1], rgb.shape[0])
    outer = region.expanded(uncertainty_calibration.window_of(scale) // 2).intersected(whole)
    result = quantised(enhancer.enhance_region(rgb, outer), np.dtype(np.uint8))
    off = np.abs(luminance(result) - luminance(truth[outer.scaled(scale).slices()]))
    mean = cv2.resize(off, (outer.width, outer.height), interpolation=cv2.INTER_AREA)
    inner = Rect(region.x - outer.x, region.y - outer.y, region.width, region.height)
    error = uncertainty_calibration.windowed(np.asarray(mean, np.float32), scale)
    return error[inner.slices()]


def spread_tiles(inside: NDArray[np.bool_], side: int, count: int | None) -> list[Rect]:
    """Tiles of the photograph that the field of view fills, evenly spread; all where None.

    The fullest one where none is filled enough; never empty for a mask that is not.
    """
    height, width = inside.shape
    tiles = list(tiles_covering(width, height, side))
    if count is None:
        return [tile for tile in tiles if inside[tile.slices()].any()]
    share = [float(inside[tile.slices()].sum()) / side**2 for tile in tiles]
    full = [tile for tile, filled in zip(tiles, share, strict=True) if filled >= _INSIDE]
    if not full:
        return [tiles[int(np.argmax(share))]]
    # The middles of ``count`` equal parts of the row of tiles: never all at one border.
    places = (np.arange(count) + 0.5) * len(full) / count
    return [full[index] for index in np.unique(places.astype(int))]


def joined(parts: Sequence[Windows]) -> Windows:
    """The windows of several parts as one; all must have the same evidence."""
    names = parts[0].planes.keys()
    return Windows(
        np.concatenate([part.error for part in parts]),
        {name: np.concatenate([part.planes[name] for part in parts]) for name in names},
    )


def load_windows(path: Path) -> Windows | None:
    """Windows that :func:`save_windows` wrote; None where there is no such file, or a damaged one:
    they are measured again then."""
    try:
        with path.open("rb") as stream, np.load(stream) as arrays:
            planes = {name: arrays[name] for name in arrays.files if name != "error"}
            return Windows(arrays["error"], planes)
    except Exception:  # a damaged archive raises anything
        return None


def save_windows(path: Path, windows: Windows) -> None:
    """Keep windows in a ``.npz`` file, in place of an older one."""
    with atomic_write(path, replace=True) as stream:
        np.savez_compressed(stream, allow_pickle=False, error=windows.error, **windows.planes)


Values = NDArray[np.float64]

_BINS = (0, 0.02, 0.05, *(0.1 * tenth for tenth in range(1, 10)), 0.95, 0.98, 0.995, 1)
"""Shares of the windows, by score: the curve has a knot in each, more of them where it is steep."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The n windows of one photograph under one condition: ``(n,)`` float32 each, grey levels."""

    error: NDArray[np.float32]  # true and local
    planes: Mapping[str, NDArray[np.float32]]  # evidence by name


def fit_calibration(samples: Sequence[Windows]) -> ScaleCalibration:
    """Weights and curve for one scale; every photograph counts alike, however many windows it has.

    The weights are those of the non-negative least squares fit of the logarithm of the error: in
    logarithms, because an error of 1 grey level for one of 2 is as wrong as 10 for 20. Evidence
    that some samples lack (the twin's difference, at fidelity 1) counts as none there.
    """
    names = sorted({name for sample in samples for name in sample.planes})
    counts = [sample.error.size for sample in samples]
    if not sum(counts):
        raise ValueError("no windows to fit to")
    weight = np.concatenate([np.full(n, 1 / n) for n in counts if n])
    error = np.concatenate([sample.error for sample in samples]).astype(np.float64)
    rows = [
        np.concatenate([sample.planes.get(name, np.zeros_like(sample.error)) for sample in samples])
        for name in names
    ]
    logs = np.log(np.stack(rows, axis=1).astype(np.float64) + uncertainty_calibration.FLOOR)
    weights = _non_negative_fit(logs, np.log(error + uncertainty_calibration.FLOOR), weight)
    scores, errors = _rising_curve(logs @ weights, error, weight)
    return ScaleCalibration(
        weights={name: round(float(w), 4) for name, w in zip(names, weights, strict=True) if w > 0},
        scores=tuple(round(float(s), 4) for s in scores),
        errors=tuple(round(float(e), 4) for e in errors),
    )


def _non_negative_fit(columns: Values, target: Values, weight: Values) -> Values:
    """Weighted least squares with intercept and weights >= 0: the best of all subsets of columns.

    With five columns there are 31 subsets, each a tiny system; the best feasible one is the exact
    solution (at the optimum the zero weights are at their bound).
    """
    share = weight / weight.sum()
    centred = columns - share @ columns
    aim = target - share @ target
    gram = (centred * share[:, None]).T @ centred
    moment = (centred * share[:, None]).T @ aim
    best, lowest = np.zeros(columns.shape[1]), np.inf
    for chosen in product((False, True), repeat=columns.shape[1]):
        index = np.flatnonzero(chosen)
        if not index.size:
            continue
        own = gram[np.ix_(index, index)]
        part, *_ = np.linalg.lstsq(own, moment[index], rcond=1e-10)
        if part.min() < 0:
            continue
        cost = float(part @ own @ part - 2 * part @ moment[index])
        if cost < lowest:
            lowest = cost
            best = np.zeros(columns.shape[1])
            best[index] = part
    if not best.any():
        raise ValueError("no evidence rises with the error")
    return best


def _rising_curve(score: Values, error: Values, weight: Values) -> tuple[Values, Values]:
    """Knots of a rising curve: means over bins of the score, neighbours that fall pooled."""
    order = np.argsort(score, kind="stable")
    score, error, weight = score[order], error[order], weight[order]
    reached = np.cumsum(weight) / weight.sum()
    edges = np.unique(np.searchsorted(reached, _BINS[1:-1]))
    bins = [part for part in np.split(np.arange(score.size), edges) if part.size]
    at = np.array([np.average(score[part], weights=weight[part]) for part in bins])
    mean = np.array([np.average(error[part], weights=weight[part]) for part in bins])
    rising = _pooled(mean, np.array([weight[part].sum() for part in bins]))
    apart = np.r_[True, np.diff(np.round(at, 4)) > 0]
    at, rising = at[apart], rising[apart]
    if at.size == 1:  # the score tells nothing apart: a flat curve
        at, rising = np.r_[at, at + 1], np.r_[rising, rising]
    return at, rising


def _pooled(values: Values, weights: Values) -> Values:
    """The nearest rising row of values, least squares (pool adjacent violators, Ayer 1955)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((float(value), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (b, v, m), (a, w, n) = blocks.pop(), blocks.pop()
            blocks.append(((a * w + b * v) / (w + v), w + v, n + m))
    return np.concatenate([np.full(count, value) for value, _, count in blocks])


@dataclass(frozen=True, eq=False)
class Measured:
    """An item and its windows."""

    item: Item
    windows: Windows


def items_of(
    photographs: Iterable[Photograph],
    scales: Sequence[int],
    fidelities: Callable[[int], Sequence[float | None]],
    sizes: Callable[[Photograph], Sequence[int | None]] = lambda _: (None, *FIELD_DIAMETERS),
) -> list[Item]:
    """One item a photograph and scale: kernels and sizes in turn within a set, fidelities in turn
    over all photographs, from the first on at every scale: a few photographs meet that at least.

    ``fidelities`` has those of a scale, the most used first; ``(None,)`` without a twin.
    """
    items: list[Item] = []
    counts = Counter[str]()
    for place, photograph in enumerate(photographs):
        number = counts[photograph.dataset]
        counts[photograph.dataset] += 1
        diameters = sizes(photograph)
        for step, scale in enumerate(scales):
            kernel = KERNELS[(number + step) % len(KERNELS)]
            # Not in step with the kernels: every fidelity meets both of them.
            shares = fidelities(scale)
            share = shares[(place // len(KERNELS)) % len(shares)]
            items.append(Item(photograph, diameters[number % len(diameters)], kernel, scale, share))
    return items


def measure(
    items: Sequence[Item],
    enhancer_at: EnhancerAt,
    kept: Path,
    *,
    tiles: int | None,
    progress: Progress = no_progress,
) -> list[Measured]:
    """The windows of all items; those that are in the folder ``kept`` are not measured again."""
    found: list[Measured] = []
    truth: tuple[Photograph, int | None, Truth] | None = None
    for number, item in enumerate(items):
        path = kept / f"{item.key}_{tiles or 'all'}.npz"
        windows = load_windows(path)
        if windows is None:
            share = part_of(progress, number / len(items), (number + 1) / len(items))
            progress(number / len(items), item.key)
            if truth is None or truth[:2] != (item.photograph, item.diameter):
                read = truth_of(item.photograph, item.diameter)
                truth = (item.photograph, item.diameter, read)
            windows = gather(item, truth[2], enhancer_at, tiles=tiles, progress=share)
            save_windows(path, windows)
        if windows.error.size:
            found.append(Measured(item, windows))
    return found


def calibration_of(
    card: ModelCard, measured: Sequence[Measured], about: dict[str, Any]
) -> Calibration:
    """A calibration for every scale that was measured."""
    scales = sorted({one.item.scale for one in measured})
    return Calibration(
        model=card.name,
        weights_sha256=card.weights_sha256,
        scales={
            scale: fit_calibration([m.windows for m in measured if m.item.scale == scale])
            for scale in scales
        },
        provenance=about,
    )


def fitting_fidelities(card: ModelCard, scale: int) -> tuple[float | None, ...]:
    """What a model's map is fitted at: its default, twice as often as the ends of the slider."""
    default = card.fidelity_at(scale)
    return (None,) if default is None else (default, 0.0, default, 1.0)


FEWEST = 3  # photographs: a curve from fewer would be that of one eye
MOST = 8
_FITTING_TILES = 1  # of about 256 result pixels, a photograph and scale: some thousand windows each


def calibrate(
    card: ModelCard,
    twin: ModelCard | None,
    photographs: Sequence[Photograph],
    kept: Path,
    device: torch.device,
    progress: Progress = no_progress,
) -> bool:
    """Fit the map of a tuned model at all of its scales, and keep that beside its weights.

    A calibration is refused with other weights than those it was fitted to, so a tuned model cannot
    use its base's. Without one the viewer draws no map and says so.

    Takes some seconds a photograph and scale. A GAN is fitted at its default fidelity, at 0 and
    at 1 together, so the map holds along the slider.

    Args:
        photographs: that no weights were trained on.
        kept: a folder for what was measured, from which a broken run goes on.

    Returns:
        False with fewer than :data:`FEWEST` photographs, or where these are too small.
    """
    chosen = list(photographs)[:MOST]
    if len(chosen) < FEWEST:
        return False
    kept.mkdir(parents=True, exist_ok=True)
    items = items_of(chosen, card.scales, partial(fitting_fidelities, card))
    at = Candidate(card, device, twin).enhancer
    measured = measure(items, at, kept, tiles=_FITTING_TILES, progress=progress)
    if not measured:
        return False
    about = {
        "program": __version__,
        "fitted to": f"{len(chosen)} photographs that its fine-tuning was validated with",
    }
    uncertainty_calibration.save_calibration(calibration_of(card, measured, about), card)
    return True
