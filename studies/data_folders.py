"""Finds photographs and their labels in folders shaped as the public sets are.

Images and labels are paired by the whole stem or number, never by a pattern that more than one
file could match: a wrong pairing trains and measures nonsense without any error.

    DRIVE/{training,test}/{images,mask,1st_manual,2nd_manual}/   21_training.tif, 21_manual1.gif
    CHASE_DB1/{images,fov_masks,1stHO,2ndHO}/                    Image_01L.jpg, mask_01L.png
    HRF/{images,fov,vessels}/                                    01_dr.jpg, 01_dr.png
    IDRiD/images/, IDRiD/lesions/{MA,HE,EX,SE}/                  IDRiD_01.jpg, IDRiD_01_MA.png
    FIVES/{images,vessels}/                                      10_A.png
    STARE/{stare-images,labels-ah,labels-vk}/                    im0001.ppm, im0001.ah.ppm
    ANY_OTHER/{images,vessels,fov}/                              the same stem in each
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.formats import SUFFIXES
from retina_viewer.quality.datasets import Photograph

_MASK_SUFFIXES = (".gif", ".png", ".tif", ".tiff", ".ppm")
Subset = Literal["train", "validation", "held_out"]


def find_photographs(root: Path) -> list[Photograph]:
    """All photographs below ``root``, sorted by set and number.

    Args:
        root: a folder that holds set folders named as above, or one such set folder itself
            under any name (it is recognised by its file names).

    Raises:
        UserError: there is none.
    """
    if not root.is_dir():
        raise UserError(f"The data folder {root} does not exist.", "Give the folder of the sets.")
    found: list[Photograph] = []
    for name, find in _FINDERS.items():
        if (root / name).is_dir():
            found.extend(find(root / name))
    for folder in sorted(root.iterdir()):
        if folder.name not in _FINDERS:
            found.extend(_of_same_stems(folder))
    if not found:
        for find in _FINDERS.values():
            found.extend(find(root))
    found = found or list(_of_same_stems(root.resolve()))
    if not found:
        raise UserError(
            f"No known photographs were found in {root}.",
            f"It should hold at least one of {', '.join(_FINDERS)}.",
        )
    return sorted(found, key=lambda photograph: _natural(photograph.name))


def _natural(text: str) -> list[tuple[int, str]]:
    """A sort key that puts ``9_A`` before ``10_A``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _images(folder: Path, pattern: str) -> Iterable[tuple[re.Match[str], Path]]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        match = re.fullmatch(pattern, path.stem)
        if match and path.suffix.lower() in SUFFIXES:
            yield match, path


def _label(folder: Path, stem: str) -> Path | None:
    for suffix in _MASK_SUFFIXES:
        path = folder / f"{stem}{suffix}"
        if path.is_file():
            return path
    return None


def _drive(root: Path) -> Iterable[Photograph]:
    for part in ("training", "test"):
        folder = root / part
        for match, path in _images(folder / "images", rf"(\d+)_{part}"):
            number = match[1]
            yield Photograph(
                "DRIVE",
                number,
                number,
                path,
                fov=_label(folder / "mask", f"{number}_{part}_mask"),
                vessels=_label(folder / "1st_manual", f"{number}_manual1"),
                vessels_second=_label(folder / "2nd_manual", f"{number}_manual2"),
                part=part,
            )


def _chase(root: Path) -> Iterable[Photograph]:
    for match, path in _images(root / "images", r"Image_((\d+)[LR])"):
        eye = match[1]
        yield Photograph(
            "CHASE_DB1",
            eye,
            match[2],
            path,
            fov=_label(root / "fov_masks", f"mask_{eye}"),
            vessels=_label(root / "1stHO", f"Image_{eye}_1stHO"),
            vessels_second=_label(root / "2ndHO", f"Image_{eye}_2ndHO"),
        )


def _hrf(root: Path) -> Iterable[Photograph]:
    for _, path in _images(root / "images", r"\d+_(dr|g|h)"):
        yield _of_same_stem("HRF", root, path, path.stem)


