"""Super-resolution by a cascade of x2 networks: each step a window of the level below.

The window that the region needs is cut from the photograph with the margin of all steps,
doubled, cropped to what the next step needs, and so on. Padding by reflection happens once, on
the photograph: so every region is the crop of the whole, to float precision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
import torch
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.colour import luminance
from retina_viewer.imaging.degradation import STANDARD, Degradation
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model, list_models, load_network
from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.superres.classical import reflected_window, source_margins
from retina_viewer.superres.enhancer import FloatImage


@dataclass(frozen=True)
class CascadeEnhancer:
    """The :class:`~retina_viewer.superres.enhancer.Enhancer` of a trained cascade.

    Attributes:
        degradation: what the networks are told of the photograph.
        fidelity: the share of the pixel-trained twin's weights; None where there is no twin.
        blur: set by a person: then it is not estimated.
    """

    card: ModelCard
    steps: tuple[nn.Module, ...]
    device: torch.device
    degradation: Degradation = STANDARD
    fidelity: float | None = None
    blur: float | None = None
    whole_image_only: bool = False
    back_projection: None = None

    @property
    def method(self) -> str:
        return self.card.enhancer_method

    @property
    def model(self) -> str | None:
        return self.card.name

    @property
    def scale(self) -> int:
        return 1 << len(self.steps)

    @property
    def margin(self) -> int:
        return self._around[0]

    @property
    def _around(self) -> tuple[int, ...]:
        return source_margins(self.card.margins[: len(self.steps)])

    def fitted_to(self, rgb: FloatImage) -> Self:
        found = estimate_degradation(rgb, self.device)
        if self.blur is not None:
            found = replace(found, blur=self.blur)
        return replace(self, degradation=found)

    @torch.inference_mode()
    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        around = (*self._around, 0)
        window = reflected_window(rgb, region.expanded(around[0]))
        level = torch.from_numpy(window).permute(2, 0, 1)[None].to(self.device)
        level = level.contiguous(memory_format=torch.channels_last)
        told = [[self.degradation.blur, self.degradation.noise]]
        degradation = torch.tensor(told, device=self.device)
        try:
            for number, step in enumerate(self.steps):
                level = step(level, degradation).clamp_(0, 1)
                rim = (around[number] - around[number + 1]) * 2 ** (number + 1)
                if rim:
                    level = level[..., rim:-rim, rim:-rim]
            result = level[0].permute(1, 2, 0).cpu().numpy()
        except torch.OutOfMemoryError as error:
            hint = "Choose a smaller tile, or the CPU."
            raise UserError("The GPU ran out of memory.", hint) from error
        if not np.isfinite(result).all():
            raise UserError(
                f"The model {self.card.name!r} gave values that are no numbers.",
                "Verify the model, or use another one; do not use this result.",
            )
        return np.ascontiguousarray(result, dtype=np.float32)


def load_cascade(
    model: str | ModelCard | None,
    scale: int,
    device: torch.device,
    fidelity: float | None = None,
    blur: float | None = None,
    twin: ModelCard | None = None,
) -> CascadeEnhancer:
    """The first steps of a trained cascade, ready on a device.

    A saliency GAN and its pixel-trained twin are one network with two sets of weights, the one
    trained on from the other, and every mixture of them is a network that works (network
    interpolation, Wang et al. 2018, ESRGAN, equation 4).

    Args:
        model: its name, or the card of one that is not installed; None for the default.
        scale: 2, 4, 8 or 16.
        fidelity: 0 for the GAN's own weights, 1 for its twin's, between them a mixture; None for
            what its card says of the scale. Only for models with a twin.
        blur: of the photograph, standard deviation in its own pixels; None to estimate it.
        twin: of the model, where that is not installed either; None for the one its card names.

    Raises:
        UserError: no such model, its files are broken, it does not reach that scale, the fidelity
            is outside 0..1 or the model has none, or the twin is not of the same architecture.
    """
    card = model if isinstance(model, ModelCard) else find_model(model or default_model("superres"))
    card.check_scale(scale, card.scales if card.task == "superres" else ())
    share = _share_of_twin(card, scale, fidelity)
    network = load_network(card)
    assert isinstance(network, GeneratorCascade)  # the only architectures of this task
    if share:
        network.load_state_dict(_mixed(card, network, share, twin))
    steps = tuple(
        step.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for step in list(network.steps)[: scale.bit_length() - 1]
    )
    enhancer = CascadeEnhancer(card, steps, device, fidelity=share, blur=blur)
    return enhancer if blur is None else replace(enhancer, degradation=replace(STANDARD, blur=blur))


def _share_of_twin(card: ModelCard, scale: int, fidelity: float | None) -> float | None:
    if fidelity is None:
        return card.fidelity_at(scale)
    if not 0 <= fidelity <= 1:
        raise UserError(
            f"A fidelity of {fidelity:g} is not possible.",
            "Choose one between 0 (most detail) and 1 (closest to the truth).",
        )
    if card.twin is None:
        raise UserError(
            f"The model {card.name!r} has one set of weights, so there is no fidelity to choose.",
            "Leave the fidelity out, or choose a saliency GAN.",
        )
    return fidelity


def _mixed(
    card: ModelCard, network: nn.Module, share: float, twin: ModelCard | None
) -> dict[str, torch.Tensor]:
    """The weights of ``network`` moved towards its twin's; what holds no fractions stays."""
    assert card.twin is not None
    twin = twin or find_model(card.twin)
    if (twin.architecture, twin.parameters) != (card.architecture, card.parameters):
        raise UserError(
            f"The models {card.name!r} and {twin.name!r} are not of one architecture, "
            "so their weights cannot be mixed.",
            "Install both again from the same source, or choose fidelity 0.",
        )
    own, other = network.state_dict(), load_network(twin).state_dict()
    return {
        name: torch.lerp(value, other[name], share) if value.is_floating_point() else value
        for name, value in own.items()
    }


