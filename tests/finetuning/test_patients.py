"""Who is on which photograph, and that nobody is on both sides of a division."""

from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    OphthalmicPhotography8BitImageStorage,
    generate_uid,
)

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.patients import (
    SHARES,
    SourceDetails,
    by_dicom,
    by_file,
    by_folder,
    by_pattern,
    by_table,
    details_of,
    divide,
    hashed,
    installation_salt,
    joined,
    planned,
)

FILES = [Path(f"clinic/{name}") for name in ("0815_left.jpg", "0815_right.jpg", "4711_left.jpg")]


def test_folders_are_patients() -> None:
    files = [Path("a/1.jpg"), Path("a/2.jpg"), Path("b/1.jpg")]
    grouping = by_folder(files)
    assert grouping.count == 2
    assert grouping.patients[files[0]] == grouping.patients[files[1]]
    assert by_file(files).count == 3


@pytest.mark.parametrize("pattern", ["{patient}_*", "^([0-9]+)_", "{patient}_????*", "(0815|4711)"])
def test_a_pattern_finds_the_patient_in_the_name(pattern: str) -> None:
    grouping = by_pattern(pattern, FILES)
    assert list(grouping.patients.values()) == ["0815", "0815", "4711"]
    assert not grouping.unmatched


def test_what_a_pattern_does_not_fit_is_shown_and_stands_alone() -> None:
    strange = Path("clinic/copy (2).jpg")
    grouping = by_pattern("{patient}_*", [*FILES, strange])
    assert grouping.unmatched == [strange]
    assert grouping.count == 3
    assert len(set(grouping.completed().values())) == 3


@pytest.mark.parametrize("pattern", ["*_left", "{patient}_{patient}", "(a)(b)", "([", ""])
def test_patterns_that_point_at_nobody_are_explained(pattern: str) -> None:
    with pytest.raises(UserError) as caught:
        by_pattern(pattern, FILES)
    assert "{patient}" in caught.value.hint


def test_signs_of_expressions_are_plain_in_simple_patterns() -> None:
    file = Path("x.y+z(1).jpg")
    assert by_pattern("x.y+{patient}(1)", [file]).patients == {file: "z"}


def dicom(path: Path, patient: str) -> Path:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = OphthalmicPhotography8BitImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.PatientID, dataset.Manufacturer = patient, "Topcon"
    dataset.ManufacturerModelName = "TRC-NW400"
    dataset.Rows, dataset.Columns = 40, 50
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_dicom_files_name_patient_and_camera(tmp_path: Path) -> None:
    one, two = dicom(tmp_path / "a.dcm", "Müller 1"), dicom(tmp_path / "b.dcm", "")
    text = tmp_path / "c.jpg"
    text.write_bytes(b"nothing")
    grouping = by_dicom([one, two, text])
    assert grouping.patients == {one: "Müller 1"}
    assert grouping.unmatched == [two, text]
    assert details_of(one) == SourceDetails("Topcon TRC-NW400", "Müller 1")
    assert details_of(text) == SourceDetails()
    assert pydicom.dcmread(one).PatientID == "Müller 1"  # read, not changed
    bare = tmp_path / "without preamble.img"  # nor has it a name of DICOM's
    bare.write_bytes(one.read_bytes()[132:])
    assert details_of(bare).patient == "Müller 1"


