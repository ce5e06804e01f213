"""What is offered, what it will be called, and what is written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.progress import no_progress
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance, sidecar_path
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.ui.exporting import (
    Format,
    Product,
    Request,
    file_names,
    formats_for,
    free_paths,
    write,
)
from retina_viewer.ui.making import Making
from retina_viewer.ui.resolved_view import LayerView
from retina_viewer.ui.services import project_services
from retina_viewer.ui.view_state import LayerName


@pytest.fixture
def image(photograph: Path) -> FundusImage:
    return open_image(photograph)


def request_for(image: FundusImage, product: Product) -> Request:
    layers = (LayerView(LayerName.SALIENCY, 0.5),)
    return Request(image, Making("bicubic", 2, "cpu"), product, layers)


def test_names(image: FundusImage) -> None:
    enhancer = make_enhancer("bicubic", 2)
    names = {
        product: file_names(request_for(image, product), enhancer, Format.PNG)
        for product in Product
    }
    assert names[Product.RESULT] == ["0_chase_14L_SRx2_bicubic.png"]
    assert names[Product.WITH_LAYERS] == ["0_chase_14L_SRx2_bicubic_layers.png"]
    assert names[Product.SALIENCY][0] == "0_chase_14L_saliency.png"
    assert names[Product.VESSELS] == [
        "0_chase_14L_vessels.png",
        "0_chase_14L_vessel_probability.png",
    ]


def test_a_name_is_free_only_if_its_sidecar_is_too(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    sidecar_path(tmp_path / "a (2).png").touch()
    assert free_paths(tmp_path, ["a.png", "b.png"]) == [
        tmp_path / "a (3).png",
        tmp_path / "b.png",
    ]


def test_formats_fit_the_size() -> None:
    small = FundusImage.from_array(np.zeros((100, 100, 3), np.uint8))
    assert formats_for(small, Product.RESULT, 4) == [Format.PNG, Format.TIFF, Format.JPEG]
    assert formats_for(small, Product.SALIENCY, 4) == [Format.PNG]
    large = FundusImage.from_array(np.zeros((2000, 3000, 3), np.uint8))
    assert formats_for(large, Product.RESULT, 16) == [Format.TIFF]
    assert formats_for(large, Product.WITH_LAYERS, 16) == []


@pytest.mark.parametrize("kind", list(Format))
def test_layers_are_drawn_in_and_named_in_the_provenance(
    image: FundusImage, tmp_path: Path, kind: Format
) -> None:
    enhancer = make_enhancer("bicubic", 2)
    request = request_for(image, Product.WITH_LAYERS)
    paths = free_paths(tmp_path, file_names(request, enhancer, kind))
    assert write(request, enhancer, paths, project_services(), no_progress) == paths
    with Image.open(paths[0]) as written:
        assert written.size == (2 * image.width, 2 * image.height)
        half = np.asarray(written.convert("RGB").resize((image.width, image.height)), int)
    difference = np.abs(half - image.display_rgb)
    inside = image.field_of_view.mask
    assert difference[inside].mean() > 10
    assert difference[~inside].mean() < 4
    provenance = read_provenance(paths[0])
    assert provenance is not None
    assert provenance.method == "bicubic, drawn in: saliency"
    assert sidecar_path(paths[0]).exists()


def test_saliency_is_written_as_numbers_and_as_a_picture(
    image: FundusImage, tmp_path: Path
) -> None:
    request = request_for(image, Product.SALIENCY)
    paths = free_paths(tmp_path, file_names(request, None, Format.PNG))
    write(request, None, paths, project_services(), no_progress)
    with Image.open(paths[0]) as numbers, Image.open(paths[1]) as picture:
        assert numbers.mode.startswith("I")
        assert picture.mode == "RGB"
        assert numbers.size == picture.size == (image.width, image.height)
