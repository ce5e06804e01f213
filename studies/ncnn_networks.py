"""Other people's networks in ncnn, on one thread of the CPU."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import tiles_covering

Bytes = NDArray[np.uint8]
_TILE = 200
_AROUND = 10  # as the ncnn programs of these networks cut photographs by default


def resized(image: Bytes, scale: float, way: int) -> Bytes:
    """OpenCV's resizing by a factor, ``way`` one of its ``INTER_*``."""
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


@dataclass(frozen=True)
class NcnnNetwork:
    """A network for RGB in 0..1, cut into tiles.

    Args:
        files: by scale, ``.param`` and ``.bin`` without their suffix.
        blobs: names of its input and output.
        margin: pixels of the small image that it takes away on every side.
    """

    files: Mapping[int, Path]
    blobs: tuple[str, str] = ("data", "output")
    margin: int = 0
    _nets: dict[int, Any] = field(default_factory=dict)

    def enlarge(self, small: Bytes, scale: int) -> Bytes:
        """By the network of this scale; where there is none by smaller ones one after the other,
        or by a larger one and then shrunk."""
        if scale in self.files:
            return self._tiled(small, scale)
        smaller = [own for own in self.files if own < scale]
        if smaller:
            step = max(smaller)
            return self.enlarge(self._tiled(small, step), scale // step)
        larger = min(self.files)
        return resized(self._tiled(small, larger), scale / larger, cv2.INTER_AREA)

    def _tiled(self, small: Bytes, scale: int) -> Bytes:
        height, width = small.shape[:2]
        rim = _AROUND + self.margin
        result = np.empty((height * scale, width * scale, 3), np.uint8)
        padded = cv2.copyMakeBorder(small, rim, rim, rim, rim, cv2.BORDER_REFLECT_101)
        inner = slice(_AROUND * scale, -_AROUND * scale)
        for tile in tiles_covering(width, height, _TILE):
            rows = slice(tile.y, tile.bottom + 2 * rim)
            columns = slice(tile.x, tile.right + 2 * rim)
            large = self._computed(scale, np.asarray(padded, np.uint8)[rows, columns])
            result[tile.scaled(scale).slices()] = large[inner, inner]
        return result

    def _computed(self, scale: int, image: Bytes) -> Bytes:
        ncnn = importlib.import_module("ncnn")
        planes = np.ascontiguousarray((image.astype(np.float32) / 255).transpose(2, 0, 1))
        extractor = self._net(scale).create_extractor()
        extractor.input(self.blobs[0], ncnn.Mat(planes).clone())
        code, found = extractor.extract(self.blobs[1])
        if code != 0:
            raise RuntimeError(f"ncnn failed with {code} on {self.files[scale].name}")
        unit = np.clip(np.array(found), 0.0, 1.0).transpose(1, 2, 0)
        return np.asarray(np.rint(unit * 255), np.uint8)

    def _net(self, scale: int) -> Any:
        ncnn = importlib.import_module("ncnn")
        if scale not in self._nets:
            net = ncnn.Net()
            net.opt.use_vulkan_compute, net.opt.num_threads = False, 1
            for load, suffix in ((net.load_param, ".param"), (net.load_model, ".bin")):
                file = f"{self.files[scale]}{suffix}"
                if load(file) != 0:
                    raise RuntimeError(f"{file} could not be read")
            self._nets[scale] = net
        return self._nets[scale]
