"""Part II's kinds of models go through the package as it is: nothing in src knows them.

Each model here is as short as a chapter would write it.
"""

from dataclasses import dataclass, replace
from itertools import repeat

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from qkv.data import Batch
from qkv.decoding import greedy
from qkv.layers import FeedForward, FeedForwardTrace
from qkv.trace import Place, step, walk
from qkv.training import fit
from qkv.transformer import LanguageModel, Transformer, TransformerConfig
from qkv.vision import VisionConfig, VisionTransformer
from qkv.widgets import TransformerMap

# --------------------------------------------------------------- a layer of two experts


@dataclass(frozen=True, eq=False)
class ExpertsTrace:
    gate: Float[Tensor, "*batch token expert"] = step("Ask whom", reads=("x",))
    experts: tuple[FeedForwardTrace, ...] = step("Ask both", reads=("x",))
    output: Float[Tensor, "*batch token d_model"] = step(
        "Mix", reads=("gate", "experts"), place=Place(label="Two experts")
    )


class Experts(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.gate = nn.Linear(d_model, 2)
        self.experts = nn.ModuleList(FeedForward(d_model, 16) for _ in range(2))

    def forward(self, x):
        return self.trace(x).output

    def trace(self, x):
        gate, told = self.gate(x).softmax(-1), tuple(e.trace(x) for e in self.experts)
        mixed = sum(gate[..., i, None] * t.output for i, t in enumerate(told))
        return ExpertsTrace(gate, told, mixed)

    def auxiliary_loss(self, x):
        share = self.gate(x).softmax(-1).flatten(0, -2).mean(0)
        return 0.01 * (2 * share**2).sum()


SIZES = TransformerConfig(11, 11, d_model=8, heads=2, layers=(1, 2))
SOURCE = torch.tensor([[3, 4, 5], [6, 7, 0]]), torch.tensor([3, 2])
TARGET = torch.tensor([[1, 5, 4, 3], [1, 7, 6, 2]])


def with_experts(kind=Transformer, config=SIZES):
    torch.manual_seed(0)
    return kind(config, feed_forward=lambda: Experts(8))


def test_every_layer_has_experts_of_its_own_under_its_own_name():
    names = set(with_experts().state_dict())
    for layer in ("encoder.layers.0", "decoder.layers.0", "decoder.layers.1"):
        assert f"{layer}.feed_forward.experts.1.linear2.bias" in names
        assert f"{layer}.linear1.weight" not in names
    with pytest.raises(TypeError, match=r"is a module, .* give what makes one: lambda"):
        Transformer(SIZES, feed_forward=Experts(8))


def test_experts_train_in_the_one_loop():
    model, before = with_experts(), with_experts().state_dict()
    history = fit(model, repeat(Batch(*SOURCE, TARGET)), steps=30)
    assert history.losses[-1] < 0.5 * history.losses[0]
    after = model.state_dict()
    assert all(not torch.equal(after[n], before[n]) for n in after if ".gate." in n)


def without_chance():
    return with_experts(config=replace(SIZES, dropout=0.0))


def first_loss():
    return fit(without_chance(), repeat(Batch(*SOURCE, TARGET)), steps=1).losses[0]


def balances():
    """Each layer's auxiliary loss of the batch, as the definition says it."""
    model, found = without_chance(), []
    for experts in (m for m in model.modules() if isinstance(m, Experts)):
        experts.register_forward_hook(
            lambda called, given, _: found.append(called.auxiliary_loss(*given))
        )
    model(*Batch(*SOURCE, TARGET).inputs)
    return found


def test_the_balance_of_experts_is_part_of_the_loss(monkeypatch):
    added, with_balance = balances(), first_loss()
    monkeypatch.delattr(Experts, "auxiliary_loss")
    assert len(added) == 3
    assert with_balance - first_loss() == pytest.approx(sum(added).item(), rel=1e-3)


def test_cached_decoding_is_the_uncached():
    model = with_experts().eval()
    written = greedy(model, *SOURCE, max_length=6)
    target = torch.full((2, 1), 1)
    for _ in range(written.shape[1]):
        best = model(*SOURCE, target)[:, -1].argmax(-1)
        target = torch.cat([target, best[:, None]], 1)
    ended = (written == 2).cumsum(1) - (written == 2).long() > 0
    assert torch.equal(
        written.masked_fill(ended, 0), target[:, 1:].masked_fill(ended, 0)
    )


def test_the_trace_is_the_call_and_walks_into_the_experts():
    model = with_experts()
    trace = model.trace(*SOURCE, TARGET)
    torch.testing.assert_close(trace.logits, model(*SOURCE, TARGET))
    steps = {s.path: s for s in walk(trace)}
    scope = "decoder.1.feed_forward"
    assert steps[f"{scope}.gate"].shape == {"batch": 2, "token": 4, "expert": 2}
    assert steps[f"{scope}.experts.1.hidden"].shape["d_ff"] == 16


def map_of_experts(norm_first=True):
    config = TransformerConfig(11, 11, d_model=8, heads=2, norm_first=norm_first)
    model = with_experts(config=config)
    trace = model.trace(*(x[:1] for x in SOURCE), TARGET[:1])
    tokens = list("abc"), list("abcd")
    return model, TransformerMap(trace, *tokens, parameters=model.state_dict())


@pytest.mark.parametrize("norm_first", [True, False])
def test_the_map_has_a_place_that_the_experts_have_named(norm_first):
    model, shown = map_of_experts(norm_first)
    place = next(p for p in shown.places if p["id"] == "encoder.1.feed_forward")
    assert place["label"] == "Two experts"
    assert place["called"] == "two experts"
    assert "encoder.1.feed_forward.experts.0.activated" in place["inner"]
    experts = model.encoder.layers[1].feed_forward
    assert place["count"] == sum(p.numel() for p in experts.parameters())
    counted = sum(part["count"] for part in shown.parts)
    assert counted == sum(p.numel() for p in model.parameters())
    assert "other" not in {part["group"] for part in shown.parts}


def test_a_model_of_language_and_one_of_images_take_them_too():
    model = with_experts(LanguageModel).eval()
    logits, state = model(TARGET), model.empty(batch=2)
    for i, expected in enumerate(logits.unbind(1)):
        found, state = model.step(TARGET[:, i], state)
        torch.testing.assert_close(found, expected)
    model = with_experts(VisionTransformer, VisionConfig(d_model=8, heads=2))
    images = torch.rand(3, 1, 8, 8)
    torch.testing.assert_close(model.trace(images).logits, model(images))
