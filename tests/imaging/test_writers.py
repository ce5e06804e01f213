import errno
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.geometry import tiles_covering
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import (
    made_by,
    read_provenance,
    sidecar_path,
    write_image,
    write_sidecar,
    write_tiled_tiff,
)

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint16]
LOSSLESS = (".png", ".tif", ".tiff", ".PNG", ".TIF")


@pytest.fixture
def provenance() -> Provenance:
    return Provenance(
        kind="super-resolution",
        method="pixel",
        model="sr-pixel",
        model_sha256="ab" * 32,
        scale=4,
        device="CPU",
        source_name="Auge 眼.png",
        source_sha256="cd" * 32,
        source_width=565,
        source_height=584,
    )


def files(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("colour", [True, False])
def test_lossless_round_trip(
    tmp_path: Path,
    crop: Bytes,
    deep_crop: Words,
    provenance: Provenance,
    wide_gamut_profile: bytes,
    suffix: str,
    depth: int,
    colour: bool,
) -> None:
    whole = crop if depth == 8 else deep_crop
    pixels = whole if colour else whole[..., 1]
    path = tmp_path / f"Auge 眼{suffix}"
    write_image(path, pixels, provenance=provenance, icc_profile=wide_gamut_profile)
    image = open_image(path)
    assert image.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(image.pixels, pixels if colour else pixels[..., None] * [1, 1, 1])
    assert image.icc_profile == (wide_gamut_profile if colour else None)
    assert read_provenance(path) == provenance
    assert files(tmp_path) == [path.name]


def test_jpeg_is_fine_and_keeps_colour_resolution(
    tmp_path: Path, crop: Bytes, provenance: Provenance, wide_gamut_profile: bytes
) -> None:
    path = tmp_path / "eye.jpg"
    write_image(path, crop, provenance=provenance, icc_profile=wide_gamut_profile)
    image = open_image(path)
    assert np.abs(image.pixels.astype(int) - crop).mean() < 1.5
    assert image.icc_profile == wide_gamut_profile
    assert read_provenance(path) == provenance
    with Image.open(path) as opened:
        assert opened.layer[0][1:3] == opened.layer[1][1:3]  # type: ignore[attr-defined]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_the_same_result_gives_the_same_bytes(
    tmp_path: Path, crop: Bytes, provenance: Provenance, wide_gamut_profile: bytes, suffix: str
) -> None:
    for name in ("a", "b"):
        write_image(
            tmp_path / (name + suffix), crop, provenance=provenance, icc_profile=wide_gamut_profile
        )
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_without_provenance_there_is_none(tmp_path: Path, crop: Bytes) -> None:
    for suffix in (".png", ".tif", ".jpg"):
        write_image(tmp_path / f"eye{suffix}", crop)
        assert read_provenance(tmp_path / f"eye{suffix}") is None


def test_other_files_have_no_provenance(tmp_path: Path, samples: Path, crop: Bytes) -> None:
    commented = tmp_path / "commented.jpg"
    Image.fromarray(crop).save(commented, comment=b"holiday")
    for path in (commented, samples / "hrf_08_h.jpg", samples / "ATTRIBUTION.md", tmp_path / "no"):
        assert read_provenance(path) is None


def test_what_is_not_contiguous_is_written_as_it_looks(tmp_path: Path, crop: Bytes) -> None:
    turned = crop[::-1, ::2].swapaxes(0, 1)
    for suffix in (".png", ".tif"):
        write_image(tmp_path / f"eye{suffix}", turned)
        np.testing.assert_array_equal(open_image(tmp_path / f"eye{suffix}").pixels, turned)


def test_jpeg_cannot_hold_sixteen_bits_or_enormous_sides(tmp_path: Path, deep_crop: Words) -> None:
    with pytest.raises(UserError, match="8 bits"):
        write_image(tmp_path / "eye.jpg", deep_crop)
    with pytest.raises(UserError, match="at most 65500"):
        write_image(tmp_path / "eye.jpg", np.zeros((16, 65501), np.uint8))
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", ["eye.bmp", "eye", "eye.png.txt"])
def test_unknown_formats_are_refused_with_a_hint(tmp_path: Path, crop: Bytes, name: str) -> None:
    with pytest.raises(UserError, match="cannot be written") as caught:
        write_image(tmp_path / name, crop)
    assert ".png" in caught.value.hint
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((20, 20, 4), np.uint8), np.zeros((20, 20, 3), np.float32), np.zeros(9, np.uint8)],
    ids=["alpha", "float", "flat"],
)
def test_other_arrays_are_refused(tmp_path: Path, pixels: Bytes) -> None:
    with pytest.raises(ValueError, match="pixels must be"):
        write_image(tmp_path / "eye.png", pixels)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_nothing_is_replaced_unasked(tmp_path: Path, crop: Bytes, suffix: str) -> None:
    path = tmp_path / f"original{suffix}"
    path.write_bytes(b"original")
    with pytest.raises(UserError, match="exists already"):
        write_image(path, crop)
    assert path.read_bytes() == b"original"
    write_image(path, crop, replace=True)
    assert open_image(path).width == 80
    assert files(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crop: Bytes, suffix: str
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="disk is full"):
        write_image(tmp_path / f"eye{suffix}", crop)
    assert files(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_disk_that_fills_up_while_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crop: Bytes, suffix: str
) -> None:
    real_open = Path.open

    def open_full(self: Path, mode: str) -> object:
        assert mode == "wb"
        return real_open(Path("/dev/full"), "wb")

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(UserError, match="disk is full"):
        write_image(tmp_path / f"eye{suffix}", np.tile(crop, (30, 30, 1)))
    monkeypatch.undo()
    assert files(tmp_path) == []


