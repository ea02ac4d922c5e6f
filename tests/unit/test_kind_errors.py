"""Argument checks: what is said of tensors of the wrong dtype, batch or axes."""

import numpy as np
import pytest
import torch
from torch import nn

from qkv import masks
from qkv._checks import whole
from qkv.attention import (
    AdditiveScore,
    DotProductScore,
    MultiHeadAttention,
    attend,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
    trace_scaled_dot_product,
)
from qkv.data import DictatedNumbers, Digits, Images, Vocabulary
from qkv.decoding import beam, beam_tree, exact_match, greedy, record, translate
from qkv.layers import FeedForward, LayerNorm, embed
from qkv.positions import Learned, Sinusoidal, rotate, shift, sinusoidal
from qkv.recurrent import AttentionSeq2Seq, GRUCell, LSTMCell, Seq2Seq
from qkv.training import accuracy, fit, sequence_loss
from qkv.transformer import (
    EncoderLayer,
    LanguageModel,
    Transformer,
    TransformerConfig,
    load,
    save,
)
from qkv.vision import (
    ConvolutionalNetwork,
    PatchEmbedding,
    VisionConfig,
    VisionTransformer,
    patches,
    rollout,
)

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


# ----------------------------------------------------------------- tensors, and batches

ONE = torch.tensor([5, 6, 7])
MISSING = r"\(3,\), but its axes are to be 'batch {}'; the batch axis is missing: .*"


def missing(axis: str, name: str) -> str:
    return rf"^{name} has shape " + MISSING.format(axis) + rf"{name}\.unsqueeze\(0\)$"


@pytest.mark.parametrize("kind", [Seq2Seq, AttentionSeq2Seq, transformer])
class TestASourceThatIsNoBatch:
    @pytest.mark.parametrize("how", ["forward", "trace"])
    def test_in_training(self, kind, how):
        call = getattr(kind(11, 13), how)
        lengths, targets = torch.tensor([3]), ONE[None]
        with pytest.raises(ValueError, match=missing("source", "source")):
            call(ONE, lengths, targets)
        with pytest.raises(ValueError, match=missing("source", "source")):
            call(ONE, lengths, ONE)
        with pytest.raises(ValueError, match=missing("target", "target_in")):
            call(ONE[None], lengths, ONE)
        with pytest.raises(
            ValueError, match=r"source_lengths has shape .*one length f"
        ):
            call(ONE[None], torch.tensor(3), targets)
        with pytest.raises(TypeError, match=r"source is of type list, .*torch\.tensor"):
            call([[5, 6, 7]], lengths, targets)
        with pytest.raises(
            TypeError, match=r"target_in is of type ndarray, .*torch\.t"
        ):
            call(ONE[None], lengths, targets.numpy())

    @pytest.mark.parametrize("how", ["forward", "trace"])
    def test_with_nothing_in_it(self, kind, how):
        call, none = getattr(kind(11, 13), how), torch.ones(0, 3).long()
        with pytest.raises(
            ValueError, match=r"source has batch = 0, .* at least 1 to r"
        ):
            call(none, none[:, 0], none)
        with pytest.raises(
            ValueError, match=r"target_in has target = 0, .*leave out wh"
        ):
            call(ONE[None], torch.tensor([3]), ONE[None, :0])

    @pytest.mark.parametrize("write", [greedy, beam, beam_tree])
    def test_in_writing(self, kind, write):
        model = kind(11, 13)
        with pytest.raises(ValueError, match=missing("source", "source")):
            write(model, ONE, torch.tensor([3]), max_length=3)
        with pytest.raises(ValueError, match="source has batch = 0"):
            write(model, ONE[None][:0], torch.tensor([]).long(), max_length=3)
        with pytest.raises(
            TypeError, match=r"input 0 of the model is of type list, .*t"
        ):
            write(model, [[5, 6, 7]], torch.tensor([3]), max_length=3)

    @pytest.mark.parametrize("token", [torch.tensor(5), ONE[:2, None], ONE])
    def test_a_token_to_take_in_is_one_for_each_row(self, kind, token):
        model = kind(11, 13)
        state = model.start(torch.stack([ONE, ONE]), torch.tensor([3, 3]))
        said = r"token has shape \(.*\), but the state has batch = 2; .* shape \(2,\)"
        with pytest.raises(ValueError, match=said):
            model.step(token, state)


