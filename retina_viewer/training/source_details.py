"""What a photograph's file says of camera, patient and size, without decoding its pixels."""

from pathlib import Path
from typing import Any

from PIL import Image

_MAKE, _MODEL = 0x010F, 0x0110  # EXIF
_DICOM_TAGS = ["Manufacturer", "ManufacturerModelName", "PatientID", "Rows", "Columns"]


def camera_of(path: Path) -> str:
    """Maker and model of the camera, ``Topcon TRC-NW400``; empty where the file does not say."""
    dataset = _dicom(path)
    if dataset is not None:
        parts = [dataset.get("Manufacturer"), dataset.get("ManufacturerModelName")]
    else:
        try:
            with Image.open(path) as picture:
                exif = picture.getexif()
                parts = [exif.get(_MAKE), exif.get(_MODEL)]
        except Exception:  # damaged EXIF raises anything; a camera is not worth a photograph
            return ""
    maker, model = (str(part or "").strip(" \0\t\r\n") for part in parts)
    return model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()


def dicom_patient(path: Path) -> str | None:
    """The PatientID of a DICOM file; None for other files and where it is empty."""
    dataset = _dicom(path)
    label = "" if dataset is None else str(dataset.get("PatientID") or "").strip()
    return label or None


def dicom_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a DICOM picture; None for other files."""
    dataset = _dicom(path)
    if dataset is None or "Rows" not in dataset or "Columns" not in dataset:
        return None
    return int(dataset.Columns), int(dataset.Rows)


def _dicom(path: Path) -> Any | None:
    try:
        with path.open("rb") as stream:
            if stream.read(132)[128:] != b"DICM":
                return None
        import pydicom  # a tenth of a second, in which the window would stand still

        return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_DICOM_TAGS)
    except Exception:  # damaged headers raise anything; reading the pixels will say so
        return None