def test_a_missing_folder_is_said(tmp_path: Path, crop: Bytes) -> None:
    for suffix in (".png", ".tif", ".jpg"):
        with pytest.raises(UserError, match="does not exist"):
            write_image(tmp_path / "missing" / f"eye{suffix}", crop)


def test_a_read_only_folder_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crop: Bytes
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match="cannot be written to"):
        write_image(tmp_path / "eye.tif", crop)


@settings(max_examples=15)
@given(
    width=st.integers(16, 150),
    height=st.integers(16, 150),
    tile=st.sampled_from([16, 48, 64]),
    deep=st.booleans(),
)
def test_tiles_make_the_image(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, tile: int, deep: bool
) -> None:
    kind = np.uint16 if deep else np.uint8
    draw = np.random.default_rng(width * height)
    whole = draw.integers(0, np.iinfo(kind).max, (height, width, 3), kind, endpoint=True)
    path = tmp_path_factory.mktemp("tiles") / "eye.tif"
    tiles = (whole[rect.slices()] for rect in tiles_covering(width, height, tile))
    write_tiled_tiff(path, whole.shape, kind, tile, tiles)
    np.testing.assert_array_equal(open_image(path).pixels, whole)


def test_a_tiled_file_is_a_bigtiff_with_provenance(
    tmp_path: Path, crop: Bytes, provenance: Provenance, wide_gamut_profile: bytes
) -> None:
    path = tmp_path / "eye.tif"
    write_tiled_tiff(
        path,
        crop.shape,
        np.uint8,
        32,
        (crop[rect.slices()] for rect in tiles_covering(80, 60, 32)),
        provenance=provenance,
        icc_profile=wide_gamut_profile,
    )
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        assert (page.tilewidth, page.tilelength) == (32, 32)
    assert read_provenance(path) == provenance
    assert open_image(path).icc_profile == wide_gamut_profile


@pytest.mark.parametrize("count", [5, 7])
def test_too_few_or_many_tiles_leave_no_file(tmp_path: Path, crop: Bytes, count: int) -> None:
    tiles = iter([crop[:32, :32]] * count)
    with pytest.raises(ValueError, match="tiles"):
        write_tiled_tiff(tmp_path / "eye.tif", crop.shape, np.uint8, 32, tiles)
    assert files(tmp_path) == []


def test_cancelling_leaves_no_file(tmp_path: Path, crop: Bytes) -> None:
    def cancelled() -> Iterator[Bytes]:
        yield crop[:32, :32]
        raise Cancelled

    with pytest.raises(Cancelled):
        write_tiled_tiff(tmp_path / "eye.tif", crop.shape, np.uint8, 32, cancelled())
    assert files(tmp_path) == []


@pytest.mark.parametrize("tile", [0, 8, 100])
def test_tiles_that_tiff_does_not_allow(tmp_path: Path, crop: Bytes, tile: int) -> None:
    with pytest.raises(ValueError, match="multiples of 16"):
        write_tiled_tiff(tmp_path / "eye.tif", crop.shape, np.uint8, tile, iter([crop]))


def test_the_sidecar_lies_beside_the_result(tmp_path: Path, provenance: Provenance) -> None:
    result = tmp_path / "eye_SRx4.png"
    sidecar = write_sidecar(result, provenance)
    assert sidecar == sidecar_path(result) == tmp_path / "eye_SRx4.png.json"
    assert Provenance.model_validate_json(sidecar.read_text("utf-8")) == provenance
    with pytest.raises(UserError, match="exists already"):
        write_sidecar(result, provenance)
    write_sidecar(result, provenance.deidentified(), replace=True)
    assert "Auge" not in sidecar.read_text("utf-8")


