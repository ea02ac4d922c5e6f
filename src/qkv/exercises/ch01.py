"""The exercises of chapter 1: from a table of words to a judged translation."""

from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.exercises import draw
from qkv.exercises.machinery import Exercise, Mistake

NUMBER = 1
TITLE = "The bottleneck"


# ------------------------------------------------------------------------ 1.1 embedding


def embed(
    ids: Int[Tensor, "batch token"], table: Float[Tensor, "vocab d_embedding"]
) -> Float[Tensor, "batch token d_embedding"]:
    return table[ids]


def _sentences(batch: int, token: int, vocab: int, d_embedding: int) -> tuple:
    return draw.ids(batch, token, high=vocab), draw.normal(vocab, d_embedding, seed=1)


EMBED = Exercise(
    id="1.1",
    title="Look up a batch of words",
    minutes=3,
    takes={"ids": "batch token", "table": "vocab d_embedding"},
    returns={"embedded": "batch token d_embedding"},
    reference=embed,
    cases={
        "as many features as words": partial(_sentences, 3, 5, 11, 11),
        "fewer features than words": partial(_sentences, 2, 5, 11, 7),
        "a batch of one": partial(_sentences, 1, 3, 13, 2),
    },
    mistakes=(
        Mistake(
            "columns",
            "each word has got a column of the table; a word's embedding is its row",
            lambda ids, table: table.mT[ids],
        ),
        Mistake(
            "row before",
            "each word has got the row before its own: ids count from 0, and so do "
            "rows",
            lambda ids, table: table[ids - 1],
        ),
        Mistake(
            "position",
            "the rows were chosen by where a word stands, not by which word it is: "
            "use the numbers in ids",
            lambda ids, table: table[: ids.shape[1]].expand(len(ids), -1, -1),
        ),
        Mistake(
            "first sentence",
            "every sentence has got the embeddings of the first one",
            lambda ids, table: table[ids[:1]].expand(len(ids), -1, -1),
        ),
        Mistake(
            "mixed sentences",
            "words of different sentences are mixed: view or reshape only says anew "
            "how long the axes are, it does not swap them",
            lambda ids, table: table[ids.mT].reshape(*ids.shape, -1),
        ),
        Mistake(
            "scaled",
            "the rows are multiplied by √d_embedding; the Transformer does that, "
            "here the rows are wanted as they are",
            lambda ids, table: table[ids] * table.shape[1] ** 0.5,
        ),
        Mistake(
            "normalised",
            "the rows have been brought to length one; they are wanted as they are",
            lambda ids, table: F.normalize(table, dim=-1)[ids],
        ),
    ),
    hints=(
        "the table has one row for each word of the vocabulary, and an id is the "
        "number of a row.",
        "a tensor can be indexed by a tensor of whole numbers of any shape: each "
        "number is replaced by that row.",
    ),
)


# ------------------------------------------------------------------------- 1.2 GRU step


def gru_step(
    x: Float[Tensor, "batch d_in"],
    h: Float[Tensor, "batch d_hidden"],
    W_r: Float[Tensor, "d_hidden d_in"],
    U_r: Float[Tensor, "d_hidden d_hidden"],
    W_z: Float[Tensor, "d_hidden d_in"],
    U_z: Float[Tensor, "d_hidden d_hidden"],
    W_n: Float[Tensor, "d_hidden d_in"],
    U_n: Float[Tensor, "d_hidden d_hidden"],
) -> Float[Tensor, "batch d_hidden"]:
    r = torch.sigmoid(x @ W_r.mT + h @ U_r.mT)
    z = torch.sigmoid(x @ W_z.mT + h @ U_z.mT)
    n = torch.tanh(x @ W_n.mT + r * (h @ U_n.mT))
    return (1 - z) * n + z * h


def _gates(x, h, W_r, U_r, W_z, U_z) -> tuple[Tensor, Tensor]:
    reset = torch.sigmoid(x @ W_r.mT + h @ U_r.mT)
    return reset, torch.sigmoid(x @ W_z.mT + h @ U_z.mT)


