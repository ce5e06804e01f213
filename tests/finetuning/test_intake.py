"""Every file of a folder is looked at; what is proposed to be left out is said why."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    OphthalmicPhotography8BitImageStorage,
    generate_uid,
)

from retina_viewer.core.errors import Cancelled
from retina_viewer.finetuning.intake import (
    BLURRED_BELOW,
    LOOKED_AT,
    NEAR,
    Examined,
    examine,
    fingerprint,
    near_pairs,
    sharpness,
)
from retina_viewer.finetuning.patients import by_dicom
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.imaging.readers import open_image, thumbnail

PHOTOGRAPHS = ("chase_14L.jpg", "fives_28_A.png", "idrid_53_half.jpg", "hrf_08_h.jpg")


def only(folder: Path) -> Examined:
    (file,) = examine([folder]).files
    return file


def put(folder: Path, name: str, pixels: NDArray[np.uint8]) -> Path:
    Image.fromarray(pixels).save(folder / name)
    return folder / name


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_bundled_photographs_are_good_and_blurred_ones_are_not(
    samples: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "Klinik ü").mkdir()
    shutil.copy(samples / name, tmp_path / "Klinik ü" / f"Änne {name}")
    file = only(tmp_path)
    assert (file.kind, file.proposed, file.reason) == ("good", "keep", "")
    with Image.open(samples / name) as picture:
        assert (file.width, file.height) == picture.size
    small = thumbnail(samples / name, LOOKED_AT)
    field = find_field_of_view(small)
    values = [
        sharpness(cv2.GaussianBlur(small, (0, 0), s * field.diameter / 640).astype(np.uint8), field)
        for s in (1.0, 2.0, 3.0)
    ]
    found = [file.sharpness, *values]
    assert all(value is not None for value in found)
    assert found == sorted(found, key=lambda value: -(value or 0.0))
    assert (found[-1] or 0.0) < BLURRED_BELOW < (found[1] or 0.0)


def test_a_blurred_photograph_is_proposed_to_be_left_out(samples: Path, tmp_path: Path) -> None:
    small = thumbnail(samples / "chase_14L.jpg", 700)
    put(tmp_path, "a.png", cv2.GaussianBlur(small, (0, 0), 4.0).astype(np.uint8))
    file = only(tmp_path)
    assert (file.kind, file.proposed) == ("blurred", "exclude")
    assert "blur" in file.reason


def test_what_is_no_fundus_photograph_is_said(samples: Path, tmp_path: Path) -> None:
    fundus = thumbnail(samples / "chase_14L.jpg", 500)
    grey = np.repeat(fundus[..., 1:2], 3, axis=2)
    rng = np.random.default_rng(0)
    put(tmp_path, "1 grey.png", grey)
    put(tmp_path, "2 noise.png", rng.integers(0, 255, (400, 500, 3)).astype(np.uint8))
    put(tmp_path, "3 black.png", np.zeros((400, 400, 3), np.uint8))
    put(tmp_path, "4 blue.png", np.ascontiguousarray(fundus[..., ::-1]))
    put(tmp_path, "5 small.png", thumbnail(samples / "chase_14L.jpg", 250))
    report = examine([tmp_path])
    kinds = [file.kind for file in report.files]
    assert kinds[:4] == ["not fundus"] * 4
    assert kinds[4] == "too small"
    assert "colours" in report.files[0].reason
    assert "at least 300" in report.files[4].reason
    assert not report.kept


def test_files_that_cannot_be_read_are_listed_with_the_reason(
    samples: Path, tmp_path: Path
) -> None:
    whole = (samples / "fives_28_A.png").read_bytes()
    (tmp_path / "1 empty.jpg").write_bytes(b"")
    (tmp_path / "2 cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "3 text.jpg").write_text("no picture", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / ".hidden.jpg").write_bytes(whole)
    (tmp_path / "4 broken link.jpg").symlink_to(tmp_path / "gone.jpg")
    report = examine([tmp_path, tmp_path / "gone", tmp_path])
    kinds = [file.kind for file in report.files]
    assert kinds == ["unreadable", "damaged", "unreadable", "unreadable"]
    assert all(file.reason and file.proposed == "exclude" for file in report.files)
    assert "is empty" in report.files[0].reason
    assert report.others == 1
    assert report.missing == (f"{tmp_path / 'gone'}: it is not there",)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this person"
)
def test_a_file_without_the_right_to_read_it(samples: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(samples / "chase_14L.jpg", tmp_path))
    path.chmod(0)
    assert "may not be read" in only(tmp_path).reason


def test_links_are_followed_to_files_and_not_in_circles(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    original = Path(shutil.copy(samples / "chase_14L.jpg", tmp_path / "a"))
    (tmp_path / "b.jpg").symlink_to(original)
    (tmp_path / "a" / "circle").symlink_to(tmp_path, target_is_directory=True)
    report = examine([tmp_path])
    assert sorted(file.kind for file in report.files) == ["duplicate", "good"]


def test_a_file_that_vanishes_while_it_is_looked_at(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(samples / "chase_14L.jpg", tmp_path))

    def unplug(path: Path, side: int) -> NDArray[np.uint8]:
        small = thumbnail(path, side)
        path.unlink()
        return small

    monkeypatch.setattr("retina_viewer.finetuning.intake.thumbnail", unplug)
    assert only(tmp_path).kind == "unreadable"
    assert not path.exists()


@pytest.mark.slow
def test_copies_and_near_copies_are_found_and_mirrored_ones_are_not(
    samples: Path, tmp_path: Path
) -> None:
    small = thumbnail(samples / "fives_28_A.png", 800)
    put(tmp_path, "1.png", small)
    shutil.copy(tmp_path / "1.png", tmp_path / "2 copy.png")
    Image.fromarray(small).resize((500, 500)).save(tmp_path / "3 smaller.jpg", quality=70)
    put(tmp_path, "4 mirrored.png", np.ascontiguousarray(small[:, ::-1]))
    shutil.copy(samples / "chase_14L.jpg", tmp_path / "5 other.jpg")
    report = examine([tmp_path])
    kinds = [file.kind for file in report.files]
    assert kinds == ["good", "duplicate", "nearly the same", "good", "good"]
    assert report.files[1].like == report.files[2].like == tmp_path / "1.png"
    assert report.alike == ((tmp_path / "1.png", tmp_path / "3 smaller.jpg"),)


@pytest.mark.slow
def test_photographs_of_different_people_have_different_fingerprints(samples: Path) -> None:
    replay = samples.parent / "replay"
    files = [*(samples / name for name in PHOTOGRAPHS), *sorted(replay.glob("*.jpg"))]
    prints = {}
    for path in files:
        small = thumbnail(path, 500)
        prints[path] = fingerprint(small, find_field_of_view(small))
        half = cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for changed in (half, np.clip(small * 1.15, 0, 255)):
            copy = changed.astype(np.uint8)
            other = fingerprint(copy, find_field_of_view(copy))
            assert (other ^ prints[path]).bit_count() <= NEAR
    assert near_pairs(prints) == []


def test_masks_are_told_from_photographs(samples: Path, tmp_path: Path) -> None:
    for name in ("chase_14L.jpg", "chase_14L_vessels.png", "chase_14L_fov.png"):
        shutil.copy(samples / name, tmp_path)
    report = examine([tmp_path])
    assert [file.path.name for file in report.photographs] == ["chase_14L.jpg"]
    assert len(report.masks) == 2
    assert report.cameras == {"": 1}
    assert report.sizes == {(999, 960): 1}


def test_looking_can_be_cancelled_and_reports_every_file(samples: Path, tmp_path: Path) -> None:
    for number in range(3):
        shutil.copy(samples / "fives_28_A_vessels.png", tmp_path / f"{number}.png")
    told: list[str] = []
    examine([tmp_path], progress=lambda fraction, what: told.append(what))
    assert told[:3] == [f"looking at {number}.png" for number in range(3)]

    def cancel(fraction: float, what: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        examine([tmp_path], progress=cancel)
    assert examine([]).files == ()


def _dicom(path: Path, samples: Path) -> None:
    """A photograph as DICOM whose tag of the maker has a kind that there is not."""
    small = thumbnail(samples / "chase_14L.jpg", 400)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = OphthalmicPhotography8BitImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = OphthalmicPhotography8BitImageStorage
    dataset.Manufacturer, dataset.PatientID = "Maker ", "0815"
    dataset.Rows, dataset.Columns = small.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
    dataset.PlanarConfiguration = dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = small.tobytes()
    dataset.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    assert content.count(b"LO\x06\0Maker ") == 1
    path.write_bytes(content.replace(b"LO\x06\0Maker ", b"L2\x06\0Maker "))


def test_a_damaged_tag_is_one_damaged_file(samples: Path, tmp_path: Path) -> None:
    shutil.copy(samples / "chase_14L.jpg", tmp_path / "b.jpg")
    _dicom(tmp_path / "a.dcm", samples)
    damaged, good = examine([tmp_path]).files
    assert (damaged.kind, damaged.proposed, good.kind) == ("damaged", "exclude", "good")
    assert damaged.reason == ("Its description is damaged: the maker of the camera cannot be read.")
    assert by_dicom([damaged.path]).patients == {damaged.path: "0815"}


def test_what_no_reader_foresees_is_one_bad_file(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(samples / "chase_14L.jpg", tmp_path / name)

    def surprised(path: Path, side: int) -> NDArray[np.uint8]:
        if path.name == "a.jpg":
            raise RecursionError("too deep")
        return thumbnail(path, side)

    monkeypatch.setattr("retina_viewer.finetuning.intake.thumbnail", surprised)
    bad, good = examine([tmp_path]).files
    assert (bad.kind, bad.reason) == ("unreadable", "a.jpg is damaged: it cannot be read.")
    assert good.kind == "good"


def test_a_photograph_that_says_it_is_damaged_is_proposed_to_be_left_out(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(samples / "chase_14L.jpg", tmp_path / "a.jpg")
    monkeypatch.setattr(
        "retina_viewer.finetuning.intake.open_image",
        lambda path: replace(open_image(path), damage="Half of it is missing."),
    )
    file = only(tmp_path)
    assert (file.kind, file.reason) == ("damaged", "Half of it is missing.")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders")
def test_a_pipe_is_not_waited_for(samples: Path, tmp_path: Path) -> None:
    shutil.copy(samples / "chase_14L.jpg", tmp_path / "b.jpg")
    os.mkfifo(tmp_path / "a.png")
    report = examine([tmp_path])
    assert [file.kind for file in report.files] == ["good"]
    assert report.missing == (f"{tmp_path / 'a.png'}: it is not a file",)