def test_a_name_that_is_not_utf_8_reads_back(tmp_path: Path, provenance: Provenance) -> None:
    name = os.fsdecode(b"M\xfcller.png")
    odd = Provenance(**{**provenance.model_dump(exclude={"statement"}), "source_name": name})
    for suffix in (".png", ".tif", ".jpg"):
        path = tmp_path / f"{os.fsdecode(b'M' + bytes([0xFC]))}{suffix}"
        write_image(path, np.zeros((8, 8, 3), np.uint8), provenance=odd)
        assert read_provenance(path) == odd
        assert odd.source_name == "M\\xfcller.png"
    # As earlier versions wrote it: the byte as a lone surrogate.
    older = odd.to_json().replace("M\\\\xfcller", "M\\udcfcller")
    assert Provenance.from_json(older) == odd


def test_made_by_reads_inside_and_beside(tmp_path: Path, provenance: Provenance) -> None:
    grey = np.zeros((8, 8), np.uint8)
    write_image(tmp_path / "inside.png", grey, provenance=provenance)
    write_image(tmp_path / "beside.png", grey)
    write_image(tmp_path / "other.png", grey)
    write_sidecar(tmp_path / "beside.png", provenance)
    sidecar_path(tmp_path / "other.png").write_text("[" * 100_000)
    assert made_by(tmp_path / "inside.png") == provenance
    assert made_by(tmp_path / "beside.png") == provenance
    assert made_by(tmp_path / "other.png") is None
    assert made_by(tmp_path / "missing.png") is None
    foreign = provenance.model_copy(update={"program": "Another program"})
    write_image(tmp_path / "foreign.png", grey, provenance=foreign)
    assert made_by(tmp_path / "foreign.png") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_made_by_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "eye.png")
    os.mkfifo(sidecar_path(tmp_path / "eye.png"))
    assert made_by(tmp_path / "eye.png") is None


# What any program can read of it


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize(
    ("generative", "term"),
    [(False, "algorithmicallyEnhanced"), (True, "compositeWithTrainedAlgorithmicMedia")],
)
def test_the_digital_source_type_is_written_as_xmp(
    tmp_path: Path, crop: Bytes, provenance: Provenance, suffix: str, generative: bool, term: str
) -> None:
    made = provenance.model_copy(update={"generative": generative})
    path = tmp_path / f"eye{suffix}"
    write_image(path, crop, provenance=made)
    packet = _xmp_of(path)
    root = ElementTree.fromstring(packet.decode())
    (found,) = root.iter("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
    assert found.text == f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"
    assert packet.startswith(b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>')
    assert made.source_name.encode() not in packet  # it may name a patient
    with Image.open(path) as image:
        seen = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    assert seen in (packet, packet.decode())
    assert read_provenance(path) == made


def _xmp_of(path: Path) -> bytes:
    """The packet, found in the bytes as each format's own specification says."""
    data = path.read_bytes()
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            tag = file.pages[0].tags[700]  # type: ignore[union-attr]
            assert tag.dtype == tifffile.DATATYPE.BYTE
            return bytes(tag.value)
    if path.suffix == ".jpg":
        head = b"http://ns.adobe.com/xap/1.0/\0"
        at = data.index(head)
        assert data[at - 4 : at - 2] == b"\xff\xe1"
        length = int.from_bytes(data[at - 2 : at], "big")
        assert at < data.index(b"\xff\xda")
        return data[at + len(head) : at - 2 + length]
    head = b"XML:com.adobe.xmp\0\0\0\0\0"
    at = data.index(b"iTXt" + head)
    length = int.from_bytes(data[at - 4 : at], "big")
    assert at < data.index(b"IDAT")
    return data[at + 4 + len(head) : at + 4 + length]


def test_tiles_carry_it_too(tmp_path: Path, crop: Bytes, provenance: Provenance) -> None:
    path = tmp_path / "eye.tif"
    write_tiled_tiff(path, crop.shape, np.uint8, 128, iter([crop]), provenance=provenance)
    assert b"digitalsourcetype/algorithmicallyEnhanced" in _xmp_of(path)


def test_without_provenance_there_is_no_xmp(tmp_path: Path, crop: Bytes) -> None:
    for suffix in (".png", ".tif", ".jpg"):
        write_image(tmp_path / f"eye{suffix}", crop)
        assert b"xmpmeta" not in (tmp_path / f"eye{suffix}").read_bytes()


def test_a_strip_too_long_for_png_is_refused_with_a_reason(tmp_path: Path) -> None:
    strip = np.broadcast_to(np.zeros((), np.uint8), (1_000_001, 16))
    with pytest.raises(UserError, match="PNG holds at most 1000000"):
        write_image(tmp_path / "strip.png", strip)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("raised", [TypeError, KeyError, OverflowError, RecursionError])
def test_a_damaged_tag_is_no_provenance_and_no_bug(
    tmp_path: Path, provenance: Provenance, monkeypatch: pytest.MonkeyPatch, raised: type[Exception]
) -> None:
    path = tmp_path / "eye.tif"
    write_image(path, np.zeros((8, 8), np.uint8), provenance=provenance)

    def damaged(self: Image.Image) -> None:
        raise raised

    monkeypatch.setattr(Image.Image, "getexif", damaged)
    assert read_provenance(path) is None