def language_model():
    return LanguageModel(TransformerConfig(11, 13, d_model=8, heads=2))


def test_a_text_that_is_no_batch_is_named():
    model = language_model()
    for call in (model, model.trace, lambda x: model.extend(x, model.empty())):
        with pytest.raises(ValueError, match=missing("token", "tokens")):
            call(ONE)
        with pytest.raises(ValueError, match=r"tokens has batch = 0, .* at least 1"):
            call(ONE[None][:0])
        with pytest.raises(TypeError, match=r"tokens is of type list, .*torch\.tensor"):
            call([[5, 6, 7]])
    with pytest.raises(ValueError, match=missing("prompt", "prompt")):
        greedy(model, ONE, torch.tensor([3]), max_length=3)
    with pytest.raises(ValueError, match="one axis for each of them"):
        model(ONE[None, None])
    with pytest.raises(
        ValueError, match=r"token has shape \(2,\), but the state has b"
    ):
        model.step(ONE[:2], model.empty())


@pytest.mark.parametrize("how", ["forward", "trace"])
def test_images_have_an_axis_for_their_channels(how):
    call = getattr(VisionTransformer(VisionConfig(d_model=8, heads=2, layers=1)), how)
    wanted = "the model has channel = 1, height = 8 and width = 8, but the images have "
    for images, given in (
        (torch.ones(8, 8), r"shape \(8, 8\)"),
        (torch.ones(5, 8, 8), "channel = 5, height = 8 and width = 8"),
    ):
        said = wanted + given + r"; one channel has an axis, too: .*unsqueeze\(-3\)"
        with pytest.raises(ValueError, match=said):
            call(images)
    with pytest.raises(ValueError, match=r"shape \(8,\); scale them, or make a model"):
        call(torch.ones(8))
    with pytest.raises(
        TypeError, match=r"images is of type ndarray, .*torch\.tensor\("
    ):
        call(torch.ones(1, 8, 8).numpy())
    assert getattr(call(torch.ones(0, 1, 8, 8)), "logits", torch.ones(0, 10)).shape == (
        0,
        10,
    )


def test_what_cuts_or_convolves_images_has_the_same_words():
    said = r"images has shape \(8, 8\), .*'\*batch channel height width', at least 3"
    for call in (
        ConvolutionalNetwork(),
        PatchEmbedding(1, 2, 6),
        lambda images: patches(images, 2),
    ):
        with pytest.raises(ValueError, match=said):
            call(torch.ones(8, 8))
    with pytest.raises(TypeError, match=r"torch\.uint8, .* images\.float\(\) / 255"):
        ConvolutionalNetwork()(torch.ones(1, 1, 8, 8).byte())
    with pytest.raises(TypeError, match="images is of type list"):
        PatchEmbedding(1, 2, 6).project([[1.0] * 4])


def test_an_empty_batch_asks_nothing():
    none = torch.ones(0).long()
    said = r"nothing is asked: the target has shape \(0,\), and .* at least 1"
    with pytest.raises(ValueError, match=said):
        sequence_loss(torch.zeros(0, 10), none)
    with pytest.raises(ValueError, match=said):
        accuracy(nn.Flatten(), Images(torch.ones(0, 1, 8, 8), none))


def test_a_loss_is_of_tensors():
    with pytest.raises(TypeError, match=r"target is of type list, .*torch\.tensor\(t"):
        sequence_loss(torch.zeros(2, 10), [1, 2])
    with pytest.raises(TypeError, match="logits is of type list"):
        sequence_loss([[0.0, 1.0]], torch.tensor([1]))


NUMBERS = torch.ones(2, 3, 5)
LISTS = NUMBERS.tolist()
ARRAY = NUMBERS.numpy()


