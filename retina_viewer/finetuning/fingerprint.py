"""Near-duplicates: pictures that are the same to the eye, though their files differ.

A perceptual hash after Zauner (2010, "Implementation and benchmarking of perceptual image hash
functions"): the signs of low frequencies of the cosine transform, 64 bits. All fundi share the
bright disk on black that dominates such frequencies, so the picture is first brought to its field
of view and freed of its own slow shading; what is left is where vessels, disc and macula lie.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.field_of_view import FieldOfView

NEAR = 4
"""Most bits of 64 in which near-duplicates differ."""
_SIDE = 32  # px: the hashed frequencies are those of up to four periods across the field
_SHADING = 5.0  # px: what varies more slowly is the light, not the retina


def fingerprint(rgb8: NDArray[np.uint8], field: FieldOfView) -> int:
    """64 bits, alike for copies of other size, compression, brightness and trimming of the black.

    Mirrored and turned pictures have other fingerprints: the two eyes of a patient look like
    mirror images of each other and are not the same.

    Args:
        rgb8: ``(H, W, 3)`` uint8.
        field: of that picture.
    """
    level, inside = _on_field(rgb8, field)
    around = cv2.GaussianBlur(inside, (0, 0), _SHADING)
    shading = cv2.GaussianBlur(level * inside, (0, 0), _SHADING) / np.maximum(around, 1e-3)
    detail = np.asarray((level - shading) * inside, dtype=np.float32)
    signs = cv2.dct(detail)[1:9, 1:9].ravel() > 0
    return int.from_bytes(np.packbits(signs).tobytes(), "big")


def _on_field(
    rgb8: NDArray[np.uint8], field: FieldOfView
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The green channel and the mask, ``(32, 32)`` float32, the field's square filling both."""
    # First shrunk as a whole, by areas, to four times the final size, which then is sampled.
    factor = 4 * _SIDE / field.diameter
    height, width = (max(1, round(n * factor)) for n in rgb8.shape[:2])
    size = (width, height)
    planes = (rgb8[..., 1], field.mask.astype(np.uint8) * np.uint8(255))
    x, y = field.centre_x * width / rgb8.shape[1], field.centre_y * height / rgb8.shape[0]
    matrix = np.array([[1.0, 0, 2 * _SIDE - x], [0, 1.0, 2 * _SIDE - y]])
    found = []
    for plane in planes:
        small = cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA)
        square = cv2.warpAffine(small.astype(np.float32), matrix, (4 * _SIDE, 4 * _SIDE))
        found.append(cv2.resize(square, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    level, inside = (np.asarray(plane, dtype=np.float32) for plane in found)
    return level, np.asarray(inside > 127, dtype=np.float32)


def near_pairs(fingerprints: Mapping[Path, int]) -> list[tuple[Path, Path]]:
    """All pairs whose fingerprints differ in at most :data:`NEAR` bits, in the order given."""
    paths = list(fingerprints)
    bits = np.array([fingerprints[path] for path in paths], dtype=np.uint64)
    found = []
    for number, path in enumerate(paths):
        distance = np.bitwise_count(bits[number + 1 :] ^ bits[number])
        later = np.flatnonzero(distance <= NEAR) + number + 1
        found += [(path, paths[other]) for other in later]
    return found
