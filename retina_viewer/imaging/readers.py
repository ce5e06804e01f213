"""Opening photographs. What a file is, its first bytes say; its suffix is never asked."""

import errno
import hashlib
import os
import re
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import answered, open_regular
from retina_viewer.imaging.colour import to_srgb
from retina_viewer.imaging.decoded import Decoded, Pixels, as_rgb, no_such_page, oriented
from retina_viewer.imaging.formats import DICOM, HEAD, TIFF, format_of, not_readable
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.raster import not_decodable, read_raster
from retina_viewer.imaging.writers import made_by

MAX_BYTES = 1 << 30
"""Files above 1 GiB are refused: with its pixels, such a file would take too much memory."""


def open_image(path: Path | str, page: int = 0) -> FundusImage:
    """Read one photograph, turned upright.

    8-bit files give uint8, 10- to 16-bit files uint16 over the full range. Transparency is laid on
    black. Grey becomes three equal channels. CMYK becomes sRGB. An RGB profile is kept with the
    pixels, which stay in its colour space.

    Raises UserError: the page (or frame, from 0) does not exist; the file is missing, unreadable,
    empty, damaged, no image, too large, too small.
    """
    path = Path(path)
    data = _bytes_of(path)
    decoded = _decode(data, path.name, page)
    pixels, grey = as_rgb(oriented(decoded.pixels, decoded.orientation))
    return FundusImage(
        pixels=pixels,
        name=path.name,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        format=decoded.format,
        icc_profile=decoded.icc_profile,
        is_grey=grey,
        um_per_px=decoded.um_per_px,
        pages=decoded.pages,
        page=page,
        damage=decoded.damage,
        notes=decoded.notes,
        made_by=made_by(path),
    )


def is_supported(path: Path | str) -> bool:
    """Whether the file's first bytes are those of a format that can be opened."""
    try:
        with open_regular(Path(path)) as stream:
            return format_of(stream.read(HEAD)) is not None
    except OSError:
        return False


def images_in(folder: Path | str) -> list[Path]:
    """The photographs directly inside a folder, by name as people sort (2 before 10). Raises
    UserError: the folder is missing or cannot be read."""
    folder = Path(folder)
    try:
        entries = answered(lambda: _ordinary_files(folder))
    except OSError as error:
        raise UserError(
            f"The folder {folder} cannot be read ({error.strerror}).", "Choose another folder."
        ) from error
    files = [entry for entry in entries if is_supported(entry)]
    return sorted(files, key=lambda file: _natural(file.name))


def _ordinary_files(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:  # most drives say at once which of them are files
        return [
            folder / entry.name
            for entry in entries
            if not entry.name.startswith(".") and entry.is_file()
        ]


def thumbnail(path: Path | str, side: int) -> NDArray[np.uint8]:
    """A small picture of the file, its longer side at most ``side`` pixels: ``(h, w, 3)`` uint8
    sRGB, upright; never enlarged. Raises UserError: as :func:`open_image`."""
    path = Path(path)
    # Decoded at twice the size, a shrunken JPEG is as smooth as one that was decoded whole.
    decoded = _decode(_bytes_of(path), path.name, enough=2 * side)
    pixels, _ = as_rgb(oriented(decoded.pixels, decoded.orientation))
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        pixels = cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return to_srgb(pixels, decoded.icc_profile)


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _bytes_of(path: Path) -> bytes:
    try:
        with open_regular(path) as stream:
            # Not more than it says: some files have no end, others grow meanwhile.
            size = os.fstat(stream.fileno()).st_size
            data = b"" if size > MAX_BYTES else stream.read(size + 1)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist.", "It may have been moved or renamed.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder.", "Choose a file.") from error
    except PermissionError as error:
        raise UserError(
            f"{path.name} may not be read.", "Ask for the right to read it, or copy it."
        ) from error
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise UserError(f"{path.name} is no ordinary file.", "Choose a photograph.") from error
        raise UserError(
            f"{path.name} could not be read: {error.strerror or error}.",
            "Look whether its drive is connected, and try again.",
        ) from error
    if max(size, len(data)) > MAX_BYTES:
        raise UserError(f"{path.name} is larger than 1 GiB.", "Crop or shrink it.")
    if not data:
        raise UserError(f"{path.name} is empty.", "Copy it again from its source.")
    return data


def _decode(data: bytes, name: str, page: int = 0, enough: int | None = None) -> Decoded:
    kind = format_of(data[:HEAD])
    if kind is None:
        raise not_readable(data[:HEAD], name)
    try:
        # Importing pydicom or tifffile takes a tenth of a second in which no other thread runs;
        # the window must not stand still for it when a JPEG is opened.
        if kind is DICOM:
            from retina_viewer.imaging.dicom import read_dicom

            return read_dicom(data, name, page)
        if kind is TIFF:
            from retina_viewer.imaging.tiff import read_tiff

            return read_tiff(data, name, page)
        if page != 0:
            raise no_such_page(name, page, 1)
        return read_raster(data, name, kind, enough)
    except UserError:
        raise
    except MemoryError as error:
        raise UserError(
            f"There is not enough memory to open {name}.", "Close other programs, or shrink it."
        ) from error
    except Exception as error:  # decoders raise anything on damaged data; nothing else runs here
        raise not_decodable(name, error) from error
