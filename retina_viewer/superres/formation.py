"""The blur and noise of a photograph, estimated from a few windows spread over it."""

from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import nn

from retina_viewer.imaging.colour import luminance
from retina_viewer.imaging.formation import STANDARD, Formation
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model, list_models, load_network
from retina_viewer.superres.enhancer import FloatImage

WINDOW = 128
"""Side of a window, px."""
WINDOWS = 12
"""At most so many are looked at; an image of no more pixels is looked at whole."""
_GRID = 16  # px: windows begin where JPEG's blocks do, as the estimator saw them in training
_BLOCK = 16  # px: the estimator's blocks, the smallest image it can judge
_DARK = 12 / 255  # luminance below which the estimator sees no eye
_RIM = 3  # px around the dark that it does not look at


def estimate_formation(rgb: FloatImage, device: torch.device | str = "cpu") -> Formation:
    """The blur and noise of a photograph, the mean of what its visible windows say.

    Args:
        rgb: the whole photograph, ``(H, W, 3)`` float32 in [0, 1].
        device: where the estimator computes.

    Returns:
        :data:`~retina_viewer.imaging.formation.STANDARD` for images of less than 16 px a side,
        with nothing but dark, or where no estimator is installed.

    Raises:
        UserError: the estimator's files are broken.
    """
    if min(rgb.shape[:2]) < _BLOCK or default_model("formation") not in _installed():
        return STANDARD
    windows = [window for window in _windows(rgb) if _has_something_to_see(window)]
    if not windows:
        return STANDARD
    card = find_model(default_model("formation"))
    estimator = _estimator(card.name, card.weights_sha256, str(device))
    batch = torch.from_numpy(np.stack(windows)).permute(0, 3, 1, 2).to(device)
    with torch.inference_mode():
        found = estimator(batch).double().cpu().numpy()
    # The noise is judged in octaves, so its mean is the geometric one.
    blur, noise = float(found[:, 0].mean()), float(np.exp2(np.log2(found[:, 1]).mean()))
    return Formation(max(blur, 0.0), noise)


def _installed() -> set[str]:
    return {card.name for card in list_models("formation")}


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
    rows, columns = _starts(height), _starts(width)
    candidates = [(y, x) for y in rows for x in columns]
    side_y, side_x = min(WINDOW, height), min(WINDOW, width)
    step = 8  # enough to tell the eye from what surrounds it
    means = [float(rgb[y : y + side_y : step, x : x + side_x : step].mean()) for y, x in candidates]
    lit = [place for place, mean in zip(candidates, means, strict=True) if mean > _DARK]
    chosen = np.unique(np.linspace(0, len(lit) - 1, min(WINDOWS, len(lit))).round().astype(int))
    places = [lit[index] for index in chosen]
    return [np.ascontiguousarray(rgb[y : y + side_y, x : x + side_x]) for y, x in places]


def _starts(size: int) -> list[int]:
    """Where windows begin along one side: up to five, on the grid, from end to end."""
    room = max(0, size - WINDOW)
    count = min(5, 1 + room // WINDOW) if room else 1
    ends = np.linspace(0, room, max(count, 2 if room else 1))
    return sorted({int(start) // _GRID * _GRID for start in ends})


def _has_something_to_see(window: FloatImage) -> bool:
    """Whether some block of the window lies off the dark surround and its rim."""
    bright = (luminance(window) >= _DARK).astype(np.uint8)
    side = _BLOCK + 2 * _RIM
    # Beyond the window nothing is known to be dark.
    eroded = cv2.erode(bright, np.ones((side, side), np.uint8), borderValue=1)
    return bool(eroded.any())
