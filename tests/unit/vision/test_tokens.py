"""The discrete VAE: soft draws, the KL term, its tokens and pictures, its schedule."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F

from qkv.data import Scenes
from qkv.trace import walk
from qkv.training import FitSettings, fit
from qkv.vision import (
    DiscreteVAE,
    DiscreteVAEConfig,
    Repainting,
    annealed,
    gumbel_softmax,
    kl_to_uniform,
    patches,
)
from qkv.vision.tokens import gumbel

SMALL = DiscreteVAEConfig((6, 10), channels=3, patch=2, codes=7, d_code=5, width=11)
seeds = st.integers(0, 2**31)
fast = settings(max_examples=15)


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def made(seed: int = 0) -> DiscreteVAE:
    torch.manual_seed(seed)
    return DiscreteVAE(SMALL).double()


def inputs(batch: int = 2, seed: int = 0):
    return numbers(batch, 3, 6, 10, seed=seed), numbers(batch, 3, 5, 7, seed=seed + 1)


# ------------------------------------------------------------------------- soft draws


def test_a_draw_by_hand():
    logits = torch.tensor([1.0, 2.0, 4.0]).log()
    uniform = torch.tensor([-1 / 4, -1.0, -1 / 2]).exp()
    noise = gumbel(logits, uniform)
    torch.testing.assert_close(noise.exp(), torch.tensor([4.0, 1.0, 2.0]))
    for temperature, expected in ((1.0, (4, 2, 8)), (0.5, (16, 4, 64))):
        shares = torch.tensor(expected) / sum(expected)
        found = gumbel_softmax(logits, uniform, temperature)
        torch.testing.assert_close(found, shares)
    assert gumbel_softmax(logits, uniform, 0.01)[2] > 0.999


@fast
@given(seed=seeds, temperature=st.sampled_from([0.1, 0.7, 1.0, 3.0]))
def test_it_is_pytorchs_where_both_have_the_same_noise(seed, temperature):
    """PyTorch takes minus the logarithm of exponential numbers that it draws."""
    logits = (numbers(3, 5, 7, seed=seed) * 5).requires_grad_()
    torch.manual_seed(seed)
    noise = torch.empty_like(logits).exponential_()
    torch.manual_seed(seed)
    expected = F.gumbel_softmax(logits, tau=temperature)
    found = gumbel_softmax(logits, (-noise).exp(), temperature)
    torch.testing.assert_close(found, expected)
    seen = numbers(3, 5, 7, seed=seed + 1)
    back = [torch.autograd.grad((x * seen).sum(), logits)[0] for x in (found, expected)]
    torch.testing.assert_close(*back)


def test_its_gradient_is_the_derivative():
    logits, uniform = numbers(2, 5).requires_grad_(), numbers(2, 5, seed=1)
    assert torch.autograd.gradcheck(lambda x: gumbel_softmax(x, uniform, 0.7), logits)


def test_the_largest_share_is_drawn_by_the_softmax():
    logits = torch.tensor([0.0, 1.0, 2.5], dtype=torch.float64)
    shares = gumbel_softmax(logits.expand(20_000, -1), numbers(20_000, 3), 1.0)
    counts = shares.argmax(-1).bincount(minlength=3) / 20_000
    torch.testing.assert_close(counts.double(), logits.softmax(-1), atol=0.012, rtol=0)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("uniform", [(0.0, 0.5, 0.996), (0.0, 0.0, 0.0), (0.0,)])
def test_no_number_makes_nan(uniform, kind):
    uniform = torch.tensor(uniform, dtype=kind)
    for temperature in (0.1, math.inf):
        shares = gumbel_softmax(torch.zeros_like(uniform), uniform, temperature)
        assert shares.sum().item() == pytest.approx(1, abs=0.01)
    assert gumbel(torch.zeros(2), torch.tensor([0.0, 1 - 2**-24])).isfinite().all()


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    ("uniform", "temperature", "kind", "said"),
    [
        (torch.ones(2, 3), 1.0, ValueError, r"from 1 to 1, .* from 0 to below 1"),
        (torch.full((2, 3), -0.1), 1.0, ValueError, "from -0.1 to -0.1"),
        (torch.rand(2, 4), 1.0, ValueError, r"shape \(2, 4\), but logits \(2, 3\)"),
        (torch.rand(2, 3), 0.0, ValueError, r"temperature is 0, but must be above 0"),
        (torch.rand(2, 3).double(), 1.0, TypeError, "uniform holds torch.float64"),
    ],
)
def test_what_cannot_be_drawn_with_is_named(uniform, temperature, kind, said):
    with pytest.raises(kind, match=said):
        gumbel_softmax(torch.zeros(2, 3), uniform, temperature)


# ---------------------------------------------------------------------------------- KL


@fast
@given(seed=seeds, scale=st.sampled_from([0.1, 3.0, 30.0]))
def test_the_kl_is_that_of_the_distributions(seed, scale):
    logits = (numbers(3, 5, 7, seed=seed) * scale).requires_grad_()
    other = logits.detach().clone().requires_grad_()
    even = Categorical(logits=torch.zeros(3, 5, 7, dtype=torch.float64))
    expected = kl_divergence(Categorical(logits=other), even)
    found = kl_to_uniform(logits)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-7)
    found.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(logits.grad, other.grad, atol=1e-8, rtol=1e-6)


def test_the_kl_of_a_sure_code_is_the_logarithm_of_how_many_there_are():
    sure = kl_to_uniform(torch.tensor([0.0, 200.0, 0.0, 0.0, 0.0]))
    assert sure.item() == pytest.approx(math.log(5))


# ------------------------------------------------------------------------------- model


def test_a_call_draws_and_paints_and_the_trace_says_how():
    model, (pictures, uniform) = made(), inputs()
    painted, logits = model(pictures, uniform, 0.5)
    trace = model.trace(pictures, uniform, 0.5)
    torch.testing.assert_close(trace.painted, painted)
    torch.testing.assert_close(trace.logits, logits)
    assert torch.equal(trace.shares, gumbel_softmax(logits, uniform, 0.5))
    mixed = torch.einsum("brck,kd->brcd", trace.shares, model.codes.weight)
    torch.testing.assert_close(trace.vectors, mixed)
    shapes = {step.path: dict(step.shape) for step in walk(trace)}
    assert shapes["shares"] == {"batch": 2, "row": 3, "column": 5, "code": 7}
    assert shapes["painted"] == {"batch": 2, "channel": 3, "height": 6, "width": 10}


def test_tokens_are_the_likeliest_codes_and_paint_as_sure_shares_do():
    model, (pictures, _) = made(), inputs(3)
    tokens = model.tokens(pictures)
    assert tokens.shape == (3, 3, 5)
    assert torch.equal(tokens, model.logits(pictures).argmax(-1))
    sure = F.one_hot(tokens, 7).double()
    torch.testing.assert_close(model.pictures(tokens), model.paint(sure))


def test_a_token_stands_where_its_patch_does():
    """With no look at neighbours a patch changes its own token's logits alone."""
    model, (pictures, _) = made(), inputs(1)
    middle = model.encoder[2]
    with torch.no_grad():
        centre = middle.weight[:, :, 1, 1].clone()
        middle.weight.zero_()
        middle.weight[:, :, 1, 1] = centre
    changed = pictures.clone()
    changed[:, :, 2:4, 6:8] = 0.5  # the second row of patches, the fourth column
    differs = (model.logits(pictures) != model.logits(changed)).any(-1)
    assert differs.nonzero().tolist() == [[0, 1, 3]]


