"""Words and picture tokens as one sentence: what is fed, what is asked, what counts."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch13.shared import BOS, EOS, PAD, sentences

OF_TEXT, OF_PICTURE = 1 / 8, 7 / 8


def _joined(words, tokens, offset):
    return torch.cat([words, tokens + offset], 1)


def _next(ids, _):
    """Each place is asked for what stands one place further on."""
    return ids[:, :-1], ids[:, 1:]


def _is_asked(words):
    """Whether a word is asked for: nobody asks for padding, or for the beginning."""
    return words > BOS


def _shares(words, cells):
    """An eighth for the words that are asked, the rest for the picture, each evenly."""
    asked = _is_asked(words[:, 1:]).float()
    of_words = OF_TEXT * asked / asked.sum(1, keepdim=True)
    of_picture = torch.full((len(words), cells), OF_PICTURE / cells)
    return torch.cat([of_words, of_picture], 1)


def _built(
    words: Tensor,
    tokens: Tensor,
    offset: int,
    *,
    join: Callable = _joined,
    split: Callable = _next,
    weigh: Callable = _shares,
) -> tuple[Tensor, Tensor, Tensor]:
    inputs, target = split(join(words, tokens, offset), words.shape[1])
    return inputs, target, weigh(words, tokens.shape[1])


def one_sentence(
    words: Int[Tensor, "batch text"], tokens: Int[Tensor, "batch cell"], offset: int
) -> tuple[
    Int[Tensor, "batch place"], Int[Tensor, "batch place"], Float[Tensor, "batch place"]
]:
    return _built(words, tokens, offset)


def _each_part_on_its_own(ids, text):
    """The words are shifted; the picture stands in both as it is."""
    picture = ids[:, text:]
    return (
        torch.cat([ids[:, : text - 1], picture], 1),
        torch.cat([ids[:, 1:text], picture], 1),
    )


def _shifted_sentence(words, tokens, offset, *, of_input: bool):
    """The offset in one of the two only."""
    inputs, target, weights = one_sentence(words, tokens, offset)
    bare, bare_target, _ = one_sentence(words, tokens, 0)
    if of_input:
        return inputs, bare_target, weights
    return bare, target, weights


def _masked_target(by, words, tokens, offset):
    inputs, target, weights = one_sentence(words, tokens, offset)
    return inputs, target.masked_fill(weights == 0, by), weights


def _by_the_input(words, cells):
    """Weights of what is fed at a place, not of what is asked there."""
    asked = _is_asked(words).float()
    of_words = OF_TEXT * asked / asked.sum(1, keepdim=True)
    of_picture = torch.full((len(words), cells - 1), OF_PICTURE / (cells - 1))
    return torch.cat([of_words, of_picture], 1)


def _even_text(words, cells, *, counted: Callable):
    """An eighth shared by the words for which something holds."""
    weights = _shares(words, cells)
    asked = counted(words[:, 1:]).float()
    text = words.shape[1] - 1
    weights[:, :text] = OF_TEXT * asked / asked.sum(1, keepdim=True).clamp(min=1)
    return weights


def _shared_with_padding(words, cells):
    """Nothing for the padding, but the others get no more for it."""
    weights = _shares(words, cells)
    text = words.shape[1] - 1
    weights[:, :text] = OF_TEXT * _is_asked(words[:, 1:]).float() / text
    return weights


def _exchanged(words, cells):
    weights = _shares(words, cells)
    text = words.shape[1] - 1
    return torch.cat([7 * weights[:, :text], weights[:, text:] / 7], 1)


def _each_whole(words, cells):
    asked = _is_asked(words[:, 1:]).float()
    return torch.cat([OF_TEXT * asked, torch.full((len(words), cells), OF_PICTURE)], 1)


def _each_word_an_eighth(words, cells):
    text = words.shape[1] - 1
    return torch.cat(
        [_each_whole(words, cells)[:, :text], _shares(words, cells)[:, text:]], 1
    )


def _brought_to_one(words, cells):
    weights = _each_whole(words, cells)
    return weights / weights.sum(1, keepdim=True)


def _right_shares_by_the_input(words, cells):
    asked = _is_asked(words).float()
    of_words = OF_TEXT * asked / asked.sum(1, keepdim=True)
    of_picture = torch.full((len(words), cells - 1), OF_PICTURE / cells)
    return torch.cat([of_words, of_picture], 1)


def _all_alike(words, cells):
    asked = _is_asked(words[:, 1:]).float()
    asked = torch.cat([asked, torch.ones(len(words), cells)], 1)
    return asked / asked.sum(1, keepdim=True)


def _of_the_batch(words, cells):
    asked = _is_asked(words[:, 1:]).float()
    of_words = OF_TEXT * asked / asked.sum() * len(words)
    return torch.cat([of_words, _shares(words, cells)[:, words.shape[1] - 1 :]], 1)


def _of_all(words, cells):
    return _shares(words, cells) / len(words)


def _said(
    lengths: tuple[int, ...], text: int, cell: int, offset: int, codes: int
) -> Callable:
    def case() -> tuple[Tensor, Tensor, int]:
        tokens = draw.ids(len(lengths), cell, high=codes, seed=1)
        return sentences(lengths, text, offset), tokens, offset

    return case


EXERCISE = Exercise(
    id="13.6",
    title="One sentence of two languages",
    minutes=10,
    difficulty=3,
    reference=one_sentence,
    results=("input", "target", "weights"),
    cases={
        "as many words as cells": _said((3, 1, 2), 5, 5, 7, 11),
        "every size different": _said((5, 2), 11, 4, 13, 5),
        "one picture, two words": _said((2,), 4, 4, 15, 8),
        "no words at all": _said((0, 0, 3), 7, 3, 5, 2),
    },
    mistakes={
        "no offset": Mistake(
            "the picture's tokens have not got the offset: word 5 and picture token 5 "
            "share one id, one embedding and one logit, and nothing raises. A picture "
            "token's id is its number plus offset",
            lambda words, tokens, offset: one_sentence(words, tokens, 0),
        ),
        "offset in the input only": Mistake(
            "the offset is in the input, but not in the target: the model would be "
            "asked for words where a picture's tokens stand. Join first, with the "
            "offset, and then cut input and target out of the same ids",
            partial(_shifted_sentence, of_input=True),
        ),
        "offset in the target only": Mistake(
            "the offset is in the target, but not in the input: the model would read "
            "words where a picture's tokens stand. Join first, with the offset, and "
            "then cut input and target out of the same ids",
            partial(_shifted_sentence, of_input=False),
        ),
        "offset and 1": Mistake(
            "the offset is one too large: with n words their ids are 0 to n − 1, so "
            "that token 0 gets the id n",
            lambda words, tokens, offset: one_sentence(words, tokens, offset + 1),
        ),
        "offset less 1": Mistake(
            "the offset is one too small: token 0 has got the id of the last word. "
            "With n words their ids are 0 to n − 1, so that token 0 gets the id n",
            lambda words, tokens, offset: one_sentence(words, tokens, offset - 1),
        ),
        "offset at the words": Mistake(
            "the offset has been added to the words; it belongs to the picture's "
            "tokens",
            partial(
                _built,
                join=lambda words, tokens, offset: torch.cat(
                    [words + offset, tokens], 1
                ),
            ),
        ),
        "each part on its own": Mistake(
            "words and picture have been cut apart before the shift: the last word is "
            "missing in the input, and each picture token is asked for where it "
            "is fed. The model copies, and its loss is 0. It is one sentence: the last "
            "word, <eos>, predicts the first picture token (as asked in "
            "kakaobrain/mindall-e #16)",
            partial(_built, split=_each_part_on_its_own),
        ),
        "not shifted": Mistake(
            "each place is asked for the very token that it is fed: the model copies, "
            "and its loss is 0. The target is one place further on: ids[:, 1:]",
            partial(_built, split=lambda ids, _: (ids[:, :-1], ids[:, :-1])),
        ),
        "backwards": Mistake(
            "input and target have been exchanged: each place is asked for the token "
            "before it. Input is ids[:, :-1], target is ids[:, 1:]",
            partial(_built, split=lambda ids, _: (ids[:, 1:], ids[:, :-1])),
        ),
        "picture first": Mistake(
            "the picture stands before the words: then no picture token can look at a "
            "word, and the words would describe the picture. Words first",
            partial(
                _built,
                join=lambda words, tokens, offset: torch.cat(
                    [tokens + offset, words], 1
                ),
            ),
        ),
        "target masked": Mistake(
            "in the target, <bos> has been replaced by 0, like padding. That is "
            "another way to say that it does not count; here the weight of 0 says it, "
            "and the target is what follows, ids[:, 1:]",
            partial(_masked_target, PAD),
        ),
        "target masked by −100": Mistake(
            "in the target, −100 stands where nothing is asked, as for the "
            "ignore_index of F.cross_entropy. Here the weight of 0 says it, and the "
            "target is what follows, ids[:, 1:]",
            partial(_masked_target, -100),
        ),
        "weights of the input": Mistake(
            "the weights are those of what is fed at each place; they belong to what "
            "is asked there. At the border they differ: <eos> is a word, but what it "
            "is asked for is the first picture token",
            partial(_built, weigh=_by_the_input),
        ),
        "weights of the input, counted in the target": Mistake(
            "the shares are right, but they are at the wrong places: the input has "
            "been asked whether it is a word, and the weights belong to the targets. "
            "At the border they differ: <eos> is a word, but what it is asked for is "
            "the first picture token",
            partial(_built, weigh=_right_shares_by_the_input),
        ),
        "padding counted": Mistake(
            "all targets among the words share the eighth, also padding and <bos>. "
            "Nobody has to predict these two: their weight is 0",
            partial(
                _built,
                weigh=partial(_even_text, counted=lambda words: words >= 0),
            ),
        ),
        "<bos> counted": Mistake(
            "<bos> has got a weight, but it only says that a sentence begins, and "
            "nobody has to predict it: its weight is 0, like that of padding",
            partial(_built, weigh=partial(_even_text, counted=lambda words: words > 0)),
        ),
        "<eos> not counted": Mistake(
            "<eos> has got no weight: where the sentence ends is to be learnt, too. "
            "Only <pad> and <bos> have none",
            partial(
                _built,
                weigh=partial(_even_text, counted=lambda words: words > EOS),
            ),
        ),
        "shared with padding": Mistake(
            "padding has no weight, but the eighth has been divided by all places of "
            "the text. Divide by the number of words that are asked for, sentence by "
            "sentence: each row sums to 1",
            partial(_built, weigh=_shared_with_padding),
        ),
        "shared over the batch": Mistake(
            "the words of the whole batch share their eighths evenly, so that a long "
            "sentence has more than ⅛ and a short one less. Divide in each row by its "
            "own number of words",
            partial(_built, weigh=_of_the_batch),
        ),
        "sum of 1 over the batch": Mistake(
            "the weights of the whole batch sum to 1; here each sentence's do: do not "
            "divide by the number of sentences",
            partial(_built, weigh=_of_all),
        ),
        "⅛ and ⅞ exchanged": Mistake(
            "the two shares have been exchanged: ⅛ belongs to the words, ⅞ to the "
            "picture",
            partial(_built, weigh=_exchanged),
        ),
        "each word an eighth": Mistake(
            "each word has got ⅛. All words that are asked for share it: divide by "
            "their number, sentence by sentence",
            partial(_built, weigh=_each_word_an_eighth),
        ),
        "brought to 1": Mistake(
            "each word has got ⅛ and each picture token ⅞, and then each row was "
            "divided by its sum. So the share of the words depends on how many there "
            "are; it is ⅛, whatever their number",
            partial(_built, weigh=_brought_to_one),
        ),
        "each the whole share": Mistake(
            "each word has got ⅛, and each picture token ⅞. All words together share "
            "⅛, all picture tokens together ⅞, so that each row sums to 1",
            partial(_built, weigh=_each_whole),
        ),
        "all alike": Mistake(
            "all targets have the same weight. The words together get ⅛, the picture "
            "⅞ (CogView weighs them alike; here we do as DALL·E does)",
            partial(_built, weigh=_all_alike),
        ),
    },
    hints=(
        "it is one sentence, not two: what follows <eos>? Put the ids of words and "
        "picture into one row first, and shift this row afterwards.",
        "torch.cat([words, tokens + offset], dim=1) is the row. The input is all but "
        "its last, the target all but its first. The targets among the words are "
        "words[:, 1:], and those above 1 count: <pad> is 0, <bos> is 1.",
        "in each row the words that count share ⅛. The last `cell` targets are the "
        "picture's, and each of them gets ⅞ / cell; the first of them stands at the "
        "place where <eos> is fed.",
    ),
    trained=False,
)
