"""One sentence of two languages, what is asked of it, and drawing."""

import math
from itertools import accumulate

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from qkv.data import Scenes, Slots, Vocabulary
from qkv.decoding import greedy, sample
from qkv.training import FitSettings, fit
from qkv.transformer import LanguageModel, TransformerConfig
from qkv.vision import (
    DiscreteVAE,
    DiscreteVAEConfig,
    Guided,
    JointVocabulary,
    Painter,
    PictureSentences,
    TextAndPicture,
)

WORDS = Vocabulary(["red", "blue", "star", "moon", "and"])
SENTENCES = [("red", "star"), ("moon",), (), ("blue", "moon", "and", "star")]
CODES = DiscreteVAEConfig((4, 6), patch=2, codes=7, d_code=5, width=11)
fast = settings(max_examples=10)
seeds = st.integers(0, 2**31)


def vocabulary(**changes) -> JointVocabulary:
    sizes = {"codes": 7, "text": 6, "grid": (2, 3)} | changes
    return JointVocabulary(WORDS, **sizes)


def painter(seed: int = 0) -> Painter:
    torch.manual_seed(seed)
    both = vocabulary()
    sizes = {"d_model": 8, "heads": 2, "d_ff": 11, "layers": (1, 2)}
    model = LanguageModel(TransformerConfig(1, len(both), **sizes))
    for weight in model.parameters():
        if weight.ndim > 1:  # so that chances are far from even, and differ
            torch.nn.init.normal_(weight, std=0.7)
    return Painter(model, DiscreteVAE(CODES), both).eval()


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(7, (count, 2, 3), generator=generator)


# -------------------------------------------------------------------------- vocabulary


def test_no_number_means_two_things():
    both = vocabulary()
    assert (len(both), both.offset, both.cells, both.places) == (15, 8, 6, 12)
    ids = both.join(both.begin([("red", "star")]), torch.arange(6).view(1, 2, 3))
    assert ids.tolist() == [[0, 0, 1, 3, 5, 2, 8, 9, 10, 11, 12, 13]]
    assert both.tokens(ids).tolist() == [[[0, 1, 2], [3, 4, 5]]]
    assert both.tokens(ids[:, 6:]).tolist() == [[[0, 1, 2], [3, 4, 5]]]


def test_sentences_end_at_the_same_place():
    prompts = vocabulary().begin(SENTENCES)
    assert prompts.tolist() == [
        [0, 0, 1, 3, 5, 2],
        [0, 0, 0, 1, 6, 2],
        [0, 0, 0, 0, 1, 2],
        [1, 4, 6, 7, 5, 2],
    ]


def test_only_pictures_may_be_drawn():
    both = vocabulary()
    assert both.allowed.shape == (6, 15)
    assert not both.allowed[:, :8].any()
    assert both.allowed[:, 8:].all()


def test_two_languages_have_one_vocabulary():
    english, korean = (Scenes(name, slots=2, most=4) for name in ("english", "korean"))
    words = Vocabulary((*english.vocabulary.tokens[3:], *korean.vocabulary.tokens[3:]))
    both = JointVocabulary(words, text=15)
    said = [english.parse("red circle and blue star"), korean.parse("빨간 원이 있다")]
    assert both.begin(said)[:, -1].tolist() == [2, 2]


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_is_no_sentence_is_named():
    both = vocabulary()
    with pytest.raises(ValueError, match=r"unknown token 'rde'; .* is 'red'"):
        both.begin([("rde", "star")])
    with pytest.raises(TypeError, match=r"'red star' is a text, .* world\.parse\(text"):
        both.begin(["red star"])
    with pytest.raises(ValueError, match=r"has 5 words, .* 6 places.*text=7"):
        both.begin([("red", "star", "and", "blue", "moon")])
    with pytest.raises(ValueError, match=r"no sentence is given; .* \(\) if it says"):
        both.begin([])


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_is_no_picture_is_named():
    both = vocabulary()
    prompts = both.begin(SENTENCES)
    with pytest.raises(ValueError, match=r"run from 0 to 7, but are 0 to 6"):
        both.join(prompts[:1], torch.tensor([[[0, 1, 2], [3, 4, 7]]]))
    with pytest.raises(ValueError, match=r"\(3, 2, 3\), but 4 .* \(4, 2, 3\)"):
        both.join(prompts, pictures(3))
    with pytest.raises(ValueError, match=r"tokens have the shape \(4, 3, 2\)"):
        both.join(prompts, pictures(4).mT)
    with pytest.raises(ValueError, match=r"prompts have the shape \(4, 5\)"):
        both.join(prompts[:, 1:], pictures(4))
    with pytest.raises(ValueError, match=r"prompts run from 8 to 15, but are 0 to 7"):
        both.join(prompts + 8, pictures(4))
    with pytest.raises(ValueError, match=r"from 2 to 13, but are 8 to 14"):
        both.tokens(torch.tensor([[2, 8, 9, 10, 11, 13]]))
    with pytest.raises(ValueError, match=r"6 or more places, for 6 cells"):
        both.tokens(torch.full((1, 5), 9))
    with pytest.raises(TypeError, match=r"tokens holds torch\.float32"):
        both.join(prompts, pictures(4).float())


