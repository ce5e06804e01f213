"""PNG chunks: OpenCV encodes 8- and 16-bit pixels alike, but knows neither profiles nor text."""

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COMPRESSION = 4
"""Of 9: higher levels take three times as long for one percent."""
_HEADER_END = len(SIGNATURE) + 25
"""The IHDR chunk comes first and holds 13 bytes of data."""


def encode_png(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    texts: dict[str, str],
    icc_profile: bytes | None = None,
) -> bytes:
    """A PNG file; the same input gives the same bytes.

    Args:
        pixels: ``(H, W)`` or ``(H, W, 3)`` RGB, uint8 or uint16.
        texts: by keyword (1 to 79 Latin-1 characters), stored as UTF-8 (iTXt).
        icc_profile: stored as iCCP; it must fit the pixels (an RGB profile for RGB).

    Raises:
        ValueError: another shape or type.
    """
    if pixels.ndim != 2 and pixels.shape[2:] != (3,):
        raise ValueError(f"PNG cannot hold {pixels.shape} here")
    bgr = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    done, buffer = cv2.imencode(
        ".png", np.ascontiguousarray(bgr), [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION]
    )
    if not done:
        raise ValueError(f"PNG cannot hold {pixels.shape} {pixels.dtype}")
    encoded = buffer.tobytes()
    parts: list[bytes] = [encoded[:_HEADER_END]]
    if icc_profile is not None:
        name_and_method = b"ICC profile\0\0"
        parts.append(_chunk(b"iCCP", name_and_method + zlib.compress(icc_profile, 9)))
    for keyword, text in texts.items():
        # Keyword, not compressed, no language, no translated keyword.
        head = keyword.encode("latin-1") + b"\0" + b"\0\0" + b"\0" + b"\0"
        parts.append(_chunk(b"iTXt", head + text.encode()))
    parts.append(encoded[_HEADER_END:])
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
