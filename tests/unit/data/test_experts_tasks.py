"""Tasks for experts: each answer is worked out again from its question."""

from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.data import PAD, Asked, Dictionaries, Messages, Topics
from qkv.layers import FeedForward
from qkv.training import accuracy, fit

few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**63 - 1)


def residuals(task: Topics, messages: Messages) -> torch.Tensor:
    """What is left of the answers when the truth is taken away."""
    content = messages.x[:, : task.content]
    read = task.rotations[messages.topic] @ content[..., None]
    return messages.target - read[..., 0]


# ----------------------------------------------------------------------------- topics


@few
@given(seeds, st.integers(1, 8))
def test_a_message_is_read_by_its_topics_rotation(seed, topics):
    task = Topics(topics, seed=seed)
    left = residuals(task, task.sample(500, seed=seed))
    assert left.std() == pytest.approx(0.1, abs=0.01)
    assert left.square().mean() == pytest.approx(task.floor, abs=0.002)


@few
@given(seeds, st.integers(1, 8))
def test_rotations_and_topics_are_orthogonal(seed, topics):
    task = Topics(topics, seed=seed)
    one = torch.eye(task.content).expand(topics, -1, -1)
    torch.testing.assert_close(
        task.rotations @ task.rotations.mT, one, atol=1e-5, rtol=0
    )
    torch.testing.assert_close(task.vectors @ task.vectors.T, torch.eye(topics))


def test_the_truth_routes_every_message():
    task = Topics(8)
    messages = task.sample(4000, seed=0)
    assert messages.x.shape == (4000, task.d_model)
    subject = messages.x[:, task.content :]
    found = (subject @ task.vectors.T).argmax(1)
    assert (found == messages.topic).float().mean() > 0.999
    assert subject.std() < 1  # the signal is 2 in one direction, the noise .3 in each


def test_topics_are_as_frequent_as_their_shares():
    task = Topics(4, shares=(7.0, 1.0, 1.0, 1.0))
    torch.testing.assert_close(task.shares, torch.tensor([0.7, 0.1, 0.1, 0.1]))
    often = task.sample(4000, seed=0).topic.bincount() / 4000
    assert (often - task.shares).abs().max() < 0.035  # 5 sigma
    assert Topics(5).shares.tolist() == pytest.approx(5 * [0.2])


def test_the_seed_decides_the_task_and_another_one_the_messages():
    one, same, other = Topics(seed=0), Topics(seed=0), Topics(seed=1)
    assert torch.equal(one.rotations, same.rotations)
    assert not torch.equal(one.rotations, other.rotations)
    drawn = [task.sample(5, seed=3) for task in (one, same)]
    assert torch.equal(drawn[0].x, drawn[1].x)
    assert torch.equal(drawn[0].target, drawn[1].target)
    first, second = islice(one.batches(batch_size=5, seed=3), 2)
    assert torch.equal(first.x, drawn[0].x)
    assert not torch.equal(first.x, second.x)


def test_messages_are_asked_and_the_first_numbers_count(as_readers_run_it):
    messages = Topics().sample(7, seed=0)
    assert isinstance(messages, Asked)
    assert len(messages) == 7
    padded = torch.cat([messages.target, torch.full((7, 8), 5.0)], 1)
    assert messages.loss(padded, messages.target) == 0
    assert messages.loss(messages.target + 2, messages.target) == pytest.approx(4)
    with pytest.raises(ValueError, match=r"\(7, 15\), .* each message with 16 numbers"):
        messages.loss(padded[:, :15], messages.target)
    with pytest.raises(ValueError, match=r"\(6, 24\), but the target is \(7, 16\)"):
        messages.loss(padded[:6], messages.target)


def test_a_layer_from_d_model_to_d_model_learns_it_as_it_is():
    task = Topics()
    torch.manual_seed(0)
    history = fit(
        FeedForward(task.d_model, 8), task.batches(batch_size=64, seed=0), steps=40
    )
    assert history.losses[-1] < history.losses[0]


def test_topics_that_cannot_be_are_refused(as_readers_run_it):
    for topics in (0, 9):
        with pytest.raises(ValueError, match=r"at least 1|choose 1 to 8"):
            Topics(topics)
    with pytest.raises(TypeError, match=r"topics is 2\.5"):
        Topics(2.5)
    for shares in ((1, 1), (1, 1, 0), (1, 1, -1), (1, 1, float("nan"))):
        with pytest.raises(ValueError, match=r"topics = 3; give a positive number"):
            Topics(3, shares=shares)
    with pytest.raises(ValueError, match=r"count must be at least 1"):
        Topics().sample(0, seed=0)
    with pytest.raises(ValueError, match=r"batch_size must be at least 1"):
        Topics().batches(batch_size=0, seed=0)
    with pytest.raises(ValueError, match=r"x has token 5 and topic has token 4"):
        Messages(torch.zeros(5, 3), torch.zeros(5, 2), torch.zeros(4).long())


def test_topics_say_what_they_are():
    assert repr(Topics(2, shares=(3.0, 1.0))) == (
        "Topics: Read each message as its topic wants it: a task for one interpreter a "
        "topic; 2 topics (0.75, 0.25)"
    )


# ----------------------------------------------------------------------- dictionaries


@few
@given(seeds, st.sampled_from([(1, 1), (2, 7), (7, 5)]))
def test_each_word_means_what_its_languages_dictionary_says(seed, sizes):
    languages, words = sizes
    task = Dictionaries(languages, words, length=3, seed=seed)
    assert task.meanings.sort().values.tolist() == languages * [[*range(1, words + 1)]]
    asked = task.sample(11, seed=seed)
    rows = zip(
        asked.source.tolist(), asked.target.tolist(), asked.language, strict=True
    )
    for (tag, *said), (nothing, *meaning), language in rows:
        assert tag == words + 1 + language < task.n_source
        assert nothing == PAD
        assert meaning == [task.meanings[language, word - 1] for word in said]
        assert max(meaning) < task.n_target


def test_all_languages_and_words_occur():
    asked = Dictionaries(4, 5, 8).sample(1000, seed=0)
    assert (asked.language.bincount() / 1000 - 1 / 4).abs().max() < 0.07  # 5 sigma
    assert set(asked.source[:, 1:].unique().tolist()) == {1, 2, 3, 4, 5}


def test_guessing_is_right_once_in_as_many_times_as_there_are_words():
    task = Dictionaries(3, 4)

    def guess(source):
        always = torch.tensor([0.0, 1, 0, 0, 0])
        return always.expand(*source.shape, 5)

    model = torch.nn.Module()
    model.forward = guess
    assert accuracy(model, task.sample(3000, seed=0)) == pytest.approx(0.25, abs=0.03)


def test_dictionaries_are_the_same_for_the_same_seed():
    one, same, other = Dictionaries(), Dictionaries(), Dictionaries(seed=1)
    assert torch.equal(one.meanings, same.meanings)
    assert not torch.equal(one.meanings, other.meanings)
    assert torch.equal(one.sample(3, seed=5).source, same.sample(3, seed=5).source)
    assert repr(Dictionaries(2, 5, 3)).endswith(
        "; 2 languages, 5 words, sentences of 3"
    )


@pytest.mark.parametrize("size", ["languages", "words", "length"])
def test_dictionaries_that_cannot_be_are_refused(as_readers_run_it, size):
    with pytest.raises(ValueError, match=rf"{size} must be at least 1, not 0"):
        Dictionaries(**{size: 0})
