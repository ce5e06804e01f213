"""A saliency map as files: the numbers exactly, the colours only where they mean something."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import SaliencyStyle, saliency_legend, without_rim
from retina_viewer.imaging.marks import stamps_of
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance
from retina_viewer.saliency.layer import export_saliency


@pytest.fixture(scope="module")
def photograph(samples: Path) -> FundusImage:
    with Image.open(samples / "chase_14L.jpg") as image:
        small = np.asarray(image.resize((250, 240), Image.Resampling.BOX))
    return replace(FundusImage.from_array(small, "eye.png"), sha256="cd" * 32)


def test_the_map_keeps_sixteen_bits_and_the_overlay_the_surroundings(
    photograph: FundusImage, tmp_path: Path
) -> None:
    ramp = np.linspace(0, 1, 250 * 240, dtype=np.float32).reshape(240, 250)
    plane, colours = tmp_path / "map.png", tmp_path / "overlay.png"
    provenance = export_saliency(photograph, ramp, plane, colours, device="cpu")
    with Image.open(plane) as image:
        values = np.asarray(image)
    assert values.dtype == np.uint16
    np.testing.assert_allclose(values / 65535, ramp, atol=0.51 / 65535)

    drawn, field = open_image(colours).pixels, photograph.field_of_view.mask
    mask = without_rim(field)
    changed = np.abs(drawn.astype(int) - photograph.display_rgb).max(axis=2) >= 10
    top = mask & (ramp >= np.quantile(ramp[mask], 0.86))
    (stamp,) = stamps_of([saliency_legend("inferno", SaliencyStyle.COLOURS)], field)
    rows = slice(stamp.y, stamp.y + stamp.pixels.shape[0])
    legend = rows, slice(stamp.x, stamp.x + stamp.pixels.shape[1])
    np.testing.assert_array_equal(drawn[legend], stamp.pixels)
    changed[legend] = top[legend] = False
    assert changed[top].mean() > 0.95
    low = mask & (ramp < np.quantile(ramp[mask], 0.84))
    low[legend] = False
    assert not changed[low].any()  # no veil
    assert not changed[~mask].any()

    assert read_provenance(plane) == read_provenance(colours) == provenance
    assert (provenance.kind, provenance.source_sha256) == ("saliency", "cd" * 32)
    assert (tmp_path / "map.png.json").is_file()


def test_nothing_is_overwritten(photograph: FundusImage, tmp_path: Path) -> None:
    plane = tmp_path / "map.png"
    plane.write_text("mine", encoding="utf-8")
    flat = np.zeros((240, 250), np.float32)
    with pytest.raises(UserError, match="exists already"):
        export_saliency(photograph, flat, plane, tmp_path / "overlay.png", device="cpu")
    assert plane.read_text(encoding="utf-8") == "mine"
    assert len(list(tmp_path.glob("*.png"))) == 1
