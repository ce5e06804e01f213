"""A larger cascade that begins as exactly what a smaller one does (Net2Net: Chen et al. 2016)."""

import torch
from torch import nn

from retina_viewer.networks.generator import Modulation, ResidualBlock, ResidualGenerator
from retina_viewer.networks.generator_cascade import GeneratorCascade


@torch.no_grad()
def grow(smaller: GeneratorCascade, larger: GeneratorCascade) -> None:
    """Give ``larger`` the weights of ``smaller``; blocks and conditions it adds change nothing.

    Args:
        smaller: trained; its maps and unshuffling as in ``larger``, its blocks at most as many.
        larger: fresh; its steps beyond those of ``smaller``, and those with another slope, stay as
            they are.

    Raises:
        ValueError: a step of ``smaller`` does not fit into that of ``larger``.
    """
    for source, target in zip(smaller.steps, larger.steps, strict=False):
        if not (isinstance(source, ResidualGenerator) and isinstance(target, ResidualGenerator)):
            raise ValueError("only residual generators grow")
        if source.slope == target.slope:  # another activation asks for other weights
            _grow_step(source, target)


def _grow_step(source: ResidualGenerator, target: ResidualGenerator) -> None:
    if len(source.body) > len(target.body) or source.unshuffle != target.unshuffle:
        raise ValueError("the smaller network does not fit into the larger one")
    try:
        target.head.load_state_dict(source.head.state_dict())
        target.tail.load_state_dict(source.tail.state_dict())
        for old, new in zip(source.body, target.body, strict=False):
            new.load_state_dict(old.state_dict())
    except RuntimeError as error:
        raise ValueError("the smaller network does not fit into the larger one") from error
    for added in list(target.body)[len(source.body) :]:
        assert isinstance(added, ResidualBlock)
        _silence(added.second)
    if target.modulation is not None and source.modulation is not None:
        _grow_modulation(source.modulation, target.modulation)


def _grow_modulation(source: Modulation, target: Modulation) -> None:
    target.embed.load_state_dict(source.embed.state_dict())
    known = source.gains.out_features  # the gains of the added blocks stay zero
    target.gains.weight[:known] = source.gains.weight
    target.gains.bias[:known] = source.gains.bias


def _silence(convolution: nn.Conv2d) -> None:
    nn.init.zeros_(convolution.weight)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
