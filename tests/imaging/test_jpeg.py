from __future__ import annotations

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.jpeg import (
    jpeg2000_has_all,
    jpeg2000_header,
    jpeg_damage,
    jpeg_header,
    load_jpeg,
    with_end,
)
from retina_viewer.imaging.readers import open_image, thumbnail

KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "progressive": {"progressive": True},
    "optimized": {"optimize": True},
    "full colour": {"subsampling": 0},
    "restart every row": {"restart_marker_rows": 1},
    "restart every block": {"restart_marker_blocks": 1},
}


@pytest.fixture(scope="module")
def picture(samples: Path) -> Image.Image:
    """Large enough for 2 KB to be a part of it, with a dark border."""
    with Image.open(samples / "chase_14L.jpg") as image:
        return image.convert("RGB")


def saved(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85, **options)
    return stream.getvalue()


def decoded(data: bytes) -> tuple[NDArray[np.uint8], str]:
    image, damage = load_jpeg(JpegImagePlugin.JpegImageFile(io.BytesIO(data)), data)
    return np.asarray(image), damage


def as_pillow_has_it(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_whole_files_are_whole(picture: Image.Image, options: dict[str, object], mode: str) -> None:
    whole = saved(picture.resize((333, 320)).convert(mode), **options)
    right = as_pillow_has_it(whole)
    # Also with what some cameras add: bytes before the end, a preview after it, or no end.
    for data in (
        whole,
        whole + whole,
        whole[:-2] + b"\0\xff\xd9",
        whole[:-2] + bytes(64),
        whole[:-2],
    ):
        pixels, damage = decoded(data)
        assert damage == ""
        np.testing.assert_array_equal(pixels, right)


def test_the_samples_are_whole(samples: Path) -> None:
    for path in samples.glob("*.jpg"):
        data = path.read_bytes()
        pixels, damage = decoded(data)
        assert damage == "", path.name
        np.testing.assert_array_equal(pixels, as_pillow_has_it(data))


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_torn_files_are_noticed(
    picture: Image.Image, options: dict[str, object], place: float
) -> None:
    whole = saved(picture, **options)
    at = int(len(whole) * place)
    zeroed, other, short = bytearray(whole), bytearray(whole), bytearray(whole)
    zeroed[at : at + 2048] = bytes(min(2048, len(whole) - at))
    other[at : at + 2048] = np.random.default_rng(0).integers(0, 255, 2048, np.uint8).tobytes()
    del short[at : at + 100]
    for data in (zeroed, other, short):
        assert decoded(bytes(data))[1]


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS.keys())
def test_a_cut_file_shows_its_beginning(picture: Image.Image, options: dict[str, object]) -> None:
    whole = saved(picture, **options)
    pixels, damage = decoded(whole[: int(len(whole) * 0.7)])
    assert damage == "the end of the picture data is missing"
    if "progressive" not in options:
        right = as_pillow_has_it(whole)
        np.testing.assert_array_equal(pixels[:200], right[:200])


def test_a_file_of_nothing_but_a_header_is_refused(picture: Image.Image) -> None:
    whole = saved(picture)
    with pytest.raises(OSError, match="nothing"):
        decoded(whole[: whole.index(b"\xff\xda") + 14])


def test_a_jpeg_of_thousands_of_passes_is_refused(picture: Image.Image) -> None:
    whole = saved(picture.resize((64, 64)), progressive=True)
    scan = whole.rindex(b"\xff\xda")
    with pytest.raises(OSError, match="too many parts"):
        decoded(whole[:-2] + whole[scan:-2] * 500 + whole[-2:])


