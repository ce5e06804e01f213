"""Colour spaces: what a profile means on the screen, and luminance."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from retina_viewer.imaging.decoded import Pixels, bands

Bytes = NDArray[np.uint8]
"""``(H, W, 3)`` uint8 sRGB."""


WRONG_PROFILE = "Its colour profile is broken or does not fit: the colours are taken as sRGB."
_SAME = 2
"""Levels of 255 by which the sRGB profiles of different makers differ."""


def to_8bit_depth(pixels: Pixels) -> NDArray[np.uint8]:
    """uint16 to uint8, rounded; uint8 is returned as it is. Any shape."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    result = np.empty(pixels.shape, np.uint8)
    for rows in bands(pixels.shape):
        # 65535 / 255 = 257 exactly.
        result[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return result


def profile_space(icc_profile: bytes | None) -> str | None:
    """The profile's colour space (``RGB``, ``GRAY``, ``CMYK``); None without a valid one."""
    if not icc_profile:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
    except (OSError, ImageCms.PyCMSError):
        return None
    return str(profile.profile.xcolor_space).strip()


def to_srgb(pixels: Pixels, icc_profile: bytes | None) -> NDArray[np.uint8]:
    """What the screen shows of ``(h, w, 3)`` uint8 or uint16: the same in uint8 sRGB, perceptual
    intent. Without a profile that can be used, the pixels are taken for sRGB."""
    eight = to_8bit_depth(pixels)
    transform = _to_srgb_transform(icc_profile) if icc_profile else None
    if transform is None:
        return eight
    shown = np.empty(eight.shape, np.uint8)
    for rows in bands(eight.shape):
        shown[rows] = _transformed(eight[rows], transform)
    return shown


def _transformed(
    rgb: NDArray[np.uint8], transform: ImageCms.ImageCmsTransform
) -> NDArray[np.uint8]:
    image = Image.fromarray(np.ascontiguousarray(rgb))
    ImageCms.applyTransform(image, transform, inPlace=True)
    return np.asarray(image)


@lru_cache(maxsize=8)
def _to_srgb_transform(icc_profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """None where the profile is that of sRGB already, broken, or not one of RGB.

    Its curves and primaries decide, not its name: linear profiles are called sRGB too.
    """
    transform = _transform_from("RGB", icc_profile)
    if transform is None:
        return None
    levels = np.linspace(0, 255, 18).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 18, 3)
    changed = np.abs(_transformed(colours, transform).astype(int) - colours).max()
    return transform if changed > _SAME else None


def by_profile(
    pixels: Pixels, icc_profile: bytes | None, space: str
) -> tuple[Pixels, bytes | None, tuple[str, ...]]:
    """What a file's profile, maybe broken, means for its pixels, as they were decoded.

    ``space`` is what the file holds: ``RGB``, ``GRAY``, ``CMYK`` (the pixels are RGB then).
    Returns the pixels, a profile of grey applied to them; the RGB profile that still describes
    them; and what a person should know.
    """
    if not icc_profile:
        return pixels, None, ()
    match profile_space(icc_profile), space:
        case "RGB", "RGB" | "GRAY":
            return pixels, icc_profile, ()
        case "GRAY", "GRAY" if pixels.ndim == 2:
            return grey_to_srgb(pixels, icc_profile), None, ()
        case "CMYK", "CMYK":
            return pixels, None, ()
    return pixels, None, (WRONG_PROFILE,)


def grey_to_srgb(pixels: Pixels, icc_profile: bytes) -> Pixels:
    """``(h, w)`` grey as sRGB has it, through its profile of grey; as it is where that fails."""
    levels = np.iinfo(pixels.dtype).max + 1
    ramp = np.linspace(0, 255, min(levels, 256)).astype(np.uint8)[None]
    try:
        profile, srgb = io.BytesIO(icc_profile), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(
            Image.fromarray(ramp), ImageCms.ImageCmsProfile(profile), srgb, outputMode="RGB"
        )
    except (OSError, ImageCms.PyCMSError):
        return pixels
    green = np.asarray(converted)[0, :, 1].astype(float) * ((levels - 1) / 255)
    table = np.interp(np.arange(levels), np.linspace(0, levels - 1, len(green)), green)
    return cast(Pixels, np.rint(table).astype(pixels.dtype)[pixels])


def cmyk_to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """A CMYK image as sRGB: through its profile, or by the plain formula where it has none."""
    transform = _transform_from("CMYK", icc_profile) if icc_profile else None
    converted = None if transform is None else ImageCms.applyTransform(image, transform)
    return image.convert("RGB") if converted is None else converted


@lru_cache(maxsize=2)
def _transform_from(space: str, icc_profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """To sRGB; None where the profile is broken, or not one of that space."""
    if profile_space(icc_profile) != space:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), space, "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None


def luminance(rgb: NDArray[np.generic]) -> NDArray[np.float32]:
    """BT.601 luma, full range: 0.299 R + 0.587 G + 0.114 B.

    ``(H, W, 3)`` uint8, uint16 or float32 to ``(H, W)`` float32 in the input's units.
    """
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(rgb, np.float32) @ weights


def red_free(rgb8: Bytes) -> Bytes:
    """The green channel as grey: blood absorbs green, so vessels and bleedings stand out.

    ``(H, W, 3)`` uint8 to the same, three equal channels. For the screen alone.
    """
    # np.repeat would hold Python's lock, and the window, for a third of a second.
    green = np.ascontiguousarray(rgb8[..., 1])
    return np.asarray(cv2.cvtColor(green, cv2.COLOR_GRAY2RGB), np.uint8)
