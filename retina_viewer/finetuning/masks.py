"""Drawn vessel masks: found by name, read whatever their kind, refused where they cannot be so."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.names import stem_of
from retina_viewer.finetuning.patients import name_pattern
from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.datasets import read_levels, read_mask

Mask = NDArray[np.bool_]
_KEY = "{key}"
_BETWEEN = 0.05
"""Most pixels that may be neither dark nor bright: smoothed lines have some, photographs many."""
_VESSELS = (0.005, 0.35)
"""The share of the field that vessels cover: 0.04 to 0.16 in the public sets, with room."""
_WIDE_CORE = 0.5
"""Vessels vanish when a mask is eroded by a fiftieth of the field; discs and lesions do not."""


@dataclass(frozen=True)
class Matching:
    """A preview of which mask belongs to which photograph."""

    pairs: dict[Path, Path]  # the mask of each photograph that has exactly one
    photographs_left: list[Path]
    masks_left: list[Path]
    ambiguous: list[str]  # keys that several photographs or several masks have; none is paired


@dataclass(frozen=True)
class NamePatterns:
    """How names tell what belongs together: the part at ``{key}`` is the same in both.

    As in :func:`~retina_viewer.finetuning.patients.by_pattern`, with ``{key}`` for the place:
    ``{key}_training`` and ``{key}_manual1`` pair ``21_training.tif`` with ``21_manual1.gif``.
    """

    photograph: str = _KEY
    mask: str = _KEY


def match_masks(
    photographs: Sequence[Path], masks: Sequence[Path], patterns: NamePatterns
) -> Matching:
    """Pair photographs and masks by name; UserError where a pattern is not valid."""
    by_key = _by_key(photographs, patterns.photograph)
    masks_by_key = _by_key(masks, patterns.mask)
    pairs: dict[Path, Path] = {}
    ambiguous: list[str] = []
    for key in by_key.keys() & masks_by_key.keys():
        if len(by_key[key]) == len(masks_by_key[key]) == 1:
            pairs[by_key[key][0]] = masks_by_key[key][0]
        else:
            ambiguous.append(key)
    paired = set(pairs.values())
    return Matching(
        {path: pairs[path] for path in photographs if path in pairs},
        [path for path in photographs if path not in pairs],
        [path for path in masks if path not in paired],
        sorted(ambiguous),
    )


def _by_key(files: Sequence[Path], pattern: str) -> dict[str, list[Path]]:
    find = name_pattern(pattern, _KEY)
    found: dict[str, list[Path]] = {}
    for path in files:
        key = find(stem_of(path.name))
        if key:
            found.setdefault(key, []).append(path)
    return found


def suggest_patterns(photographs: Sequence[Path], masks: Sequence[Path]) -> NamePatterns:
    """The patterns that pair most, of those that names commonly follow."""
    # ``Image_{key}`` and ``mask_{key}``: what all photographs, and all masks, have in common.
    framed = NamePatterns(_frame(photographs), _frame(masks))
    # In order of how little they assume; of equals, max takes the first.
    candidates = [NamePatterns(), *_suffixed(photographs, masks), framed]
    return max(candidates, key=lambda p: len(match_masks(photographs, masks, p).pairs))


def _suffixed(photographs: Sequence[Path], masks: Sequence[Path]) -> list[NamePatterns]:
    """``{key}`` and ``{key}_mask``: what masks add to the name of a photograph."""
    stems = {stem_of(path.name) for path in photographs}
    added = Counter(
        stem[-length:]
        for stem in (stem_of(path.name) for path in masks)
        for length in range(1, len(stem))
        if stem[:-length] in stems
    )
    common = sorted(added, key=lambda suffix: (-added[suffix], suffix))[:5]
    return [NamePatterns(mask=_KEY + suffix) for suffix in common]


def _frame(files: Sequence[Path]) -> str:
    stems = [stem_of(path.name) for path in files]
    if len(set(stems)) < 2:
        return _KEY
    # Digits belong to the key: of 10, 11 and 12 the 1 is no prefix.
    before = os.path.commonprefix(stems).rstrip("0123456789")  # noqa: RUF071  # no folders
    backwards = os.path.commonprefix([stem[::-1] for stem in stems])  # noqa: RUF071
    after = backwards[::-1].lstrip("0123456789")
    if any(len(stem) <= len(before) + len(after) for stem in stems):
        after = ""
    return f"{before}{_KEY}{after}"


def looks_like_a_mask(path: Path) -> bool:
    """Whether a file holds two levels of grey and little between: no photograph does."""
    try:
        levels = read_levels(path)
    except UserError:
        return False
    return levels.max() > levels.min() and _share_between(levels) <= _BETWEEN


def read_vessel_mask(path: Path, *, inverted: bool = False) -> Mask:
    """A drawn mask as ``(H, W)`` bool, true on vessels: what is bright, or dark in an inverted one,
    whether stored as one bit, 0 and 1, 0 and 255, or a palette. UserError: it has one level."""
    bright = read_mask(path)
    if bright.all() or not bright.any():
        raise UserError(f"The mask {path.name} is empty.", "Draw vessels in it, or leave it out.")
    return ~bright if inverted else bright


def _share_between(levels: NDArray[np.float32]) -> float:
    low, high = float(levels.min()), float(levels.max())
    margin = 0.1 * (high - low)
    return float(((levels > low + margin) & (levels < high - margin)).mean())


@dataclass(frozen=True)
class MaskCheck:
    """What was found of one pair."""

    inverted: bool  # vessels are the dark part: read it so
    share: float  # of the field of view that is vessel then, 0 to 1


def check_mask(photograph: Path, mask: Path) -> MaskCheck:
    """Whether a mask can be the vessels of a photograph, and which of its levels they are.

    Vessels are the minority inside the field of view. What lies around the field says nothing:
    some tools fill it with the vessels' level.

    Raises:
        UserError: unreadable, of another size, not of two levels, or not vessels in either
            polarity; the message says which.
    """
    image = open_image(photograph)
    levels = read_levels(mask)
    height, width = levels.shape
    if (width, height) != (image.width, image.height):
        raise UserError(
            f"The mask {mask.name} has {width} x {height} pixels, "
            f"its photograph {image.width} x {image.height}.",
            "They must be of one size: export the mask at the photograph's size.",
        )
    if _share_between(levels) > _BETWEEN:
        raise UserError(
            f"{mask.name} is no mask: it has many levels between dark and bright.",
            "Save the mask with two levels, black and white.",
        )
    bright = read_vessel_mask(mask)
    field = image.field_of_view.mask
    share = float(bright[field].mean())
    inverted = share > 0.5
    share = 1 - share if inverted else share
    vessels = (~bright if inverted else bright) & field
    _refuse_what_is_no_vessels(mask.name, vessels, share, image.field_of_view.diameter)
    return MaskCheck(inverted, share)


def _refuse_what_is_no_vessels(name: str, vessels: Mask, share: float, diameter: float) -> None:
    least, most = _VESSELS
    hint = "Choose the masks of vessels, not those of the field of view, lesions or the disc."
    if not least <= share <= most:
        raise UserError(
            f"{name} cannot be vessels: they would cover {share:.1%} of the field of view.", hint
        )
    side = max(3, round(diameter / 50)) | 1
    core = cv2.erode(vessels.astype(np.uint8), np.ones((side, side), np.uint8))
    grown = cv2.dilate(core, np.ones((side, side), np.uint8))
    if np.count_nonzero(grown) > _WIDE_CORE * np.count_nonzero(vessels):
        raise UserError(f"{name} cannot be vessels: it shows wide areas instead of lines.", hint)