@pytest.mark.usefixtures("as_readers_run_it")
def test_sizes_are_pythons_own_numbers_so_that_they_can_be_written():
    both = vocabulary(codes=torch.tensor(7), text=torch.tensor(6))
    assert [type(size) for size in (both.codes, both.text)] == [int, int]


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"codes": 0}, "codes must be at least 1"),
        ({"text": 1}, "text must be at least 2"),
        ({"grid": (0, 3)}, "both must be at least 1"),
    ],
)
def test_sizes_of_no_vocabulary_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        vocabulary(**changes)


# ------------------------------------------------------------------------------- batch


def batch(count: int = 4) -> TextAndPicture:
    both = vocabulary()
    return TextAndPicture(both.join(both.begin(SENTENCES), pictures(4)), 6)


def test_the_last_word_foretells_the_first_token_of_the_picture():
    """Off by one at the border: the mistake that is made most often."""
    asked = batch()
    (fed,), target = asked.inputs, asked.target
    assert fed.shape == target.shape == (4, 11)
    assert fed[:, 5].tolist() == [2, 2, 2, 2]  # <eos>
    assert torch.equal(target[:, 5], asked.ids[:, 6])
    assert torch.equal(target[:, 5], pictures(4)[:, 0, 0] + 8)
    assert torch.equal(fed[:, 6], target[:, 5])


def test_padding_and_the_beginning_are_not_asked():
    assert batch().target[:, :5].tolist() == [
        [0, 0, 3, 5, 2],
        [0, 0, 0, 6, 2],
        [0, 0, 0, 0, 2],
        [4, 6, 7, 5, 2],
    ]
    assert batch().weights[0].tolist() == pytest.approx(
        [0, 0, *[1 / 8 / 3 / 4] * 3, *[7 / 8 / 6 / 4] * 6]
    )


def test_a_sentence_weighs_an_eighth_and_its_picture_the_rest():
    weights = batch().weights
    assert weights.sum() == pytest.approx(1)
    text, picture = weights[:, :5].sum(1), weights[:, 5:].sum(1)
    torch.testing.assert_close(text, torch.full((4,), 1 / 32))
    torch.testing.assert_close(picture, torch.full((4,), 7 / 32))


@fast
@given(seed=seeds, share=st.sampled_from([0.0, 0.125, 0.5]))
def test_the_loss_is_the_weighted_cross_entropy(seed, share):
    asked = TextAndPicture(batch().ids, 6, text_share=share)
    logits = torch.randn(4, 11, 15, generator=torch.Generator().manual_seed(seed))
    expected = 0.0
    for row, (scores, target) in enumerate(zip(logits, asked.target, strict=True)):
        heard = target[:5] != 0
        text = F.cross_entropy(scores[:5][heard], target[:5][heard])
        picture = F.cross_entropy(scores[5:], target[5:])
        expected += (share * text + (1 - share) * picture) / 4
        assert heard.sum() == len(SENTENCES[row]) + 1
    torch.testing.assert_close(asked.loss(logits, asked.target), expected)


