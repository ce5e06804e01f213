"""Compressed and several pictures: each right, or refused, or said to be damaged."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.dicom import read_dicom
from retina_viewer.imaging.readers import open_image
from tests.imaging.dicom_objects import Pixels, compressed, dataset, written

Encode = Callable[[Pixels], bytes]


def lossless_jpeg(pixels: Pixels, predictor: int = 1) -> bytes:
    return bytes(
        imagecodecs.jpeg8_encode(
            pixels,
            lossless=True,
            predictor=predictor,
            colorspace="RGB" if pixels.ndim == 3 else None,
            outcolorspace="RGB" if pixels.ndim == 3 else None,
        )
    )


def jpeg_2000(pixels: Pixels) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", reversible=True))


def htj2k(pixels: Pixels) -> bytes:
    return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))


def jpeg_ls(pixels: Pixels) -> bytes:
    return bytes(imagecodecs.jpegls_encode(pixels))


def jpeg(crop: NDArray[np.uint8], subsampling: int = 0, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(crop).save(stream, "JPEG", quality=95, subsampling=subsampling, **options)
    return stream.getvalue()


def rgb_jpeg(crop: NDArray[np.uint8]) -> bytes:
    """Red, green and blue are stored as they are; an Adobe marker says so."""
    return bytes(imagecodecs.jpeg8_encode(crop, level=95, colorspace="RGB", outcolorspace="RGB"))


def without_markers(stream: bytes) -> bytes:
    """A JPEG stream without its application segments."""
    at, kept = 2, stream[:2]
    while stream[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if not 0xE0 <= stream[at + 1] <= 0xEF:
            kept += stream[at:end]
        at = end
    return kept + stream[at:]


LOSSLESS: list[tuple[UID, Encode]] = [
    (JPEGLossless, lambda pixels: lossless_jpeg(pixels, predictor=4)),
    (JPEGLosslessSV1, lossless_jpeg),
    (JPEGLSLossless, jpeg_ls),
    (JPEGLSNearLossless, jpeg_ls),
    (JPEG2000Lossless, jpeg_2000),
    (JPEG2000, jpeg_2000),
    (HTJ2KLossless, htj2k),
    (HTJ2KLosslessRPCL, htj2k),
    (HTJ2K, htj2k),
]


@pytest.mark.parametrize(
    ("syntax", "encode"), LOSSLESS, ids=lambda one: one[-3:] if isinstance(one, str) else None
)
@pytest.mark.parametrize("kind", ["colour", "deep colour", "deep grey"])
def test_lossless_streams_are_exact(
    tmp_path: Path, crop: NDArray[np.uint8], deep_crop: NDArray[np.uint16], syntax: UID,
    encode: Encode, kind: str,
) -> None:  # fmt: skip
    pixels: Pixels = crop if kind == "colour" else deep_crop
    pixels = pixels[..., 1].copy() if kind == "deep grey" else pixels
    mixed = syntax in (JPEG2000Lossless, JPEG2000, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL)
    colour = "MONOCHROME2" if pixels.ndim == 2 else "YBR_RCT" if mixed else "RGB"
    bits = 8 * pixels.itemsize
    image = open_image(written(compressed(pixels, bits, syntax, colour, encode(pixels)), tmp_path))
    np.testing.assert_array_equal(image.pixels.T, np.broadcast_to(pixels.T, image.pixels.T.shape))
    assert (image.damage, image.notes) == ("", ())


def test_extended_jpeg_of_12_bits(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    twelve = (deep_crop >> 4).astype(np.uint16)
    stream = bytes(imagecodecs.jpeg8_encode(twelve, level=99, bitspersample=12, subsampling="444"))
    file = compressed(twelve, 12, JPEGExtended12Bit, "YBR_FULL", stream)
    image = open_image(written(file, tmp_path))
    assert image.pixels.dtype == np.uint16
    assert np.abs(image.pixels / 65535 - deep_crop / 65535).mean() < 0.005


def test_run_lengths_of_16_bits(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    file = dataset(deep_crop, 16)
    file.compress(RLELossless)
    image = open_image(written(file, tmp_path))
    np.testing.assert_array_equal(image.pixels, deep_crop)


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL_422"])
@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (lambda crop: jpeg(crop), "YBR_FULL_422"),  # a JFIF marker
        (rgb_jpeg, "RGB"),  # an Adobe marker
        (lambda crop: without_markers(rgb_jpeg(crop)), "RGB"),  # components named R, G, B
        (lambda crop: without_markers(jpeg(crop, subsampling=2)), "YBR_FULL_422"),
    ],
    ids=["jfif", "adobe", "names", "subsampled"],
)
def test_the_stream_says_which_colours_it_has(
    tmp_path: Path, crop: NDArray[np.uint8], label: str, stream: Encode, said: str
) -> None:
    file = compressed(crop, 8, JPEGBaseline8Bit, label, stream(crop))
    image = open_image(written(file, tmp_path))
    assert np.abs(image.pixels.astype(int) - crop).mean() < 3
    assert bool(image.notes) == (label != said)
    assert all("header" in note for note in image.notes)


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
def test_without_a_word_in_the_stream_the_label_counts(
    tmp_path: Path, crop: NDArray[np.uint8], label: str
) -> None:
    stored = crop if label == "RGB" else np.asarray(Image.fromarray(crop).convert("YCbCr"))
    stream = bytearray(without_markers(lossless_jpeg(stored)))
    frame = stream.index(b"\xff\xc3") + 10
    scan = stream.index(b"\xff\xda") + 5
    for number in range(3):  # components named 1, 2, 3 say nothing
        stream[frame + 3 * number] = stream[scan + 2 * number] = number + 1
    file = compressed(crop, 8, JPEGLosslessSV1, label, bytes(stream))
    image = open_image(written(file, tmp_path))
    assert np.abs(image.pixels.astype(int) - crop).max() <= (0 if label == "RGB" else 3)


def test_a_stream_of_another_kind_than_the_label(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = compressed(crop, 8, JPEGBaseline8Bit, "RGB", jpeg_2000(crop))
    np.testing.assert_array_equal(open_image(written(file, tmp_path)).pixels, crop)


def test_a_jpeg_without_its_end_is_whole(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    whole = jpeg(crop)
    for stream in (whole, whole[:-2], whole[:-2] + bytes(6)):
        file = compressed(crop, 8, JPEGBaseline8Bit, "YBR_FULL_422", stream)
        image = open_image(written(file, tmp_path))
        assert np.abs(image.pixels.astype(int) - crop).mean() < 3
        assert image.damage == ""


@pytest.mark.parametrize("kind", ["baseline", "progressive", "lossless", "12 bits"])
def test_a_damaged_jpeg_is_said(
    tmp_path: Path, crop: NDArray[np.uint8], deep_crop: NDArray[np.uint16], kind: str
) -> None:
    pixels: Pixels = (deep_crop >> 4).astype(np.uint16) if kind == "12 bits" else crop
    stream = {
        "baseline": lambda: jpeg(crop),
        "progressive": lambda: jpeg(crop, progressive=True),
        "lossless": lambda: lossless_jpeg(crop),
        "12 bits": lambda: bytes(imagecodecs.jpeg8_encode(pixels, level=95, bitspersample=12)),
    }[kind]()
    cut = stream[: len(stream) * 3 // 4]
    syntax = JPEGExtended12Bit if kind == "12 bits" else JPEGBaseline8Bit
    colour = "RGB" if kind == "lossless" else "YBR_FULL"
    image = open_image(written(compressed(pixels, 8, syntax, colour, cut), tmp_path))
    assert "missing" in image.damage
    if kind in ("baseline", "lossless"):
        middle = len(stream) * 2 // 3
        holed = stream[:middle] + bytes(200) + stream[middle + 200 :]
        image = open_image(written(compressed(pixels, 8, syntax, colour, holed), tmp_path))
        assert "missing" in image.damage


@pytest.mark.parametrize("encode", [jpeg_ls, jpeg_2000, htj2k], ids=lambda one: one.__name__)
def test_other_streams_that_are_cut_are_refused(
    tmp_path: Path, crop: NDArray[np.uint8], encode: Encode
) -> None:
    stream = encode(crop)
    file = compressed(crop, 8, JPEGLSLossless, "RGB", stream[: len(stream) // 2])
    with pytest.raises(UserError, match="damaged"):
        open_image(written(file, tmp_path))


def test_a_tile_that_is_missing_is_said(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    tiled = io.BytesIO()
    Image.fromarray(crop).save(
        tiled, "JPEG2000", tile_size=(32, 32), no_jp2=True, irreversible=False, mct=0
    )
    stream = tiled.getvalue()
    whole = open_image(written(compressed(crop, 8, JPEG2000, "RGB", stream), tmp_path))
    np.testing.assert_array_equal(whole.pixels, crop)
    assert whole.damage == ""
    first, second = stream.index(b"\xff\x90\0\x0a\0\2"), stream.index(b"\xff\x90\0\x0a\0\3")
    file = compressed(crop, 8, JPEG2000, "RGB", stream[:first] + stream[second:])
    assert "missing" in open_image(written(file, tmp_path)).damage


def test_run_lengths_that_are_cut_are_refused(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    file.compress(RLELossless)
    path = written(file, tmp_path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UserError, match="damaged"):
        open_image(path)


@pytest.mark.parametrize("encode", [jpeg, jpeg_ls, jpeg_2000], ids=lambda one: one.__name__)
def test_a_stream_of_another_size_is_refused_before_it_is_decoded(
    tmp_path: Path, crop: NDArray[np.uint8], encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = compressed(crop[:, :64], 8, JPEGBaseline8Bit, "RGB", encode(crop))
    for decoder in ("jpeg8_decode", "jpegls_decode", "jpeg2k_decode"):
        monkeypatch.setattr(imagecodecs, decoder, None)
    with pytest.raises(UserError, match="64 x 60 pixels by its header, 80 x 60 by its picture"):
        open_image(written(file, tmp_path))


@pytest.mark.parametrize("fragments", [1, 3])
def test_every_frame_can_be_chosen(crop: NDArray[np.uint8], tmp_path: Path, fragments: int) -> None:
    frames = [np.roll(crop, 10 * shift, 1) for shift in range(3)]
    streams = [jpeg_ls(frame) for frame in frames]
    file = compressed(crop, 8, JPEGLSLossless, "RGB", *streams, fragments=fragments)
    path = written(file, tmp_path)
    for number, frame in enumerate(frames):
        image = open_image(path, page=number)
        np.testing.assert_array_equal(image.pixels, frame)
        assert (image.pages, image.page, image.damage) == (3, number, "")
    for page in (-1, 3):
        with pytest.raises(UserError, match="3 pictures"):
            open_image(path, page=page)


def test_every_uncompressed_frame_can_be_chosen(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    file.NumberOfFrames = 2
    file.PixelData = crop.tobytes() + (255 - crop).tobytes()
    path = written(file, tmp_path)
    image = open_image(path, page=1)
    np.testing.assert_array_equal(image.pixels, 255 - crop)
    assert image.pages == 2


@pytest.mark.parametrize("promised", [3, 10**9])
def test_frames_that_are_missing_are_said(
    tmp_path: Path, crop: NDArray[np.uint8], promised: int
) -> None:
    file = dataset(crop, 8)
    file.NumberOfFrames = promised
    file.PixelData = crop.tobytes() * 2
    packed = compressed(crop, 8, JPEGLSLossless, "RGB", jpeg_ls(crop), jpeg_ls(crop))
    packed.NumberOfFrames = promised
    for one in (file, packed):
        image = open_image(written(one, tmp_path))
        np.testing.assert_array_equal(image.pixels, crop)
        assert image.pages == 2
        assert f"{promised} pictures" in image.damage


def test_shared_colours(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    ybr = np.asarray(Image.fromarray(crop).convert("YCbCr"))
    shared = np.concatenate([ybr[:, 0::2, :1], ybr[:, 1::2, :1], ybr[:, 0::2, 1:]], axis=-1)
    file = dataset(crop, 8)
    file.PhotometricInterpretation = "YBR_FULL_422"
    file.PixelData = shared.tobytes()
    image = open_image(written(file, tmp_path))
    assert np.abs(image.pixels.astype(int) - crop).mean() < 4
    file.PixelData = ybr.tobytes()  # widened, and the label forgotten
    image = open_image(written(file, tmp_path))
    assert np.abs(image.pixels.astype(int) - crop).max() <= 3


def test_a_decoder_that_is_not_there_is_not_promised(
    tmp_path: Path, crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagecodecs, "JPEGLS", SimpleNamespace(available=False))
    file = compressed(crop, 8, JPEGLSLossless, "RGB", jpeg_ls(crop))
    with pytest.raises(UserError, match="JPEG-LS Lossless") as caught:
        open_image(written(file, tmp_path))
    assert "JPEG-LS" not in caught.value.hint
    assert "JPEG 2000" in caught.value.hint


def test_nothing_that_is_damaged_is_more_than_refused_or_said(
    tmp_path: Path, crop: NDArray[np.uint8]
) -> None:
    """Any byte may be wrong: the answer is a picture or a word for people, never an accident."""
    random = np.random.default_rng(3)
    file = dataset(crop, 8)
    file.compress(RLELossless)
    files = [
        compressed(crop, 8, JPEGBaseline8Bit, "YBR_FULL_422", jpeg(crop)),
        compressed(crop, 8, JPEGLosslessSV1, "RGB", lossless_jpeg(crop)),
        compressed(crop, 8, HTJ2K, "RGB", htj2k(crop)),
        dataset(crop, 8),
        file,
    ]
    answers = {"opened": 0, "refused": 0}
    for one in files:
        data = written(one, tmp_path).read_bytes()
        for turn in range(30):
            broken = bytearray(data[: random.integers(140, len(data))] if turn % 3 == 0 else data)
            for place in random.integers(132, len(broken) if turn % 2 else 700, 4):
                broken[min(int(place), len(broken) - 1)] ^= 1 << int(random.integers(8))
            try:
                open_image(written(bytes(broken), tmp_path))
                answers["opened"] += 1
            except UserError as error:
                assert error.message
                answers["refused"] += 1
    assert min(answers.values()) > 20, answers


def test_decoding_counts_what_it_takes(crop: NDArray[np.uint8], tmp_path: Path) -> None:
    """A header of 16,384 x 16,384 in three hundred bytes: no memory is asked for."""
    stream = bytearray(jpeg_2000(crop))
    stream[8:16] = (16384).to_bytes(4, "big") * 2
    file = compressed(crop, 8, JPEG2000, "RGB", bytes(stream))
    file.Rows = file.Columns = 16384
    data = written(file, tmp_path).read_bytes()
    with pytest.raises(UserError, match="too large"):
        read_dicom(data, "eye")
