"""A plan's photographs as training reads them, and the bundled ones it replays beside them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.core.paths import resources_dir
from retina_viewer.finetuning.masks import read_vessel_mask
from retina_viewer.finetuning.plan import PlannedPhotograph
from retina_viewer.imaging.decoded import Pixels
from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.datasets import Photograph

OWN = "own"
REPLAY = "replay"
"""The names of the two sets, in caches and cards."""


@dataclass(frozen=True)
class OwnPhotograph(Photograph):
    """A photograph of a plan; ``id`` is its SHA-256, ``patient`` its group.

    Read like the viewer reads it (any format, turned upright), as 8 bits. Both files must still
    be what they were when the plan was made.
    """

    mask_sha256: str | None = None
    mask_inverted: bool = False

    def read_rgb(self) -> NDArray[np.uint8]:
        """``(H, W, 3)`` uint8, in the photograph's own colour space.

        Raises:
            UserError: missing, unreadable, or changed since the plan was made.
        """
        image = open_image(self.image)
        if image.sha256 != self.id:
            raise _changed(self.image)
        return eight_bits(image.pixels)

    def read_vessels(self) -> NDArray[np.bool_]:
        """The drawn mask, ``(H, W)`` bool.

        Raises:
            UserError: there is none, or it is unreadable or changed since the plan was made.
        """
        if self.vessels is None:
            raise UserError(f"{self.image.name} has no vessel mask.")
        mask = read_vessel_mask(self.vessels, inverted=self.mask_inverted)
        if self.mask_sha256 is not None and sha256_of(self.vessels) != self.mask_sha256:
            raise _changed(self.vessels)
        return mask


def _changed(path: Path) -> UserError:
    return UserError(
        f"{path.name} has changed since the training was planned.",
        "Put the file back as it was, or plan the training anew.",
    )


def eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    """``(H, W, 3)`` uint8 of uint8 or uint16, rounded."""
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, dtype=np.uint8)
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def own(planned: Sequence[PlannedPhotograph]) -> list[Photograph]:
    """A plan's photographs, in its order."""
    return [
        OwnPhotograph(
            OWN,
            photograph.sha256,
            photograph.group,
            photograph.path,
            vessels=photograph.mask,
            mask_sha256=photograph.mask_sha256,
            mask_inverted=photograph.mask_inverted,
        )
        for photograph in planned
    ]


def replayed(*, with_vessels: bool) -> list[Photograph]:
    """The bundled photographs that keep a model from forgetting what it knew.

    They are of those the shipped models were trained on, and none of those that are bundled to
    show forgetting (``resources/samples``): what is practised must not be the test.

    Args:
        with_vessels: only those whose vessels are drawn.
    """
    folder = resources_dir() / "replay"
    found = []
    for image in sorted(folder.glob("*.jpg")):
        vessels = image.with_name(f"{image.stem}_vessels.png")
        drawn = vessels if vessels.is_file() else None
        if drawn is not None or not with_vessels:
            patient = re.sub(r"[LR]$", "", image.stem)
            found.append(Photograph(REPLAY, image.stem, patient, image, vessels=drawn))
    return found