def test_the_loss_of_two_batches_is_the_mean_by_their_rows():
    """So it is the same where several processes train with a batch each."""
    logits = torch.randn(4, 11, 15, generator=torch.Generator().manual_seed(0))

    def loss(rows):
        asked = TextAndPicture(batch().ids[rows], 6)
        return asked.loss(logits[rows], asked.target)

    halves = (loss(slice(1)) + 3 * loss(slice(1, 4))) / 4
    torch.testing.assert_close(loss(slice(4)), halves)


def data(**changes) -> PictureSentences:
    both = vocabulary()
    return PictureSentences(both.begin(SENTENCES), pictures(4), both, **changes)


def test_each_sentence_comes_with_its_own_picture():
    known = {tuple(row) for row in data().ids.tolist()}
    drawn = data(dropped=0.0).sample(50, seed=0).ids.tolist()
    assert {tuple(row) for row in drawn} == known


def test_some_sentences_are_dropped_and_their_pictures_stay():
    drawn = data(dropped=0.25).sample(4000, seed=0)
    silent = (drawn.ids[:, 4] == 1) & (drawn.ids[:, 5] == 2)
    # a quarter of the four says nothing by itself
    assert silent.float().mean() == pytest.approx(0.25 + 0.75 * 0.25, abs=0.03)
    assert (drawn.ids[silent][:, :4] == 0).all()
    assert {tuple(r) for r in drawn.ids[:, 6:].tolist()} == {
        tuple(r) for r in data().ids[:, 6:].tolist()
    }
    assert torch.equal(data().ids[:, 6:], data().ids[:, 6:])


def test_the_same_seed_draws_the_same():
    one, other = (next(data().batches(batch_size=5, seed=3)).ids for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, next(data().batches(batch_size=5, seed=4)).ids)


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_cannot_be_trained_on_is_named():
    both = vocabulary()
    for name in ("dropped", "text_share"):
        with pytest.raises(ValueError, match=f"{name} must be from 0 to below 1"):
            data(**{name: 1.0})
    with pytest.raises(ValueError, match="no sentence is given; give at least one"):
        PictureSentences(both.begin(SENTENCES)[:0], pictures(4)[:0], both)


# ----------------------------------------------------------------------------- drawing


def drawn(made: Painter, sentences=tuple(SENTENCES), seed=0, **options):
    options = {"uniform": numbers(len(sentences), 6, seed=seed)} | options
    return made.draw(sentences, **options)


@fast
@given(seed=seeds, temperature=st.sampled_from([0.0, 0.5, 1.0, 5.0]))
def test_drawing_is_the_inverse_of_the_cumulated_probabilities(seed, temperature):
    """As JavaScript does it: no cache, one number for each cell."""
    made, both = painter(seed), vocabulary()
    found = drawn(made, seed=seed, temperature=temperature)
    ids, uniform = both.begin(SENTENCES), numbers(4, 6, seed=seed)
    for cell in range(6):
        logits = made.model(ids)[:, -1, 8:].double()
        for row, scores in enumerate(logits):
            chances = (scores / max(temperature, 1e-6)).softmax(-1).tolist()
            exceeds = [total > uniform[row, cell] for total in accumulate(chances)]
            assert found[row].flatten()[cell] == exceeds.index(True)
        ids = torch.cat([ids, found.flatten(1)[:, cell, None] + 8], 1)


def test_the_same_numbers_draw_the_same_and_a_row_does_not_see_the_others():
    made = painter()
    found = drawn(made)
    assert torch.equal(found, drawn(made))
    assert not torch.equal(found, drawn(made, seed=1))
    uniform = numbers(4, 6)
    for row, sentence in enumerate(SENTENCES):
        alone = drawn(made, [sentence], uniform=uniform[row : row + 1])
        assert torch.equal(alone[0], found[row])
    assert (found.dtype, found.shape) == (torch.int64, (4, 2, 3))


def test_a_model_that_only_wants_to_write_words_draws_all_the_same():
    made = painter()
    with torch.no_grad():
        made.model.output.bias[:8] = 99.0
    assert made.pictures(drawn(made)).shape == (4, 3, 4, 6)


