"""Every method by name, with what the chooser says of it."""

from dataclasses import dataclass
from typing import Literal

from retina_viewer.core.errors import UserError
from retina_viewer.superres.classical import SCALES

Character = Literal["draws", "restores", "interpolates"]
"""What a method does to detail: draws what looks right, restores what comes closest to the truth,
or adds none."""


@dataclass(frozen=True)
class Method:
    """One entry of the method chooser.

    Args:
        id: the name on the command line and in provenance.
        title: the name in the window.
        sentence: what it does, for someone who has never heard of it.
        character: what it does to detail; the chooser's groups.
        learned: whether what it makes was learned from photographs, pixel by pixel as they look
            there (the window marks it as AI). A filter of fixed numbers is not, however fitted.
        scales: the enlargements it offers.
    """

    id: str
    title: str
    sentence: str
    character: Character
    learned: bool
    scales: tuple[int, ...] = SCALES


METHODS: list[Method] = [
    Method(
        "saliency-gan",
        "Saliency GAN",
        "Networks trained to look like sharp photographs where the eye looks first; "
        "what they draw may not be there.",
        "draws",
        learned=True,
    ),
    Method(
        "srgan",
        "SRGAN",
        "Networks trained to look like sharp photographs everywhere alike; "
        "what they draw may not be there.",
        "draws",
        learned=True,
    ),
    Method(
        "srgan-vgg19",
        "SRGAN with VGG-19",
        "Networks trained against a judge that knows everyday pictures; "
        "what they draw may not be there.",
        "draws",
        learned=True,
    ),
    Method(
        "pixel",
        "Pixel-trained network",
        "Small networks trained to come closest to the true photograph, pixel by pixel; "
        "fine structure may still be missing or wrong.",
        "restores",
        learned=True,
    ),
    Method(
        "srcnn",
        "SRCNN",
        "The first network for this task, of three layers: sharpens the brightness of bicubic "
        "interpolation a little.",
        "restores",
        learned=True,
    ),
    Method(
        "sr-forest",
        "Super-resolution forest",
        "Decision trees that choose a sharpening for each small patch by its edges; "
        "restores less than networks do.",
        "restores",
        learned=True,
    ),
    Method(
        "ssr",
        "Self super-resolution",
        "Learns from the photograph itself how blurring changes it, and undoes that; works on "
        "whole photographs only, slowly.",
        "restores",
        learned=True,
    ),
    Method(
        "linear",
        "Best linear filter",
        "One fixed sharpening filter, the best there is for photographs softened as in its "
        "fitting; sharpens noise as well.",
        "restores",
        learned=False,
    ),
    Method(
        "bicubic",
        "Bicubic",
        "Smooth interpolation between the pixels; adds no detail.",
        "interpolates",
        learned=False,
    ),
    Method(
        "lanczos",
        "Lanczos",
        "Interpolation that keeps edges slightly crisper than bicubic; adds no detail.",
        "interpolates",
        learned=False,
    ),
]
"""All, in the order of the chooser; what is installed of them say the methods on offer."""


def find_method(name: str) -> Method:
    """The method of that name.

    Raises:
        UserError: there is none.
    """
    for method in METHODS:
        if method.id == name:
            return method
    names = ", ".join(method.id for method in METHODS)
    raise UserError(f"There is no method {name!r}.", f"The methods are: {names}.")
