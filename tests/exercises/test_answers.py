"""The references of the exercises mean what the package and PyTorch mean."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qkv import layers, masks, positions, vision
from qkv.decoding import sampling_probabilities
from qkv.exercises import ch05, ch06, ch07, ch07_words, ch08, ch08_looking
from qkv.exercises.draw import ids, normal
from qkv.training import FitSettings, sequence_loss

LENGTHS = torch.tensor([2, 7, 5])


def test_sinusoids_and_their_shift_are_the_packages() -> None:
    ours = ch05.sinusoidal(11, 6)
    torch.testing.assert_close(ours, positions.sinusoidal(11, 6))
    torch.testing.assert_close(ch05.shift(ours, 3), positions.shift(ours, 3))


@pytest.mark.parametrize("start", [0, 13])
def test_rotary_is_the_packages(start: int) -> None:
    x = normal(2, 7, 10)
    ours = ch05.rotate(x, start + torch.arange(7))
    torch.testing.assert_close(ours, positions.rotate(x, start=start))


def test_alibi_is_the_packages() -> None:
    torch.testing.assert_close(ch05.alibi(3, 7), positions.alibi(3, 7))


def test_cached_scores_are_the_last_rows_of_all_scores() -> None:
    q, k = normal(2, 11, 6), normal(2, 11, 6, seed=1)
    everything = ch05.rotated_scores(q, k)
    torch.testing.assert_close(ch05.rotated_scores(q[:, -3:], k), everything[:, -3:])


def test_the_ceiling_is_reached_by_the_best_single_answer() -> None:
    sequences = torch.tensor([[1, 1, 2], [3, 2, 1]])
    assert ch05.order_blind_ceiling(sequences) == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_masks_are_the_packages() -> None:
    assert torch.equal(ch06.causal_mask(7), masks.causal(7))
    assert torch.equal(ch06.padding_mask(LENGTHS, 7), masks.padding(LENGTHS, 7))


def test_a_query_with_nothing_to_attend_to_has_no_gradient_and_no_nan() -> None:
    scores = normal(1, 2, 3).requires_grad_()
    mask = torch.tensor([[[True, True, False], [False, False, False]]])
    weights = ch06.masked_softmax(scores, mask)
    (weights * normal(1, 2, 3, seed=1)).sum().backward()
    assert weights[~mask].eq(0).all()
    assert scores.grad[0, 0, :2].ne(0).all()
    assert scores.grad[~mask].eq(0).all()


def test_the_entropy_of_a_coin_in_letters() -> None:
    """Heads is four letters, tails six: ln 2 nats in five of them."""
    entropy = ch06.entropy_per_character(torch.tensor([0.5, 0.5]), torch.tensor([4, 6]))
    assert entropy == pytest.approx(math.log(2) / 5)


def test_pytorch_hides_the_padding_when_it_is_given_both_masks() -> None:
    key_padding_mask, sdpa_mask = ch06.for_pytorch(ch06.padding_mask(LENGTHS, 7)[:, 0])
    x, spoilt = normal(3, 7, 10), normal(3, 7, 10)
    spoilt[key_padding_mask] = 100.0
    layer = nn.MultiheadAttention(10, 2, batch_first=True)
    heads = [t.unflatten(-1, (2, 5)).transpose(1, 2) for t in (x, spoilt)]
    for answer, other in (
        [layer(x, k, k, key_padding_mask=key_padding_mask)[0] for k in (x, spoilt)],
        [
            F.scaled_dot_product_attention(heads[0], k, k, attn_mask=sdpa_mask)
            for k in heads
        ],
    ):
        torch.testing.assert_close(answer, other)


def test_causal_weights_are_those_of_the_boolean_mask() -> None:
    scores = normal(2, 5, 5)
    expected = scores.masked_fill(~masks.causal(5), -torch.inf).softmax(-1)
    torch.testing.assert_close(ch06.causal_weights(scores), expected)


def test_layer_norm_and_feed_forward_are_the_packages() -> None:
    x = 3 * normal(2, 5, 7) + 1
    norm, network = layers.LayerNorm(7, eps=0.1), layers.FeedForward(7, 11)
    with torch.no_grad():
        norm.weight.copy_(normal(7, seed=1))
        norm.bias.copy_(normal(7, seed=2))
    ours = ch07.layer_norm(x, norm.weight, norm.bias, 0.1)
    torch.testing.assert_close(ours, norm(x))
    torch.testing.assert_close(
        ch07.feed_forward(
            x,
            network.linear1.weight,
            network.linear1.bias,
            network.linear2.weight,
            network.linear2.bias,
        ),
        network(x),
    )


def test_both_wirings_are_the_packages() -> None:
    x, W, weight, bias = normal(2, 3, 5), normal(5, 5), normal(5), normal(5, seed=1)
    ours = ch07.post_and_pre_norm(x, W, weight, bias)
    for norm_first, result in enumerate(ours):
        theirs = layers.residual(
            x,
            lambda x: torch.tanh(x @ W.T),
            lambda x: F.layer_norm(x, (5,), weight, bias),
            norm_first=bool(norm_first),
        )
        torch.testing.assert_close(result, theirs)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_the_smoothed_loss_is_the_packages(smoothing: float) -> None:
    logits, target = normal(3, 5, 7), ids(3, 5, high=7)
    assert target.eq(0).any()
    torch.testing.assert_close(
        ch07_words.smoothed_loss(logits, target, smoothing),
        sequence_loss(logits, target, label_smoothing=smoothing),
    )


def test_the_learning_rate_is_the_packages_and_the_papers() -> None:
    peak = (512 * 4000) ** -0.5
    settings = FitSettings(peak, schedule="inverse_sqrt", warmup=4000)
    for step in (1, 3999, 4000, 4001, 100_000):
        ours = ch07_words.learning_rate(step, 512, 4000)
        assert ours == pytest.approx(settings.rate(step))
    assert ch07_words.learning_rate(4000, 512, 4000) == pytest.approx(peak)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_nucleus_is_the_packages(p: float) -> None:
    logits = 2 * normal(5, 13)
    ours = ch07_words.nucleus(logits.softmax(-1), p)
    torch.testing.assert_close(ours, sampling_probabilities(logits, top_p=p).float())


def test_beam_steps_find_the_best_of_all_where_nothing_is_dropped() -> None:
    """Two tokens of a chain, whose second depends on the first."""
    first, second = (normal(5, 5, seed=n).log_softmax(-1) for n in (0, 1))
    first = first[:1].expand(5, 5)
    start = torch.full((5,), -math.inf)
    start[0] = 0.0
    scores, _, tokens = ch07_words.beam_step(first, start)
    best, parents, last = ch07_words.beam_step(second[tokens], scores)
    every = first[0][:, None] + second
    torch.testing.assert_close(best, every.flatten().topk(5).values)
    torch.testing.assert_close(best, every[tokens[parents], last])


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_the_decoder_layer_is_pytorchs(heads: int) -> None:
    layer = nn.TransformerDecoderLayer(
        6, heads, 11, dropout=0.0, batch_first=True, norm_first=True, bias=False
    )
    both = layer.self_attn, layer.multihead_attn
    W_self, W_cross = (
        torch.stack([*part.in_proj_weight.chunk(3), part.out_proj.weight])
        for part in both
    )
    x, memory = normal(2, 5, 6), normal(2, 7, 6, seed=1)
    ours = ch07.decoder_layer(
        x, memory, W_self, W_cross, layer.linear1.weight, layer.linear2.weight, heads
    )
    hidden = ~masks.causal(5)
    torch.testing.assert_close(ours, layer(x, memory, tgt_mask=hidden))


def test_each_of_the_three_bugs_shows_where_its_hint_says() -> None:
    """The mask in an earlier row, the scale with two heads, the residual alone."""
    x, memory, W_self, W_cross, W_1, W_2, heads = ch07.DECODER_LAYER.cases[
        "a longer source"
    ]()
    last = x.clone()
    last[:, -1, 0] += 1
    given, right = ch07.DECODER_LAYER.given, ch07.decoder_layer
    rest = memory, W_self, W_cross, W_1, W_2, heads
    for function, seen in ((right, False), (given, True)):
        changed = (function(x, *rest) - function(last, *rest)).abs().amax((0, 2)) > 1e-4
        assert changed.tolist() == [False] * 3 + [seen, True]
    deaf = memory, W_self, 0 * W_cross, W_1, W_2, 1
    alone = memory, 0 * W_self, 0 * W_cross, W_1, W_2, 1
    for function, heard in ((right, True), (given, False)):
        same = torch.allclose(function(x, *deaf), function(x, *alone))
        assert same is not heard


def test_cutting_and_embedding_are_the_packages() -> None:
    images = normal(2, 3, 4, 10)
    cut = torch.stack([ch08.cut(image, 2) for image in images])
    torch.testing.assert_close(cut, vision.patches(images, 2))
    embedding = vision.PatchEmbedding(3, 2, 7)
    weight, bias = embedding.proj.weight.flatten(1), embedding.proj.bias
    torch.testing.assert_close(ch08.embed(images, weight, bias, 2), embedding(images))


def test_the_class_token_comes_as_in_the_package() -> None:
    config = vision.VisionConfig(image=(4, 6), patch=2, d_model=8, heads=2)
    model = vision.VisionTransformer(config)
    trace = model.trace(normal(3, 1, 4, 6))
    ours = ch08.add_class_token(
        trace.embedded, model.class_token, model.positions(torch.zeros(7, 8))
    )
    torch.testing.assert_close(ours, trace.positioned)


def test_positions_of_a_picture_are_the_packages() -> None:
    ours = ch08.sinusoidal_2d(3, 5, 12)
    torch.testing.assert_close(ours, vision.sinusoidal_2d(3, 5, 12))


def test_rollout_is_the_packages() -> None:
    weights = normal(3, 2, 5, 5).softmax(-1)
    ours = ch08_looking.rollout(weights)
    torch.testing.assert_close(ours, vision.rollout(list(weights)))


def test_a_deletion_curve_by_hand() -> None:
    """The first patch alone speaks for class 0: three to one, undiluted."""
    embedded, W = torch.tensor([[1.0], [0.0]]), torch.tensor([[math.log(3)], [0.0]])
    curve = ch08_looking.deletion_curve(embedded, torch.tensor([0.9, 0.1]), W, 0)
    both = 3**0.5 / (3**0.5 + 1)
    assert curve.tolist() == pytest.approx([both, 0.5, 0.5])
    curve = ch08_looking.deletion_curve(embedded, torch.tensor([0.1, 0.9]), W, 0)
    assert curve.tolist() == pytest.approx([both, 0.75, 0.5])


def test_a_picture_cut_on_its_side_is_the_same_model_under_other_names() -> None:
    """What the hunt says: the loss cannot tell, and what is seen is another patch."""
    case = ch08_looking.SMALL_VIT.cases["every size different"]
    images, patch, W_e, class_token, positions, W, W_out = case()
    (channel, height, width), d_model = images.shape[1:], len(class_token)
    grid = height // patch, width // patch
    turned_W_e = W_e.reshape(d_model, channel, patch, patch).mT.flatten(1)
    turned = positions[1:].unflatten(0, grid).transpose(0, 1).flatten(0, 1)
    turned = torch.cat([positions[:1], turned])
    logits, seen = ch08_looking.small_vit(*case())
    same, shown = ch08_looking.SMALL_VIT.given(
        images, patch, turned_W_e, class_token, turned, W, W_out
    )
    torch.testing.assert_close(same, logits, rtol=1e-4, atol=1e-5)
    true = shown.flatten(1).unflatten(1, grid[::-1]).mT
    torch.testing.assert_close(true, seen, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(shown, seen, atol=1e-2)