WINDOW = 128
"""Side of a window, px."""
WINDOWS = 12
"""At most so many are looked at; an image of no more pixels is looked at whole."""
_GRID = 16  # px: windows begin where JPEG's blocks do, as the estimator saw them in training
_BLOCK = 16  # px: the estimator's blocks, the smallest image it can judge
_DARK = 12 / 255  # luminance below which the estimator sees no eye
_RIM = 3  # px around the dark that it does not look at


def estimate_degradation(rgb: FloatImage, device: torch.device | str = "cpu") -> Degradation:
    """The blur and noise of a whole photograph, ``(H, W, 3)`` float32 in [0, 1]: the mean of what
    its visible windows say.

    :data:`~retina_viewer.imaging.degradation.STANDARD` for images of less than 16 px a side, with
    nothing but dark, or where no estimator is installed. Raises UserError: its files are broken.
    """
    wanted = default_model("formation")
    card = next((one for one in list_models("formation") if one.name == wanted), None)
    if min(rgb.shape[:2]) < _BLOCK or card is None:
        return STANDARD
    windows = [window for window in _windows(rgb) if _has_something_to_see(window)]
    if not windows:
        return STANDARD
    estimator = _estimator(card.name, card.weights_sha256, str(device))
    batch = torch.from_numpy(np.stack(windows)).permute(0, 3, 1, 2).to(device)
    with torch.inference_mode():
        found = estimator(batch).double().cpu().numpy()
    # The noise is judged in octaves, so its mean is the geometric one.
    blur, noise = float(found[:, 0].mean()), float(np.exp2(np.log2(found[:, 1]).mean()))
    return Degradation(max(blur, 0.0), noise)


@lru_cache(maxsize=4)
def _estimator(name: str, sha256: str, device: str) -> nn.Module:
    """Loaded once; the hash is part of the key, so that a replaced model is loaded anew."""
    card = find_model(name)
    assert card.weights_sha256 == sha256
    return load_network(card).to(device)


def _windows(rgb: FloatImage) -> list[FloatImage]:
    """The image where it is small, else windows of one size, evenly spread, brightest kept."""
    height, width = rgb.shape[:2]
    if height * width <= WINDOWS * WINDOW**2:
        return [np.ascontiguousarray(rgb)]
    places = [(y, x) for y in _starts(height) for x in _starts(width)]
    windows = [rgb[y : y + WINDOW, x : x + WINDOW] for y, x in places]
    # Every eighth pixel is enough to tell the eye from what surrounds it.
    lit = [window for window in windows if float(window[::8, ::8].mean()) > _DARK]
    chosen = np.unique(np.linspace(0, len(lit) - 1, min(WINDOWS, len(lit))).round().astype(int))
    return [np.ascontiguousarray(lit[index]) for index in chosen]


def _starts(size: int) -> list[int]:
    """Where windows begin along one side: up to five, on the grid, from end to end."""
    room = max(0, size - WINDOW)
    ends = np.linspace(0, room, min(5, max(2, 1 + room // WINDOW)))
    return sorted({int(start) // _GRID * _GRID for start in ends})


def _has_something_to_see(window: FloatImage) -> bool:
    """Whether some block of the window lies off the dark surround and its rim."""
    bright = (luminance(window) >= _DARK).astype(np.uint8)
    side = _BLOCK + 2 * _RIM
    # Beyond the window nothing is known to be dark.
    eroded = cv2.erode(bright, np.ones((side, side), np.uint8), borderValue=1)
    return bool(eroded.any())
