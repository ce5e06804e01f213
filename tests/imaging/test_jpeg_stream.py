"""What the headers of streams say, and whether a stream is whole."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.imaging.jpeg import (
    jpeg2000_has_all,
    jpeg2000_header,
    jpeg_damage,
    jpeg_header,
    with_end,
)


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
    assert (header.is_ycbcr, header.progressive, header.lossless) == (True, False, False)


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
