"""Writing results: whole or not at all, never over an existing file, provenance inside."""

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retina_viewer import __version__
from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, open_regular, read_small
from retina_viewer.core.names import sidecar_path as sidecar_path
from retina_viewer.imaging.png import encode_png
from retina_viewer.imaging.provenance import PROGRAM, Provenance

Image8Or16 = NDArray[np.uint8] | NDArray[np.uint16]
"""``(H, W, 3)`` RGB or ``(H, W)`` grey."""

PROVENANCE_KEY = "Provenance"
JPEG_MAX_SIDE = 65500
_XMP_TAG = 700
PNG_MAX_SIDE = 1_000_000
"""What the PNG library writes and reads."""
_JPEG_QUALITY = 95
_TIFF_TILE = 256
_CLASSIC_TIFF_BYTES = 4_000_000_000
"""Above this, offsets of 32 bits may not reach: BigTIFF."""


def write_image(
    path: Path,
    pixels: Image8Or16,
    *,
    provenance: Provenance | None = None,
    icc_profile: bytes | None = None,
    replace: bool = False,
) -> None:
    """Write an image in the format that the suffix names.

    - ``.png``: 8 and 16 bits; provenance and XMP as iTXt, profile as iCCP; the same input
      gives the same bytes.
    - ``.tif``, ``.tiff``: 8 and 16 bits, deflated tiles, BigTIFF where it must be; provenance as
      ImageDescription, XMP as tag 700.
    - ``.jpg``, ``.jpeg``: 8 bits, at most 65,500 pixels a side, quality 95, full colour resolution;
      provenance as comment, XMP as APP1.

    Args:
        pixels: ``(H, W, 3)`` RGB or ``(H, W)`` grey, uint8 or uint16.
        icc_profile: an RGB profile; left out of grey images, which it does not describe.

    Raises:
        UserError: the format is unknown or cannot hold the image; or as ``atomic_write``.
    """
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"pixels must be uint8 or uint16, not {pixels.dtype}")
    if pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise ValueError(f"pixels must be (H, W, 3) or (H, W), not {pixels.shape}")
    suffix = path.suffix.lower()
    profile = icc_profile if pixels.ndim == 3 else None
    match suffix:
        case ".png":
            refuse_for_png(pixels.shape[1], pixels.shape[0])
            data = encode_png(pixels, _texts(provenance), profile)
        case ".jpg" | ".jpeg":
            data = _jpeg(path, pixels, provenance, profile)
        case ".tif" | ".tiff":
            import tifffile

            whole, big = np.ascontiguousarray(pixels), pixels.nbytes > _CLASSIC_TIFF_BYTES
            page = _page(pixels.shape, _TIFF_TILE, provenance, profile)
            with (
                atomic_write(path, replace=replace) as stream,
                tifffile.TiffWriter(stream, bigtiff=big) as writer,
            ):
                writer.write(whole, dtype=pixels.dtype, **page)
            return
        case _:
            raise UserError(
                f"Images cannot be written as {suffix or 'a file without suffix'}.",
                "Choose a name that ends in .png, .tif or .jpg.",
            )
    with atomic_write(path, replace=replace) as stream:
        stream.write(data)


def refuse_for_png(width: int, height: int) -> None:
    """Raise a UserError, before any work, for a side longer than :data:`PNG_MAX_SIDE`."""
    if max(width, height) > PNG_MAX_SIDE:
        raise UserError(
            f"PNG holds at most {PNG_MAX_SIDE} pixels a side, not {max(width, height)}.",
            "Cut the picture into parts, or write an enlargement as .tif.",
        )


