"""What a later chapter adds needs no change of the package: a model fits a screen."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from qkv.data import BOS, EOS, FindTheDigit, Images, OfClasses
from qkv.decoding import beam, beam_tree, greedy, sample
from qkv.recurrent import AttentionDecoder
from qkv.training import FitSettings, accuracy, fit

FAST = FitSettings(learning_rate=1e-2)

# --------------------------------------------------------------------- a captioner


class Grid(nn.Sequential):
    """Read an image as a grid of places; begin with their mean."""

    def forward(self, pixels):
        places = super().forward(pixels).flatten(2).mT
        return places, places.mean(1)


@dataclass(frozen=True)
class Captions(OfClasses):
    pixels: Tensor
    target: Tensor

    @property
    def inputs(self):
        return self.pixels, pad(self.target[:, :-1], (1, 0), value=BOS)


def captioner() -> AttentionDecoder:
    torch.manual_seed(0)
    convolution = nn.Conv2d(1, 16, 8, stride=4)
    return AttentionDecoder(Grid(convolution, nn.ReLU()), 7, d_hidden=16)


def captions(images: Images) -> Captions:
    """A caption of two tokens: the half of the rows, and of the columns, of a digit."""
    halves = (images.places > 7).long() + torch.tensor([3, 5])
    return Captions(images.pixels, pad(halves, (0, 1), value=EOS))


@pytest.fixture(scope="module")
def trained() -> tuple[AttentionDecoder, list[float]]:
    task, model = FindTheDigit(pieces=0), captioner()
    history = fit(
        model,
        map(captions, task.batches(batch_size=64, seed=0)),
        steps=60,
        settings=FAST,
    )
    return model, history.losses


def test_a_captioner_is_trained(trained):
    model, losses = trained
    assert losses[-1] < 0.5 * losses[0]
    asked = captions(FindTheDigit(pieces=0).sample(200, seed=1, held_out=True))
    assert accuracy(model, asked) > 0.7


def test_a_captioner_writes_greedily_by_beam_and_at_random(trained):
    model, _ = trained
    asked = captions(FindTheDigit(pieces=0).sample(50, seed=2))
    written = greedy(model, asked.pixels, max_length=5)
    assert written.dtype is torch.int64
    assert written.shape == (50, 3)
    assert (written == asked.target).float().mean() > 0.7
    assert torch.equal(beam(model, asked.pixels, max_length=5, width=1)[0], written)
    tree = beam_tree(model, asked.pixels[:1], max_length=5, width=3)
    assert tree.tokens(tree.best)[-1] == EOS
    drawn = sample(
        model,
        asked.pixels,
        max_length=5,
        generator=torch.Generator().manual_seed(0),
        top_k=1,
    )
    assert torch.equal(drawn, written)


def test_what_a_captioner_begins_with_is_what_its_call_says(trained):
    model, _ = trained
    asked = captions(FindTheDigit().sample(3, seed=0))
    pixels, target_in = asked.inputs
    state, logits = model.start(pixels), []
    for token in target_in.unbind(1):
        next_logits, state = model.step(token, state)
        logits.append(next_logits)
    torch.testing.assert_close(torch.stack(logits, 1), model(pixels, target_in))


# --------------------------------------------------------------------- a forecaster


@dataclass(frozen=True)
class Windows:
    past: Tensor
    target: Tensor

    @property
    def inputs(self):
        return (self.past,)

    def loss(self, output, target):
        mean, variance = output
        return nn.functional.gaussian_nll_loss(mean, target, variance)


class Forecaster(nn.Linear):
    """Say of the next value its mean and its variance."""

    def forward(self, past):
        mean, spread = super().forward(past).unbind(-1)
        return mean, nn.functional.softplus(spread)


def windows():
    """A sum of two sines, and noise of a known variance."""
    generator, time = torch.Generator().manual_seed(0), torch.arange(13)
    while True:
        start = 100 * torch.rand(64, 1, generator=generator)
        series = torch.sin((start + time) / 2) + torch.sin((start + time) / 3)
        series = series + 0.1 * torch.randn(64, 13, generator=generator)
        yield Windows(series[:, :-1], series[:, -1])


def test_a_forecaster_knows_the_next_value_and_how_sure_it_is():
    torch.manual_seed(0)
    model = Forecaster(12, 2)
    history = fit(model, windows(), steps=300, settings=FitSettings(3e-2))
    assert history.losses[-1] < history.losses[0] - 1
    batch = next(windows())
    mean, variance = model(batch.past)
    error = (mean - batch.target).square().mean()
    assert error < 0.1
    assert error / 3 < variance.mean() < 3 * error


def test_a_forecaster_goes_on_from_its_checkpoint(tmp_path):
    path, models = tmp_path / "run.pt", []
    for steps in ((7,), (3, 7)):
        torch.manual_seed(0)
        models.append(Forecaster(12, 2))
        for each in steps:
            fit(models[-1], windows(), steps=each, checkpoint=path)
        path.unlink()
    assert torch.equal(models[0].weight, models[1].weight)


def test_a_loss_that_cannot_be_smoothed_says_so():
    smooth = FitSettings(label_smoothing=0.1)
    with pytest.raises(TypeError, match="label_smoothing"):
        fit(Forecaster(12, 2), windows(), steps=1, settings=smooth)
