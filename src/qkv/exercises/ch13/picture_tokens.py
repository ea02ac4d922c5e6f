"""Bug hunt: a token that is drawn, and read as a word."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch13.shared import sentences


@dataclass(frozen=True)
class Model:
    """A causal model that nobody had to train: its logits depend on all ids so far."""

    vocab: int
    width: int = 13

    def __call__(self, ids: Int[Tensor, "batch place"]) -> Tensor:
        """Return the logits at each place, (batch, place, vocab)."""
        # A row to spare: who feeds an id too far is told of it, and not stopped.
        embedding, output = draw.normals(
            (self.vocab + 1, self.width), (self.width, self.vocab)
        )
        place = draw.normal(ids.shape[1], self.width, seed=2)
        return (embedding[ids] * place).cumsum(1).sin() @ output


def _fed(token, offset):
    return token + offset


def _joined(ids, fed):
    return torch.cat([ids, fed[:, None]], dim=1)


def _by_its_chance(logits, T, u):
    chances = (logits / T).softmax(-1)
    return (chances.cumsum(-1) < u[:, None]).sum(-1)


def _drawn(
    model: Callable,
    words: Tensor,
    offset: int,
    T: float,
    u: Tensor,
    *,
    feed: Callable = _fed,
    join: Callable = _joined,
    choose: Callable = _by_its_chance,
    at: int = -1,
) -> Tensor:
    ids, tokens = words, []
    for step in range(u.shape[1]):
        token = choose(model(ids)[:, at, offset:], T, u[:, step])
        tokens.append(token)
        ids = join(ids, feed(token, offset))
    return torch.stack(tokens, dim=1)


def picture_tokens(
    model: Callable,
    words: Int[Tensor, "batch text"],
    offset: int,
    T: float,
    u: Float[Tensor, "batch cell"],
) -> Int[Tensor, "batch cell"]:
    return _drawn(model, words, offset, T, u)


def _without_offset(model, words, offset, T, u):
    ids, tokens = words, []
    for step in range(u.shape[1]):
        logits = model(ids)[:, -1, offset:]
        chances = (logits / T).softmax(-1)
        token = (chances.cumsum(-1) < u[:, step, None]).sum(-1)
        tokens.append(token)
        ids = torch.cat([ids, token[:, None]], dim=1)
    return torch.stack(tokens, dim=1)


def _ids_returned(model, words, offset, T, u):
    return picture_tokens(model, words, offset, T, u) + offset


def _only_returned(model, words, offset, T, u):
    return _without_offset(model, words, offset, T, u) + offset


def _any_id(model, words, offset, T, u):
    """Drawn among all ids, words and all: they are fed as they are."""
    ids = _drawn(model, words, 0, T, u)
    return ids - offset


def _any_id_returned(model, words, offset, T, u):
    return _drawn(model, words, 0, T, u)


def _among_the_words(model, words, offset, T, u):
    def first(ids):
        return model(ids)[..., :offset]

    return _drawn(first, words, 0, T, u)


def _anew(logits, T, u):
    return torch.multinomial((logits / T).softmax(-1), 1).squeeze(1)


def _without_eos(model, words, offset, T, u):
    return picture_tokens(model, words[:, :-1], offset, T, u)


def _asked(
    lengths: tuple[int, ...], text: int, offset: int, codes: int, cell: int, T: float
) -> Callable:
    def case() -> tuple:
        u = draw.uniform(len(lengths), cell, seed=3)
        return Model(offset + codes), sentences(lengths, text, offset), offset, T, u

    return case


EXERCISE = Exercise(
    id="13.9",
    title="Bug hunt: the picture falls apart",
    minutes=12,
    difficulty=3,
    reference=picture_tokens,
    given=_without_offset,
    cases={
        "as many codes as words": _asked((3, 1, 2), 5, 7, 7, 7, 1.0),
        "every size different": _asked((5, 2), 11, 13, 5, 17, 2.0),
        "one picture": _asked((2,), 7, 11, 17, 5, 1.0),
        "a low temperature": _asked((1, 0, 3), 5, 5, 11, 13, 0.5),
    },
    mistakes={
        "ids returned": Mistake(
            "what is fed back is right now, but the ids are returned, with the offset: "
            "the decoder that paints wants tokens, counted from 0. Add the offset only "
            "to what the model reads",
            _ids_returned,
        ),
        "only what is returned": Mistake(
            "the offset has been added to what is returned, and what is fed back is "
            "still without: the model reads a word. It is the other way round",
            _only_returned,
        ),
        "one too many": Mistake(
            "each token is fed back as the id of the next one: with offset words their "
            "ids are 0 to offset − 1, so that token 0 has the id offset",
            partial(_drawn, feed=lambda token, offset: token + offset + 1),
        ),
        "one too few": Mistake(
            "each token is fed back as the id of the one before it, and token 0 as the "
            "last word: token 0 has the id offset, not offset − 1",
            partial(_drawn, feed=lambda token, offset: token + offset - 1),
        ),
        "offset subtracted": Mistake(
            "the offset has been subtracted from the tokens that are fed back; the cut "
            "[..., offset:] has subtracted it once already. Add it again",
            partial(_drawn, feed=lambda token, offset: token - offset),
        ),
        "subtracted from what is returned": Mistake(
            "the offset has been subtracted from what is returned. It was right: the "
            "cut of the logits at offset makes token 0 the first. What is fed back is "
            "the place to look at",
            lambda *given: _without_offset(*given) - given[2],
        ),
        "the words' logits": Mistake(
            "the token is drawn among the words now, logits[..., :offset]. The "
            "picture's tokens are behind them, [..., offset:] was right",
            _among_the_words,
        ),
        "draws of its own": Mistake(
            "u is not used any more (torch.multinomial draws numbers of its own). The "
            "draw by u was right: what is fed back is the place to look at",
            partial(_drawn, choose=_anew),
        ),
        "any id": Mistake(
            "now words may be drawn, too: the cut of the logits at offset is gone, and "
            "where a word is drawn, its token is negative. Keep the cut, and add the "
            "offset to what is fed back",
            _any_id,
        ),
        "any id, returned": Mistake(
            "now words may be drawn, too, and ids are returned in place of tokens. "
            "Keep the cut of the logits at offset, and add the offset to what is fed "
            "back",
            _any_id_returned,
        ),
        "the last token alone": Mistake(
            "only the token that was just drawn is fed: the model has forgotten the "
            "sentence, and all of the picture. Put it behind what there was",
            partial(_drawn, join=lambda ids, fed: fed[:, None]),
        ),
        "in front": Mistake(
            "the token has been put in front of the sentence; it comes behind all that "
            "there was",
            partial(
                _drawn, join=lambda ids, fed: torch.cat([fed[:, None], ids], dim=1)
            ),
        ),
        "never fed": Mistake(
            "nothing is fed back: each token is drawn as if it were the first",
            partial(_drawn, join=lambda ids, fed: ids),
        ),
        "one place early": Mistake(
            "the token has been drawn one place too early, from the logits of the last "
            "but one place. The last id that is fed predicts the next: [:, -1] was "
            "right (at the border it is <eos> that predicts the first picture token)",
            partial(_drawn, at=-2),
        ),
        "without <eos>": Mistake(
            "<eos> has been cut off the prompt. In training it stood between words and "
            "picture, and it is what predicts the first picture token",
            _without_eos,
        ),
        "arg max": Mistake(
            "the likeliest token has been taken at each step; the draw by u was right. "
            "What is fed back is the place to look at",
            partial(_drawn, choose=lambda logits, T, u: logits.argmax(-1)),
        ),
        "T removed": Mistake(
            "T has been taken out; the temperature was right. What is fed back is the "
            "place to look at",
            partial(_drawn, choose=lambda logits, T, u: _by_its_chance(logits, 1.0, u)),
        ),
    },
    hints=(
        "the first token of each picture is right, and all later ones may be wrong. "
        "What is different about the second step?",
        "print ids after the first step. Which of them are words? In training, which "
        "ids did the picture's tokens have?",
        "logits[..., offset:] begins with token 0. The id that the model knows it by "
        "is offset.",
    ),
    trained=False,
)