def _of_same_stem(dataset: str, root: Path, path: Path, patient: str) -> Photograph:
    fov, vessels = (_label(root / name, path.stem) for name in ("fov", "vessels"))
    return Photograph(dataset, path.stem, patient, path, fov=fov, vessels=vessels)


def _idrid(root: Path) -> Iterable[Photograph]:
    for match, path in _images(root / "images", r"IDRiD_(\d+)"):
        labels = {
            kind: _label(root / "lesions" / kind, f"{path.stem}_{kind}")
            for kind in ("MA", "HE", "EX", "SE")
        }
        present = {kind: label for kind, label in labels.items() if label is not None}
        yield Photograph("IDRiD", path.stem, match[1], path, lesions=present)


def _fives(root: Path) -> Iterable[Photograph]:
    for _, path in _images(root / "images", r"\d+_[ADGN]"):
        yield _of_same_stem("FIVES", root, path, path.stem)


def _stare(root: Path) -> Iterable[Photograph]:
    for _, path in _images(root / "stare-images", r"im\d{4}"):
        yield Photograph(
            "STARE",
            path.stem,
            path.stem,
            path,
            vessels=_label(root / "labels-ah", f"{path.stem}.ah"),
            vessels_second=_label(root / "labels-vk", f"{path.stem}.vk"),
        )


def _of_same_stems(root: Path) -> Iterable[Photograph]:
    """A set of a person's own, named as its folder; the two eyes of a patient differ in L and R."""
    if not (root / "vessels").is_dir():
        return
    for _, path in _images(root / "images", r".+"):
        patient = re.sub(r"[_-]?(left|right|[LR])$", "", path.stem) or path.stem
        yield _of_same_stem(root.name, root, path, patient)


_FINDERS: dict[str, Callable[[Path], Iterable[Photograph]]] = {
    "CHASE_DB1": _chase,
    "DRIVE": _drive,
    "FIVES": _fives,
    "HRF": _hrf,
    "IDRiD": _idrid,
    "STARE": _stare,
}


def subset_of(photograph: Photograph) -> Subset:
    """The one division that all training and evaluation of this project keep to.

    held_out (seen by no training): all of DRIVE, CHASE_DB1 11..14 (both eyes: its usual test
    half), HRF 08, FIVES 28_A and 29_A, IDRiD from 49 on. validation (early stopping, thresholds):
    CHASE_DB1 09 and 10, HRF 07, FIVES 27_A, IDRiD 45..48. All others of these sets train. Any
    other set is held out: no recipe trains on it.

    A function of the photograph alone, so that a part of a set divides as the whole does.
    """
    if photograph.dataset not in ("CHASE_DB1", "HRF", "FIVES", "IDRiD"):
        return "held_out"
    number = int(re.findall(r"\d+", photograph.id)[0])
    match photograph.dataset:
        case "CHASE_DB1":
            first_validation, first_held_out = 9, 11
        case "HRF":
            first_validation, first_held_out = 7, 8
            if number > 8:  # the published set runs to 15; only 08 serves as the test
                return "train"
        case "FIVES":
            held_out, validation = ("28_A", "29_A"), ("27_A",)
            if photograph.id in held_out:
                return "held_out"
            return "validation" if photograph.id in validation else "train"
        case _:  # IDRiD
            first_validation, first_held_out = 45, 49
    if number >= first_held_out:
        return "held_out"
    return "validation" if number >= first_validation else "train"


def split(photographs: Iterable[Photograph]) -> dict[Subset, list[Photograph]]:
    """The photographs of each subset (:func:`subset_of`), order kept; all three keys present."""
    subsets: dict[Subset, list[Photograph]] = {"train": [], "validation": [], "held_out": []}
    for photograph in photographs:
        subsets[subset_of(photograph)].append(photograph)
    return subsets


def divided(root: Path, datasets: Iterable[str]) -> dict[Subset, list[Photograph]]:
    """The photographs of some sets below ``root``, by subset.

    Raises:
        UserError: a set is missing.
    """
    found = [one for one in find_photographs(root) if one.dataset in datasets]
    missing = set(datasets) - {one.dataset for one in found}
    if missing:
        raise UserError(f"The data folder lacks {', '.join(sorted(missing))}.")
    return split(found)
