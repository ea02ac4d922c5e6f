"""Argument checks: what is said of tensors of the wrong dtype, batch or axes."""

import pytest
import torch
from torch import nn

from qkv import masks
from qkv.attention import (
    MultiHeadAttention,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
    trace_scaled_dot_product,
)
from qkv.data import DictatedNumbers, Digits, Images
from qkv.layers import embed
from qkv.recurrent import AttentionSeq2Seq, GRUCell, LSTMCell, Seq2Seq
from qkv.training import fit, sequence_loss
from qkv.transformer import Transformer, TransformerConfig
from qkv.vision import VisionConfig, VisionTransformer, rollout

pytestmark = pytest.mark.usefixtures("as_readers_run_it")


@pytest.mark.parametrize(
    "attend", [scaled_dot_product_attention, trace_scaled_dot_product]
)
def test_queries_and_keys_are_numbers_of_one_kind(attend):
    x = torch.ones(2, 3, 5)
    with pytest.raises(TypeError, match=r"query holds torch\.float32, but key holds t"):
        attend(x, x.double(), x.double())
    with pytest.raises(TypeError, match=r"query holds torch\.float32, but value holds"):
        attend(x, x, x.double())
    with pytest.raises(TypeError, match=r"query holds torch\.int64, .* query\.float"):
        attend(x.long(), x.long(), x.long())


@pytest.mark.parametrize("how", ["forward", "trace"])
def test_tokens_are_of_the_kind_of_the_weights(how):
    attention, x = MultiHeadAttention(6, 2), torch.ones(2, 3, 6)
    call = getattr(attention, how)
    with pytest.raises(TypeError, match=r"query holds torch\.float64, but the weights"):
        call(x.double())
    with pytest.raises(TypeError, match=r"key holds torch\.float64, but the weights a"):
        call(x, x.double())


