"""A model on another device trains, translates and resumes there; no card is needed."""

import pytest
import torch

from qkv.attention import scaled_dot_product_attention
from qkv.data import Digits, Example, PairCorpus, Scenes
from qkv.decoding import exact_match, translate
from qkv.training import FitSettings, accuracy, fit
from qkv.transformer import LanguageModel, Transformer, TransformerConfig
from qkv.vision import (
    DiscreteVAE,
    JointVocabulary,
    Painter,
    VisionConfig,
    VisionTransformer,
    load,
    save,
)
from tests.unit.away import NAME, another_device

PAIRS = PairCorpus(
    [
        Example(("I", "go"), ("나는", "가")),
        Example(("you", "go", "home"), ("너는", "집에", "가")),
    ]
)
SIZES = len(PAIRS.source_vocab), len(PAIRS.target_vocab)
SETTINGS = FitSettings(learning_rate=1e-2, save_every=2)


def transformer():
    torch.manual_seed(0)
    sizes = {"d_model": 8, "heads": 2, "d_ff": 16, "layers": (1, 1)}
    return Transformer(TransformerConfig(*SIZES, **sizes, kv_heads=1, window=2))


def trained(model, *, steps=4, **options):
    batches = PAIRS.batches(batch_size=2, seed=0)
    return fit(model, batches, steps=steps, settings=SETTINGS, **options)


@pytest.fixture
def away(monkeypatch):
    # a tensor that only stands for another cannot be viewed in inference mode
    monkeypatch.setattr(torch, "inference_mode", torch.no_grad)
    with another_device() as bring:
        yield bring


def test_the_other_device_does_not_meet_the_cpu(away):
    with pytest.raises(RuntimeError, match="expected all tensors to be on the same"):
        away(torch.ones(2)) + torch.ones(2)
    assert (away(torch.ones(2)) + 1).device.type == NAME
    assert torch.zeros(2, device=NAME).tolist() == [0, 0]


def test_it_trains_there_as_it_does_here(away):
    here = trained(transformer()).losses
    model = away(transformer())
    there = trained(model, watch=lambda m: exact_match(m, PAIRS, PAIRS.train)).losses
    assert {w.device.type for w in model.parameters()} == {NAME}
    assert there == pytest.approx(here, rel=1e-5)


def test_tiles_are_read_there(away):
    torch.manual_seed(0)
    x, mask = torch.randn(5, 4), torch.rand(5, 5) < 0.7
    here = scaled_dot_product_attention(x, x, x, mask, causal=True, tile=2)
    x = away(x)
    there = scaled_dot_product_attention(x, x, x, away(mask), causal=True, tile=2)
    torch.testing.assert_close(there.cpu(), here)


@pytest.mark.parametrize("width", [1, 3])
def test_it_translates_there(away, width):
    model = transformer()
    here = translate(model, PAIRS, ["you go", "I go home"], width=width)
    assert translate(away(model), PAIRS, ["you go", "I go home"], width=width) == here


def test_training_goes_on_wherever_the_model_is(away, tmp_path):
    here = trained(transformer(), steps=6).losses
    file = tmp_path / "run.pt"
    trained(away(transformer()), steps=2, checkpoint=file)
    trained(transformer(), steps=4, checkpoint=file)
    there = trained(away(transformer()), steps=6, checkpoint=file).losses
    assert there == pytest.approx(here, rel=1e-5)


def test_pictures_are_learnt_there_and_the_model_is_saved(away, tmp_path):
    digits = Digits()
    config = VisionConfig(image=(8, 8), patch=4, d_model=8, heads=2, layers=1, d_ff=16)
    model = away(VisionTransformer(config))
    fit(model, digits.batches(batch_size=8, seed=0), steps=2, settings=SETTINGS)
    assert 0 <= accuracy(model, digits.held_out[:16]) <= 1
    save(model, tmp_path / "digits.safetensors")
    saved = load(tmp_path / "digits.safetensors").state_dict()
    assert {weight.device.type for weight in saved.values()} == {"cpu"}


def painter(bring):
    """Return what is drawn, painted, how likely it is, and where the model looks."""
    world = Scenes(slots=2, jitter=0, sizes=(1.0,), most=4)
    torch.manual_seed(0)
    both = JointVocabulary(world.vocabulary)
    config = TransformerConfig(1, len(both), d_model=8, heads=2, d_ff=16)
    made = Painter(bring(LanguageModel(config)), bring(DiscreteVAE()), both)
    said = [("red", "circle"), ("blue", "ring")]
    tokens = made.draw(said, uniform=torch.full((2, 16), 0.3), guidance=0.5)
    found = tokens, made.pictures(tokens), made.log_likelihood(said, tokens)
    return [x.cpu() for x in (*found, made.attention(said, tokens))]


def test_pictures_are_drawn_there_as_they_are_here(away):
    here, there = painter(lambda model: model), painter(away)
    assert torch.equal(here[0], there[0])
    for one, other in zip(here[1:], there[1:], strict=True):
        torch.testing.assert_close(one, other)