@pytest.mark.parametrize("given", [LISTS, ARRAY], ids=["list", "array"])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("scores", lambda x: attend(x, NUMBERS)),
        ("values", lambda x: attend(NUMBERS, x)),
        ("mask", lambda x: attend(NUMBERS[..., :3], NUMBERS, x)),
        ("mask", lambda x: masks.combined(masks.causal(3), x)),
        ("query", lambda x: scaled_dot_product_attention(x, NUMBERS, NUMBERS)),
        ("key", lambda x: trace_scaled_dot_product(NUMBERS, x, NUMBERS)),
        ("query", lambda x: MultiHeadAttention(5, 1)(x)),
        ("key", lambda x: MultiHeadAttention(5, 1).trace(NUMBERS, x)),
        ("value", lambda x: MultiHeadAttention(5, 1)(NUMBERS, NUMBERS, x)),
        ("x", lambda x: split_heads(x, 1)),
        ("keys", lambda x: AdditiveScore(5, 5, 7).project(x)),
        ("query", lambda x: AdditiveScore(5, 5, 7)(x, torch.ones(2, 3, 7))),
        ("projected", lambda x: AdditiveScore(5, 5, 7)(NUMBERS, x)),
        ("keys", lambda x: DotProductScore(5, 5).project(x)),
        ("keys", lambda x: DotProductScore(5, 5, general=True).project(x)),
        ("projected", lambda x: DotProductScore(5, 5)(NUMBERS, x)),
        ("x", LayerNorm(5)),
        ("x", LayerNorm(5).trace),
        ("x", FeedForward(5, 7)),
        ("x", FeedForward(5, 7).trace),
        ("x", Sinusoidal(6)),
        ("x", Learned(3, 5)),
        ("x", rotate),
        ("encoding", lambda x: shift(x, 1)),
        ("x", lambda x: GRUCell(5, 7)(x, torch.ones(2, 7))),
        ("the state", lambda x: GRUCell(5, 7).trace(torch.ones(2, 5), x)),
    ],
)
def test_a_tensor_is_meant(given, name, call):
    kind = type(given).__name__
    with pytest.raises(
        TypeError, match=rf"{name} is of type {kind}, but .*torch\.tens"
    ):
        call(given)


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ("scores holds {0}, but values holds {1}", lambda x, y: attend(x, y)),
        (
            "keys holds {1}, but the weights",
            lambda x, y: AdditiveScore(3, 3, 3).project(y),
        ),
        ("query holds {1}, but the wei", lambda x, y: AdditiveScore(3, 3, 3)(y, x)),
        ("projected holds {1}, but the", lambda x, y: AdditiveScore(3, 3, 3)(x, y)),
        ("query holds {0}, but projec", lambda x, y: DotProductScore(3, 3)(x, y)),
        (
            "keys holds {1}, but the weights",
            lambda x, y: DotProductScore(3, 3, general=True).project(y),
        ),
        ("x holds {1}, but the weights", lambda x, y: LayerNorm(3)(y)),
        ("x holds {1}, but the weights", lambda x, y: LayerNorm(3).trace(y)),
        ("x holds {1}, but the weights", lambda x, y: FeedForward(3, 5)(y)),
        ("x holds {1}, but the weights", lambda x, y: FeedForward(3, 5).trace(y)),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_kinds_of_numbers_that_do_not_go_together(said, call, dtype):
    x = torch.ones(3, 3)
    with pytest.raises(TypeError, match=said.format(x.dtype, dtype) + r".*\.to\("):
        call(x, x.to(dtype))


def test_what_has_no_fractions_is_refused():
    with pytest.raises(TypeError, match=r"keys holds torch\.int64, .*keys\.float\(\)"):
        DotProductScore(3, 3).project(torch.ones(3, 3).long())


