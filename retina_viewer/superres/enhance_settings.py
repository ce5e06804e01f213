"""What makes an enlargement: the one object that window, command line and studies hand on.

Imports nothing that takes time: the command line's help is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option

Scale = Literal[2, 4, 8, 16]
SCALES: tuple[Scale, ...] = (2, 4, 8, 16)
MOST_BLUR = 1.0
"""Pixels; what is softer than this holds no more at its size than at half of it."""


def _blur(text: str) -> float | None:
    return None if text == "auto" else float(text)


_blur.__name__ = "auto or number"  # as argparse names the type in its message


@dataclass(frozen=True)
class EnhanceSettings:
    """All that decides a result's pixels but the photograph. Equal settings give equal results.

    Attributes:
        method: empty for that of the model, or else of the default model.
        device: networks alone choose one.
        model: None for the method's own default. For ``pixel``, a GAN stands for its twin.
        fidelity: None for what the model's card says. ``pixel`` is fidelity 1, and takes no other.
        blur: 0 to 1; None to estimate it. What is no network asks for none.
        tile: decides memory and time, not the pixels.
        weights: SHA-256 of what the window's result rests on: another network of the same name
            makes another result. Nothing reads it but ``==``.

    Raises:
        UserError: a scale, fidelity, blur or tile out of range.
    """

    method: str = option(
        "",
        metavar="M",
        help="saliency-gan, srgan, srgan-vgg19, pixel, srcnn, sr-forest, ssr, linear, bicubic or "
        "lanczos, where its model is installed; default: the one of --model, or else of the "
        "default model (retina-viewer models default)",
    )
    scale: Scale = option(4, help="how many times as wide and high")
    device: str = option(
        "auto", metavar="DEVICE", help="auto (the GPU where there is one), cpu, cuda or cuda:N"
    )
    model: str | None = option(
        None, metavar="NAME", help="a model from 'retina-viewer models list'"
    )
    fidelity: float | None = option(
        None,
        metavar="F",
        help="of a saliency GAN, from 0 (most detail) to 1 (closest to the truth); "
        "default: the model's own",
    )
    back_projection: bool = option(True, help="do not hold a network's result to the photograph")
    blur: float | None = option(
        None,
        metavar="auto|PX",
        parse=_blur,
        help="blur of the photograph in its own pixels (standard deviation); default auto: "
        "estimated",
    )
    tile: int = option(
        512,
        metavar="N",
        compare=False,
        help="side of a tile in source pixels; smaller needs less memory",
    )
    weights: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        _known(self.scale)
        if self.fidelity is not None and not 0 <= self.fidelity <= 1:
            raise UserError(
                f"A fidelity of {self.fidelity:g} is not possible.",
                "Choose one between 0 (most detail) and 1 (closest to the truth).",
            )
        if self.blur is not None and not 0 <= self.blur <= MOST_BLUR:
            raise UserError(
                f"A blur of {self.blur:g} px is not possible.",
                f"Choose one between 0 and {MOST_BLUR:g}.",
            )
        if self.tile < 1:
            raise UserError(f"A tile of {self.tile} pixels is not possible.", "512 is usual.")

    def at(self, scale: int) -> EnhanceSettings:
        """The same at another scale. Raises UserError: it is none of :data:`SCALES`."""
        return replace(self, scale=_known(scale))

    def is_placeholder_for(self, other: EnhanceSettings) -> bool:
        """Whether its result may be shown until the other's is there: what is said of that, a
        method at a scale, is true of this one as well."""
        return self != other and (self.method, self.scale) == (other.method, other.scale)


def _known(scale: int) -> Scale:
    for one in SCALES:
        if one == scale:
            return one
    offered = ", ".join(f"x{one}" for one in SCALES)
    raise UserError(f"An enlargement by x{scale} is not possible.", f"Choose one of {offered}.")
