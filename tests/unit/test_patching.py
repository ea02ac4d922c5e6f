"""A value replaced by its path: what follows from it follows, and nothing else."""

from itertools import takewhile

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from qkv.attention import MultiHeadAttention, merge_heads
from qkv.patching import patched
from qkv.trace import walk
from qkv.transformer import LanguageModel, Transformer, TransformerConfig
from qkv.vision import VisionConfig, VisionTransformer

few = settings(max_examples=12, deadline=None)


@pytest.fixture(scope="module")
def translator() -> Transformer:
    torch.manual_seed(3)
    return Transformer(TransformerConfig(11, 13, 12, 3, 7)).double().eval()


def sentences(seed: int):
    generator = torch.Generator().manual_seed(seed)
    source = torch.randint(3, 11, (2, 5), generator=generator)
    target = torch.randint(3, 13, (2, 4), generator=generator)
    return source, torch.tensor([5, 3]), target


def values(trace) -> dict[str, torch.Tensor]:
    return {step.path: step.value for step in walk(trace)}


def paths(model: nn.Module, *inputs) -> list[str]:
    return list(values(model.trace(*inputs)))


def test_nothing_replaced_changes_nothing(translator):
    inputs = sentences(1)
    trace, same = (
        translator.trace(*inputs),
        patched(translator.trace, *inputs, replace={}),
    )
    for path, value in values(trace).items():
        torch.testing.assert_close(values(same)[path], value, rtol=0, atol=0)


def test_every_step_can_be_replaced_and_what_is_before_it_stays():
    torch.manual_seed(4)
    small = Transformer(TransformerConfig(11, 13, 12, 3, 7, layers=(1, 1))).eval()
    clean, before = (values(small.trace(*sentences(seed))) for seed in (1, 2))
    for path, value in clean.items():
        after = values(patched(small.trace, *sentences(2), replace={path: value}))
        assert torch.equal(after[path], value)
        for earlier in takewhile(path.__ne__, before):
            if before[earlier] is not before[path]:
                assert torch.equal(after[earlier], before[earlier]), (path, earlier)
        assert not torch.equal(after["probabilities"], before["probabilities"]), path


@pytest.mark.parametrize("path", ["memory", "decoder.0.feed_forward_added"])
def test_what_all_goes_through_brings_the_whole_answer(translator, path):
    """What is behind the encoder, or a decoder layer, decides with the target alone."""
    source, lengths, target = sentences(1)
    clean = translator.trace(source, lengths, target)
    other = translator.trace(sentences(2)[0], lengths, target)
    replace = {name: values(clean)[name] for name in {path, "memory"}}
    new = patched(translator.trace, sentences(2)[0], lengths, target, replace=replace)
    assert not torch.allclose(other.logits, clean.logits)
    torch.testing.assert_close(new.logits, clean.logits)


@given(st.integers(0, 2**31), st.integers(0, 2))
@few
def test_a_head_ablated_is_a_head_left_out_of_the_sum(seed, head):
    torch.manual_seed(seed)
    attention = MultiHeadAttention(12, 3).double()
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    keep = torch.ones(3, 1, 1, dtype=torch.float64)
    keep[head] = 0
    new = patched(
        attention.trace, x, replace={"attention.output": lambda heads: heads * keep}
    )
    heads = attention.trace(x).attention.output
    parts = attention.out_proj.weight.split(4, 1)
    by_hand = attention.out_proj.bias + sum(
        heads[:, h] @ parts[h].T for h in range(3) if h != head
    )
    torch.testing.assert_close(new.output, by_hand)


@given(st.integers(0, 2**31))
@few
def test_weights_and_values_by_hand(seed):
    torch.manual_seed(seed)
    attention = MultiHeadAttention(12, 3).double()
    x, other = torch.randn(2, 1, 5, 12, dtype=torch.float64)
    mine, theirs = attention.trace(x), attention.trace(other)
    replace = {"attention.weights": theirs.attention.weights, "values": theirs.values}
    new = patched(attention.trace, x, replace=replace)
    by_hand = attention.out_proj(merge_heads(theirs.attention.weights @ theirs.values))
    torch.testing.assert_close(new.output, by_hand)
    assert torch.equal(new.keys, mine.keys)


