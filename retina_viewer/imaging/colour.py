"""Colour spaces: what a profile means on the screen, and luminance."""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from retina_viewer.imaging.decoded import Pixels


def to_8bit_depth(pixels: Pixels) -> NDArray[np.uint8]:
    """uint16 to uint8, rounded; uint8 is returned as it is. Any shape."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    # 65535 / 255 = 257 exactly.
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


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
    """What the screen shows.

    Args:
        pixels: ``(h, w, 3)`` uint8 or uint16 in the profile's colour space.
        icc_profile: None, or a profile that cannot be used, means that the pixels are sRGB.

    Returns:
        ``(h, w, 3)`` uint8 sRGB, perceptual intent.
    """
    eight = to_8bit_depth(pixels)
    transform = _to_srgb_transform(icc_profile) if icc_profile else None
    if transform is None:
        return eight
    image = Image.fromarray(np.ascontiguousarray(eight))
    ImageCms.applyTransform(image, transform, inPlace=True)
    return np.asarray(image)


@lru_cache(maxsize=8)
def _to_srgb_transform(icc_profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """None where the profile is sRGB already, broken, or not one of RGB."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        if str(profile.profile.xcolor_space).strip() != "RGB":
            return None
        if (profile.profile.profile_description or "").startswith("sRGB"):
            return None
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None


def cmyk_to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """A CMYK image as sRGB: through its profile, or by the plain formula where it has none."""
    if icc_profile and profile_space(icc_profile) == "CMYK":
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
        except (OSError, ImageCms.PyCMSError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def luminance(rgb: NDArray[np.generic]) -> NDArray[np.float32]:
    """BT.601 luma, full range: 0.299 R + 0.587 G + 0.114 B.

    Args:
        rgb: ``(H, W, 3)``, uint8, uint16 or float32.

    Returns:
        ``(H, W)`` float32 in the input's units: 0..255 for uint8, [0, 1] for [0, 1].
    """
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(rgb, np.float32) @ weights
