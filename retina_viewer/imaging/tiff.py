"""TIFF and BigTIFF: grey, RGB, YCbCr, palette; strips or tiles; up to 16 bits; pages."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import cast

import numpy as np
import tifffile
from numpy.typing import NDArray
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, PLANARCONFIG, TiffFile, TiffPage

from retina_viewer.core.errors import UserError
from retina_viewer.imaging import decoded, formats
from retina_viewer.imaging.colour import by_profile
from retina_viewer.imaging.decoded import Decoded, Pixels
from retina_viewer.imaging.raster import read_raster

_HINT = "Save it as an 8- or 16-bit grey or RGB TIFF."
_MOST_CHANNELS = 8
"""More are other measurements, or damage that would ask for all of the memory."""
_ORIENTATION = 274
_ICC_PROFILE = 34675
_MAX_SAMPLE_VALUE = 281
_TAKEN_AS_COLOURS = (
    "Its colours are kept as three grey pictures, which were taken as red, green and blue."
)
_MAY_BE_COLOURS = (
    "It holds three grey pictures. If they are the colours of one photograph, save it as RGB."
)
_COLOUR = (PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE, PHOTOMETRIC.YCBCR)
_JPEGS = (COMPRESSION.JPEG, COMPRESSION.ALT_JPEG, COMPRESSION.JPEG_LOSSY)


def read_tiff(data: bytes, name: str, page: int = 0) -> Decoded:
    """Decode one of its pictures: a page, or a page below one; no thumbnail and no mask.

    Samples of fewer bits than their type are stretched over its full range: by BitsPerSample, and
    by MaxSampleValue where that is 2^k - 1 (how cameras of 10 to 14 bits declare themselves).
    Strips and tiles that are missing become black.

    Raises UserError: the page does not exist, the size is out of bounds, or the kind of TIFF is not
    supported. Others: the data is damaged.
    """
    with TiffFile(io.BytesIO(data)) as file:
        pictures = pictures_of(file)
        if not 0 <= page < len(pictures):
            raise decoded.no_such_page(name, page, len(pictures))
        picture = pictures[page]
        _check(picture.page, data, name)
        missing = _missing_at_the_end(picture.page, len(data))
        if missing:
            whole = read_tiff(data + bytes(missing), name, page)
            return replace(whole, damage=decoded.END_MISSING)
        notes = (_MAY_BE_COLOURS,) if _look_like_planes(pictures) else ()
        found = _decoded(file, picture, data, name)
        return replace(found, pages=len(pictures), notes=(*notes, *found.notes))


def _check(page: TiffPage, data: bytes, name: str) -> None:
    """Refuse what is no photograph, and what would take too much memory."""
    decoded.check_size(page.imagewidth, page.imagelength, name)
    if page.samplesperpixel > _MOST_CHANNELS:
        raise UserError(f"{name} has {page.samplesperpixel} channels.", _HINT)
    if page.imagedepth != 1:
        raise UserError(f"{name} holds a volume, not a photograph.", _HINT)
    each = page.samplesperpixel
    if page.samplesperpixel != 3 or page.planarconfig != PLANARCONFIG.CONTIG:
        each += 3
    each = each * (2 if page.bitspersample > 8 else 1) + 8 * _needs_libtiff(page)
    decoded.check_memory(len(data) + page.imagewidth * page.imagelength * each, name)


def _decoded(file: TiffFile, picture: TiffPicture, data: bytes, name: str) -> Decoded:
    page, damage = picture.page, ""
    notes: tuple[str, ...] = ()
    if _needs_libtiff(page):
        pixels = _by_libtiff(page, data, name)
    elif picture.planes:
        planes = np.asarray(file.series[0].asarray()).reshape(3, page.imagelength, page.imagewidth)
        grey = [_of_samples(page, planes[number], name) for number in picture.planes]
        pixels, notes = cast(Pixels, np.stack(grey, axis=-1)), (_TAKEN_AS_COLOURS,)
    elif page.photometric in (*GREY, *_COLOUR):
        raw, damage = _samples(page, data)
        pixels = _of_samples(page, raw, name)
    elif len(page.treeindex) > 1:
        raise UserError(f"{name} keeps its colours as {PHOTOMETRIC(page.photometric).name}.", _HINT)
    else:
        # CMYK and Lab: rare, and Pillow knows how. It turns TIFF upright.
        return read_raster(data, name, formats.TIFF, page=page.treeindex[0])
    pixels, dim = decoded.brightened(pixels)
    space = "GRAY" if pixels.ndim == 2 else "RGB"
    found = page.tags.valueof(_ICC_PROFILE)
    pixels, profile, unfit = by_profile(pixels, found if isinstance(found, bytes) else None, space)
    orientation = page.tags.valueof(_ORIENTATION)
    return Decoded(
        pixels,
        "TIFF",
        orientation=orientation if isinstance(orientation, int) else 1,
        icc_profile=profile,
        damage=damage,
        notes=(*notes, *dim, *unfit),
    )


def _needs_libtiff(page: TiffPage) -> bool:
    """Luminance and chroma that are no JPEG of today; tifffile takes them for red, green, blue."""
    if page.compression == COMPRESSION.OJPEG:
        return True
    return page.photometric == PHOTOMETRIC.YCBCR and page.compression not in _JPEGS


def _by_libtiff(page: TiffPage, data: bytes, name: str) -> Pixels:
    import imagecodecs

    if len(page.treeindex) > 1:
        raise UserError(f"{name} keeps its colours in a way that cannot be read here.", _HINT)
    tag = page.tags.get(_ORIENTATION)
    if tag is not None:  # libtiff follows it by half
        one = struct.pack(page.parent.byteorder + "H", 1)
        data = data[: tag.valueoffset] + one + data[tag.valueoffset + 2 :]
    rgba = np.asarray(imagecodecs.tiff_decode(data, page.treeindex[0], asrgb=True))
    return rgba[..., :3]


def _missing_at_the_end(page: TiffPage, length: int) -> int:
    """How many bytes of uncompressed samples a file of ``length`` bytes lacks, if not all."""
    if page.compression != COMPRESSION.NONE or not page.dataoffsets:
        return 0
    ends = [at + count for at, count in zip(page.dataoffsets, page.databytecounts, strict=False)]
    if page.is_contiguous:
        ends.append(page.dataoffsets[0] + page.nbytes)
    missing = max(ends) - length
    return missing if 0 < missing < page.nbytes else 0


def _samples(page: TiffPage, data: bytes) -> tuple[NDArray[np.generic], str]:
    """As they are stored, strips or tiles that are missing or cannot be decoded as zeros. Raises
    ValueError: there is nothing else."""
    places = zip(page.dataoffsets, page.databytecounts, strict=False)
    if all(at > 0 and count > 0 and at + count <= len(data) for at, count in places):
        with suppress(Exception):  # of decoders, on torn data, which is then found one by one
            return np.asarray(page.asarray()), ""
    samples = np.zeros(page.shaped, page.dtype)
    if not sum(_placed(page, data, number, samples) for number in range(len(page.dataoffsets))):
        raise ValueError("nothing of the picture is left")
    return samples.reshape(page.shape), decoded.PART_WRONG


def _placed(page: TiffPage, data: bytes, number: int, samples: NDArray[np.generic]) -> bool:
    """Decode one strip or tile into its place; whether that could be done.

    tifffile itself would take those behind a gap from the wrong place.
    """
    at, count = page.dataoffsets[number], page.databytecounts[number]
    if at <= 0 or count <= 0 or at + count > len(data):
        return False
    tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader}
    try:
        part, (plane, depth, top, left, _), _ = page.decode(data[at : at + count], number, **tables)
        if part is None:
            return False
        part = part[: page.imagedepth - depth, : page.imagelength - top, : page.imagewidth - left]
        _, height, width, _ = part.shape
        samples[plane, depth : depth + 1, top : top + height, left : left + width] = part
    except Exception:  # decoders raise anything
        return False
    return True


def _of_samples(page: TiffPage, raw: NDArray[np.generic], name: str) -> Pixels:
    if raw.dtype == np.bool_:
        raw = raw.astype(np.uint8)
    if raw.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{name} holds numbers of type {raw.dtype}, not grey levels.", _HINT)
    samples = cast("NDArray[np.integer]", raw)
    if page.planarconfig == PLANARCONFIG.SEPARATE and samples.ndim == 3:
        samples = np.moveaxis(samples, 0, -1)
    if page.photometric == PHOTOMETRIC.PALETTE:
        return _with_palette(page, samples)
    pixels = decoded.stretched(_without_extras(page, samples), _significant_bits(page))
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        pixels = np.iinfo(pixels.dtype).max - pixels
    return pixels


def _without_extras(page: TiffPage, raw: NDArray[np.integer]) -> NDArray[np.integer]:
    """The colours, and alpha where it is straight.

    Associated alpha is multiplied in already, which is the same as laid on black; other extra
    channels mean nothing here.
    """
    if raw.ndim == 2:
        return raw
    colours = 1 if page.photometric in GREY else 3
    straight = page.extrasamples[:1] == (EXTRASAMPLE.UNASSALPHA,)
    return raw[..., : colours + 1] if straight else raw[..., :colours]


def _significant_bits(page: TiffPage) -> int:
    bits = int(page.bitspersample)
    highest = page.tags.valueof(_MAX_SAMPLE_VALUE)
    highest = highest[0] if isinstance(highest, tuple) else highest
    if bits != 16 or not isinstance(highest, int) or highest & (highest + 1):
        return bits
    return highest.bit_length() if 8 < highest.bit_length() < 16 else bits


def _with_palette(page: TiffPage, indices: NDArray[np.integer]) -> Pixels:
    """The colour map holds 16-bit red, then green, then blue; some writers used 8 bits of it.

    The upper byte is the 8-bit value, whether it was widened by 256 or by 257.
    """
    table = np.asarray(page.colormap)
    narrow = (table // 256 if int(table.max()) > 255 else table).astype(np.uint8)
    return cast(Pixels, narrow.T[indices.reshape(indices.shape[:2])])


MOST_PAGES = 1000
"""A film of more frames is no set of photographs."""
GREY = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK)
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
_OLD_SUBFILE_TYPE = 255
_COLOUR_NAMES = {"r": 0, "red": 0, "g": 1, "green": 1, "b": 2, "blue": 2}


@dataclass(frozen=True)
class TiffPicture:
    """One picture of the file: its page, of colours kept apart the red one; ``planes``: where red,
    green and blue are pages of grey, or parts of one, their numbers in the order of the file."""

    page: TiffPage
    planes: tuple[int, int, int] | tuple[()] = ()


def pictures_of(file: TiffFile) -> list[TiffPicture]:
    """The file's pictures in its order, those below a page behind it.

    Thumbnails, the smaller copies of a pyramid and masks are marked as such and are none. Where
    everything is marked so, the largest page is the picture. Raises ValueError: there is no page.
    """
    pages: list[TiffPage] = []
    for page in islice(file.pages, MOST_PAGES):
        whole = page if isinstance(page, TiffPage) else page.aspage()
        below = islice(whole.pages or (), MOST_PAGES)
        pages += [whole, *(one for one in below if isinstance(one, TiffPage))]
    if not pages:
        raise ValueError("no image inside")
    if planes := _planes(file):
        return [TiffPicture(pages[0], planes)]
    real = [page for page in pages if not _is_marked(page)]
    largest = max(pages, key=lambda page: page.imagewidth * page.imagelength)
    return [TiffPicture(page) for page in real or [largest]]


def _look_like_planes(pictures: list[TiffPicture]) -> bool:
    """Whether three pictures may be the colours of one: grey, of one size, nothing said."""
    kinds = {
        (one.page.shape, one.page.dtype, one.page.photometric in GREY, len(one.planes))
        for one in pictures
    }
    return len(pictures) == 3 and len(kinds) == 1 and pictures[0].page.photometric in GREY


def _is_marked(page: TiffPage) -> bool:
    old = page.tags.valueof(_OLD_SUBFILE_TYPE)
    return bool(int(page.subfiletype) & (_REDUCED | _MASK)) or old == _OLD_REDUCED


def _planes(file: TiffFile) -> tuple[int, int, int] | tuple[()]:
    """What ImageJ and OME say of three pictures of grey: that they are colours of one."""
    if not (file.is_imagej or file.is_ome):
        return ()
    series = file.series[0]
    sizes = {axis: size for axis, size in zip(series.axes, series.shape, strict=True) if size != 1}
    if sizes.get("C") != 3 or set(sizes) != {"C", "Y", "X"}:
        return ()
    names = [name.strip().lower() for name in _channel_names(file)]
    places = [_COLOUR_NAMES.get(name, -1) for name in names]
    if sorted(places) != [0, 1, 2]:
        return 0, 1, 2
    return places.index(0), places.index(1), places.index(2)


def _channel_names(file: TiffFile) -> list[str]:
    if not file.is_ome or not file.ome_metadata:
        return []
    try:
        described = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
        first = described[0] if isinstance(described, list) else described
        return [str(channel.get("Name", "")) for channel in first["Pixels"]["Channel"]]
    except (KeyError, TypeError, AttributeError, ValueError, SyntaxError):
        return []
