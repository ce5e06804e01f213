"""What the headers of streams say, and whether a stream is whole."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.imaging.jpeg_stream import (
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
    return not jpeg_damage(with_end(stream), header)


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
    assert header.mixed is mixed
    assert stream[header.start : header.start + 2] == b"\xff\x4f"


@pytest.mark.parametrize(
    "stream", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xc0\0\x05\x08\0", b"\xff\x4f"]
)
def test_no_header(stream: bytes) -> None:
    assert jpeg_header(stream) is None
    assert jpeg2000_header(stream) is None
