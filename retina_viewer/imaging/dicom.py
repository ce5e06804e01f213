"""DICOM photographs: one frame, monochrome or colour, 8 or 16 bits."""

import io

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.pixels.utils import pixel_array

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.colour import profile_space
from retina_viewer.imaging.decoded import Decoded, Pixels, check_size, stretched


def read_dicom(data: bytes, name: str, page: int = 0) -> Decoded:
    """Decode the first frame.

    Samples of fewer bits than their type (BitsStored) are stretched over its full range;
    MONOCHROME1 is inverted, YBR becomes RGB. Windowing and lookup tables are not applied: a
    photograph has none.

    Raises:
        UserError: there is no picture in it, its size is out of bounds, or its compression is not
            known here.
        Other exceptions: the data is damaged.
    """
    dataset = pydicom.dcmread(io.BytesIO(data))
    if "PixelData" not in dataset or "Rows" not in dataset or "Columns" not in dataset:
        raise UserError(f"{name} is a DICOM file without a picture.", "Choose the image itself.")
    check_size(int(dataset.Columns), int(dataset.Rows), name)
    return Decoded(
        _pixels(dataset, name),
        "DICOM",
        icc_profile=_rgb_profile(dataset),
        um_per_px=_um_per_px(dataset),
    )


def _pixels(dataset: pydicom.Dataset, name: str) -> Pixels:
    try:
        frame = pixel_array(dataset, index=0, raw=True)
    except (NotImplementedError, RuntimeError) as error:
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise UserError(
            f"{name} is compressed in a way that cannot be read here ({syntax}).",
            "Export it again as uncompressed, JPEG or JPEG 2000.",
        ) from error
    photometric = str(dataset.PhotometricInterpretation)
    bits = int(dataset.BitsStored)
    if frame.dtype.kind != "u" or bits > 16:
        raise UserError(f"{name} holds measurements, not a photograph.", "Choose another file.")
    if photometric.startswith("YBR_FULL"):
        frame = convert_color_space(frame, photometric, "RGB")
    elif photometric == "PALETTE COLOR":
        frame = apply_color_lut(frame, dataset)
        bits = 8 * frame.dtype.itemsize
    pixels = stretched(frame, bits)
    if photometric == "MONOCHROME1":
        pixels = np.iinfo(pixels.dtype).max - pixels
    return pixels


def _rgb_profile(dataset: pydicom.Dataset) -> bytes | None:
    profile = dataset.get("ICCProfile")
    if profile is None and dataset.get("OpticalPathSequence"):
        profile = dataset.OpticalPathSequence[0].get("ICCProfile")
    return profile if isinstance(profile, bytes) and profile_space(profile) == "RGB" else None


def _um_per_px(dataset: pydicom.Dataset) -> float | None:
    """PixelSpacing is in millimetres, row spacing first; only square pixels make one number."""
    spacing = dataset.get("PixelSpacing")
    if not spacing or len(spacing) != 2:
        return None
    down, across = float(spacing[0]), float(spacing[1])
    if down <= 0 or abs(down - across) > 0.01 * down:
        return None
    return 500.0 * (down + across)
