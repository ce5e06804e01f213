"""Other programs' networks in tiles, and the page that compares them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.records import Record
from studies.peer_list import Bytes, NcnnNetwork, Peer
from studies.peers import by_condition, report


@pytest.fixture
def photograph(samples: Path) -> Bytes:
    with Image.open(samples / "chase_14L.jpg") as picture:
        return np.asarray(picture.convert("RGB").crop((300, 200, 710, 430)), np.uint8)


@pytest.fixture(autouse=True)
def repeats_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of the kind of the real ones: it takes its margin away on every side."""

    def computed(network: NcnnNetwork, scale: int, image: Bytes) -> Bytes:
        cut = network.margin * scale
        large = repeated(image, scale)
        return large[cut : large.shape[0] - cut, cut : large.shape[1] - cut]

    monkeypatch.setattr(NcnnNetwork, "_computed", computed)


def repeated(image: Bytes, scale: int) -> Bytes:
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


@pytest.mark.parametrize("margin", [0, 7])
@pytest.mark.parametrize(
    ("own", "scale"), [((2,), 2), ((2, 4), 4), ((2,), 4), ((2,), 8), ((4,), 2), ((4,), 16)]
)
def test_tiles_of_a_network_meet_at_every_scale(
    photograph: Bytes, own: tuple[int, ...], scale: int, margin: int
) -> None:
    files = {each: Path(f"x{each}") for each in own}
    large = NcnnNetwork(files, margin=margin).enlarge(photograph, scale)
    np.testing.assert_array_equal(large, repeated(photograph, scale))


def row(peer: str, psnr: float, photograph: str = "01", kernel: str = "gaussian") -> Record:
    return {
        "dataset": "DRIVE", "photograph": photograph, "kernel": kernel, "scale": 2, "peer": peer,
        "model": "", "psnr": psnr, "ssim": 0.9, "lpips": 0.2, "seconds": 1.0, "per_megapixel": 2.0,
    }  # fmt: skip


def test_the_page_has_means_of_each_condition_and_says_what_is_missing() -> None:
    records = [
        row("ours", 40.0), row("ours", 42.0, "02"), row("theirs, small", 40.5),
        row("theirs, small", 40.5, "02"), row("ours", 44.0, kernel="bicubic"),
    ]  # fmt: skip
    peers = [
        Peer("ours", enlarge=repeated, identity="1234"),
        Peer("theirs, small", "MIT", repeated),
        Peer("gone", missing="?"),
    ]
    photographs = [Photograph("DRIVE", name, name, Path(name)) for name in ("01", "02")]
    page = report(by_condition(records), peers, photographs)
    gaussian, bicubic = page.split("## x2, ")[1:]
    assert "| ours | **41.00** |" in gaussian and "| theirs, small | 40.50 |" in gaussian
    assert "| ours | **44.00** |" in bicubic and "| theirs, small | missing |" in bicubic
    assert "DRIVE/01, DRIVE/02" in page and "ours: 1234. Licences: theirs: MIT." in page
    assert "Missing: gone: ?." in page
