"""The saliency GAN's losses against the paper's equations, and its two players."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from retina_viewer.imaging.readers import open_image
from retina_viewer.networks.discriminator import Discriminator, VGG19Discriminator
from retina_viewer.networks.generator_cascade import (
    AnyStepParameters,
    GeneratorCascade,
    LeakyStepParameters,
    StepParameters,
)
from retina_viewer.saliency.filters import saliency_filters
from retina_viewer.saliency.local import LocalSaliency
from retina_viewer.training.cache import open_cache
from retina_viewer.training.loop import in_parts
from retina_viewer.training.pairs import PairSource, luminance
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import (
    DegradationRange,
    GanWeights,
    Optimisation,
    SaliencyGanStage,
)
from retina_viewer.training.saliency_gan_task import (
    SaliencyGanTask,
    SaliencyMaps,
    grid_error,
    weighted_squared_error,
)
from studies.data_folders import find_photographs
from tests.conftest import SAMPLES

PLAN = Optimisation(iterations=1, batch=2, rate=1e-4)


@pytest.fixture(scope="module")
def source(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PatchSource:
    photographs = find_photographs(data_folder)
    folder = tmp_path_factory.mktemp("gan")
    cache = open_cache(photographs, folder, diameter=300, with_vessels=False)
    return PatchSource(cache, (250, 300))


def make_task(
    source: PatchSource,
    steps: Sequence[AnyStepParameters] = (StepParameters(maps=8, blocks=1),),
    **changes: object,
) -> SaliencyGanTask:
    fields = {"step": 1, "patch": 18, "border": 1, "validation_patches": 1} | changes
    stage = SaliencyGanStage.model_validate(
        {**fields, "discriminator_narrow": 8, "instance_noise": 0.0, "optimisation": PLAN}
    )
    torch.manual_seed(0)
    cascade = GeneratorCascade(steps)
    device = torch.device("cpu")
    pairs = PairSource(cascade, stage, DegradationRange(), source, source, device)
    return SaliencyGanTask(cascade, stage, pairs, device)


def test_equation_7_weighs_each_image_by_its_own_saliency() -> None:
    truth, made = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), 0.25)
    true_map, made_map = torch.full((1, 1, 2, 2), 0.5), torch.full((1, 1, 2, 2), 1.0)
    by_own = weighted_squared_error(truth, made, true_map, made_map)
    assert float(by_own) == pytest.approx(0)  # brightness traded against weight
    by_truth = weighted_squared_error(truth, made, true_map, None)
    assert float(by_truth) == pytest.approx(0.5 * 0.25**2)


def test_every_term_is_logged_and_moves_the_generator(source: PatchSource) -> None:
    task = make_task(source)
    generator = task.players[0]
    batch = task.batch(np.random.default_rng(0))
    terms = task.losses(generator, batch)
    assert list(terms) == ["pixel", "weighted", "saliency", "cnn", "adversarial", "grid"]
    for name, term in terms.items():
        generator.network.zero_grad()
        term.backward(retain_graph=True)
        moved = sum(
            float(p.grad.abs().sum()) for p in generator.network.parameters() if p.grad is not None
        )
        assert moved > 0, name
        assert torch.isfinite(term), name


def test_a_term_of_weight_zero_is_left_out(source: PatchSource) -> None:
    weights = GanWeights(pixel=1, weighted=0, saliency=0, cnn=0, adversarial=0, grid=0)
    task = make_task(source, weights=weights)
    batch = task.batch(np.random.default_rng(0))
    assert list(task.losses(task.players[0], batch)) == ["pixel"]


@pytest.mark.parametrize("kind", ["paper", "relativistic"])
def test_the_discriminator_descends_alone(source: PatchSource, kind: str) -> None:
    """Its loss has no gradient for the generator, and neither has the generator's for it."""
    task = make_task(source, adversarial=kind)
    generator, discriminator = task.players
    batch = task.batch(np.random.default_rng(0))
    for player, other in ((generator, discriminator), (discriminator, generator)):
        for network in (generator.network, discriminator.network):
            network.zero_grad()
        torch.stack(list(task.losses(player, batch).values())).sum().backward()
        assert all(p.grad is None for p in other.network.parameters())
        assert any(p.grad is not None for p in player.network.parameters())