def test_autocast_may_mix_kinds():
    attention, x = MultiHeadAttention(6, 2), torch.ones(2, 3, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert attention(x, x.bfloat16()).dtype is torch.bfloat16


@pytest.mark.parametrize("how", ["forward", "trace"])
def test_a_cell_has_one_state_for_each_x(how):
    gru, lstm = GRUCell(3, 5), LSTMCell(3, 5)
    x, h = torch.ones(2, 3), torch.ones(2, 5)
    for cell, state in (
        (gru, torch.ones(7, 5)),
        (lstm, (torch.ones(7, 5), h)),
        (lstm, (h, torch.ones(7, 5))),
    ):
        with pytest.raises(ValueError, match=r"batch = \(2,\), .*batch = \(7,\)"):
            getattr(cell, how)(x, state)
    for cell, state in ((gru, h), (lstm, (h, h))):
        with pytest.raises(TypeError, match=r"x holds torch\.float64, but the weights"):
            getattr(cell, how)(x.double(), state)
    with pytest.raises(TypeError, match=r"the state holds torch\.float64"):
        getattr(gru, how)(x, h.double())
    with pytest.raises(ValueError, match=r"inputs have batch = 2, .* batch = 7"):
        gru.unroll(torch.ones(2, 11, 3), torch.ones(7, 5))


def transformer(n_source, n_target):
    return Transformer(TransformerConfig(n_source, n_target, d_model=8, heads=2))


@pytest.mark.parametrize("kind", [Seq2Seq, AttentionSeq2Seq, transformer])
@pytest.mark.parametrize("how", ["forward", "trace"])
def test_there_is_one_target_for_each_source(kind, how):
    call = getattr(kind(11, 13), how)
    source, lengths = torch.ones(2, 3).long(), torch.tensor([3, 2])
    with pytest.raises(
        ValueError, match=r"source has batch = 2, .* batch = 5; give on"
    ):
        call(source, lengths, torch.ones(5, 3).long())
    with pytest.raises(TypeError, match=r"source holds torch\.float32.*source\.long"):
        call(source.float(), lengths, source)
    with pytest.raises(
        TypeError, match=r"source_lengths is of type list, .*torch.tens"
    ):
        call(source, [3, 2], source)
    with pytest.raises(TypeError, match=r"target_in holds torch\.float32"):
        call(source, lengths, source.float())


def test_tokens_are_whole_numbers():
    table = nn.Embedding(11, 2)
    with pytest.raises(TypeError, match=r"source tokens holds torch\.float32"):
        embed(table, torch.ones(3), "source")
    with pytest.raises(TypeError, match="source tokens is of type list"):
        embed(table, [1, 2], "source")
    assert embed(table, torch.ones(3, dtype=torch.int32), "source").shape == (3, 2)


def test_masks_are_made_of_whole_numbers():
    with pytest.raises(TypeError, match=r"lengths is of type list, but .*torch.tensor"):
        masks.padding([1, 3], 3)
    with pytest.raises(ValueError, match="query must be at least 0, not -1"):
        masks.causal(-1)
    with pytest.raises(TypeError, match=r"query is 3\.0, but must be a whole number"):
        masks.causal(3.0)
    assert masks.causal(0).shape == (0, 0)


def test_heads_stand_on_an_axis_of_their_own():
    with pytest.raises(
        ValueError, match=r"\(2, 3\), .*'\*batch head token d_head', at"
    ):
        merge_heads(torch.ones(2, 3))
    with pytest.raises(
        ValueError, match=r"\(6,\), .*'\*batch token d_model', at least"
    ):
        split_heads(torch.ones(6), 2)


def test_a_rollout_is_of_layers_with_heads():
    with pytest.raises(ValueError, match=r"head query key' of every .* are \(3, 3\)"):
        rollout([torch.eye(3)])
    with pytest.raises(TypeError, match=r"one tensor of shape \(2, 5, 3, 3\).*list\("):
        rollout(torch.ones(2, 5, 3, 3))


@pytest.mark.parametrize("how", ["forward", "trace"])
def test_pixels_are_fractions(how):
    model = VisionTransformer(VisionConfig(d_model=8, heads=2, layers=1))
    pixels = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(TypeError, match=r"torch\.uint8, .* images\.float\(\) / 255"):
        getattr(model, how)(pixels)
    with pytest.raises(TypeError, match=r"torch\.float64, .* give images\.to\(torch\."):
        getattr(model, how)(pixels.double())


@pytest.mark.parametrize(
    ("wrong", "kind", "said"),
    [
        ((16, 4), TypeError, r"\(height, width\); write image=\(16, 16\)"),
        (((8, 8), 2.0), TypeError, r"patch is 2\.0, but must be a whole number"),
        (((8, 8.0), 2), TypeError, "both must be whole"),
        (((8, 0), 2), ValueError, "both must be at least 1"),
        (((8, 8, 1), 2), ValueError, "is two numbers"),
        (((8, 8), 2, 1, 2.5), TypeError, r"classes is 2\.5, but must be a whole"),
    ],
)
def test_the_sizes_of_a_vision_transformer_are_whole_numbers(wrong, kind, said):
    with pytest.raises(kind, match=said):
        VisionConfig(*wrong)


# --------------------------------------------------------------------------- training


def test_a_target_that_is_not_scored_is_named():
    logits = torch.zeros(3, 10)
    said = "scores 10 tokens, 0 to 9, but a target is 11; build it with at least 12"
    with pytest.raises(ValueError, match=said):
        sequence_loss(logits, torch.tensor([1, 11, 0]))
    with pytest.raises(ValueError, match=r"10 classes, .* target is 11; build it"):
        sequence_loss(logits, torch.tensor([1, 11, -100]), ignored=-100)
    with pytest.raises(
        ValueError, match="a target is -3; they are counted from 0, and"
    ):
        sequence_loss(logits, torch.tensor([1, -3, -100]), ignored=-100)


def test_a_target_is_a_whole_number():
    with pytest.raises(TypeError, match=r"target holds torch\.float32, .*target\.long"):
        sequence_loss(torch.zeros(3, 10), torch.ones(3))


@pytest.mark.parametrize("ignored", [0, -100])
def test_a_loss_of_nothing_is_refused(ignored):
    target = torch.full((3,), ignored)
    with pytest.raises(
        ValueError, match=f"nothing is asked: every target is {ignored}"
    ):
        sequence_loss(torch.zeros(3, 10), target, ignored=ignored)
    loss = sequence_loss(torch.full((1, 5), torch.nan), torch.tensor([1]))
    assert loss.isnan()  # of something: that is for update to refuse, with its gradient


def test_fit_says_what_its_model_does_not_score():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    images = Images(torch.rand(2, 1, 8, 8), torch.tensor([1, 11]))
    with pytest.raises(
        ValueError, match=r"scores 10 classes, .* a target is 11; build"
    ):
        fit(model, [images], steps=1)


@pytest.mark.parametrize("corpus", [DictatedNumbers(), Digits()])
def test_fit_is_given_batches_and_not_a_corpus(corpus):
    kind = type(corpus).__name__
    said = rf"batches is of type {kind}, .* give its \.batches\(batch_size=32, seed=0\)"
    with pytest.raises(TypeError, match=said):
        fit(nn.Linear(1, 1), corpus, steps=1)


def test_fit_is_given_a_stream_and_not_one_batch():
    for one in (
        Digits().held_out,
        next(DictatedNumbers().batches(batch_size=2, seed=0)),
    ):
        with pytest.raises(
            TypeError, match=r"is one batch.*itertools\.repeat\(batch\)"
        ):
            fit(nn.Linear(1, 1), one, steps=1)
    with pytest.raises(TypeError, match="batches is of type int, not a stream of batc"):
        fit(nn.Linear(1, 1), 3, steps=1)