def test_the_camera_of_a_jpeg_is_read_from_its_exif(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon CR-2 AF "
    path = tmp_path / "a.jpg"
    Image.new("RGB", (20, 20)).save(path, exif=exif)
    assert details_of(path).camera == "Canon CR-2 AF"


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_names_patients(tmp_path: Path, delimiter: str) -> None:
    files = [tmp_path / "a" / "1.jpg", tmp_path / "b" / "1.jpg", tmp_path / "b" / "2.jpg"]
    rows = [
        ("Patient", "File"),
        ("M", "a/1.jpg"),
        ("N", "2.jpg"),
        ("O", "gone.jpg"),
        ("P", "1.jpg"),
    ]
    table = tmp_path / "patients.csv"
    table.write_text(
        "\ufeff" + "\n".join(delimiter.join(row) for row in rows) + "\n\n", encoding="utf-8"
    )
    grouping = by_table(table, files)
    assert grouping.patients == {files[0]: "M", files[2]: "N"}
    assert grouping.unmatched == [files[1]]  # two files are called 1.jpg: the name does not tell


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("name,patient\na,b\n", "no columns file and patient"),
        ("file,patient\n1.jpg,\n", "Row 2 of t.csv lacks"),
        ("file,patient\n1.jpg,M\n1.jpg,N\n", "Row 3 of t.csv names another"),
        ("", "no columns"),
    ],
)
def test_tables_with_faults_are_explained(tmp_path: Path, content: str, complaint: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=complaint):
        by_table(table, [tmp_path / "1.jpg"])


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        by_table(tmp_path / "gone.csv", [])
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00file")
    with pytest.raises(UserError, match="not UTF-8"):
        by_table(tmp_path / "t.csv", [])


def test_photographs_that_are_alike_join_their_patients() -> None:
    a, b, c, d = (Path(name) for name in "abcd")
    patients = {a: "1", b: "2", c: "3", d: "4"}
    found = joined(patients, [(a, b), (b, c), (d, Path("excluded"))])
    assert found[a] == found[b] == found[c] != found[d]


def test_labels_are_hashed_with_the_salt_of_the_installation() -> None:
    salt = installation_salt()
    assert installation_salt() == salt
    assert len(salt) == 32
    assert hashed("Müller", salt) == hashed("Müller", salt)
    assert hashed("Müller", salt) != hashed("Muller", salt)
    assert hashed("Müller", salt) != hashed("Müller", b"x" * 32)
    assert len(hashed("Müller", salt)) == 16


groupings = st.lists(st.integers(1, 9), min_size=3, max_size=40).map(
    lambda sizes: {f"p{n}": [f"{n} {k}" for k in range(size)] for n, size in enumerate(sizes)}
)


@given(groupings, st.integers(0, 5))
def test_every_division_has_somebody_everywhere_and_does_not_depend_on_names(
    groups: dict[str, list[str]], seed: int
) -> None:
    division = divide(groups, seed)
    assert division.subset_of.keys() == groups.keys()
    assert set(division.subset_of.values()) == {"train", "validation", "held_out"}
    renamed = {f"other {name}": files[::-1] for name, files in reversed(groups.items())}
    again = divide(renamed, seed)
    assert {name: again.subset_of[f"other {name}"] for name in groups} == division.subset_of
    held_out = [name for name, subset in division.subset_of.items() if subset == "held_out"]
    if len(groups) >= 12:
        assert len(held_out) >= 6


def test_many_patients_are_divided_by_the_shares() -> None:
    groups = {f"p{n}": [f"{n} left", f"{n} right"] for n in range(100)}
    subset_of = divide(groups, 0).subset_of
    for subset, share in SHARES.items():
        assert list(subset_of.values()).count(subset) == round(100 * share)
    assert divide(groups, 1).subset_of != subset_of


def test_too_few_patients_are_said() -> None:
    with pytest.raises(UserError, match="of 2 patients only"):
        divide({"a": ["1"], "b": ["2"]}, 0)
    warnings = " ".join(divide({"a": ["1"], "b": ["2"], "c": ["3"]}, 0).warnings)
    assert "Only 1 patient will be held out" in warnings
    assert "Only 1 photograph will be trained on" in warnings
    assert not divide({f"p{n}": [str(n)] for n in range(30)}, 0).warnings


def test_the_division_becomes_the_photographs_of_a_plan() -> None:
    files = {Path(f"{n}.jpg"): f"{n:064x}" for n in range(3)}
    patients = {path: f"p{n}" for n, path in enumerate(files)}
    division = divide({f"p{n}": [f"{n:064x}"] for n in range(3)}, 0)
    masks = {path: (path.with_suffix(".png"), "a" * 64, True) for path in files}
    found = planned(files, patients, division, masks)
    assert [p.path for p in found] == list(files)
    assert {p.subset for p in found} == {"train", "validation", "held_out"}
    assert all(p.mask_inverted and p.mask is not None for p in found)
