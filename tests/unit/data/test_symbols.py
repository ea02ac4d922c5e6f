"""Tasks with known answers: each answer is worked out again from its question."""

from collections import Counter
from datetime import date, timedelta
from itertools import islice, pairwise
from math import log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.data import (
    BOS,
    EOS,
    PAD,
    AssociativeRecall,
    DateLanguage,
    FourNeighbours,
    Questions,
    RepeatedBlocks,
    Reversal,
    TokenBack,
)
from qkv.data.text.dates import KOREAN

few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**63 - 1)
LANGUAGE = DateLanguage()
TASKS = [AssociativeRecall(), FourNeighbours(), Reversal(), TokenBack(), LANGUAGE]
TASKS += [AssociativeRecall(pairs=1, names=1, drawers=1), Reversal(length=1, symbols=1)]
TASKS += [TokenBack(back=1, lengths=(2, 2), symbols=1), FourNeighbours(length=2)]
TASKS += [RepeatedBlocks(), RepeatedBlocks((2, 2), symbols=2, tokens=3)]


def rows(questions):
    """Return the questions and answers one by one, as lists."""
    return zip(questions.source.tolist(), questions.target.tolist(), strict=True)


# ----------------------------------------------------------------------------- truth


@few
@given(seeds, st.sampled_from([(1, 1), (1, 7), (5, 5), (7, 11)]))
def test_the_drawer_recalled_is_the_names(seed, sizes):
    pairs, names = sizes
    task = AssociativeRecall(pairs=pairs, names=names, drawers=3)
    for source, answer in rows(task.sample(13, seed=seed)):
        *known, (asked, nothing) = source
        assert nothing == 0
        assert len(known) == len(dict(known)) == pairs
        assert set(dict(known)) <= set(range(1, names + 1))
        assert set(dict(known).values()) <= {1, 2, 3}
        assert dict(known)[asked] == answer


def test_every_pair_and_every_drawer_is_asked_for():
    task = AssociativeRecall(pairs=3, names=5, drawers=2)
    drawn = Counter()
    for source, answer in rows(task.sample(2000, seed=0)):
        *known, (asked, _) = source
        drawn[[name for name, _ in known].index(asked), answer] += 1
    assert len(drawn) == 6
    assert all(abs(count - 2000 / 6) < 90 for count in drawn.values())  # 5 sigma


@few
@given(seeds, st.sampled_from([2, 3, 5, 11]))
def test_four_neighbours_are_where_they_should_be(seed, length):
    task = FourNeighbours(length=length, symbols=7)
    for source, target in rows(task.sample(5, seed=seed)):
        at = dict(enumerate(source))
        assert set(source) <= set(range(1, 8))
        for place, four in enumerate(target):
            assert four == [at.get(place + n, 0) for n in (-3, -1, 1, 3)]


@few
@given(seeds, st.sampled_from([1, 2, 7]))
def test_a_reversal_reads_backwards(seed, length):
    for source, target in rows(Reversal(length, symbols=5).sample(11, seed=seed)):
        assert len(source) == length
        assert set(source) <= set(range(1, 6))
        assert target == source[::-1]


@few
@given(seeds, st.sampled_from([(1, 2), (3, 4), (3, 11), (7, 64)]))
def test_the_token_back_stood_there(seed, sizes):
    back, length = sizes
    task = TokenBack(back=back, lengths=(back + 1, 13), symbols=5)
    for source, target in rows(task.sample(7, seed=seed, length=length)):
        assert len(source) == length
        assert set(source) <= set(range(1, 6))
        assert target == [0] * back + source[:-back]


def test_token_back_trains_on_every_length_and_samples_the_longest():
    task = TokenBack(back=2, lengths=(3, 7))
    stream = islice(task.batches(batch_size=5, seed=0), 60)
    assert {batch.source.shape for batch in stream} == {(5, n) for n in range(3, 8)}
    assert task.sample(5, seed=0).source.shape == (5, 7)


@few
@given(seeds, st.sampled_from([(2, 2, 2, 3), (3, 3, 5, 17), (2, 7, 11, 13)]))
def test_a_block_is_repeated_and_what_follows_is_asked_from_its_second_copy(
    seed, sizes
):
    low, high, symbols, tokens = sizes
    task = RepeatedBlocks((low, high), symbols, tokens)
    for source, target in rows(task.sample(7, seed=seed)):
        length = source.index(source[0], 1)
        block, endless = source[:length], source[:length] * tokens
        assert low <= length <= high
        assert len({*block}) == length
        assert {*block} <= {*range(1, symbols + 1)}
        assert source == endless[:tokens]
        assert target == [0] * length + endless[length + 1 : tokens + 1]