def test_without_temperature_the_likeliest_is_drawn():
    made, both = painter(), vocabulary()
    prompts, lengths = both.begin(SENTENCES), torch.full((4,), 6)
    best = greedy(made.model, prompts, lengths, max_length=6, allowed=both.allowed)
    found = drawn(made, temperature=0.0)
    assert torch.equal(found, both.tokens(best))
    assert torch.equal(found, drawn(made, seed=5, temperature=0.0))


def test_no_guidance_is_none():
    made = painter()
    guided = Guided(made.model, vocabulary().begin([()])[0], 0.0)
    written = sample(
        guided,
        vocabulary().begin(SENTENCES),
        torch.full((4,), 6),
        max_length=6,
        uniform=numbers(4, 6),
        allowed=vocabulary().allowed,
    )
    assert torch.equal(vocabulary().tokens(written), drawn(made))


@pytest.mark.usefixtures("as_readers_run_it")
def test_a_guide_that_does_not_fit_is_named():
    model, nothing = painter().model, vocabulary().begin([()])[0]
    with pytest.raises(ValueError, match=r"strength is -1\.0, but must not be"):
        Guided(model, nothing, -1.0)
    longer = vocabulary(text=7).begin(SENTENCES)
    with pytest.raises(ValueError, match="text = 7, but unprompted has text = 6;"):
        Guided(model, nothing, 1.0).start(longer, torch.full((4,), 7))


@pytest.mark.parametrize("strength", [0.5, 3.0])
def test_guidance_leads_away_from_what_is_drawn_without_a_sentence(strength):
    made, both = painter(), vocabulary()
    found = drawn(made, temperature=0.0, guidance=strength)
    told, untold = both.begin(SENTENCES), both.begin([()] * 4)
    for cell in range(6):
        with_it, without = (made.model(x)[:, -1, 8:] for x in (told, untold))
        best = ((1 + strength) * with_it - strength * without).argmax(-1)
        assert torch.equal(best, found.flatten(1)[:, cell])
        told, untold = (torch.cat([x, best[:, None] + 8], 1) for x in (told, untold))


def test_codes_that_are_fixed_are_drawn_and_the_others_follow():
    made, fixed = painter(), {1: 4, 5: 0}
    found = drawn(made, fixed=fixed)
    for cell, code in fixed.items():
        assert (found.flatten(1)[:, cell] == code).all()
    free = drawn(made)
    assert torch.equal(found.flatten(1)[:, 0], free.flatten(1)[:, 0])
    assert not torch.equal(found.flatten(1)[:, 2:5], free.flatten(1)[:, 2:5])


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize("fixed", [{1: 7}, {1: -1}, {1: 1.5}, {6: 0}, {-1: 0}], ids=str)
def test_codes_are_fixed_in_cells_that_there_are(fixed):
    with pytest.raises(ValueError, match="cells are 0 to 5, and codes 0 to 6"):
        drawn(painter(), fixed=fixed)


@pytest.mark.parametrize("guidance", [0.0, 0.7])
def test_logits_are_what_is_drawn_by(guidance):
    made = painter()
    tokens = drawn(made, temperature=0.0, guidance=guidance)
    logits = made.logits(SENTENCES, tokens, guidance=guidance)
    assert logits.shape == (4, 6, 7)
    assert torch.equal(logits.argmax(-1), tokens.flatten(1))


@pytest.mark.parametrize("guidance", [-0.5, math.nan, math.inf])
def test_guidance_that_cannot_be_is_refused_where_scores_are_asked(guidance):
    with pytest.raises(ValueError, match=f"guidance is {guidance}, but must not be"):
        painter().logits(SENTENCES, pictures(4), guidance=guidance)


def test_a_model_in_training_is_looked_at_as_it_draws():
    both = vocabulary()
    model = LanguageModel(TransformerConfig(1, len(both), dropout=0.5))
    made, tokens = Painter(model, DiscreteVAE(CODES), both).train(), pictures(4)
    for look in (made.logits, made.log_likelihood, made.attention):
        seen = look(SENTENCES, tokens)
        assert made.model.training
        made.eval()
        assert torch.equal(seen, look(SENTENCES, tokens))
        made.train()