def write_tiled_tiff(
    path: Path,
    shape: tuple[int, ...],
    dtype: type[np.uint8] | type[np.uint16],
    tile: int,
    tiles: Iterator[Image8Or16],
    *,
    provenance: Provenance | None = None,
    icc_profile: bytes | None = None,
    replace: bool = False,
) -> None:
    """Write a BigTIFF tile by tile: the image never needs to be in memory as a whole.

    Args:
        shape: of the image, ``(H, W, 3)`` or ``(H, W)``.
        tile: side of the tiles, a multiple of 16.
        tiles: as ``tiles_covering`` names them; those at the right and the bottom may be smaller.
            What it raises (also Cancelled) leaves no file.

    Raises:
        ValueError: the tiles do not fit the shape.
        UserError: as ``atomic_write``.
    """
    if tile < 16 or tile % 16:
        raise ValueError(f"TIFF tiles are multiples of 16 pixels, not {tile}")
    expected = -(-shape[0] // tile) * -(-shape[1] // tile)
    import tifffile  # a tenth of a second, which whoever reads provenance alone does without

    with (
        atomic_write(path, replace=replace) as stream,
        tifffile.TiffWriter(stream, bigtiff=True) as writer,
    ):
        page = _page(shape, tile, provenance, icc_profile)
        writer.write(_exactly(tiles, expected), dtype=dtype, **page)
        if next(tiles, None) is not None:
            raise ValueError(f"more than {expected} tiles")


def _exactly(tiles: Iterator[Image8Or16], expected: int) -> Iterator[Image8Or16]:
    """The TIFF writer would fill missing tiles with black: that must not pass unnoticed."""
    given = 0
    for tile in tiles:
        given += 1
        yield tile
    if given < expected:
        raise ValueError(f"{given} tiles for {expected} places")


def write_sidecar(path: Path, provenance: Provenance, *, replace: bool = False) -> Path:
    """Write the provenance of the result ``path`` beside it; returns the sidecar's path."""
    sidecar = sidecar_path(path)
    with atomic_write(sidecar, replace=replace) as stream:
        stream.write(provenance.to_json().encode() + b"\n")
    return sidecar


def read_provenance(path: Path) -> Provenance | None:
    """The provenance inside a PNG, TIFF or JPEG that :func:`write_image` wrote; else None."""
    try:
        with (
            open_regular(path) as stream,
            Image.open(stream, formats=("PNG", "TIFF", "JPEG")) as image,
        ):
            text = image.info.get(PROVENANCE_KEY) or image.info.get("comment")
            if image.format == "TIFF":
                text = image.getexif().get(270)
        return Provenance.from_json(text) if text else None
    except Exception:  # decoders raise anything on damaged data; opening it will say so
        return None


def made_by(path: Path) -> Provenance | None:
    """How this program made a file: what it wrote into it or beside it; None where it did not."""
    found = read_provenance(path)
    if found is None:
        with suppress(OSError, ValueError):
            found = Provenance.from_json(read_small(sidecar_path(path)))
    return found if found is not None and found.program == PROGRAM else None


def _texts(provenance: Provenance | None) -> dict[str, str]:
    if provenance is None:
        return {}
    return {
        "Software": f"{provenance.program} {provenance.version}",
        "Description": provenance.statement,
        PROVENANCE_KEY: provenance.to_json(),
        "XML:com.adobe.xmp": provenance.xmp(),
    }


def _jpeg(
    path: Path, pixels: Image8Or16, provenance: Provenance | None, profile: bytes | None
) -> bytes:
    if pixels.dtype != np.uint8:
        raise UserError(f"{path.name}: JPEG holds 8 bits a channel.", "Choose PNG or TIFF.")
    if max(pixels.shape[:2]) > JPEG_MAX_SIDE:
        raise UserError(
            f"{path.name}: JPEG holds at most {JPEG_MAX_SIDE} pixels a side.", "Choose TIFF."
        )
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        stream,
        "JPEG",
        quality=_JPEG_QUALITY,
        subsampling=0,
        icc_profile=profile,
        comment=provenance.to_json().encode() if provenance else b"",
        xmp=provenance.xmp().encode() if provenance else b"",
    )
    return stream.getvalue()


def _page(
    shape: tuple[int, ...], tile: int, provenance: Provenance | None, icc_profile: bytes | None
) -> dict[str, Any]:
    """What tifffile is told of a page but for its samples."""
    colour = len(shape) == 3
    xmp = provenance.xmp().encode() if provenance else b""
    return {
        "shape": shape,
        "tile": (tile, tile),
        "photometric": "rgb" if colour else "minisblack",
        "compression": "deflate",
        "predictor": True,
        "description": provenance.to_json() if provenance else None,
        "software": f"{PROGRAM} {__version__}",
        "iccprofile": icc_profile if colour else None,
        "metadata": None,
        "extratags": [(_XMP_TAG, 1, len(xmp), xmp, True)] if xmp else [],
        "maxworkers": 1,
    }