@pytest.mark.parametrize("task", TASKS[1:4], ids=repr)
def test_every_symbol_is_as_likely_as_any_other(task):
    source = task.sample(1000, seed=0).source
    expected = source.numel() / 10
    assert (source.flatten().bincount()[1:] - expected).abs().max() < 5 * expected**0.5


# ---------------------------------------------------------------- what all tasks share


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_seed_decides_all(task):
    once, again = task.sample(5, seed=3), task.sample(5, seed=3)
    assert torch.equal(once.source, again.source)
    assert torch.equal(once.target, again.target)
    first, second = (islice(task.batches(batch_size=5, seed=3), 3) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.source, other.source)
        assert torch.equal(one.target, other.target)


@pytest.mark.parametrize("task", TASKS[:5], ids=repr)
def test_another_seed_and_the_next_batch_are_different(task):
    stream = task.batches(batch_size=7, seed=3)
    one, other = next(stream), next(stream)
    assert not same(one.source, other.source)
    assert not same(one.source, next(task.batches(batch_size=7, seed=4)).source)
    assert not same(task.sample(7, seed=3).source, task.sample(7, seed=4).source)


def same(one, other):
    return one.shape == other.shape and torch.equal(one, other)


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_drawing_leaves_torchs_own_random_numbers_alone(task):
    before = torch.get_rng_state()
    next(task.batches(batch_size=2, seed=0))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_every_number_has_a_place_in_an_embedding(task):
    questions = task.sample(500, seed=0)
    assert questions.inputs == (questions.source,)
    assert questions.target.min() >= 0
    assert questions.target.max() < task.n_target
    parts, sizes = questions.source, task.n_source
    if isinstance(sizes, int):
        parts, sizes = parts.unsqueeze(-1), (sizes,)
    assert parts.shape[-1] == len(sizes)
    for part, size in zip(parts.unbind(-1), sizes, strict=True):
        assert part.min() >= 0
        assert part.max() == size - 1


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_sample_of_one_and_none(task):
    assert len(task.sample(1, seed=0).source) == 1
    with pytest.raises(ValueError, match="count must be at least 1, not 0"):
        task.sample(0, seed=0)
    with pytest.raises(ValueError, match="batch_size must be at least 1, not 0"):
        task.batches(batch_size=0, seed=0)


def test_tasks_say_what_they_ask():
    assert [repr(task) for task in TASKS[:5]] == [
        "AssociativeRecall: Find the pair that a name is in, and say its drawer; "
        "16 pairs of 64 names and 16 drawers",
        "FourNeighbours: For each token, name those 3 before, 1 before, 1 after and "
        "3 after it; 16 tokens of 10 symbols",
        "Reversal: Say a sequence backwards; 16 tokens of 10 symbols",
        "TokenBack: For each token, name the one that stood a few places before; "
        "3 places, 8 to 32 tokens of 10 symbols",
        "DateLanguage: Write a date in Korean, one character after another; "
        "36,525 days, 17 tokens",
    ]
    assert "; 1 place, 2 to 2 tokens" in repr(TokenBack(back=1, lengths=(2, 2)))


@pytest.mark.usefixtures("as_readers_run_it")
def test_questions_have_an_answer_each():
    source, target = torch.ones(3, 5).long(), torch.ones(2).long()
    with pytest.raises(ValueError, match="source has batch 3 and target has batch 2"):
        Questions(source, target)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: AssociativeRecall(pairs=7, names=5), "7 pairs need .* there are 5"),
        (lambda: AssociativeRecall(pairs=0), "pairs must be at least 1, not 0"),
        (lambda: AssociativeRecall(drawers=0), "drawers must be at least 1, not 0"),
        (lambda: FourNeighbours(length=1), "length must be at least 2, not 1"),
        (lambda: FourNeighbours(symbols=0), "symbols must be at least 1, not 0"),
        (lambda: Reversal(length=0), "length must be at least 1, not 0"),
        (lambda: Reversal(symbols=0), "symbols must be at least 1, not 0"),
        (lambda: TokenBack(back=0), "back must be at least 1, not 0"),
        (lambda: TokenBack(symbols=0), "symbols must be at least 1, not 0"),
        (lambda: TokenBack(3, (3, 9)), "from more than 3, .* not from 3 to 9"),
        (lambda: TokenBack(3, (9, 8)), "from more than 3, .* not from 9 to 8"),
        (lambda: TokenBack(3).sample(1, seed=0, length=3), "length 3; a length of 4"),
        (lambda: TokenBack(3).sample(0, seed=0), "count must be at least 1, not 0"),
        (lambda: RepeatedBlocks((1, 3)), r"lengths is \(1, 3\), .* be at least 2"),
        (lambda: RepeatedBlocks((5, 3)), "upwards from 2 or .*, not from 5 to 3; give"),
        (lambda: RepeatedBlocks((3, 7), symbols=6), "to 6, .* not from 3 to 7"),
        (lambda: RepeatedBlocks((3, 7), tokens=7), "7 tokens leave .* give 8 or more"),
    ],
)
def test_what_cannot_be_asked_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize("lengths", [8, (2.5, 7)])
def test_lengths_of_no_block_are_refused(lengths):
    with pytest.raises(TypeError, match=r"lengths is .* (two|whole) numbers"):
        RepeatedBlocks(lengths)