def test_drawing_leaves_the_model_in_its_mode():
    made = painter().train()
    drawn(made, guidance=0.5)
    assert all(module.training for module in made.modules())


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"uniform": numbers(4, 5)}, r"batch, step = \(4, 5\), but there are \(4, 6\)"),
        ({"uniform": numbers(4, 6) + 1}, "is wanted from 0 to below 1"),
        ({"temperature": -1.0}, r"temperature is -1\.0"),
        ({"guidance": -0.5}, r"guidance is -0\.5, but must not be negative"),
        ({"guidance": math.inf}, "guidance is inf, but must not be .* infinite"),
        ({"temperature": math.inf}, "temperature is inf"),
    ],
)
def test_what_nothing_can_be_drawn_with_is_named(options, said):
    with pytest.raises(ValueError, match=said):
        drawn(painter(), **options)


# ---------------------------------------------------------------------- being looked at


def test_the_likelihood_is_what_drawing_went_by():
    made, both, tokens = painter(), vocabulary(), pictures(4, seed=2)
    found = made.log_likelihood(SENTENCES, tokens)
    ids = both.begin(SENTENCES)
    for cell in range(6):
        chances = made.model(ids)[:, -1].softmax(-1)
        token = tokens.flatten(1)[:, cell, None] + 8
        expected = chances.gather(1, token).log()[:, 0]
        torch.testing.assert_close(found[:, cell], expected)
        ids = torch.cat([ids, token], 1)
    asked = TextAndPicture(ids, 6, text_share=0.0)
    loss = asked.loss(made.model(*asked.inputs), asked.target)
    torch.testing.assert_close(-found.mean(), loss)


def test_attention_is_the_models_own():
    made, both, tokens = painter(), vocabulary(), pictures(4)
    weights = made.attention(SENTENCES, tokens)
    assert weights.shape == (2, 4, 2, 6, 11)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 2, 6))
    # the first cell is foretold from <eos>, and sees the words alone
    assert (weights[..., 0, 6:] == 0).all()
    assert (weights[..., 5, :] > 0).all()
    trace = made.model.trace(both.join(both.begin(SENTENCES), tokens)[:, :-1])
    inner = trace.decoder[1].attention.attention.weights
    assert torch.equal(weights[1], inner[:, :, 5:])


def test_what_does_not_belong_together_is_named():
    both, model = vocabulary(), painter().model
    with pytest.raises(ValueError, match=r"has 15 tokens, but the vocabulary 16"):
        Painter(model, DiscreteVAE(CODES), vocabulary(codes=8))
    with pytest.raises(ValueError, match=r"64 codes on a grid of \(4, 4\), .* 7 on"):
        Painter(model, DiscreteVAE(), both)


# ------------------------------------------------------------------------ whole course


def test_it_learns_to_draw_what_it_is_told():
    """Two words, two pictures: no dropout of the sentence, no choice."""
    both, shown = vocabulary(), pictures(2, seed=7)
    said = [("star",), ("moon",)]
    torch.manual_seed(0)
    config = TransformerConfig(1, len(both), d_model=16, heads=2, d_ff=16)
    made = Painter(LanguageModel(config), DiscreteVAE(CODES), both)
    stream = PictureSentences(both.begin(said), shown, both).batches(
        batch_size=8, seed=0
    )
    fit(made.model, stream, steps=80, settings=FitSettings(1e-2))
    assert torch.equal(drawn(made, said, temperature=0.0), shown)
    assert -made.log_likelihood(said, shown).mean() < 0.1


def test_slots_are_drawn_as_pictures_are():
    world = Scenes(slots=2, jitter=0, sizes=(1.0,), most=4)
    slots, asked = Slots(world), world.sample(3, seed=0)
    both = JointVocabulary(world.vocabulary, codes=slots.n_codes, grid=slots.grid)
    model = LanguageModel(TransformerConfig(1, len(both)))
    made = Painter(model, slots, both)
    said = [world.vocabulary.decode(row) for row in asked.target]
    tokens = made.draw(said, uniform=numbers(3, 8), temperature=0.0)
    assert len(slots.scenes(tokens)) == 3
    assert made.log_likelihood(said, slots.tokens(asked.pixels)).shape == (3, 8)
    with pytest.raises(TypeError, match=r"type Slots, .* take scenes\(tokens\)"):
        made.pictures(tokens)
