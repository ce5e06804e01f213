"""JPEG, PNG, BMP, WebP and GIF, decoded from bytes; also TIFF that tifffile does not decode."""

import io
import struct

import cv2
import numpy as np
from PIL import (
    Image,
    MpoImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.colour import cmyk_to_srgb, profile_space
from retina_viewer.imaging.decoded import MAX_PIXELS, Decoded, Pixels, check_size, too_large

# Pillow warns above this and refuses twice as much, also for pictures inside other files.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
# Pillow imports its readers when a file is first opened, by then in a worker thread of the window,
# which stands still meanwhile (an import holds Python's lock). So these are imported with this
# module, above, and the most usual ones here.
Image.preinit()

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
_ORIENTATION = 0x0112
_TITLES = {"MPO": "JPEG", "WEBP": "WebP"}


def read_raster(
    data: bytes, name: str, formats: tuple[str, ...] = FORMATS, enough: int | None = None
) -> Decoded:
    """Decode the first image of a file.

    Args:
        data: the file's bytes.
        name: for messages.
        formats: Pillow's names of the formats that are tried.
        enough: a JPEG may be decoded at a half, quarter or eighth of its size, where its longer
            side stays at least this many pixels; None decodes all.

    Raises:
        UserError: the size is out of bounds.
        OSError, ValueError, SyntaxError, struct.error: the data is damaged.
    """
    try:
        opened = Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError as error:
        raise too_large(name) from error
    with opened as image:
        check_size(image.width, image.height, name)
        if enough is not None:
            factor = enough / max(image.size)
            image.draft(None, (round(image.width * factor), round(image.height * factor)))
        image.load()  # before the metadata: PNG may keep its EXIF after the pixels
        profile = image.info.get("icc_profile")
        profile = profile if isinstance(profile, bytes) else None
        orientation = image.getexif().get(_ORIENTATION, 1)
        pixels = _png_16bit(data) if _is_png_16bit(data) else _eight_bit(image, profile)
        return Decoded(
            pixels,
            _TITLES.get(image.format or "", image.format or ""),
            orientation=orientation if isinstance(orientation, int) else 1,
            icc_profile=profile if profile_space(profile) == "RGB" else None,
        )


def _eight_bit(image: Image.Image, profile: bytes | None) -> Pixels:
    if image.mode == "CMYK":
        image = cmyk_to_srgb(image, profile)
    elif image.mode in ("P", "PA", "LA", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGB")
    return np.array(image)


def _is_png_16bit(data: bytes) -> bool:
    # Signature (8), chunk length (4), "IHDR", width (4), height (4), bit depth.
    return data[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack_from(">B", data, 24)[0] == 16


def _png_16bit(data: bytes) -> Pixels:
    """Pillow reduces 16-bit colour to 8 bits; OpenCV keeps it. BGR(A) to RGB(A)."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        raise ValueError("the 16-bit PNG cannot be decoded")
    if decoded.ndim == 2:
        return decoded.astype(np.uint16, copy=False)
    order = [2, 1, 0] if decoded.shape[2] == 3 else [2, 1, 0, 3]
    return decoded[..., order].astype(np.uint16, copy=False)


def not_decodable(name: str, error: Exception) -> UserError:
    """What a person is told when a file of a known format cannot be decoded."""
    # Pillow's words for what it cannot identify name an object in memory.
    why = "" if isinstance(error, UnidentifiedImageError) else f" ({error})"
    return UserError(f"{name} is damaged or incomplete{why}.", "Copy it again from its source.")
