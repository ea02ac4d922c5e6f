"""The exercises of chapter 5: positions added, turned and subtracted."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.exercises import draw
from qkv.exercises.machinery import Exercise, Mistake

NUMBER = 5
TITLE = "Where am I? Positional encoding"


def _rates(width: int, *, power: float = 1.0) -> Float[Tensor, " pair"]:
    """How far each pair of features turns from one position to the next."""
    return 10000 ** (-power * torch.arange(0, width, 2) / width)


def _woven(even: Tensor, odd: Tensor) -> Tensor:
    """The two in turns: the first of ``even``, the first of ``odd``, and so on."""
    return torch.stack([even, odd], dim=-1).flatten(-2)


def _turned(x: Tensor, angles: Tensor) -> Tensor:
    """Each pair of neighbouring features turned by its angle."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    return _woven(even * cos - odd * sin, even * sin + odd * cos)


def _halves_turned(x: Tensor, angles: Tensor) -> Tensor:
    """The same with feature i and feature i + width / 2 as a pair."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def _overwritten(x: Tensor, angles: Tensor) -> Tensor:
    """The same in place: the second of a pair is made of the new first."""
    x, cos, sin = x.clone(), angles.cos(), angles.sin()
    x[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
    x[..., 1::2] = x[..., 0::2] * sin + x[..., 1::2] * cos
    return x


def _unwoven(x: Tensor) -> Tensor:
    """The first of every pair, and then the second of every pair."""
    return torch.cat([x[..., 0::2], x[..., 1::2]], dim=-1)


def _mirrored(x: Tensor, angles: Tensor) -> Tensor:
    """A pair of sines and cosines after one sign has been lost."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    return _woven(even * cos + odd * sin, even * sin + odd * cos)


def _encoded(
    positions: Int[Tensor, " token"], width: int
) -> Float[Tensor, "token d_model"]:
    angles = positions[:, None] * _rates(width)
    return _woven(angles.sin(), angles.cos())


# ------------------------------------------------------------ 5.1 without knowing where


def order_blind_ceiling(sequences: Int[Tensor, "batch token"]) -> float:
    return float(_largest_counts(sequences).double().mean()) / sequences.shape[1]


def _largest_counts(sequences: Tensor) -> Int[Tensor, " batch"]:
    return F.one_hot(sequences).sum(1).amax(-1)


def _share_of_the_batch(sequences):
    return float(sequences.flatten().bincount().max()) / sequences.numel()


def _different_tokens(sequences):
    different = (F.one_hot(sequences).sum(1) > 0).sum(-1)
    return float((1 / different).mean())


def _last_run(sequences):
    """The longest stretch of one token, as a share."""
    best = run = torch.ones(len(sequences))
    for before, now in zip(sequences.mT, sequences.mT[1:], strict=False):
        run = torch.where(before == now, run + 1, 1)
        best = torch.maximum(best, run)
    return float(best.mean()) / sequences.shape[1]


def _palindromes(sequences):
    return float((sequences == sequences.flip(1)).float().mean())


def _drawn_like_the_row(sequences):
    shares = F.one_hot(sequences).sum(1) / sequences.shape[1]
    return float(shares.square().sum(-1).mean())


def _sequences(batch: int, token: int, symbols: int) -> tuple:
    return (1 + draw.ids(batch, token, high=symbols, seed=2),)


