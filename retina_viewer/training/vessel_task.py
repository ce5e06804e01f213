"""Training the vessel U-Net: random crops at the working resolution, cross-entropy and Dice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import auc, dice
from retina_viewer.training.cache import CachedPhotograph, PhotographCache, as_unit
from retina_viewer.training.pairs import masked_bce, masked_soft_dice
from retina_viewer.training.recipe import VesselAugmentation, VesselStage
from retina_viewer.training.task import Player
from retina_viewer.vessels.preprocess import local_contrast
from retina_viewer.vessels.segment import VesselSegmenter

Floats = NDArray[np.float32]
_SURROUND = 48  # px beyond a crop, so that its local statistics are those of the photograph


@dataclass(frozen=True)
class VesselBatch:
    contrast: Tensor  # (N, 3, H, W), what the network sees
    vessels: Tensor  # (N, 1, H, W), the share of each pixel that is vessel
    inside: Tensor  # (N, 1, H, W), 1 in the field of view


class VesselTask:
    """Vessels of the photographs in ``train``; the score is the mean AUC over ``validation``.

    Args:
        diameter: the working resolution: px across the field of view.
    """

    name = "vessels"

    def __init__(
        self,
        network: nn.Module,
        stage: VesselStage,
        train: PhotographCache,
        validation: PhotographCache,
        diameter: int,
        device: torch.device,
    ) -> None:
        self.players = (Player("segmenter", network),)
        self.optimisation = stage.optimisation
        self._stage, self._train, self._device = stage, train, device
        self._diameter = float(diameter)
        self._sets = sorted(train.members)
        self._validation = [_whole(validation[k], self._diameter) for k in range(len(validation))]

    def batch(self, rng: np.random.Generator) -> VesselBatch:
        return self._tensors([self._crop(one) for one in rng.spawn(self.optimisation.batch)])

    def losses(self, player: Player, batch: VesselBatch) -> dict[str, Tensor]:
        logits = player.network(batch.contrast)
        return {
            "cross_entropy": masked_bce(logits, batch.vessels, batch.inside),
            "dice": self._stage.dice_weight * masked_soft_dice(logits, batch.vessels, batch.inside),
        }

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Mean per-photograph AUC, and Dice at 0.5, over the validation photographs."""
        aucs, dices = [], []
        for sample in self._validation:
            probability = self._probability(network, sample)
            inside, truth = sample[2] > 0.5, sample[1] > 0.5
            aucs.append(auc(probability, truth, inside))
            dices.append(dice(probability > 0.5, truth, inside))
        result = {"auc": float(np.mean(aucs)), "dice": float(np.mean(dices))}
        return {**result, "score": result["auc"] + result["dice"]}

    @torch.no_grad()
    def shown(self, network: nn.Module, count: int) -> Iterator[tuple[Floats, Floats]]:
        """The probabilities and the drawn vessels of the first validation photographs, ``(H, W)``
        in [0, 1], inside the field of view."""
        for sample in self._validation[:count]:
            yield self._probability(network, sample) * sample[2], sample[1] * sample[2]

    def _probability(self, network: nn.Module, sample: tuple[Floats, Floats, Floats]) -> Floats:
        logits = network(self._tensors([sample]).contrast)
        return np.asarray(torch.sigmoid(logits)[0, 0].float().cpu().numpy(), dtype=np.float32)

    def _crop(self, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """One augmented crop: contrast (S, S, 3), vessels (S, S), inside (S, S)."""
        photograph = self._photograph(rng)
        augmentation = self._stage.augmentation
        side = self._stage.patch + 2 * _SURROUND
        low, high = np.log(augmentation.scale)
        scale = self._diameter / photograph.diameter * float(np.exp(rng.uniform(low, high)))
        rgb, vessels, field = _warped(photograph, side, scale, rng)
        inside = field > 0.5
        changed = _photometric(rgb, augmentation, rng)
        contrast = local_contrast(changed, inside, photograph.diameter * scale)
        middle = slice(_SURROUND, -_SURROUND)
        inside_middle = inside[middle, middle].astype(np.float32)
        return contrast[middle, middle], vessels[middle, middle], inside_middle

    def _photograph(self, rng: np.random.Generator) -> CachedPhotograph:
        """Of every data set equally often, unless the cache has shares of its own."""
        if self._train.shares is not None:
            return self._train.draw(rng)
        members = self._train.members[self._sets[int(rng.integers(len(self._sets)))]]
        return self._train[members[int(rng.integers(len(members)))]]

    def _tensors(self, samples: list[tuple[Floats, Floats, Floats]]) -> VesselBatch:
        contrast = torch.from_numpy(np.stack([s[0] for s in samples])).permute(0, 3, 1, 2)
        vessels = torch.from_numpy(np.stack([s[1] for s in samples]))[:, None]
        inside = torch.from_numpy(np.stack([s[2] for s in samples]))[:, None]
        return VesselBatch(
            contrast.to(self._device, memory_format=torch.channels_last),
            vessels.to(self._device),
            inside.to(self._device),
        )


def _whole(photograph: CachedPhotograph, diameter: float) -> tuple[Floats, Floats, Floats]:
    """A whole photograph at the working resolution."""
    factor = diameter / photograph.diameter
    assert photograph.vessels is not None  # the cache was built with vessels
    planes = (photograph.rgb, photograph.field, photograph.vessels)
    shrink = partial(cv2.resize, dsize=None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    rgb, field, vessels = (as_unit(shrink(np.ascontiguousarray(plane))) for plane in planes)
    inside = field > 0.5
    return local_contrast(rgb, inside, diameter), vessels, inside.astype(np.float32)


def _warped(
    photograph: CachedPhotograph, side: int, scale: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """A turned, scaled, perhaps mirrored window around a random point of the field; in [0, 1]."""
    height, width = photograph.field.shape
    for _ in range(20):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        if photograph.field[int(y), int(x)]:
            break
    angle = float(rng.uniform(0, 360))
    matrix = np.asarray(cv2.getRotationMatrix2D((x, y), angle, scale), dtype=np.float64)
    matrix[:, 2] += (side / 2 - x, side / 2 - y)
    if rng.random() < 0.5:
        matrix[0] = (0, 0, side - 1) - matrix[0]
    assert photograph.vessels is not None  # the cache was built with vessels

    def warp(plane: NDArray[np.uint8]) -> Floats:  # bilinear
        return as_unit(cv2.warpAffine(np.ascontiguousarray(plane), matrix, (side, side)))

    return warp(photograph.rgb), warp(photograph.vessels), warp(photograph.field)


def _photometric(rgb: Floats, augmentation: VesselAugmentation, rng: np.random.Generator) -> Floats:
    """Another camera: gains, gamma, focus, noise."""
    gains = 1 + rng.uniform(-augmentation.gain, augmentation.gain, 3).astype(np.float32)
    gamma = np.float32(rng.uniform(*augmentation.gamma))
    changed = np.clip(rgb * gains, 0, 1) ** gamma
    if rng.random() < 0.5:
        sigma = float(rng.uniform(0.2, augmentation.blur_sigma))
        changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), sigma), dtype=np.float32)
    if rng.random() < 0.5:
        level = float(rng.uniform(0, augmentation.noise))
        changed = changed + rng.normal(0, level, changed.shape).astype(np.float32)
    return np.asarray(np.clip(changed, 0, 1), dtype=np.float32)


def unbiased_threshold(segmenter: VesselSegmenter, photographs: Sequence[Photograph]) -> float:
    """The threshold at which the mask is as large as the probabilities say.

    A threshold that maximises overlap with the labels follows one observer's habit (some draw
    wide, some leave thin vessels out) and changes with the set. This one asks that the area of
    the mask be the sum of the probabilities, so that the share of the retina that is vessel is
    not biased; it needs no labels. Rounded to two digits; every photograph counts alike.
    """
    found = []
    for photograph in photographs:
        rgb = photograph.read_rgb()
        field = find_field_of_view(rgb)
        found.append(area_matching(segmenter.probability(rgb, field)[field.mask]))
    return round(float(np.mean(found)), 2)


def area_matching(probabilities: NDArray[np.float32]) -> float:
    """The value that as many probabilities reach as their sum; 0.5 where the sum is below one."""
    total = int(probabilities.sum(dtype=np.float64))
    if total < 1:
        return 0.5
    return float(np.sort(probabilities)[::-1][total - 1])
