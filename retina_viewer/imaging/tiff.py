"""TIFF and BigTIFF: grey, RGB, palette; stripes or tiles; up to 16 bits; the first page."""

import io

import numpy as np
import tifffile
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.colour import profile_space
from retina_viewer.imaging.decoded import Decoded, Pixels, check_size, stretched
from retina_viewer.imaging.raster import read_raster

_HINT = "Save it as an 8- or 16-bit grey or RGB TIFF."
_MOST_CHANNELS = 8
"""More are other measurements, or damage that would ask for all of the memory."""
_ORIENTATION = 274
_ICC_PROFILE = 34675
_MAX_SAMPLE_VALUE = 281


def read_tiff(data: bytes, name: str, page: int = 0) -> Decoded:
    """Decode the first page.

    Samples of fewer bits than their type are stretched over its full range: by BitsPerSample, and
    by MaxSampleValue where that is 2^k - 1 (how cameras of 10 to 14 bits declare themselves).

    Raises:
        UserError: the size is out of bounds, or the kind of TIFF is not supported.
        OSError, ValueError and others: the data is damaged.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        if not file.pages:
            raise ValueError("no image inside")
        page = file.pages[0]
        if not isinstance(page, tifffile.TiffPage):
            raise ValueError("no image inside")
        check_size(page.imagewidth, page.imagelength, name)
        if page.samplesperpixel > _MOST_CHANNELS:
            raise UserError(f"{name} has {page.samplesperpixel} channels.", _HINT)
        if page.imagedepth != 1:
            raise UserError(f"{name} holds a volume, not a photograph.", _HINT)
        if page.photometric not in _GREY + _COLOUR:
            # CMYK, YCbCr without JPEG and Lab: rare, and Pillow knows how. It turns TIFF upright.
            return read_raster(data, name, ("TIFF",))
        orientation = _tag(page, _ORIENTATION)
        return Decoded(
            _pixels(page, name),
            "TIFF",
            orientation=orientation if isinstance(orientation, int) else 1,
            icc_profile=_rgb_profile(page),
        )


_GREY = (tifffile.PHOTOMETRIC.MINISWHITE, tifffile.PHOTOMETRIC.MINISBLACK)
_COLOUR = (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.PALETTE, tifffile.PHOTOMETRIC.YCBCR)


def _tag(page: tifffile.TiffPage, code: int) -> object:
    return page.tags.valueof(code)


def _rgb_profile(page: tifffile.TiffPage) -> bytes | None:
    profile = _tag(page, _ICC_PROFILE)
    return profile if isinstance(profile, bytes) and profile_space(profile) == "RGB" else None


def _pixels(page: tifffile.TiffPage, name: str) -> Pixels:
    raw = np.asarray(page.asarray())
    if raw.dtype == np.bool_:
        raw = raw.astype(np.uint8)
    if raw.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{name} holds numbers of type {raw.dtype}, not grey levels.", _HINT)
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and raw.ndim == 3:
        raw = np.moveaxis(raw, 0, -1)
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        return _with_palette(page, raw)
    pixels = stretched(_without_extras(page, raw), _significant_bits(page))
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        pixels = np.iinfo(pixels.dtype).max - pixels
    return pixels


def _without_extras(page: tifffile.TiffPage, raw: NDArray[np.integer]) -> NDArray[np.integer]:
    """The colours, and alpha where it is straight.

    Associated alpha is multiplied in already, which is the same as laid on black; other extra
    channels mean nothing here.
    """
    if raw.ndim == 2:
        return raw
    colours = 1 if page.photometric in _GREY else 3
    straight = page.extrasamples[:1] == (tifffile.EXTRASAMPLE.UNASSALPHA,)
    return raw[..., : colours + 1] if straight else raw[..., :colours]


def _significant_bits(page: tifffile.TiffPage) -> int:
    bits = int(page.bitspersample)
    highest = _tag(page, _MAX_SAMPLE_VALUE)
    highest = highest[0] if isinstance(highest, tuple) else highest
    if bits != 16 or not isinstance(highest, int) or highest & (highest + 1):
        return bits
    return highest.bit_length() if 8 < highest.bit_length() < 16 else bits


def _with_palette(page: tifffile.TiffPage, indices: NDArray[np.integer]) -> Pixels:
    """The colour map holds 16-bit red, then green, then blue; some writers used 8 bits of it.

    The upper byte is the 8-bit value, whether it was widened by 256 or by 257.
    """
    table = np.asarray(page.colormap)
    narrow = (table // 256 if int(table.max()) > 255 else table).astype(np.uint8)
    return narrow[:, indices.reshape(indices.shape[:2])].transpose(1, 2, 0)
