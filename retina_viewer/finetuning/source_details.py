"""What a photograph's file says of camera and patient, without decoding its pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from retina_viewer.imaging.formats import HEAD, looks_like_dicom

_MAKE, _MODEL = 0x010F, 0x0110  # EXIF
_DICOM_TAGS = {
    "Manufacturer": "the maker of the camera",
    "ManufacturerModelName": "the model of the camera",
    "PatientID": "the patient",
}


@dataclass(frozen=True)
class SourceDetails:
    """Attributes:
    camera: maker and model, ``Topcon TRC-NW400``; empty where the file does not say.
    patient: the PatientID of a DICOM file; empty for other files and where there is none.
    damage: what of these cannot be read, a sentence; empty where nothing is wrong.
    """

    camera: str = ""
    patient: str = ""
    damage: str = ""


def details_of(path: Path) -> SourceDetails:
    """What the file says; whatever is damaged in it raises nothing."""
    dataset = _dicom(path)
    if dataset is None:
        return SourceDetails(_camera(_exif(path)))
    texts: dict[str, str] = {}
    damaged = []
    for tag, title in _DICOM_TAGS.items():
        try:
            texts[tag] = str(dataset.get(tag) or "").strip(" \0\t\r\n")
        except Exception:  # values are decoded when they are asked for; damaged ones raise anything
            damaged.append(title)
    damage = f"Its description is damaged: {' and '.join(damaged)} cannot be read."
    return SourceDetails(
        _camera([texts.get("Manufacturer", ""), texts.get("ManufacturerModelName", "")]),
        texts.get("PatientID", ""),
        damage if damaged else "",
    )


def _camera(parts: list[str]) -> str:
    maker, model = parts
    return model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()


def _exif(path: Path) -> list[str]:
    try:
        with Image.open(path) as picture:
            exif: Mapping[int, Any] = picture.getexif()
            return [str(exif.get(tag) or "").strip(" \0\t\r\n") for tag in (_MAKE, _MODEL)]
    except Exception:  # damaged EXIF raises anything; a camera is not worth a photograph
        return ["", ""]


def _dicom(path: Path) -> Any | None:
    """The dataset of a DICOM file, also of one without the letters at its start."""
    try:
        with path.open("rb") as stream:
            if not looks_like_dicom(stream.read(HEAD)):
                return None
        import pydicom  # a tenth of a second, in which the window would stand still

        return pydicom.dcmread(
            path, stop_before_pixels=True, specific_tags=list(_DICOM_TAGS), force=True
        )
    except Exception:  # damaged headers raise anything; reading the pixels will say so
        return None