def test_damage_reaches_the_photograph(tmp_path: Path, picture: Image.Image) -> None:
    data = bytearray(saved(picture))
    data[len(data) // 2 : len(data) // 2 + 2048] = bytes(2048)
    (tmp_path / "eye.jpg").write_bytes(data)
    assert open_image(tmp_path / "eye.jpg").damage
    assert max(thumbnail(tmp_path / "eye.jpg", 100).shape) == 100
    (tmp_path / "eye.jpg").write_bytes(data[:200])
    with pytest.raises(UserError, match="damaged or incomplete"):
        open_image(tmp_path / "eye.jpg")


def jpeg(picture: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.fixture
def photograph(samples: Path) -> Image.Image:
    with Image.open(samples / "chase_14L.jpg") as image:
        return image.convert("RGB").resize((320, 300))


def whole(stream: bytes) -> bool:
    header = jpeg_header(stream)
    assert header is not None
    try:
        return not jpeg_damage(with_end(stream), header)
    except OSError:
        return False


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restarts", [0, 2])
def test_whole_streams_are_whole(
    photograph: Image.Image, subsampling: int, progressive: bool, restarts: int
) -> None:
    stream = jpeg(
        photograph,
        subsampling=subsampling,
        progressive=progressive,
        restart_marker_rows=restarts,
    )
    for one in (stream, stream[:-2], stream + bytes(100)):
        assert whole(one)
    assert not whole(stream[: len(stream) * 2 // 3])


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_whole_streams_are_whole(photograph: Image.Image, mode: str) -> None:
    assert whole(jpeg(photograph.convert(mode)))


def test_a_hole_is_found(photograph: Image.Image) -> None:
    stream = jpeg(photograph, quality=90)
    random = np.random.default_rng(5)
    for _ in range(10):
        at = int(random.integers(1000, len(stream) - 500))
        assert not whole(stream[:at] + bytes(300) + stream[at + 300 :])


@pytest.mark.parametrize("predictor", [1, 7])
def test_lossless_streams(photograph: Image.Image, predictor: int) -> None:
    pixels = np.asarray(photograph)
    stream = bytes(imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor))
    assert whole(stream)
    assert whole(stream[:-2])
    assert not whole(stream[: len(stream) // 2])
    assert not whole(stream[:9000] + bytes(200) + stream[9200:])


@pytest.mark.parametrize("level", [0, 7, 255])
def test_a_flat_end_is_no_damage(photograph: Image.Image, level: int) -> None:
    """Fundus photographs end in black: the last codes of a lossless stream say "as before"."""
    pixels = np.asarray(photograph).copy()
    pixels[-20:] = level
    assert whole(bytes(imagecodecs.jpeg8_encode(pixels, lossless=True)))
    twelve = pixels.astype(np.uint16) << 4
    assert whole(bytes(imagecodecs.jpeg8_encode(twelve, level=90, bitspersample=12)))


def test_the_header_of_jpeg(photograph: Image.Image) -> None:
    header = jpeg_header(jpeg(photograph, subsampling=2))
    assert header is not None
    assert (header.width, header.height, header.bits) == (320, 300, 8)
    assert (header.ids, header.subsampled, header.jfif) == ((1, 2, 3), True, True)
    assert (header.is_ycbcr, header.kind, header.lossless) == (True, 0xC0, False)


def test_the_header_of_jpeg_ls(crop: NDArray[np.uint8]) -> None:
    header = jpeg_header(bytes(imagecodecs.jpegls_encode(crop)))
    assert header is not None
    assert (header.width, header.height, header.bits, header.jpeg_ls) == (80, 60, 8, True)


@pytest.mark.parametrize("container", ["j2k", "jp2"])
@pytest.mark.parametrize("mixed", [True, False])
def test_the_header_of_jpeg_2000(
    deep_crop: NDArray[np.uint16], container: str, mixed: bool
) -> None:
    stream = bytes(imagecodecs.jpeg2k_encode(deep_crop, codecformat=container, mct=mixed))
    header = jpeg2000_header(stream)
    assert header is not None
    assert (header.width, header.height, header.channels, header.bits) == (80, 60, 3, 16)
    assert (header.mixed, header.tiles) == (mixed, 1)
    assert jpeg2000_has_all(stream[header.start :], header)
    assert stream[header.start : header.start + 2] == b"\xff\x4f"


@pytest.mark.parametrize(
    "stream", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xc0\0\x05\x08\0", b"\xff\x4f"]
)
def test_no_header(stream: bytes) -> None:
    assert jpeg_header(stream) is None
    assert jpeg2000_header(stream) is None


def test_tiles_that_are_missing_are_found(crop: NDArray[np.uint8]) -> None:
    file = io.BytesIO()
    Image.fromarray(crop).save(file, "JPEG2000", tile_size=(32, 32), no_jp2=True)
    stream = file.getvalue()
    header = jpeg2000_header(stream)
    assert header is not None
    assert header.tiles == 6
    assert jpeg2000_has_all(stream, header)
    starts = [at for at in range(len(stream)) if stream[at : at + 4] == b"\xff\x90\0\x0a"]
    assert not jpeg2000_has_all(stream[: starts[3]] + stream[starts[4] :], header)