CEILING = Exercise(
    id="5.1",
    title="How far without knowing where?",
    minutes=7,
    takes={"sequences": "batch token"},
    returns={"share": ""},
    reference=order_blind_ceiling,
    cases={
        "five sequences of eleven tokens": partial(_sequences, 5, 11, 3),
        "seven sequences, many symbols": partial(_sequences, 7, 13, 17),
        "a batch of one": partial(_sequences, 1, 7, 5),
        "a single token each": partial(_sequences, 3, 1, 7),
    },
    mistakes=(
        Mistake(
            "count",
            "this is how often the commonest token occurs, as a number; its share "
            "of the length is wanted",
            lambda sequences: float(_largest_counts(sequences).float().mean()),
        ),
        Mistake(
            "whole batch",
            "one commonest token has been chosen for the whole batch; the model sees "
            "which tokens its own sequence has, and may answer each one differently",
            _share_of_the_batch,
        ),
        Mistake(
            "different tokens",
            "this is right one time in as many as there are different tokens, as if "
            "they were equally frequent; the best answer is the one that occurs most",
            _different_tokens,
        ),
        Mistake(
            "drawn like the row",
            "this model answers with each token as often as it occurs, Σ share². "
            "Always answering the commonest one is right more often",
            _drawn_like_the_row,
        ),
        Mistake(
            "copied",
            "this is how often a token equals its mirror image: the share that is "
            "right if the sequence is answered as it stands. That model knows where",
            _palindromes,
        ),
        Mistake(
            "longest run",
            "only neighbours that are equal have been counted together; whether "
            "equal tokens stand side by side is a matter of order, and the model "
            "does not see it",
            _last_run,
        ),
    ),
    hints=(
        "each place must be given the same answer, and each token of the sequence "
        "is wanted at some place. Which single answer is right at most places?",
        "count the tokens of each sequence: F.one_hot(sequences).sum(dim=1), or "
        "row.bincount() in a loop; then the largest count over the length, and the "
        "mean.",
    ),
)


# ------------------------------------------------------------------------ 5.2 sinusoids


def sinusoidal(length: int, d_model: int) -> Float[Tensor, "token d_model"]:
    return _encoded(torch.arange(length), d_model)


def _waves(length: int, rates: Tensor, cosine_rates: Tensor | None = None) -> Tensor:
    """Sines and cosines of the rates given, the cosines' their own where they are."""
    cosine_rates = rates if cosine_rates is None else cosine_rates
    positions = torch.arange(length)[:, None]
    return _woven((positions * rates).sin(), (positions * cosine_rates).cos())


def _halves(length, d_model):
    angles = torch.arange(length)[:, None] * _rates(d_model)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def _sine_and_cosine_swapped(length, d_model):
    angles = torch.arange(length)[:, None] * _rates(d_model)
    return _woven(angles.cos(), angles.sin())


def _own_rate(length, d_model):
    next_column = torch.arange(1, d_model, 2) / d_model
    return _waves(length, _rates(d_model), 10000**-next_column)


def _loop_variable_doubled(length, d_model):
    next_column = torch.arange(1, d_model, 2) / d_model
    return _waves(length, _rates(d_model, power=2.0), 10000 ** (-2 * next_column))


SINUSOIDAL = Exercise(
    id="5.2",
    title="The sinusoids",
    minutes=8,
    takes={"length": "", "d_model": ""},
    returns={"encoding": "token d_model"},
    reference=sinusoidal,
    cases={
        "eleven positions": lambda: (11, 6),
        "more features than positions": lambda: (7, 22),
        "a single position": lambda: (1, 10),
        "a single pair of features": lambda: (5, 2),
    },
    mistakes=(
        Mistake(
            "halves",
            "all sines come first, and then all cosines. Nothing is lost by that (it "
            "is the same encoding with its columns in another order, and much code "
            "does so), but here, as in the paper, they take turns: sin, cos, sin, cos",
            _halves,
        ),
        Mistake(
            "sine and cosine swapped",
            "sine and cosine have changed places: column 2i is the sine, column "
            "2i + 1 the cosine of the same angle",
            _sine_and_cosine_swapped,
        ),
        Mistake(
            "from one",
            "the positions are counted from 1; the first token stands at position 0",
            lambda length, d_model: _encoded(torch.arange(length) + 1, d_model),
        ),
        Mistake(
            "i for 2i",
            "the exponent is i / d_model where the formula has 2i / d_model: the "
            "waves stop at a length of 2π · 100, a hundredth of what is wanted",
            lambda length, d_model: _waves(length, _rates(d_model, power=0.5)),
        ),
        Mistake(
            "doubled twice",
            "the exponent is twice what it should be: if your i already counts the "
            "columns 0, 2, 4, …, it is the formula's 2i",
            lambda length, d_model: _waves(length, _rates(d_model, power=2.0)),
        ),
        Mistake(
            "own rate",
            "the cosine has an exponent of its own, (2i + 1) / d_model. A sine and "
            "the cosine next to it turn at the same rate: only so do the two make "
            "one hand of a clock, and a shift a rotation",
            _own_rate,
        ),
        Mistake(
            "loop variable doubled",
            "your i counts the columns 0, 2, 4, … already, and is doubled once more; "
            "and i + 1 gives the cosine a rate of its own. It is in many tutorials",
            _loop_variable_doubled,
        ),
    ),
    hints=(
        "make the angles first: a column of positions, torch.arange(length)[:, None], "
        "times a row of d_model / 2 rates, 10000 ** (−2i / d_model).",
        "torch.arange(0, d_model, 2) is the row of all 2i.",
        "the sines go to the columns 0, 2, 4, … and the cosines to 1, 3, 5, …: "
        "encoding[:, 0::2] = …, or torch.stack on a last axis, which flatten(-2) "
        "then takes away.",
    ),
)