@pytest.mark.parametrize(
    ("said", "call"),
    [
        (
            r"query has shape \(5,\), .*'\*batch query d_k', at least 2",
            lambda x: scaled_dot_product_attention(x, NUMBERS, NUMBERS),
        ),
        (
            r"key has shape \(5,\), .*'\*batch key d_k', at least 2",
            lambda x: trace_scaled_dot_product(NUMBERS, x, NUMBERS),
        ),
        (
            r"value has shape \(5,\), .*'\*batch key d_v', at least 2",
            lambda x: scaled_dot_product_attention(NUMBERS, NUMBERS, x),
        ),
        (
            r"query has shape \(5,\), .*'\*batch token d_model', at least 2",
            lambda x: MultiHeadAttention(5, 1)(x),
        ),
        (
            r"values has shape \(5,\), .*'\*batch key d_v', at least 2",
            lambda x: attend(NUMBERS, x),
        ),
        (
            r"scores has shape \(\), .*'\*batch key', at least 1",
            lambda x: attend(x[0], NUMBERS),
        ),
        (
            r"x has shape \(5,\), .*'\*batch token d_model', at least 2",
            Learned(3, 5),
        ),
        (r"x has shape \(5,\), .*'\*batch token d_head', at least 2", rotate),
        (
            r"encoding has shape \(5,\), .*'\*batch token d_model', at least 2",
            lambda x: shift(x, 1),
        ),
        (
            r"x has shape \(\), .*'\*batch d_model', at least 1",
            lambda x: LayerNorm(5)(x[0]),
        ),
        (
            r"the state has shape \(\), .*'\*batch d_hidden', at least 1",
            lambda x: GRUCell(5, 7)(x, x[0]),
        ),
    ],
)
def test_axes_that_are_missing_are_named(said, call):
    with pytest.raises(ValueError, match=said):
        call(torch.ones(5))


def test_a_sparse_mask_is_named():
    mask = masks.causal(3).to_sparse()
    for use in (
        lambda: masks.fitting(mask, (2, 3, 3)),
        lambda: masks.combined(masks.causal(3), mask),
        lambda: MultiHeadAttention(5, 1)(NUMBERS, mask=mask),
    ):
        with pytest.raises(
            TypeError, match=r"mask is sparse, .*give mask\.to_dense\(\)"
        ):
            use()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16])
def test_lengths_of_another_kind_of_whole_numbers(dtype):
    lengths, source = torch.tensor([3, 2], dtype=dtype), torch.ones(2, 3).long()
    kinds = r"torch\.int64 or torch\.int32; give "
    with pytest.raises(
        TypeError,
        match=rf"lengths holds {dtype}, but lengths of sequences are {kinds}le",
    ):
        masks.padding(lengths, 3)
    with pytest.raises(
        TypeError, match=rf"source_lengths holds {dtype}, .*{kinds}source_lengths\.long"
    ):
        Seq2Seq(11, 13)(source, lengths, source)


# ------------------------------------------------------------------------ whole numbers

THREE = [np.int64(3), np.uint8(3), torch.tensor(3)]


@pytest.mark.parametrize("three", THREE, ids=lambda three: type(three).__name__)
def test_a_whole_number_is_what_python_can_count_with(three, tmp_path):
    assert whole(1, heads=three) == {"heads": 3}
    assert type(whole(1, heads=three)["heads"]) is int
    assert masks.causal(three).shape == (3, 3)
    assert MultiHeadAttention(6, three).heads == 3
    config = TransformerConfig(3, 3, d_model=2 * three, heads=three, layers=[1, three])
    assert config == TransformerConfig(3, 3, d_model=6, heads=3, layers=(1, 3))
    assert type(config.heads) is type(config.layers[1]) is int
    config = VisionConfig(image=[three, 3], patch=three, d_model=6, heads=three)
    assert config == VisionConfig(image=(3, 3), patch=3, d_model=6, heads=3)


def test_sizes_of_numpy_are_saved_and_read_again(tmp_path):
    vocabulary = Vocabulary(["a", "b"])
    model = Transformer(TransformerConfig(np.int64(5), np.int64(5)))
    save(model, tmp_path / "m.safetensors", vocabulary, vocabulary)
    assert load(tmp_path / "m.safetensors").model.config == model.config