def test_a_function_is_given_what_earlier_replacements_led_to(translator):
    inputs, seen = sentences(1), []

    def look(logits):
        seen.append(logits)
        return logits

    zero = {"memory": torch.zeros_like, "logits": look}
    patched(translator.trace, *inputs, replace=zero)
    only = patched(translator.trace, *inputs, replace={"memory": torch.zeros_like})
    torch.testing.assert_close(seen[-1], only.logits, rtol=0, atol=0)


def test_a_language_model_and_a_vision_transformer():
    torch.manual_seed(0)
    model = LanguageModel(TransformerConfig(11, 11, 12, 3, 7)).eval()
    tokens = torch.tensor([[1, 4, 5, 6, 7]])
    last = "decoder.1.feed_forward_added"
    new = patched(model.trace, tokens, replace={last: torch.zeros_like})
    assert torch.equal(new.logits[0, 0], new.logits[0, -1])
    vision = VisionTransformer(VisionConfig((8, 8), 4, d_model=12, heads=3))
    pictures = torch.rand(2, 1, 8, 8)
    path = paths(vision, pictures)[0]
    black = patched(vision.trace, pictures, replace={path: torch.zeros_like})
    assert torch.equal(black.logits[0], black.logits[1])


def test_gradients_reach_what_was_put_there(translator):
    source = translator.trace(*sentences(1)).memory.detach().requires_grad_()
    new = patched(translator.trace, *sentences(2), replace={"memory": source})
    new.logits.sum().backward()
    assert source.grad is not None
    assert source.grad.abs().sum() > 0


def test_nothing_is_left_behind(translator):
    before = translator.trace(*sentences(1)).logits
    with pytest.raises(RuntimeError, match="mine"):
        patched(translator.trace, *sentences(1), replace={"memory": _fails})
    assert torch.equal(translator.trace(*sentences(1)).logits, before)
    for module in translator.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def _fails(value):
    raise RuntimeError("mine")


@pytest.mark.parametrize(
    ("replace", "error", "said"),
    [
        ({"memry": torch.zeros_like}, ValueError, "nearest is 'memory'"),
        (
            {"memory": lambda m: m[:1]},
            ValueError,
            r"has shape \(2, 5, 12\).*\(1, 5, 12",
        ),
        ({"memory": lambda m: m.float()}, ValueError, "float64.*float32"),
        ({"memory": lambda m: None}, TypeError, "'memory'.*NoneType"),
    ],
)
def test_clear_errors(translator, replace, error, said):
    with pytest.raises(error, match=said):
        patched(translator.trace, *sentences(1), replace=replace)


def test_a_run_that_does_not_repeat_itself():
    attention, times = MultiHeadAttention(12, 3), []

    def run(x):
        times.append(1)
        return attention.trace(x + 1 if len(times) == 2 else x)

    with pytest.raises(ValueError, match="the same each time"):
        patched(run, torch.ones(1, 2, 12), replace={"values": torch.zeros_like})
    times.clear()
    with pytest.raises(ValueError, match="the same each time"):
        patched(run, torch.ones(1, 2, 12), replace={})


def test_a_run_that_draws_random_numbers():
    """Dropout calls the same functions each time, and drops something else."""
    attention, dropout = MultiHeadAttention(12, 3), nn.Dropout()

    def run(x):
        return attention.trace(dropout(x))

    given, replace = torch.ones(1, 2, 12), {"values": torch.zeros_like}
    with pytest.raises(ValueError, match=r"same each time.* model\.eval\(\)"):
        patched(run, given, replace=replace)
    dropout.eval()
    assert patched(run, given, replace=replace).values.eq(0).all()


def test_what_is_given_cannot_be_replaced_on_the_way():
    attention = MultiHeadAttention(12, 3)
    made = attention.trace(torch.ones(1, 2, 12))
    with pytest.raises(ValueError, match="given to the run"):
        patched(lambda: made, replace={"values": torch.zeros_like})


def test_two_names_of_one_value():
    model = LanguageModel(TransformerConfig(11, 11, 12, 3, 7, positions="none"))
    first, second, *_ = paths(model, tokens := torch.tensor([[1, 4]]))
    both = {first: torch.zeros_like, second: torch.ones_like}
    with pytest.raises(ValueError, match="one and the same"):
        patched(model.trace, tokens, replace=both)