# ---------------------------------------------------------------------------- 5.3 shift


def shift(
    encoding: Float[Tensor, "token d_model"], offset: int
) -> Float[Tensor, "token d_model"]:
    # A sine stands where a rotation expects the cosine: hence the minus.
    return _turned(encoding, -offset * _rates(encoding.shape[-1]))


def _one_angle(encoding, offset):
    return _turned(encoding, -offset * torch.ones(encoding.shape[-1] // 2))


def _encoding_added(encoding, offset):
    return encoding + _encoded(torch.tensor([offset]), encoding.shape[-1])


def _rows_counted(encoding, offset):
    length, d_model = encoding.shape
    return _encoded(torch.arange(length) + offset, d_model)


def _at(positions: tuple[int, ...], d_model: int, offset: int) -> tuple:
    return _encoded(torch.tensor(positions), d_model), offset


SHIFT = Exercise(
    id="5.3",
    title="Further on, wherever that is",
    minutes=8,
    takes={"encoding": "token d_model", "offset": ""},
    returns={"shifted": "token d_model"},
    reference=shift,
    cases={
        "the positions 0, 1, 2, …": partial(_at, tuple(range(7)), 10, 3),
        "positions in any order": partial(_at, (31, 4, 17, 2, 23), 6, 5),
        "a single position, moved back": partial(_at, (13,), 14, -11),
    },
    mistakes=(
        Mistake(
            "wrong way",
            "the positions have moved back instead of on. The first of each pair is "
            "the sine and the second the cosine, so a rotation that takes them for "
            "(cos, sin) turns the wrong way",
            lambda encoding, offset: shift(encoding, -offset),
        ),
        Mistake(
            "one angle",
            "all pairs have been turned by the same angle, offset; pair i turns by "
            "offset / 10000^(2i / d_model): each hand has a speed of its own",
            _one_angle,
        ),
        Mistake(
            "encoding added",
            "the encoding of the offset has been added. sin a + sin b is not "
            "sin(a + b): angles add up, their sines do not",
            _encoding_added,
        ),
        Mistake(
            "rows counted",
            "this takes the rows for the positions 0, 1, 2, … and makes their "
            "encodings anew. Nobody has said where the rows stand, and it is not "
            "needed: turn what is given",
            _rows_counted,
        ),
        Mistake(
            "rolled",
            "the rows have been moved along; the last ones come round to the front, "
            "and rows that do not stand in order get each other's places",
            lambda encoding, offset: encoding.roll(-offset, dims=0),
        ),
        Mistake(
            "sign lost",
            "a minus is missing: cos(a + b) = cos a cos b − sin a sin b. With a plus "
            "it is no rotation, and the pairs change their length",
            lambda encoding, offset: _mirrored(
                encoding, offset * _rates(encoding.shape[-1])
            ),
        ),
        Mistake(
            "overwritten",
            "the cosines have been made of the new sines: the first line has "
            "overwritten what the second needs. Keep the old ones, or write into "
            "another tensor",
            lambda encoding, offset: _overwritten(
                encoding, -offset * _rates(encoding.shape[-1])
            ),
        ),
        Mistake(
            "put side by side",
            "the numbers are right, but all sines come first, and then all cosines; "
            "they are to take turns again, as in what was given",
            lambda encoding, offset: _unwoven(shift(encoding, offset)),
        ),
        Mistake(
            "halves",
            "feature i has been paired with feature i + d_model / 2; here a pair "
            "stands side by side, columns 2i and 2i + 1",
            lambda encoding, offset: _halves_turned(
                encoding, -offset * _rates(encoding.shape[-1])
            ),
        ),
    ),
    hints=(
        "sin(a + b) = sin a cos b + cos a sin b, and cos(a + b) = cos a cos b − "
        "sin a sin b. Which of the four numbers do you have, and which can you make?",
        "sin a and cos a of every pair are encoding[:, 0::2] and encoding[:, 1::2]; "
        "the angle b of every pair is offset / 10000 ** (2i / d_model).",
    ),
    tolerance=1e-4,
)


# --------------------------------------------------------------------------- 5.4 rotary


def rotate(
    x: Float[Tensor, "batch token d_head"], positions: Int[Tensor, " token"]
) -> Float[Tensor, "batch token d_head"]:
    return _turned(x, positions[:, None] * _rates(x.shape[-1]))


def _along_the_batch(x, positions):
    return _turned(x, positions[:, None, None] * _rates(x.shape[-1]))


def _two_layouts(x, positions):
    angles = positions[:, None] * _rates(x.shape[-1])
    angles = torch.cat([angles, angles], dim=-1)
    across = _woven(-x[..., 1::2], x[..., 0::2])
    return x * angles.cos() + across * angles.sin()


def _other_two_layouts(x, positions):
    angles = positions[:, None] * _rates(x.shape[-1])
    angles = angles.repeat_interleave(2, -1)
    first, second = x.chunk(2, dim=-1)
    return x * angles.cos() + torch.cat([-second, first], dim=-1) * angles.sin()


def _queries(batch: int, d_head: int, positions: tuple[int, ...]) -> tuple:
    return draw.normal(batch, len(positions), d_head), torch.tensor(positions)


ROTATE = Exercise(
    id="5.4",
    title="Turn the queries and the keys",
    minutes=10,
    takes={"x": "batch token d_head", "positions": "token"},
    returns={"turned": "batch token d_head"},
    reference=rotate,
    cases={
        "as many sequences as tokens": partial(_queries, 5, 6, (0, 1, 2, 3, 4)),
        "positions that are not 0, 1, 2, …": partial(
            _queries, 2, 10, (3, 0, 1, 17, 5, 40, 41)
        ),
        "a batch of one, one pair": partial(_queries, 1, 2, (11, 12, 13)),
    },
    mistakes=(
        Mistake(
            "wrong way",
            "the pairs are turned the other way round. A model could be trained so "
            "just as well; but the formula has the minus in the first of each pair",
            lambda x, positions: rotate(x, -positions),
        ),
        Mistake(
            "halves",
            "feature i has been paired with feature i + d_head / 2. Many models do "
            "so, and with their own weights they are right; here a pair stands side "
            "by side, features 2i and 2i + 1. Weights trained one way are useless "
            "the other",
            lambda x, positions: _halves_turned(
                x, positions[:, None] * _rates(x.shape[-1])
            ),
        ),
        Mistake(
            "two layouts",
            "the pairs stand side by side, but the angles are laid out for halves, "
            "[θ, θ]: the two features of a pair are turned by different angles. Each "
            "angle is wanted twice in a row (repeat_interleave)",
            _two_layouts,
        ),
        Mistake(
            "the other two layouts",
            "the angles are laid out for pairs that stand side by side, [θ₀, θ₀, θ₁, "
            "θ₁, …], but feature i has been paired with feature i + d_head / 2: the "
            "two features of a pair are turned by different angles. Pair neighbours",
            _other_two_layouts,
        ),
        Mistake(
            "put side by side",
            "each pair is turned rightly, but the first ones of all pairs come first, "
            "and then the second ones; they are to take turns, as they did "
            "(torch.stack on a last axis, then flatten)",
            lambda x, positions: _unwoven(rotate(x, positions)),
        ),
        Mistake(
            "overwritten",
            "the second of each pair has been made of the new first: the line before "
            "has overwritten what it needs. Keep the old one, or write into another "
            "tensor",
            lambda x, positions: _overwritten(
                x, positions[:, None] * _rates(x.shape[-1])
            ),
        ),
        Mistake(
            "positions not used",
            "the tokens have been taken to stand at 0, 1, 2, …; where they stand is "
            "in positions",
            lambda x, positions: rotate(x, torch.arange(x.shape[1])),
        ),
        Mistake(
            "one further",
            "every token is turned as if it stood one further on: position 0 is not "
            "turned at all",
            lambda x, positions: rotate(x, positions + 1),
        ),
        Mistake(
            "along the batch",
            "the angles go along the batch: each sequence is turned as a whole, and "
            "its tokens alike. It fails in sight only where tokens and sequences "
            "differ in number",
            _along_the_batch,
        ),
        Mistake(
            "i for 2i",
            "the exponent is i / d_head where the formula has 2i / d_head: the slow "
            "pairs are not slow enough",
            lambda x, positions: _turned(
                x, positions[:, None] * _rates(x.shape[-1], power=0.5)
            ),
        ),
        Mistake(
            "sign lost",
            "a minus is missing: (x₀ cos − x₁ sin, x₀ sin + x₁ cos). With a plus it "
            "is no rotation, and the vectors change their length",
            lambda x, positions: _mirrored(x, positions[:, None] * _rates(x.shape[-1])),
        ),
        Mistake(
            "added",
            "the sinusoids have been added to x; here nothing is added, x is turned",
            lambda x, positions: x + _encoded(positions, x.shape[-1]),
        ),
    ),
    hints=(
        "the angles are a table (token, d_head / 2), as for the sinusoids: "
        "positions[:, None] times a row of rates.",
        "x[..., 0::2] and x[..., 1::2] are the first and the second of all pairs; "
        "both have the axes of the angles, with the batch in front.",
        "a point (a, b) turned by θ is (a cos θ − b sin θ, a sin θ + b cos θ); "
        "then put the two side by side again: torch.stack(…, dim=-1).flatten(-2).",
    ),
    tolerance=1e-4,
)


# ---------------------------------------------------------------------------- 5.5 ALiBi


def alibi(heads: int, length: int) -> Float[Tensor, "head query key"]:
    return _bias(2.0 ** (-8 * _head_numbers(heads) / heads), _distances(length).abs())


def _bias(slopes: Tensor, distances: Tensor) -> Tensor:
    return -slopes[:, None, None] * distances


def _head_numbers(heads: int) -> Tensor:
    return torch.arange(1, heads + 1)


def _distances(length: int) -> Tensor:
    """How far the key is behind the query; negative where it is ahead."""
    places = torch.arange(length)
    return places[:, None] - places


def _with_slopes(slopes, heads, length):
    return _bias(slopes(_head_numbers(heads), heads), _distances(length).abs())


def _with_distances(distances, heads, length):
    slopes = 2.0 ** (-8 * _head_numbers(heads) / heads)
    return _bias(slopes, distances(_distances(length)))


def _future_hidden(heads, length):
    return alibi(heads, length).masked_fill(_distances(length) < 0, -torch.inf)


ALIBI = Exercise(
    id="5.5",
    title="The price of distance",
    minutes=7,
    takes={"heads": "", "length": ""},
    returns={"bias": "head query key"},
    reference=alibi,
    cases={
        "eight heads, as in the paper": lambda: (8, 5),
        "three heads": lambda: (3, 7),
        "one head": lambda: (1, 3),
        "a single token": lambda: (2, 1),
    },
    mistakes=(
        Mistake(
            "rewarded",
            "the sign is missing: far keys are rewarded. What is added to a score "
            "must grow smaller with the distance, so it is negative",
            lambda heads, length: -alibi(heads, length),
        ),
        Mistake(
            "signed distance",
            "the distance has a sign here: keys ahead of the query are rewarded for "
            "being far. |i − j| has none",
            partial(_with_distances, lambda behind: behind),
        ),
        Mistake(
            "future free",
            "keys ahead of the query cost nothing; they cost what keys as far "
            "behind it cost. (With a causal mask it makes no difference, and that "
            "mask is another matter.)",
            partial(_with_distances, lambda behind: behind.clamp(min=0)),
        ),
        Mistake(
            "future hidden",
            "keys ahead of the query are hidden with −∞. The paper always adds a "
            "causal mask too; here the two are kept apart, and a bias hides nothing",
            _future_hidden,
        ),
        Mistake(
            "heads from 0",
            "the heads are counted from 0, so that the first one has slope 1; they "
            "count from 1, and the first slope is 2^(−8 / heads)",
            partial(_with_slopes, lambda h, heads: 2.0 ** (-8 * (h - 1) / heads)),
        ),
        Mistake(
            "always eight heads",
            "the slopes are ½, ¼, ⅛, … whatever the number of heads; that is right "
            "for 8 of them. The last slope is always 2^−8",
            partial(_with_slopes, lambda h, heads: 2.0**-h),
        ),
        Mistake(
            "without the 8",
            "the 8 is missing from the exponent: the slopes run from nearly 1 to ½ "
            "only, and no head sees far",
            partial(_with_slopes, lambda h, heads: 2.0 ** (-h / heads)),
        ),
    ),
    hints=(
        "places = torch.arange(length); places[:, None] − places has all i − j.",
        "the slopes are one number for each head: 2.0 ** (−8 h / heads) for "
        "h = 1 … heads. slopes[:, None, None] has axes for query and key.",
    ),
)


# --------------------------------------------------------- 5.6 bug hunt: rotary, cached


def rotated_scores(
    q: Float[Tensor, "batch query d_head"], k: Float[Tensor, "batch key d_head"]
) -> Float[Tensor, "batch query key"]:
    return _scores_from(q, k, query=k.shape[1] - q.shape[1])


def _scores_from(q, k, *, query: int = 0, key: int = 0) -> Tensor:
    """Scores with the first query and the first key at these positions."""
    asking = query + torch.arange(q.shape[1])
    return rotate(q, asking) @ rotate(k, key + torch.arange(k.shape[1])).mT


def _queries_from_the_start(q, k):
    return _scores_from(q, k)


def _all_at_the_end(q, k):
    last = torch.full((q.shape[1],), k.shape[1] - 1)
    return rotate(q, last) @ rotate(k, torch.arange(k.shape[1])).mT


def _against_each_other(q, k):
    asking = k.shape[1] - q.shape[1] + torch.arange(q.shape[1])
    return rotate(q, -asking) @ rotate(k, torch.arange(k.shape[1])).mT


def _cached(batch: int, query: int, key: int, d_head: int) -> tuple:
    return draw.normals((batch, query, d_head), (batch, key, d_head))


ROTATED_SCORES = Exercise(
    id="5.6",
    title="Bug hunt: the newest queries",
    minutes=10,
    takes={"q": "batch query d_head", "k": "batch key d_head"},
    returns={"scores": "batch query key"},
    reference=rotated_scores,
    cases={
        "a query for every key": partial(_cached, 3, 5, 5, 6),
        "the last three of eleven": partial(_cached, 2, 3, 11, 10),
        "a batch of one and one query": partial(_cached, 1, 1, 7, 2),
    },
    mistakes=(
        Mistake(
            "one too far",
            "the queries stand one place too far on: the last query belongs to the "
            "last key, and their distance is 0",
            lambda q, k: _scores_from(q, k, query=k.shape[1] - q.shape[1] + 1),
        ),
        Mistake(
            "behind the keys",
            "the queries begin behind the last key. The keys of the new tokens are "
            "in k already: the queries are the last of them",
            lambda q, k: _scores_from(q, k, query=k.shape[1]),
        ),
        Mistake(
            "all at the end",
            "all queries stand at the last position; that is right for a single one. "
            "Several are as many consecutive tokens",
            _all_at_the_end,
        ),
        Mistake(
            "keys moved",
            "the keys have been moved on, and not the queries: now every key seems "
            "to be ahead of its query",
            lambda q, k: _scores_from(q, k, key=k.shape[1] - q.shape[1]),
        ),
        Mistake(
            "keys alone",
            "only the keys are turned: the score depends on where the key stands, "
            "and not on how far it is from the query",
            lambda q, k: q @ rotate(k, torch.arange(k.shape[1])).mT,
        ),
        Mistake(
            "against each other",
            "queries and keys are turned in opposite ways: their angles add up, and "
            "the score depends on the sum of the positions, not on the distance",
            _against_each_other,
        ),
        Mistake(
            "no rotation",
            "nothing is turned any more: the scores know nothing of positions",
            lambda q, k: q @ k.mT,
        ),
    ),
    hints=(
        "compute the scores of a whole sequence, and then those of its last token "
        "alone, q[:, -1:]. Is the second the last row of the first?",
        "turn(q) takes its first row to stand at position 0. Where does it stand, "
        "if the queries are the last tokens of the sequence in k?",
        "give turn a second argument, the position of its first row: "
        "k.shape[1] − q.shape[1] for the queries, 0 for the keys.",
    ),
    given=_queries_from_the_start,
    tolerance=1e-4,
)


EXERCISES = (CEILING, SINUSOIDAL, SHIFT, ROTATE, ALIBI, ROTATED_SCORES)