@pytest.mark.parametrize("number", ["3", 3.0, None, [3], torch.tensor([3, 3])])
def test_what_is_no_whole_number(number):
    with pytest.raises(TypeError, match=r"heads is .*, but must be a whole number"):
        whole(1, heads=number)


@pytest.mark.parametrize(
    ("layers", "kind", "said"),
    [
        (2, TypeError, r"\(of the encoder, of the decoder\); write layers=\(2, 2\)"),
        ((1, 2, 3), ValueError, r"layers is \(1, 2, 3\), but is two numbers, \(of the"),
        ((1, 2.0), TypeError, r"layers is \(1, 2\.0\), but both must be whole numbers"),
    ],
)
def test_layers_are_two_numbers(layers, kind, said):
    with pytest.raises(kind, match=said):
        TransformerConfig(11, 13, layers=layers)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("d_model", lambda size: MultiHeadAttention(size, 1)),
        ("heads", lambda size: MultiHeadAttention(6, size)),
        ("d_query", lambda size: AdditiveScore(size, 3, 3)),
        ("d_key", lambda size: AdditiveScore(3, size, 3)),
        ("d_hidden", lambda size: AdditiveScore(3, 3, size)),
        ("d_query", lambda size: DotProductScore(size, 3, general=True)),
        ("d_key", lambda size: DotProductScore(3, size, general=True)),
        ("d_model", LayerNorm),
        ("d_model", lambda size: FeedForward(size, 3)),
        ("d_ff", lambda size: FeedForward(3, size)),
        ("length", lambda size: Learned(size, 3)),
        ("d_model", lambda size: Learned(3, size)),
        ("d_in", lambda size: GRUCell(size, 3)),
        ("d_hidden", lambda size: LSTMCell(3, size)),
        ("n_source", lambda size: Seq2Seq(size, 3)),
        ("n_target", lambda size: Seq2Seq(3, size)),
        ("n_target", lambda size: AttentionSeq2Seq(3, size)),
        ("d_embedding", lambda size: AttentionSeq2Seq(3, 3, d_embedding=size)),
        ("d_embedding", lambda size: Seq2Seq(3, 3, d_embedding=size)),
        ("d_ff", lambda size: EncoderLayer(6, 2, size)),
        ("channels", lambda size: PatchEmbedding(size, 2, 6)),
        ("d_model", lambda size: PatchEmbedding(1, 2, size)),
        ("classes", ConvolutionalNetwork),
        ("channels", lambda size: ConvolutionalNetwork(3, size)),
        ("width", lambda size: ConvolutionalNetwork(3, 1, size)),
    ],
)
def test_the_size_of_a_layer_is_a_whole_number_of_at_least_1(name, make):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        make(0)
    with pytest.raises(TypeError, match=rf"{name} is 6\.0, but must be a whole number"):
        make(6.0)


def test_pairs_of_numbers_have_a_whole_size():
    for make in (Sinusoidal, lambda size: sinusoidal(3, size)):
        with pytest.raises(
            TypeError, match=r"d_model is 4\.0, but must be a whole num"
        ):
            make(4.0)


def test_a_layer_drops_a_share():
    with pytest.raises(
        ValueError, match=r"dropout must be from 0 to below 1, not 1\.5"
    ):
        EncoderLayer(6, 2, 11, dropout=1.5)


# -------------------------------------------------------------------------- translating


def test_examples_are_given_in_a_list_and_one_is_recorded():
    numbers = DictatedNumbers()
    model, example = Seq2Seq(13, 13), numbers.sample(1, seed=0)[0]
    with pytest.raises(TypeError, match=r"examples is one source; give a list of it: "):
        exact_match(model, numbers, example)
    with pytest.raises(
        TypeError, match=r"examples\[1\] is of type str, but is to be an "
    ):
        exact_match(model, numbers, [example, "73"])
    with pytest.raises(
        TypeError, match=r"sources\[0\] is of type list, .* or a text; c"
    ):
        translate(model, numbers, [[5, 6]])
    with pytest.raises(
        TypeError, match=r"example is of type list, but is to be an Exam"
    ):
        record(model, numbers, [example])