def _swapped_update(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return z * torch.tanh(x @ W_n.mT + r * (h @ U_n.mT)) + (1 - z) * h


def _reset_before(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.tanh(x @ W_n.mT + (r * h) @ U_n.mT) + z * h


def _no_tanh(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * (x @ W_n.mT + r * (h @ U_n.mT)) + z * h


def _sigmoid_candidate(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.sigmoid(x @ W_n.mT + r * (h @ U_n.mT)) + z * h


def _no_reset(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    _, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.tanh(x @ W_n.mT + h @ U_n.mT) + z * h


def _reset_word(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.tanh(r * (x @ W_n.mT + h @ U_n.mT)) + z * h


def _old_state_lost(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.tanh(x @ W_n.mT + r * (h @ U_n.mT))


def _gru_inputs(batch: int, d_in: int, d_hidden: int) -> tuple:
    word, state = (d_hidden, d_in), (d_hidden, d_hidden)
    shapes = [(batch, d_in), (batch, d_hidden), *[word, state] * 3]
    return tuple(draw.normal(*shape, seed=n) for n, shape in enumerate(shapes))


GRU_STEP = Exercise(
    id="1.2",
    title="One step of the GRU",
    minutes=8,
    takes={
        "x": "batch d_in",
        "h": "batch d_hidden",
        "W_r": "d_hidden d_in",
        "U_r": "d_hidden d_hidden",
        "W_z": "d_hidden d_in",
        "U_z": "d_hidden d_hidden",
        "W_n": "d_hidden d_in",
        "U_n": "d_hidden d_hidden",
    },
    returns={"state": "batch d_hidden"},
    reference=gru_step,
    cases={
        "words as wide as the state": partial(_gru_inputs, 3, 5, 5),
        "words narrower than the state": partial(_gru_inputs, 5, 3, 7),
        "a batch of one": partial(_gru_inputs, 1, 2, 3),
    },
    mistakes=(
        Mistake(
            "update gate swapped",
            "z and 1 − z have changed places: where z is 1, the old state stays. "
            "(Some papers write it your way round; PyTorch and this chapter do not.)",
            _swapped_update,
        ),
        Mistake(
            "reset before the product",
            "the reset gate acts on h before U_n does. That is Cho's original GRU, "
            "not wrong in itself; here, as in PyTorch, it acts on U_n h",
            _reset_before,
        ),
        Mistake(
            "gates swapped",
            "the reset and the update gate have got each other's weights",
            lambda x, h, W_r, U_r, W_z, U_z, W_n, U_n: gru_step(
                x, h, W_z, U_z, W_r, U_r, W_n, U_n
            ),
        ),
        Mistake(
            "no tanh",
            "the candidate has not gone through tanh: it is not bounded, and neither "
            "is the state",
            _no_tanh,
        ),
        Mistake(
            "sigmoid candidate",
            "the candidate goes through a sigmoid; only gates do. A state that can "
            "never be negative is half a state",
            _sigmoid_candidate,
        ),
        Mistake(
            "no reset",
            "the reset gate is computed and then not used: the candidate sees all of "
            "the past",
            _no_reset,
        ),
        Mistake(
            "reset on the word",
            "the reset gate also acts on W_n x; it decides about the past only, U_n h",
            _reset_word,
        ),
        Mistake(
            "old state lost",
            "the part z of the old state is missing from the new one",
            _old_state_lost,
        ),
        Mistake(
            "not transposed",
            "the W have been used the wrong way round: with x in rows, W x is "
            "written x @ W.T",
            lambda x, h, W_r, U_r, W_z, U_z, W_n, U_n: gru_step(
                x, h, W_r.mT, U_r, W_z.mT, U_z, W_n.mT, U_n
            ),
        ),
        Mistake(
            "none transposed",
            "the W and U have been used the wrong way round: with x and h in rows, "
            "W x is written x @ W.T, and U h is h @ U.T",
            lambda x, h, W_r, U_r, W_z, U_z, W_n, U_n: gru_step(
                x, h, W_r.mT, U_r.mT, W_z.mT, U_z.mT, W_n.mT, U_n.mT
            ),
        ),
    ),
    hints=(
        "take the four lines of the formula in their order: r, z, n, the new state.",
        "each sentence is a row of x, and a row is multiplied by W as x @ W.T.",
        "the products with r, z and 1 − z go number by number: *, not @.",
    ),
)


# ---------------------------------------------------------------- 1.3 bug hunt: states


def last_state(
    states: Float[Tensor, "batch token d_hidden"], lengths: Int[Tensor, " batch"]
) -> Float[Tensor, "batch d_hidden"]:
    return states[torch.arange(len(states)), lengths - 1]


def _state_of_the_padding(states, lengths):
    return states[:, -1]


def _average(states, lengths):
    real = torch.arange(states.shape[1]) < lengths[:, None]
    return (states * real[..., None]).sum(1) / lengths[:, None]


def _one_too_far(states, lengths):
    places = lengths.clamp(max=states.shape[1] - 1)
    return states[torch.arange(len(states)), places]


def _one_end_for_all(place):
    """The state at the end of one of the sentences, taken for all of them."""
    return lambda states, lengths: states[:, lengths[place] - 1]


def _encoded(lengths: tuple[int, ...], token: int, d_hidden: int) -> tuple:
    return draw.normal(len(lengths), token, d_hidden), torch.tensor(lengths)


LAST_STATE = Exercise(
    id="1.3",
    title="Bug hunt: the last state",
    minutes=6,
    takes={"states": "batch token d_hidden", "lengths": "batch"},
    returns={"state": "batch d_hidden"},
    reference=last_state,
    cases={
        "four padded sentences": partial(_encoded, (3, 2, 5, 4), 7, 11),
        "one sentence without padding": partial(_encoded, (5,), 5, 3),
        "one that fills the batch's width": partial(_encoded, (4, 7, 1, 6, 2), 7, 3),
    },
    mistakes=(
        Mistake(
            "one too far",
            "you take the state after the last word: a sentence of 3 tokens has them "
            "at places 0, 1 and 2",
            _one_too_far,
        ),
        Mistake(
            "first state",
            "this is the state after the first word, which has read nothing else",
            lambda states, lengths: states[:, 0],
        ),
        Mistake(
            "shortest",
            "all sentences are cut at the shortest one's end: the longer ones have "
            "not been read to theirs",
            lambda states, lengths: states[:, lengths.min() - 1],
        ),
        Mistake(
            "longest",
            "all sentences are read to the longest one's end: the shorter ones have "
            "gone on over padding",
            lambda states, lengths: states[:, lengths.max() - 1],
        ),
        Mistake(
            "first sentence",
            "all sentences are cut at the end of the first one; each has its own",
            _one_end_for_all(0),
        ),
        Mistake(
            "last sentence",
            "all sentences are cut at the end of the last one; each has its own",
            _one_end_for_all(-1),
        ),
        Mistake(
            "average",
            "this is the mean of each sentence's states; the last one is wanted",
            _average,
        ),
        Mistake(
            "average with padding",
            "this is the mean of all states, even those of the padding; the last "
            "one before the padding is wanted",
            lambda states, lengths: states.mean(1),
        ),
        Mistake(
            "order not restored",
            "the states are the right ones, in another order: they have been sorted "
            "by length and not put back",
            lambda states, lengths: last_state(states, lengths)[
                lengths.argsort(descending=True)
            ],
        ),
    ),
    hints=(
        "how does states[:, -1] know where a short sentence ends? What stands at "
        "that place?",
        "the last word of sentence i stands at place lengths[i] − 1.",
        "a tensor can be indexed by two tensors at once, one of rows and one of "
        "places: states[torch.arange(...), ...].",
    ),
    given=_state_of_the_padding,
)

# ------------------------------------------------------------------ 1.4 decoder's input


def shift_right(
    target: Int[Tensor, "batch target"], bos: int
) -> Int[Tensor, "batch target"]:
    first = torch.full_like(target[:, :1], bos)
    return torch.cat([first, target[:, :-1]], dim=1)


def _overwritten(target, bos):
    target = target.clone()
    target[:, 0] = bos
    return target


def _shifted_left(target, bos):
    return torch.cat([target[:, 1:], torch.full_like(target[:, :1], bos)], dim=1)


def _shifted_down(target, bos):
    return torch.cat([torch.full_like(target[:1], bos), target[:-1]])


def _targets(batch: int, target: int, bos: int) -> tuple:
    return draw.ids(batch, target, high=90) + 20, bos


SHIFT_RIGHT = Exercise(
    id="1.4",
    title="What the decoder is fed",
    minutes=3,
    takes={"target": "batch target", "bos": ""},
    returns={"target_in": "batch target"},
    reference=shift_right,
    cases={
        "three sentences": partial(_targets, 3, 5, 1),
        "another start token": partial(_targets, 2, 7, 11),
        "a batch of one": partial(_targets, 1, 3, 5),
    },
    mistakes=(
        Mistake(
            "not shifted",
            "the target is not shifted: the decoder is fed the very token that it "
            "must predict, and will only learn to copy",
            lambda target, bos: target.clone(),
        ),
        Mistake(
            "rolled",
            "the last token has come round to the front; the start token belongs "
            "there (torch.roll goes in a circle)",
            lambda target, bos: target.roll(1, dims=1),
        ),
        Mistake(
            "shifted left",
            "the target has moved to the left: the decoder sees the token after the "
            "one that it must predict",
            _shifted_left,
        ),
        Mistake(
            "overwritten",
            "the start token has taken the first token's place, and the rest has not "
            "moved: from the second step on the decoder is fed what it must predict",
            _overwritten,
        ),
        Mistake(
            "shifted down",
            "the sentences have moved, not the tokens: the batch is axis 0, the "
            "tokens are axis 1",
            _shifted_down,
        ),
        Mistake(
            "bos at the end",
            "the start token stands at the end and has replaced the last token; it "
            "belongs in front",
            lambda target, bos: shift_right(target.flip(1), bos).flip(1).roll(-1, 1),
        ),
        Mistake(
            "bos written in",
            "the start token is always 1; use the id that was given as bos",
            lambda target, bos: shift_right(target, 1),
        ),
    ),
    hints=(
        "at its first step the decoder knows nothing yet, so it is fed bos; at its "
        "second, the target's first token; and the target's last token is never fed.",
        "torch.cat puts two tensors side by side along dim=1: a column of bos, and "
        "the target without its last column.",
    ),
)


# ------------------------------------------------------------------------ 1.5 the loss


def sequence_loss(
    logits: Float[Tensor, "batch target vocab"],
    target: Int[Tensor, "batch target"],
    pad: int,
) -> Float[Tensor, ""]:
    return _surprise(logits, target)[target != pad].mean()


def _surprise(logits: Tensor, target: Tensor) -> Tensor:
    """−log p of each true token."""
    return -logits.log_softmax(-1).gather(-1, target[..., None]).squeeze(-1)


def _each_sentence_alike(logits, target, pad):
    real = target != pad
    return ((_surprise(logits, target) * real).sum(1) / real.sum(1)).mean()


def _softmax_twice(logits, target, pad):
    return sequence_loss(logits.softmax(-1), target, pad)


def _no_softmax(logits, target, pad):
    return -logits.gather(-1, target[..., None]).squeeze(-1)[target != pad].mean()


def _over_positions(logits, target, pad):
    log_p = logits.log_softmax(1)
    return -log_p.gather(-1, target[..., None]).squeeze(-1)[target != pad].mean()


def _no_logarithm(logits, target, pad):
    return -torch.exp(-_surprise(logits, target))[target != pad].mean()


def _by_sentences(logits, target, pad):
    return _surprise(logits, target)[target != pad].sum() / len(target)


def _reshaped(logits, target, pad):
    vocab_in_front = logits.reshape(len(logits), logits.shape[2], -1)
    return F.cross_entropy(vocab_in_front, target, ignore_index=pad)


def _over_all_cells(logits, target, pad):
    return (_surprise(logits, target) * (target != pad)).sum() / target.numel()


def _predictions(batch: int, target: int, vocab: int, pad: int, full: bool) -> tuple:
    """Targets whose ends are padding, each a little more than the one before."""
    ids = 1 + draw.ids(batch, target, high=vocab - 1)
    ids = torch.where(ids == pad, 1 + pad % (vocab - 1), ids)
    if not full:
        lengths = target - torch.arange(batch) % (target - 1)
        ids[torch.arange(target) >= lengths[:, None]] = pad
    return draw.normal(batch, target, vocab, seed=3), ids, pad


SEQUENCE_LOSS = Exercise(
    id="1.5",
    title="The loss of a batch",
    minutes=6,
    takes={"logits": "batch target vocab", "target": "batch target", "pad": ""},
    returns={"loss": ""},
    reference=sequence_loss,
    cases={
        "sentences of different lengths": partial(_predictions, 3, 5, 7, 0, False),
        "a batch of one without padding": partial(_predictions, 1, 3, 5, 0, True),
        "another padding id": partial(_predictions, 5, 7, 11, 10, False),
    },
    mistakes=(
        Mistake(
            "padding counted",
            "the padding is counted as if it were words: the loss of a sentence "
            "changes with the batch that it is in",
            lambda logits, target, pad: _surprise(logits, target).mean(),
        ),
        Mistake(
            "divided by all cells",
            "the padding is left out of the sum but not out of the count: a batch "
            "with more padding looks easier",
            _over_all_cells,
        ),
        Mistake(
            "sum",
            "this is the sum over the tokens; the mean is wanted, so that batches of "
            "different sizes can be compared",
            lambda logits, target, pad: _surprise(logits, target)[target != pad].sum(),
        ),
        Mistake(
            "by sentences",
            "the sum has been divided by the number of sentences, so that long ones "
            "look harder; divide by the number of real tokens",
            _by_sentences,
        ),
        Mistake(
            "reshaped",
            "cross_entropy wants the vocabulary in the second axis, and you have put "
            "it there with view or reshape, which moves nothing: so the scores of "
            "different words and positions are mixed. Swap the axes, transpose(1, 2)",
            _reshaped,
        ),
        Mistake(
            "no softmax",
            "the logits have been taken for log-probabilities: a softmax over the "
            "vocabulary must come first",
            _no_softmax,
        ),
        Mistake(
            "softmax over positions",
            "the softmax runs over the positions of the sentence (dim=1); at each "
            "position the words of the vocabulary compete (dim=-1)",
            _over_positions,
        ),
        Mistake(
            "softmax twice",
            "there are two softmaxes: cross_entropy and log_softmax have theirs "
            "inside and want the bare logits",
            _softmax_twice,
        ),
        Mistake(
            "no logarithm",
            "this is the mean probability of the true tokens, negative; the mean of "
            "its logarithm is wanted",
            _no_logarithm,
        ),
        Mistake(
            "each sentence alike",
            "you average over each sentence and then over the sentences: a token of "
            "a short sentence weighs more. N counts the tokens of the whole batch",
            _each_sentence_alike,
        ),
        Mistake(
            "sign",
            "the sign is missing: a logarithm of a probability is negative, and the "
            "loss is its opposite",
            lambda *given: -sequence_loss(*given),
        ),
        Mistake(
            "pad written in",
            "the padding is taken to be 0; use the id that was given as pad",
            lambda logits, target, pad: sequence_loss(logits, target, 0),
        ),
    ),
    hints=(
        "log_softmax over the vocabulary gives the log-probability of every word at "
        "every position; you need that of the true word.",
        "gather(-1, target[..., None]) picks out one entry at each position; "
        "target != pad says which positions are real.",
        "F.cross_entropy does all of it, if the axes batch and target are first made "
        "one (flatten) and it is told ignore_index.",
    ),
)


# ------------------------------------------------------------------- 1.6 exact match


def share_right(
    produced: Int[Tensor, "batch token"], target: Int[Tensor, "batch token"], eos: int
) -> float:
    agrees = (produced == target) | ~_counted(target, eos)
    return float(agrees.all(dim=1).float().mean())


def _counted(target: Tensor, eos: int) -> Bool[Tensor, "batch token"]:
    """True up to and including the first eos of each row."""
    ends = target == eos
    return ends.cumsum(1) - ends.long() == 0


def _share(right: Tensor) -> float:
    return float(right.float().mean())


def _without_eos(produced, target, eos):
    counted = _counted(target, eos) & (target != eos)
    return _share(((produced == target) | ~counted).all(1))


def _stops_early(produced, target, eos):
    counted = _counted(produced, eos) & (produced != eos)
    return _share(((produced == target) | ~counted).all(1))


def _to_the_last_eos(produced, target, eos):
    ends = target == eos
    counted = ends.flip(1).cumsum(1).flip(1) > 0
    return _share(((produced == target) | ~(counted | ends)).all(1))


def _numbers() -> tuple:
    rows = [
        ((5, 7, 2, 0, 0), (5, 7, 2, 0, 0)),
        ((5, 7, 9, 2, 8), (5, 7, 9, 2, 0)),
        ((4, 6, 8, 2, 0), (4, 6, 2, 0, 0)),
        ((4, 6, 2, 0, 0), (4, 6, 8, 2, 0)),
        ((4, 3, 5, 6, 2), (3, 4, 5, 6, 2)),
        ((8, 2, 0, 0, 0), (9, 2, 0, 0, 0)),
        ((8, 8, 2, 2, 2), (8, 8, 2, 0, 0)),
        ((3, 4, 2, 0, 0), (3, 2, 0, 0, 0)),
        ((6, 5, 4, 2, 7), (6, 5, 4, 2, 0)),
        ((7, 2, 0, 0, 0), (7, 2, 0, 0, 0)),
        ((3, 3, 2, 0, 0), (4, 4, 2, 0, 0)),
    ]
    produced, target = zip(*rows, strict=True)
    return torch.tensor(produced), torch.tensor(target), 2


def _one_number() -> tuple:
    return torch.tensor([[6, 9, 3]]), torch.tensor([[6, 9, 3]]), 3


def _junk_in_the_target() -> tuple:
    rows = [
        ((5, 4, 9, 4, 0, 1, 7), (5, 4, 8, 4, 0, 0, 0)),
        ((6, 6, 4, 1, 1, 1, 1), (6, 6, 4, 4, 4, 4, 4)),
        ((8, 9, 4, 0, 0, 0, 0), (8, 8, 4, 0, 0, 0, 0)),
        ((7, 4, 9, 4, 5, 0, 0), (7, 4, 9, 4, 8, 0, 0)),
    ]
    produced, target = zip(*rows, strict=True)
    return torch.tensor(produced), torch.tensor(target), 4


EXACT_MATCH = Exercise(
    id="1.6",
    title="How many numbers are right?",
    minutes=6,
    takes={"produced": "batch token", "target": "batch token", "eos": ""},
    returns={"share": ""},
    reference=share_right,
    cases={
        "eleven numbers": _numbers,
        "a batch of one": _one_number,
        "targets with more behind their end": _junk_in_the_target,
    },
    mistakes=(
        Mistake(
            "token accuracy",
            "this is the share of right tokens; a number with one wrong digit is a "
            "wrong number",
            lambda produced, target, eos: _share(produced == target),
        ),
        Mistake(
            "real token accuracy",
            "this is the share of right tokens up to <eos>; a number with one wrong "
            "digit is a wrong number",
            lambda produced, target, eos: _share(
                (produced == target)[_counted(target, eos)]
            ),
        ),
        Mistake(
            "compared after the end",
            "what stands after <eos> is compared, too; anything may stand there",
            lambda produced, target, eos: _share((produced == target).all(1)),
        ),
        Mistake(
            "end not compared",
            "the <eos> itself is not compared: an output that goes on too long "
            "counts as right",
            _without_eos,
        ),
        Mistake(
            "stops early",
            "only what was produced is compared: an output that stops too early "
            "counts as right",
            _stops_early,
        ),
        Mistake(
            "last end",
            "you compare up to the target's last <eos>; its first one is its end",
            _to_the_last_eos,
        ),
        Mistake(
            "up to the zeros",
            "you leave out where the target is 0, as if nothing else could stand "
            "behind its end; compare up to its first <eos>, whatever comes after it",
            lambda produced, target, eos: _share(
                ((produced == target) | (target == 0)).all(1)
            ),
        ),
        Mistake(
            "any",
            "a row with any right token counts; all tokens up to <eos> must be right",
            lambda produced, target, eos: _share(
                ((produced == target) & _counted(target, eos)).any(1)
            ),
        ),
        Mistake(
            "count",
            "this is the number of right rows; their share is wanted",
            lambda produced, target, eos: (
                share_right(produced, target, eos) * len(target)
            ),
        ),
        Mistake(
            "all or nothing",
            "one wrong row makes the whole batch wrong; count row by row (dim=1)",
            lambda produced, target, eos: float(
                share_right(produced, target, eos) > 0.999
            ),
        ),
    ),
    hints=(
        "mark the positions that count: those up to and including the target's "
        "first <eos>.",
        "(target == eos).cumsum(dim=1) is 0 before the first <eos> and at least 1 "
        "from it on; take the <eos> itself back off it, and 0 says that it counts.",
        "a row is right where each position is equal or does not count: all(dim=1), "
        "then the mean over the rows.",
    ),
)


EXERCISES = (EMBED, GRU_STEP, LAST_STATE, SHIFT_RIGHT, SEQUENCE_LOSS, EXACT_MATCH)
