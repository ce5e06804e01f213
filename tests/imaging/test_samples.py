"""The bundled photographs: openly licensed, whole, and each with its source named."""

from pathlib import Path

import numpy as np

from retina_viewer.imaging.readers import images_in, open_image


def test_every_file_is_attributed_and_small(samples: Path) -> None:
    text = (samples / "ATTRIBUTION.md").read_text("utf-8")
    for file in images_in(samples):
        assert f"`{file.name}`" in text
        assert file.stat().st_size <= 2_000_000
    assert "DRIVE" not in text
    assert sum(file.stat().st_size for file in samples.iterdir()) < 4_000_000


def test_one_is_wider_than_3000_pixels(samples: Path) -> None:
    assert max(open_image(file).width for file in images_in(samples)) > 3000


def test_masks_have_their_photographs_size_and_two_values(samples: Path) -> None:
    masks = [file for file in images_in(samples) if file.stem.endswith(("_fov", "_vessels", "_ma"))]
    assert len(masks) == 6
    for file in masks:
        (photograph,) = [
            other for other in images_in(samples)
            if other not in masks and file.stem.startswith(other.stem)
        ]  # fmt: skip
        mask, image = open_image(file), open_image(photograph)
        assert (mask.width, mask.height) == (image.width, image.height)
        assert mask.is_grey
        assert np.unique(mask.pixels).tolist() == [0, 255]


def test_vessels_lie_in_the_field_of_view_and_are_darker(samples: Path) -> None:
    for stem in ("chase_14L.jpg", "fives_28_A.png", "hrf_08_h.jpg"):
        image = open_image(samples / stem)
        vessels = open_image(samples / f"{Path(stem).stem}_vessels.png").pixels[..., 0] > 127
        inside = image.field_of_view.mask
        assert (vessels & inside).sum() > 0.98 * vessels.sum()
        green = image.pixels[..., 1]
        assert green[vessels & inside].mean() < green[inside & ~vessels].mean()