def test_the_decoder_lays_its_patches_out_as_patches_cuts_them():
    model = made()
    vectors = numbers(2, 3, 5, 5)
    before = model.decoder[:-1](vectors.movedim(-1, 1))  # batch pixel row column
    painted = model.decoder(vectors.movedim(-1, 1))
    expected = before.flatten(2).mT
    torch.testing.assert_close(patches(painted, 2), expected)


def test_it_begins_with_white_paper():
    torch.manual_seed(0)
    model = DiscreteVAE()
    with torch.no_grad():
        model.decoder[-2].weight.zero_()
    assert torch.equal(
        model.pictures(torch.zeros(1, 4, 4).long()), torch.ones(1, 3, 16, 16)
    )


def test_its_sizes():
    model = DiscreteVAE()
    assert sum(p.numel() for p in model.parameters()) == 104_816
    assert (model.grid, model.n_codes) == ((4, 4), 64)


def test_the_parameters_kind_is_kept():
    model, (pictures, uniform) = made().float(), inputs()
    painted, _ = model(pictures.float(), uniform.float(), torch.tensor(0.5))
    assert painted.dtype == torch.float32
    assert model.pictures(model.tokens(pictures.float()).int()).dtype == torch.float32


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_does_not_fit_is_named():
    model = made()
    with pytest.raises(ValueError, match=r"height = 6 and width = 10, .* width = 6"):
        model.tokens(torch.zeros(1, 3, 10, 6).double())
    with pytest.raises(TypeError, match=r"give images\.float\(\) / 255"):
        model.tokens(torch.zeros(1, 3, 6, 10, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"'batch channel .*images\.unsqueeze\(0\)"):
        model.tokens(torch.zeros(3, 6, 10).double())
    with pytest.raises(ValueError, match=r"images"):
        model.tokens(torch.zeros(0, 3, 6, 10).double())
    with pytest.raises(ValueError, match=r"tokens run from 0 to 7, .* 7 codes, 0 to 6"):
        model.pictures(torch.tensor([0, 7]).repeat(8)[:15].view(1, 3, 5))
    with pytest.raises(ValueError, match=r"row, column = \(3, 5\); give one for each"):
        model.pictures(torch.zeros(1, 5, 3).long())
    with pytest.raises(TypeError, match=r"tokens holds torch\.float32"):
        model.pictures(torch.zeros(1, 3, 5))
    with pytest.raises(ValueError, match=r"row, column, code = \(3, 5, 7\)"):
        model.paint(torch.zeros(1, 3, 5, 8).double())


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"patch": 5}, "patch = 5 does not divide the image"),
        ({"codes": 0}, "codes must be at least 1, not 0"),
        ({"width": 0}, "width must be at least 1"),
        ({"image": (0, 4)}, "both must be at least 1"),
    ],
)
def test_what_no_model_can_be_made_of_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        DiscreteVAEConfig(**changes)