def test_the_paper_s_adversarial_losses_at_indifference(source: PatchSource) -> None:
    """A discriminator that always says one half costs log 2 a sample and side."""
    task = make_task(source, adversarial="paper", weights=GanWeights(adversarial=1.0))
    generator, discriminator = task.players
    assert isinstance(discriminator.network, Discriminator)
    for parameter in discriminator.network.dense.parameters():
        torch.nn.init.zeros_(parameter)
    batch = task.batch(np.random.default_rng(0))
    made = task.losses(generator, batch)["adversarial"]
    judged = task.losses(discriminator, batch)["adversarial"]
    assert float(made.detach()) == pytest.approx(np.log(2), rel=1e-3)
    assert float(judged.detach()) == pytest.approx(2 * np.log(2), rel=1e-3)


def test_a_grid_is_an_error_of_its_own_and_other_errors_are_none() -> None:
    smooth = torch.linspace(-1, 1, 48).expand(2, 3, 48, 48)
    assert grid_error(smooth - smooth.mean(), 2) < 1e-3
    grid = torch.zeros(2, 3, 48, 48)
    grid[..., ::2, ::2] = 0.1
    assert grid_error(grid, 2) > 1e-3
    assert grid_error(grid, 4) > 1e-3


def test_a_batch_in_parts_gives_the_gradients_of_the_whole(
    source: PatchSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part is judged by what was made of it, not of another."""
    task = make_task(source)
    # The shift is drawn anew for each part; here it must be the same.
    monkeypatch.setattr(task, "_shifted", lambda truth, made: (truth, made))
    batch = task.batch(np.random.default_rng(0))

    def gradients(parts: int) -> dict[str, torch.Tensor]:
        pieces = in_parts(batch, parts)
        found = {}
        for player in task.players:
            player.network.eval().zero_grad()  # without dropout
            for piece, share in pieces:
                terms = task.losses(player, piece)
                (share * torch.stack(list(terms.values())).sum()).backward()
            flat = [p.grad.flatten() for p in player.network.parameters() if p.grad is not None]
            found[player.name] = torch.cat(flat).clone()
        return found

    whole, halves = gradients(1), gradients(2)
    for name in whole:
        difference = (whole[name] - halves[name]).norm() / whole[name].norm()
        assert float(difference) < 1e-3, name


def test_srgan_has_the_mean_squared_error_and_no_saliency(source: PatchSource) -> None:
    weights = GanWeights(pixel=0, squared=100, weighted=0, saliency=0, cnn=0, adversarial=0, grid=0)
    task = make_task(source, weights=weights)
    # The errors are of patches shifted at random; here they must be the same ones.
    batch = task.batch(np.random.default_rng(0))
    torch.manual_seed(5)
    term = task.losses(task.players[0], batch)["squared"]
    made = task.pairs.inside(task.players[0].network(batch.low, batch.degradation))
    truth = task.pairs.inside(batch.high)
    torch.manual_seed(5)
    dy, dx = (int(n) for n in torch.randint(2, (2,)))
    error = (made - truth)[..., dy : dy + 30, dx : dx + 30]
    torch.testing.assert_close(term, 100 * error.square().mean())


def test_the_discriminator_and_the_features_may_be_of_vgg_19(source: PatchSource) -> None:
    task = make_task(source, discriminator="vgg19", cnn_features="vgg19", adversarial="paper")
    generator, discriminator = task.players
    assert isinstance(discriminator.network, VGG19Discriminator)
    batch = task.batch(np.random.default_rng(0))
    terms = task.losses(generator, batch)
    assert {"cnn", "adversarial"} <= set(terms)
    (terms["cnn"] + terms["adversarial"]).backward()
    assert all(p.grad is None for p in discriminator.network.parameters())
    assert any(p.grad is not None for p in generator.network.parameters())
    task.losses(discriminator, batch)["adversarial"].backward()
    assert all(p.grad is not None for p in discriminator.network.parameters())


@pytest.mark.parametrize("kind", ["curvature", "entropy", "filters"])
def test_other_saliencies_weigh_other_places(source: PatchSource, kind: str) -> None:
    only = GanWeights(pixel=0, weighted=1, saliency=0, cnn=0, adversarial=0, grid=0)
    found = []
    for one in ("local", kind):
        task = make_task(source, saliency=one, weights=only)
        torch.manual_seed(5)
        batch = task.batch(np.random.default_rng(0))
        found.append(float(task.losses(task.players[0], batch)["weighted"].detach()))
    assert found[1] > 0
    assert found[0] != pytest.approx(found[1], rel=1e-3)


def test_training_holds_the_statistics_of_a_generator_with_batch_normalisation(
    source: PatchSource,
) -> None:
    step = LeakyStepParameters(
        kind="leaky", mean=(0.66, 0.28, 0.08), deviation=(0.17, 0.1, 0.07), maps=6, blocks=1
    )
    task = make_task(source, (step,))
    network = task.players[0].network.train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    task.losses(task.players[0], task.batch(np.random.default_rng(0)))
    for name, value in network.named_buffers():
        torch.testing.assert_close(value, before[name])


@pytest.mark.slow
def test_both_players_get_better_at_what_they_do(source: PatchSource) -> None:
    """A few updates on one batch lower the loss of the generator's content, and the critic's."""
    task = make_task(source, discriminator="vgg19", cnn_features="vgg19")
    batch = task.batch(np.random.default_rng(0))
    optimisers = [torch.optim.Adam(one.network.parameters(), 5e-4) for one in task.players]
    sizes: dict[str, list[float]] = {"generator": [], "discriminator": []}
    for _ in range(6):
        torch.manual_seed(6)
        for player, optimiser in zip(task.players, optimisers, strict=True):
            terms = task.losses(player, batch)
            optimiser.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            optimiser.step()
            content = [one for name, one in terms.items() if name != "adversarial"] or [
                terms["adversarial"]
            ]
            sizes[player.name].append(float(torch.stack(content).sum().detach()))
    for name, path in sizes.items():
        assert path[-1] < path[0], name


@pytest.fixture(scope="module")
def patches() -> torch.Tensor:
    """(2, 3, 48, 48) of a real photograph."""
    rgb = open_image(SAMPLES / "chase_14L.jpg").unit_rgb()
    pair = np.stack([rgb[400:448, 500:548], rgb[300:348, 420:468]])
    return torch.from_numpy(pair).permute(0, 3, 1, 2)


def test_the_share_of_the_curvature_runs_from_entropy_alone_to_curvature_alone(
    patches: torch.Tensor,
) -> None:
    ends = {0.0: "entropy", 1.0: "curvature"}
    alone = {}
    for share, kind in ends.items():
        alone[kind] = SaliencyMaps(kind, 0.4).of_truth(patches)  # type: ignore[arg-type]
        torch.testing.assert_close(SaliencyMaps("local", share).of_truth(patches), alone[kind])
    mixed = SaliencyMaps("local", 0.4).of_truth(patches)
    torch.testing.assert_close(mixed, 0.4 * alone["curvature"] + 0.6 * alone["entropy"])
    torch.testing.assert_close(mixed, LocalSaliency()(luminance(patches)))


def test_local_maps_have_a_gradient_and_those_of_the_truth_none(patches: torch.Tensor) -> None:
    image = patches.clone().requires_grad_(True)
    maps = SaliencyMaps("local", 0.4)
    assert not maps.of_truth(image).requires_grad
    made = maps.of_made(image)
    assert made is not None
    made.sum().backward()
    assert image.grad is not None
    assert float(image.grad.abs().max()) > 0


def test_saliency_filters_are_of_each_patch_and_offer_nothing_to_descend(
    patches: torch.Tensor,
) -> None:
    maps = SaliencyMaps("filters", 0.4)
    found = maps.of_truth(patches)
    assert found.shape == (2, 1, 48, 48)
    one = saliency_filters(patches[1].permute(1, 2, 0).numpy(), 64)
    np.testing.assert_allclose(found[1, 0].numpy(), one, atol=1e-6)
    assert maps.of_made(patches) is None
