"""What Pillow decodes, from bytes: all but DICOM and most of TIFF."""

from __future__ import annotations

import io
import math
import re
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401
from PIL.JpegImagePlugin import JpegImageFile

from retina_viewer.core.errors import UserError
from retina_viewer.imaging import decoded, formats
from retina_viewer.imaging.colour import by_profile, cmyk_to_srgb
from retina_viewer.imaging.decoded import Decoded, Pixels, bands
from retina_viewer.imaging.formats import ImageFormat
from retina_viewer.imaging.jpeg import load_jpeg
from retina_viewer.imaging.png import readable_png

_ORIENTATION = 0x0112
_BYTES_PER_PIXEL = {"WEBP": 20, "AVIF": 20, "JPEG2000": 24}
"""What their decoders take at the peak; the others take what the picture itself does."""
_WHOLLY_TRANSPARENT = "It is transparent throughout: its colours are shown all the same."


def read_raster(
    data: bytes, name: str, kind: ImageFormat, enough: int | None = None, page: int = 0
) -> Decoded:
    """Decode one image of a file: the first, for later ones are animation or previews.

    Args:
        name: for messages.
        enough: a JPEG may be decoded at a half, quarter or eighth of its size, where its longer
            side stays at least this many pixels; None decodes all.
        page: of a TIFF, from 0.

    Raises:
        UserError: the size is out of bounds.
        OSError, ValueError, SyntaxError, struct.error: the data is damaged.
    """
    if data[:2] in (b"P5", b"P6"):  # plain text and bitmaps are Pillow's
        return read_pnm(data, name)
    damage, profile = "", None
    if kind is formats.PNG:
        png = readable_png(data)
        data, profile, damage = png.data, png.icc_profile, png.damage
    image = _opened(data, name, kind, page)
    if enough is not None:
        factor = enough / max(image.size)
        image.draft(None, (round(image.width * factor), round(image.height * factor)))
    loaded: Image.Image = image
    if isinstance(image, JpegImageFile):
        loaded, damage = load_jpeg(image, data)
    elif kind is formats.BMP:
        loaded, damage = _load_bmp(image, data)
    else:
        image.load()  # before the metadata: PNG may keep its EXIF after the pixels
    orientation = image.getexif().get(_ORIENTATION, 1)
    inside = image.info.get("icc_profile")
    profile = profile or (inside if isinstance(inside, bytes) and inside else None)
    space = _SPACES.get(loaded.mode, "RGB")
    notes: tuple[str, ...] = ()
    if _is_deep(data, kind):
        del image, loaded  # its eight bits a channel: the picture is decoded once more
        pixels = _png_16bit(data) if kind is formats.PNG else _jpeg_2000_deep(data)
    else:
        pixels, notes = _pixels(loaded, profile, kind)
    pixels, dim = decoded.brightened(pixels)
    pixels, profile, unfit = by_profile(pixels, profile, space)
    return Decoded(
        pixels,
        kind.title,
        orientation=orientation if isinstance(orientation, int) else 1,
        icc_profile=profile,
        damage=damage,
        notes=(*notes, *dim, *unfit),
    )


_SPACES = {"1": "GRAY", "L": "GRAY", "LA": "GRAY", "I": "GRAY", "I;16": "GRAY", "CMYK": "CMYK"}


def _opened(data: bytes, name: str, kind: ImageFormat, page: int) -> ImageFile.ImageFile:
    """The header read, and the size found to be within bounds."""
    stream = io.BytesIO(data)
    try:
        if kind is formats.JPEG:  # pictures that follow the first are previews of it
            image: ImageFile.ImageFile = JpegImageFile(stream)
        else:
            image = Image.open(stream, formats=(kind.plugin,))
            if page:
                image.seek(page)
    except Image.DecompressionBombError as error:
        raise decoded.too_large(name) from error
    decoded.check_size(image.width, image.height, name)
    each = _BYTES_PER_PIXEL.get(kind.plugin, 2 if image.mode in ("1", "L", "P") else 7)
    if image.info.get("progressive"):
        each += 2 * len(image.getbands())  # its coefficients
    if _is_deep(data, kind):
        each = max(each, 16)
    decoded.check_memory(len(data) + image.width * image.height * each, name)
    return image


def _load_bmp(image: ImageFile.ImageFile, data: bytes) -> tuple[Image.Image, str]:
    """The pixels; rows that are missing at the end become black. Raises OSError: nothing is left,
    or the rows are packed."""
    decoder, _, offset, arguments = image.tile[0]
    rows = isinstance(arguments, tuple) and decoder == "raw" and arguments[1]
    missing = offset + rows * image.height - len(data) if rows else 0
    if missing <= 0:
        image.load()
        return image, ""
    if missing > rows * (image.height - 1):
        raise OSError("nothing of the picture is left")
    whole = Image.open(io.BytesIO(data + bytes(missing)), formats=("BMP",))
    whole.load()
    return whole, decoded.END_MISSING


