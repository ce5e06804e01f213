"""Super-resolution by a cascade of x2 networks: each step a window of the level below.

The window that the region needs is cut from the photograph with the margin of all steps,
doubled, cropped to what the next step needs, and so on. Padding by reflection happens once, on
the photograph: so every region is the crop of the whole, to float precision.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.formation import STANDARD, Formation
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.store import DEFAULT_MODELS, find_model, load_network
from retina_viewer.networks.cascade import GeneratorCascade
from retina_viewer.superres.border import reflected_window
from retina_viewer.superres.enhancer import FloatImage


def source_margins(step_margins: tuple[int, ...]) -> tuple[int, ...]:
    """What each step still needs around the region, in whole source pixels.

    Args:
        step_margins: margin of each step's network, in its own input's pixels.

    Returns:
        For step k (from 0): the source pixels around the region that its input must hold. The
        first is the margin of the whole cascade.
    """
    needed = 0
    around: list[int] = []
    for number in reversed(range(len(step_margins))):
        needed += -(-step_margins[number] // 2**number)  # rounded up to whole source pixels
        around.append(needed)
    return tuple(reversed(around))


@dataclass(frozen=True)
class CascadeEnhancer:
    """The :class:`~retina_viewer.superres.enhancer.Enhancer` of a trained cascade."""

    card: ModelCard
    steps: tuple[nn.Module, ...]
    device: torch.device
    formation: Formation = STANDARD
    method: str = "pixel"
    whole_image_only: bool = False

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

    @torch.inference_mode()
    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        """See :class:`~retina_viewer.superres.enhancer.Enhancer`."""
        around = (*self._around, 0)
        window = reflected_window(rgb, region.expanded(around[0]))
        level = torch.from_numpy(window).permute(2, 0, 1)[None].to(self.device)
        level = level.contiguous(memory_format=torch.channels_last)
        formation = torch.tensor([[self.formation.blur, self.formation.noise]], device=self.device)
        try:
            for number, step in enumerate(self.steps):
                level = step(level, formation).clamp_(0, 1)
                rim = (around[number] - around[number + 1]) * 2 ** (number + 1)
                if rim:
                    level = level[..., rim:-rim, rim:-rim]
            result = level[0].permute(1, 2, 0).cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise UserError(
                "The GPU ran out of memory.", "Choose a smaller tile, or the CPU."
            ) from error
        if not np.isfinite(result).all():
            raise UserError(
                f"The model {self.card.name!r} gave values that are no numbers.",
                "Verify the model, or use another one; do not use this result.",
            )
        return np.ascontiguousarray(result, dtype=np.float32)


def load_cascade(model: str | None, scale: int, device: torch.device) -> CascadeEnhancer:
    """The first steps of a trained cascade, ready on a device.

    Args:
        model: its name; None for the shipped default.
        scale: 2, 4, 8 or 16.
        device: where to compute.

    Raises:
        UserError: no such model, its files are broken, or it does not reach that scale.
    """
    card = find_model(model or DEFAULT_MODELS["superres"])
    if card.task != "superres" or scale not in card.scales:
        offered = ", ".join(f"x{one}" for one in card.scales) or "nothing"
        raise UserError(
            f"The model {card.name!r} cannot enlarge by x{scale}.", f"It offers {offered}."
        )
    network = load_network(card)
    assert isinstance(network, GeneratorCascade)  # the only architecture of this task
    count = scale.bit_length() - 1
    steps = tuple(
        step.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for step in list(network.steps)[:count]
    )
    return CascadeEnhancer(card, steps, device)
