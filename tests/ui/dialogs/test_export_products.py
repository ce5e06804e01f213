"""What is offered, what it will be called, and what is written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.geometry import Rect
from retina_viewer.core.names import free_paths, sidecar_path
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import AMBER, SaliencyStyle, saliency_legend
from retina_viewer.imaging.marks import stamps_of
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.export import Product
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.superres.uncertainty import UncertaintyMap
from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.dialogs.export_products import (
    FORMATS,
    PRODUCTS,
    ExportRequest,
    beside_original,
    formats_for,
    names_of,
    products_for,
    write,
)
from retina_viewer.ui.services import project_services
from retina_viewer.ui.view.picture import LayerView
from tests.ui.tiny_models import install_pair


@pytest.fixture
def image(photograph: Path) -> FundusImage:
    return open_image(photograph)


def request_for(image: FundusImage, product: Product) -> ExportRequest:
    layers = (LayerView(LayerName.SALIENCY, 0.5),)
    return ExportRequest(image, EnhanceSettings("bicubic", 2, "cpu"), product, layers)


def test_names(image: FundusImage) -> None:
    enhancer = make_enhancer(EnhanceSettings("bicubic", 2))
    names = {
        product: names_of(request_for(image, product), enhancer, ".png")
        for product in products_for(request_for(image, "result"))
    }
    assert names["result"] == ["0_chase_14L_SRx2_bicubic.png"]
    assert names["with_layers"] == ["0_chase_14L_SRx2_bicubic_layers.png"]
    assert names["beside"] == ["0_chase_14L_SRx2_bicubic_beside.png"]
    assert names["saliency"][0] == "0_chase_14L_saliency.png"
    assert names["vessels"] == [
        "0_chase_14L_vessels.png",
        "0_chase_14L_vessel_probability.png",
    ]


def test_formats_fit_the_size() -> None:
    small = FundusImage.from_array(np.zeros((100, 100, 3), np.uint8))
    assert formats_for(small, "result", 4) == [
        ".png",
        ".tif",
        ".jpg",
    ]
    assert formats_for(small, "saliency", 4) == [".png"]
    assert formats_for(small, "beside", 4) == [
        ".png",
        ".tif",
        ".jpg",
    ]
    large = FundusImage.from_array(np.zeros((2000, 3000, 3), np.uint8))
    assert formats_for(large, "result", 16) == [".tif"]
    assert formats_for(large, "with_layers", 16) == []
    assert formats_for(large, "beside", 16) == []


@pytest.mark.parametrize("kind", list(FORMATS))
def test_layers_are_drawn_in_and_named_in_the_provenance(
    image: FundusImage, tmp_path: Path, kind: str
) -> None:
    enhancer = make_enhancer(EnhanceSettings("bicubic", 2))
    request = request_for(image, "with_layers")
    paths = free_paths(tmp_path, names_of(request, enhancer, kind))
    assert write(request, enhancer, paths, project_services(), no_progress) == paths
    with Image.open(paths[0]) as written:
        assert written.size == (2 * image.width, 2 * image.height)
        half = np.asarray(written.convert("RGB").resize((image.width, image.height)), int)
    difference = np.abs(half - image.display_rgb)
    inside = image.field_of_view.mask
    strong = np.asarray((difference > 25).any(axis=2))
    assert 0.05 < strong[inside].mean() < 0.3  # points at something, veils nothing
    (legend,) = stamps_of([saliency_legend("inferno", SaliencyStyle.COLOURS)], inside, 2)
    corner = Rect(legend.x, legend.y, legend.pixels.shape[1], legend.pixels.shape[0])
    whole = np.asarray(Image.open(paths[0]).convert("RGB"), int)
    assert np.abs(whole[corner.slices()] - legend.pixels).mean() < 6  # what the colours mean
    outside = ~inside
    outside[Rect(corner.x // 2, corner.y // 2, corner.width, corner.height).slices()] = False
    assert difference[outside].mean() < 4
    provenance = read_provenance(paths[0])
    assert provenance is not None
    assert provenance.method == "bicubic, drawn in: saliency"
    assert sidecar_path(paths[0]).exists()


def test_saliency_is_written_as_numbers_and_as_a_picture(
    image: FundusImage, tmp_path: Path
) -> None:
    request = request_for(image, "saliency")
    paths = free_paths(tmp_path, names_of(request, None, ".png"))
    write(request, None, paths, project_services(), no_progress)
    with Image.open(paths[0]) as numbers, Image.open(paths[1]) as picture:
        assert numbers.mode.startswith("I")
        assert picture.mode == "RGB"
        assert numbers.size == picture.size == (image.width, image.height)


def test_original_and_result_side_by_side(image: FundusImage, tmp_path: Path) -> None:
    enhancer = make_enhancer(EnhanceSettings("lanczos", 4))
    request = replace(request_for(image, "beside"), settings=EnhanceSettings("lanczos", 4, "cpu"))
    paths = free_paths(tmp_path, names_of(request, enhancer, ".png"))
    write(request, enhancer, paths, project_services(), no_progress)
    width, height = 4 * image.width, 4 * image.height
    with Image.open(paths[0]) as written:
        both = np.asarray(written.convert("RGB"), int)
    top = both.shape[0] - height  # the titles; interpolation carries no statement of AI
    assert 20 < top < 60
    assert both.shape[1] - 2 * width in range(2, 17)
    truth = np.asarray(Image.fromarray(image.display_rgb).resize((width, height)), int)
    inside = np.asarray(Image.fromarray(image.field_of_view.mask).resize((width, height)), bool)
    for half in (both[top:, :width], both[top:, -width:]):
        assert np.abs(half - truth)[inside].mean() < 4  # both show the same photograph
    assert (both[top:, :width] != both[top:, -width:]).any()
    for title in (both[:top, :width], both[:top, -width:]):
        assert (title > 180).any()  # letters
    provenance = read_provenance(paths[0])
    assert provenance is not None
    assert provenance.method == "lanczos, beside the original"


def test_a_network_s_guesses_are_written_and_drawn_in(image: FundusImage, tmp_path: Path) -> None:
    gan, _ = install_pair()
    asked: list[tuple[float | None, float | None]] = []

    def uncertainty(
        image: FundusImage,
        enhancer: Enhancer,
        other: Enhancer | None,
        region: Rect,
        progress: Progress,
    ) -> UncertaintyMap:
        assert region == image.bounds
        asked.append((enhancer.fidelity, other.fidelity if other else None))
        error = np.zeros((image.height, image.width), np.float32)
        error[:, : image.width // 2] = 9.0  # the left half is a guess
        return UncertaintyMap(error, image.bounds, enhancer.scale, 4.5, 0.5)

    services = replace(project_services(), uncertainty=uncertainty)
    settings = EnhanceSettings("saliency-gan", 2, "cpu", gan, 0.6, back_projection=False)
    layers = (LayerView(LayerName.UNCERTAINTY, 1.0),)
    request = ExportRequest(image, settings, "with_layers", layers)
    assert list(PRODUCTS) == products_for(request)
    enhancer = services.make_enhancer(settings)
    paths = free_paths(tmp_path, names_of(request, enhancer, ".png"))
    write(request, enhancer, paths, services, no_progress)
    with Image.open(paths[0]) as written:
        drawn = np.asarray(written.convert("RGB").resize((image.width, image.height)), int)
    middle = slice(image.height // 3, image.height // 2)
    left, right = drawn[middle, 60:100], drawn[middle, 150:190]
    assert (left[..., 2] > left[..., 0]).mean() > 0.95  # blue covers the guess
    assert (right[..., 0] > right[..., 2]).mean() > 0.95
    request = replace(request, product="uncertainty")
    paths = free_paths(tmp_path, names_of(request, enhancer, ".png"))
    write(request, enhancer, paths, services, no_progress)
    with Image.open(paths[0]) as numbers:
        assert np.asarray(numbers).max() == 9 * 256
    assert asked == [(0.6, 1.0)] * 2


def test_a_filter_with_a_model_is_not_labelled_ai(image: FundusImage) -> None:
    request = replace(request_for(image, "beside"), settings=EnhanceSettings("linear", 2, "cpu"))
    linear = replace(bicubic(2), method="linear", model="linear")
    result = image.display_rgb.repeat(2, axis=0).repeat(2, axis=1)
    for enhancer, ai in ((linear, False), (replace(linear, method="pixel"), True)):
        page = beside_original(request, enhancer, result)
        assert (page == AMBER).all(axis=2).any() == ai


def test_the_window_s_export_is_marked_where_it_is_asked_for(
    image: FundusImage, tmp_path: Path
) -> None:
    gan, _ = install_pair()
    services = project_services()
    settings = EnhanceSettings("saliency-gan", 2, "cpu", gan, 0.6, back_projection=False)
    enhancer = services.make_enhancer(settings)
    for mark in (False, True):
        request = ExportRequest(image, settings, mark=mark)
        paths = free_paths(tmp_path, names_of(request, enhancer, ".png"))
        write(request, enhancer, paths, services, no_progress)
        with Image.open(paths[0]) as written:
            assert written.size == (2 * image.width, 2 * image.height)
            pixels = np.asarray(written.convert("RGB"))
        assert (pixels == AMBER).all(axis=2).any() == mark
    layers = (LayerView(LayerName.SALIENCY, 0.6),)
    request = ExportRequest(image, settings, "with_layers", layers)  # these always say it
    paths = free_paths(tmp_path, names_of(request, enhancer, ".png"))
    write(request, enhancer, paths, services, no_progress)
    with Image.open(paths[0]) as written:
        assert (np.asarray(written.convert("RGB")) == AMBER).all(axis=2).any()