# -------------------------------------------------------------------------- language


def test_the_language_is_every_day_in_cldrs_long_form():
    days = [date(1950, 1, 1) + timedelta(days=n) for n in range(36_525)]
    assert days[-1] == date(2049, 12, 31)
    assert list(LANGUAGE.texts) == ["".join(KOREAN.write(day)[0]) for day in days]
    assert len(set(LANGUAGE.texts)) == 36_525
    assert all(map(LANGUAGE.is_valid, LANGUAGE.texts))


@pytest.mark.parametrize(
    "text",
    [
        "2026년 2월 30일",
        "2026년 2월 29일",
        "1900년 2월 28일",
        "1949년 12월 31일",
        "2050년 1월 1일",
        "2026년 13월 1일",
        "2026년 0월 1일",
        "2026년 11월 0일",
        "2026년 04월 1일",
        "2026년 4월 01일",
        "2026년4월1일",
        "2026년 4월 1일 ",
        " 2026년 4월 1일",
        "2026년  4월 1일",
        "2026년 4월 1",
        "2026년 4월 1일 수요일",
        "２０２６년 4월 1일",
        "",
    ],
)
def test_what_is_no_day_or_written_otherwise_is_not_valid(text):
    assert not LANGUAGE.is_valid(text)


def test_leap_days_are_days():
    assert LANGUAGE.is_valid("2024년 2월 29일")
    assert LANGUAGE.is_valid("2000년 2월 29일")


def test_the_entropy_is_exact():
    """Sum what each character costs whoever knows how often each prefix goes on so."""
    after = Counter()
    for text in LANGUAGE.texts:
        after.update(text[:n] for n in range(len(text) + 1))
        after[text + "<eos>"] += 1
    cost = predicted = 0
    for text in LANGUAGE.texts:
        prefixes = [text[:n] for n in range(len(text) + 1)] + [text + "<eos>"]
        for prefix, longer in pairwise(prefixes):
            cost -= log(after[longer] / after[prefix])
            predicted += 1
    assert LANGUAGE.entropy == pytest.approx(cost / predicted)
    assert round(LANGUAGE.entropy, 3) == 0.811
    mean = sum(map(len, LANGUAGE.texts)) / 36_525
    assert log(36_525) / mean == pytest.approx(0.8787, abs=5e-5)  # <eos> not counted


@few
@given(seeds, st.sampled_from([1, 2, 17]))
def test_a_text_is_fed_from_bos_and_asked_up_to_eos(seed, count):
    questions = LANGUAGE.sample(count, seed=seed)
    longest = 0
    for source, target in rows(questions):
        text = "".join(LANGUAGE.vocab.decode(target))
        assert LANGUAGE.is_valid(text)
        ids, padding = LANGUAGE.vocab.encode(text), len(source) - len(text) - 1
        assert source == [BOS, *ids] + [PAD] * padding
        assert target == [*ids, EOS] + [PAD] * padding
        longest = max(longest, len(text))
    assert questions.source.shape == questions.target.shape == (count, longest + 1)


def test_every_day_is_drawn():
    questions = LANGUAGE.sample(100_000, seed=0)
    years = Counter(
        "".join(LANGUAGE.vocab.decode(row[:4])) for row in questions.target[:20_000]
    )
    assert set(years) == {str(year) for year in range(1950, 2050)}
    different = len(questions.target.unique(dim=0))
    expected = 36_525 * (1 - (1 - 1 / 36_525) ** 100_000)
    assert abs(different - expected) < 300