def _pixels(
    image: Image.Image, profile: bytes | None, kind: ImageFormat
) -> tuple[Pixels, tuple[str, ...]]:
    """``(h, w)`` or ``(h, w, 3)``, transparency laid on black; and what is to be said of it."""
    if image.mode in ("I", "I;16"):
        return np.clip(np.asarray(image), 0, 65535).astype(np.uint16), ()
    notes: tuple[str, ...] = ()
    blind = image.mode in ("RGBA", "LA") and image.getchannel("A").getextrema() == (0, 0)
    if blind and kind is not formats.BMP:  # where it means that nobody thought of transparency
        notes = (_WHOLLY_TRANSPARENT,)
    grey = image.mode in ("1", "L") and "transparency" not in image.info
    shape = (image.height, image.width) if grey else (image.height, image.width, 3)
    pixels = np.empty(shape, np.uint8)
    for rows in bands((image.height, image.width, 4)):
        band = image.crop((0, rows.start, image.width, min(rows.stop, image.height)))
        pixels[rows] = _converted(band.convert("RGB") if blind else band, profile)
    return pixels, notes


def _converted(image: Image.Image, profile: bytes | None) -> Pixels:
    if image.mode == "CMYK":
        image = cmyk_to_srgb(image, profile)
    elif image.mode in ("P", "PA", "LA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        return decoded.over_black(np.asarray(image.convert("RGBA")))
    elif image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return np.asarray(image)


def _is_deep(data: bytes, kind: ImageFormat) -> bool:
    """Whether it has more than 8 bits a channel, which Pillow would cut off."""
    if kind is formats.PNG:
        # Signature (8), chunk length (4), "IHDR", width (4), height (4), bit depth: 16.
        return data[24:25] == b"\x10"
    return kind is formats.JPEG_2000 and _jpeg_2000_bits(data) > 8


def _png_16bit(data: bytes) -> Pixels:
    """Pillow reduces 16-bit colour to 8 bits; OpenCV keeps it. BGR(A) to RGB(A)."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("the 16-bit PNG cannot be decoded")
    if pixels.ndim == 3:
        for rows in bands(pixels.shape):
            pixels[rows, :, :3] = pixels[rows][..., [2, 1, 0]]
    return cast(Pixels, pixels)


def _jpeg_2000_bits(data: bytes) -> int:
    """Of the first channel; the marker of the size stands right behind that of the start."""
    start = data.find(b"\xff\x4f\xff\x51")
    bits = data[start + 42] if 0 <= start < len(data) - 42 else 0
    if bits & 0x80:
        raise ValueError("its values have signs")
    return bits + 1


def _jpeg_2000_deep(data: bytes) -> Pixels:
    import imagecodecs  # slow to import, and seldom needed

    samples = np.asarray(imagecodecs.jpeg2k_decode(data))
    return decoded.stretched(samples, _jpeg_2000_bits(data))


def not_decodable(name: str, error: Exception) -> UserError:
    """What a person is told when a file of a known format cannot be decoded."""
    # Pillow's words for what it cannot identify name an object in memory.
    why = "" if isinstance(error, UnidentifiedImageError) else f" ({error})"
    return UserError(f"{name} is damaged or incomplete{why}.", "Copy it again from its source.")


_SPACE = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(
    rb"P([56])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,5})\s"
)


def read_pnm(data: bytes, name: str) -> Decoded:
    """Decode the first picture of grey or colour in bytes; its highest value becomes full white.
    Raises UserError: the size is out of bounds. ValueError: the header is broken, no row is left.
    """
    header = _HEADER.match(data[:4096])
    if header is None:
        raise ValueError("its header is broken")
    kind, width, height, highest = (int(word) for word in header.groups())
    decoded.check_size(width, height, name)
    if not 0 < highest < 1 << 16:
        raise ValueError(f"its highest value is {highest}")
    shape = (height, width, 3) if kind == 6 else (height, width)
    sample = np.dtype(np.uint8 if highest < 256 else ">u2")
    copies = 1 if highest == 255 else 2
    decoded.check_memory(len(data) + copies * math.prod(shape) * sample.itemsize, name)
    row = math.prod(shape[1:])
    rows = min(height, (len(data) - header.end()) // (row * sample.itemsize))
    if rows == 0:
        raise ValueError("nothing of the picture is left")
    values: NDArray[np.integer] = np.frombuffer(data, sample, rows * row, header.end())
    whole = np.zeros(shape, np.uint8 if highest < 256 else np.uint16)
    whole[:rows] = decoded.full_range(values.reshape(rows, *shape[1:]), highest)
    pixels, notes = decoded.brightened(cast(Pixels, whole))
    return Decoded(pixels, "PNM", damage=decoded.END_MISSING * (rows < height), notes=notes)


# Pillow warns above this and refuses twice as much, also for pictures inside other files.
Image.MAX_IMAGE_PIXELS = decoded.MAX_PIXELS
# Pillow imports its readers when a file is first opened, by then in a worker thread of the window,
# which stands still meanwhile (an import holds Python's lock). So these are imported with this
# module, above, and the most usual ones here.
Image.preinit()