# ---------------------------------------------------------------------------- training


def test_the_loss_is_a_mean_over_patches():
    pictures, uniform = inputs()
    painted, logits = numbers(2, 3, 6, 10, seed=5), numbers(2, 3, 5, 7, seed=6)
    batch = Repainting(pictures, uniform, temperature=0.5, kl_weight=0.3)
    patch_error = (patches(painted, 2) - patches(pictures, 2)).square().sum(-1)
    expected = (patch_error.flatten() + 0.3 * kl_to_uniform(logits).flatten()).mean()
    torch.testing.assert_close(batch.loss((painted, logits), batch.target), expected)


def test_the_loss_of_two_batches_is_the_mean_by_their_pictures():
    """So it is the same where several processes train with a batch each."""
    model, (pictures, uniform) = made(), inputs(5)

    def loss(rows):
        batch = Repainting(pictures[rows], uniform[rows], 0.5, 0.3)
        return batch.loss(model(*batch.inputs), batch.target)

    halves = (2 * loss(slice(2)) + 3 * loss(slice(2, 5))) / 5
    torch.testing.assert_close(loss(slice(5)), halves)


WORLD = Scenes(slots=2, jitter=0, sizes=(1.0,), most=4)


def stream(**changes):
    changed = {"steps": 10, "seed": 3} | changes
    batches = WORLD.batches(batch_size=2, seed=0)
    return annealed(batches, DiscreteVAEConfig(), **changed)


def test_temperature_and_kl_fall_and_stay():
    batches = [batch for _, batch in zip(range(12), stream(), strict=False)]
    temperatures = [batch.temperature for batch in batches]
    expected = [10 ** -min(1, n / 8) for n in range(12)]
    assert temperatures == pytest.approx(expected)
    weights = [batch.kl_weight for batch in batches]
    assert weights == pytest.approx([0.1 * max(0, 1 - n / 8) for n in range(12)])
    assert batches[3].uniform.shape == (2, 4, 4, 64)
    assert not torch.equal(batches[0].uniform, batches[1].uniform)
    again = [batch for _, batch in zip(range(2), stream(), strict=False)]
    assert torch.equal(again[1].uniform, batches[1].uniform)
    assert torch.equal(again[1].pixels, batches[1].pixels)


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"until": 0.0}, r"until is 0\.0"),
        ({"until": 1.5}, r"until is 1\.5, but is a share above 0 and at most 1"),
        ({"temperature": (1.0, 0.0)}, r"temperature is \(1\.0, 0\.0\)"),
        ({"temperature": (1.0, math.nan)}, r"temperature is \(1\.0, nan\)"),
        ({"temperature": (math.inf, 1.0)}, r"temperature is \(inf, 1\.0\)"),
        ({"kl_weight": (0.1, -0.1)}, r"kl_weight is \(0\.1, -0\.1\), .* be 0 or more"),
        ({"kl_weight": (math.nan, 0.0)}, r"kl_weight is \(nan, 0\.0\)"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        stream(**changes)


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize("name", ["temperature", "kl_weight"])
def test_one_number_is_no_schedule(name):
    with pytest.raises(TypeError, match=rf"write {name}=\(0\.5, 0\.5\)"):
        stream(**{name: 0.5})


def test_it_trains_in_the_one_loop():
    torch.manual_seed(0)
    model = DiscreteVAE(DiscreteVAEConfig(width=16))
    before = {name: p.clone() for name, p in model.named_parameters()}
    batches = WORLD.batches(batch_size=8, seed=0)
    losses = fit(
        model,
        annealed(batches, model.config, steps=60, seed=0),
        steps=60,
        settings=FitSettings(6e-3, decay_over=60, warmup=5),
    ).losses
    assert sum(losses[-10:]) < 0.85 * sum(losses[:10])
    assert all(not torch.equal(p, before[n]) for n, p in model.named_parameters())


def test_training_is_resumed_to_the_same_bits(tmp_path):
    def trained(steps, **options):
        torch.manual_seed(0)
        model = DiscreteVAE(DiscreteVAEConfig(width=8, codes=8))
        batches = WORLD.batches(batch_size=2, seed=0)
        own = annealed(batches, model.config, steps=6, seed=0)
        return fit(model, own, steps=steps, **options).losses

    file = tmp_path / "run.pt"
    trained(2, checkpoint=file)
    assert trained(6, checkpoint=file) == trained(6)


def test_no_parameter_is_forgotten_by_the_gradient():
    model, (pictures, uniform) = made(), inputs()
    batch = Repainting(pictures, uniform, 1.0, 0.1)
    batch.loss(model(*batch.inputs), batch.target).backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())
    assert isinstance(model.codes, nn.Embedding)
