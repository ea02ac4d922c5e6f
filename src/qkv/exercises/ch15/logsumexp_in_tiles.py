"""The maximum and the sum of a row of scores, tile by tile."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw

HIDDEN = -torch.inf
Step = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def logsumexp_in_tiles(
    scores: Float[Tensor, "query key"], size: int
) -> Float[Tensor, " query"]:
    return _log(*_kept(scores, size, _rescaled_safely))


def _log(m: Tensor, total: Tensor) -> Tensor:
    return m + total.log()


def _kept(
    scores: Tensor, size: int, step: Step, *, start: float = HIDDEN, held: float = 0.0
) -> tuple[Tensor, Tensor]:
    """The running maximum and sum, after the last tile."""
    m = torch.full_like(scores[:, 0], start)
    total = torch.full_like(m, held)
    for tile in scores.split(size, -1):
        m, total = step(m, total, tile)
    return m, total


def _largest(m: Tensor, tile: Tensor) -> Tensor:
    return torch.maximum(m, tile.amax(-1))


def _rescaled(m, total, tile):
    """The step as it is written at first: −∞ − −∞ is NaN."""
    new = _largest(m, tile)
    return new, total * (m - new).exp() + (tile - new[:, None]).exp().sum(-1)


def _rescaled_safely(m, total, tile):
    new = _largest(m, tile)
    base = new.masked_fill(new == HIDDEN, 0.0)
    return new, total * (m - base).exp() + (tile - base[:, None]).exp().sum(-1)


def _not_rescaled(m, total, tile):
    new = _largest(m, tile)
    return new, total + (tile - new[:, None]).exp().sum(-1)


def _own_maximum(m, total, tile):
    new, own = _largest(m, tile), tile.amax(-1, keepdim=True)
    return new, total * (m - new).exp() + (tile - own).exp().sum(-1)


def _never_together(m, total, tile):
    own = tile.amax(-1, keepdim=True)
    return _largest(m, tile), total + (tile - own).exp().sum(-1)


def _may_fall(m, total, tile):
    new = tile.amax(-1)
    return new, total * (m - new).exp() + (tile - new[:, None]).exp().sum(-1)


def _may_fall_a_little(m, total, tile):
    return _may_fall(m, total, tile.clamp(min=-1e9))


def _upside_down(m, total, tile):
    new = _largest(m, tile)
    return new, total * (new - m).exp() + (tile - new[:, None]).exp().sum(-1)


def _by_the_ratio(m, total, tile):
    """As if the maxima themselves, not their powers, were to be divided."""
    new = _largest(m, tile)
    return new, total * (m / new) + (tile - new[:, None]).exp().sum(-1)


def _by_the_difference(m, total, tile):
    new = _largest(m, tile)
    return new, total * (m - new) + (tile - new[:, None]).exp().sum(-1)


def _rescaled_too_late(m, total, tile):
    """The new tile shrinks together with what was held."""
    new = _largest(m, tile)
    return new, (total + (tile - new[:, None]).exp().sum(-1)) * (m - new).exp()


def _one_for_all(m, total, tile):
    new = torch.maximum(m, tile.max())
    return new, total * (m - new).exp() + (tile - new[:, None]).exp().sum(-1)


def _no_maximum(m, total, tile):
    return m, total + tile.exp().sum(-1)


def _not_kept(m, total, tile):
    _, total = _rescaled(m, total, tile)
    return m, total


def _skipped_for_all(m, total, tile):
    """No row reads a tile that is hidden from one of them."""
    if tile.amax(-1).isinf().any():
        return m, total
    return _rescaled(m, total, tile)


def _by_the_old_one(m, total, tile):
    new = _largest(m, tile)
    return new, total * (m - new).exp() + (tile - m[:, None]).exp().sum(-1)


def _tile_as_it_is(m, total, tile):
    new = _largest(m, tile)
    return new, total * (m - new).exp() + tile.exp().sum(-1)


def _averaged(m, total, tile):
    new = _largest(m, tile)
    return new, total * (m - new).exp() + (tile - new[:, None]).exp().mean(-1)


def _over_all_rows(m, total, tile):
    new = _largest(m, tile)
    return new, total * (m - new).exp() + (tile - new[:, None]).exp().sum()


def _from_the_first(scores: Tensor, size: int, step: Step) -> tuple[Tensor, Tensor]:
    """Begun with the first tile, and not with −∞."""
    first, rest = scores[:, :size], scores[:, size:]
    m = first.amax(-1)
    total = (first - m[:, None]).exp().sum(-1)
    return _kept_from(m, total, rest, size, step) if rest.shape[1] else (m, total)


def _kept_from(m, total, rest, size, step):
    for tile in rest.split(size, -1):
        m, total = step(m, total, tile)
    return m, total


def _first_tile_as_it_comes(step: Step) -> Callable:
    return lambda scores, size: _log(*_from_the_first(scores, size, step))


def _by(step: Step, end: Callable = _log, **start: float) -> Callable:
    return lambda scores, size: end(*_kept(scores, size, step, **start))


def _from_tiles(join: Callable) -> Callable:
    def joined(scores, size):
        tiles = [tile.logsumexp(-1) for tile in scores.split(size, -1)]
        return join(torch.stack(tiles))

    return joined


def _whole_tiles(scores, size):
    whole = scores.shape[1] // size * size
    return scores[:, :whole].logsumexp(-1)


def _in_one_tile(scores, _size, *, change: Callable):
    return change(scores).logsumexp(-1)


def _zero_for_nan(scores, size):
    return _log(*_kept(scores, size, _rescaled)).nan_to_num(0.0)


def _small(query: int, key: int, size: int, *, seed: int = 0) -> tuple[Tensor, int]:
    return 2 * draw.normal(query, key, seed=seed), size


def _large() -> tuple[Tensor, int]:
    """Rows whose maximum rises, falls, and moves to and fro, 60 at a time."""
    rows = [
        [0, 1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1, 0],
        [1, -2, 3, 0, -1, 2, -3],
    ]
    return 60 * torch.tensor(rows) + draw.normal(3, 7), 2


def _far_below() -> tuple[Tensor, int]:
    """One row around −300, one around 0, one around 300."""
    levels = torch.tensor([[-300.0], [0.0], [300.0]])
    return levels + draw.normal(3, 7, seed=3), 3


def _hidden_first() -> tuple[Tensor, int]:
    """Tiles of 3: the first is hidden in some rows, in one the second as well."""
    scores = 2 * draw.normal(5, 11, seed=4)
    scores[:2, :3] = HIDDEN
    scores[1, 3:6] = HIDDEN
    scores[3, ::2] = HIDDEN
    return scores, 3


EXERCISE = Exercise(
    id="15.4",
    title="One number from a row, tile by tile",
    minutes=9,
    difficulty=2,
    reference=logsumexp_in_tiles,
    cases={
        "tiles of two": partial(_small, 2, 6, 2),
        "a short last tile": partial(_small, 5, 11, 4, seed=1),
        "scores × 60": _large,
        "rows of different heights": _far_below,
        "a first tile that is hidden": _hidden_first,
        "one row, and one tile": partial(_small, 1, 5, 7, seed=2),
    },
    mistakes={
        "−∞ − −∞": Mistake(
            "right until all that was seen so far is hidden: then the maximum is still "
            "−∞, and −∞ − (−∞) is NaN, and the row stays NaN to its end. Subtract 0 "
            "where the maximum is −∞, or begin with a very small number instead, −1e9",
            _by(_rescaled),
        ),
        "NaN made 0": Mistake(
            "NaN has been made 0 at the end, in rows whose first tile is hidden: the "
            "rest of the row is lost. Let no NaN arise: subtract 0 where the "
            "maximum is still −∞",
            _zero_for_nan,
        ),
        "skipped for all rows": Mistake(
            "a tile that is hidden in one row has been skipped in all rows: other rows "
            "see its scores. Keep NaN away row by row",
            _by(_skipped_for_all),
        ),
        "not rescaled": Mistake(
            "the sum so far was made with the old maximum, and the new tile's with the "
            "new one: they cannot be added as they are. Multiply the sum so far by "
            "exp(m_old − m_new) first",
            _by(_not_rescaled),
        ),
        "own maximum": Mistake(
            "what is held has been rescaled to the running maximum, and the new tile's "
            "powers were made with the tile's own. Where that one is smaller they come "
            "out too large: subtract the running maximum from the tile, too",
            _by(_own_maximum),
        ),
        "never brought together": Mistake(
            "each tile's powers were made with its own maximum, and their sums were "
            "added up. Sums of different maxima cannot be added: bring both to the "
            "running maximum first",
            _by(_never_together),
        ),
        "the maximum may fall": Mistake(
            "right for small scores. But the running maximum has been replaced by the "
            "tile's own, even where that is smaller: exp(m_old − m_new) is then larger "
            "than 1, and with large scores it is infinite. Take the larger of the two, "
            "torch.maximum",
            _by(_may_fall),
        ),
        "the maximum may fall, not to −∞": Mistake(
            "right for small scores, and for hidden ones. But the running maximum has "
            "been replaced by the tile's own, even where that is smaller: exp(m_old − "
            "m_new) is then larger than 1, and with large scores it is infinite. Take "
            "the larger of the two, torch.maximum",
            _by(_may_fall_a_little),
        ),
        "upside down": Mistake(
            "the sum so far has been multiplied by exp(m_new − m_old), which makes it "
            "larger; it must shrink when the maximum rises: exp(m_old − m_new)",
            _first_tile_as_it_comes(_upside_down),
        ),
        "upside down from −∞": Mistake(
            "everything is NaN, from the first tile on, where m is still −∞. Perhaps "
            "what is held is multiplied by exp(m_new − m_old) or by m_old − m_new: "
            "both are infinite there, and 0 · ∞ is NaN. What is held must shrink when "
            "the maximum rises: exp(m_old − m_new), which is 0 there",
            _by(_upside_down),
        ),
        "by the ratio": Mistake(
            "the sum so far has been multiplied by m_old / m_new. The maximum stands "
            "in the exponent: the factor is exp(m_old − m_new)",
            _first_tile_as_it_comes(_by_the_ratio),
        ),
        "by the difference": Mistake(
            "the sum so far has been multiplied by m_old − m_new, which is 0 or "
            "negative: the factor is e to the power of it",
            _first_tile_as_it_comes(_by_the_difference),
        ),
        "all rescaled": Mistake(
            "the new tile has been multiplied by exp(m_old − m_new) as well: its "
            "powers were made with the new maximum already. Shrink what was held, "
            "then add",
            _by(_rescaled_too_late),
        ),
        "from 0": Mistake(
            "the maximum begins too high, with 0 or so, and cannot become as small as "
            "the scores: in a row around −300 all powers are 0, and the logarithm of 0 "
            "is −∞. Begin with −∞, or with −1e9",
            _by(_rescaled, start=0.0),
        ),
        "a score too many": Mistake(
            "the sum begins with 1, and the maximum with 0: that is one score of 0 too "
            "many in each row. Begin with a sum of 0",
            _by(_rescaled, start=0.0, held=1.0),
        ),
        "one for all rows": Mistake(
            "one maximum has been taken for all rows: where a row lies far below it "
            "(here by 300) all its powers are 0. Each row has a maximum of its own, "
            "amax(-1)",
            _by(_one_for_all),
        ),
        "no maximum": Mistake(
            "right for small scores, but exp(300) is infinite and exp(−300) is 0: "
            "subtract the running maximum before exp",
            _by(_no_maximum, start=0.0),
        ),
        "the last tile alone": Mistake(
            "this is the last tile's number alone: the maximum or the sum of the tiles "
            "before it has not been kept from one round to the next",
            lambda scores, size: _log(
                *_rescaled(
                    torch.full_like(scores[:, 0], HIDDEN),
                    torch.zeros_like(scores[:, 0]),
                    scores.split(size, -1)[-1],
                )
            ),
        ),
        "the maximum not kept": Mistake(
            "the maximum is still −∞ at the end: m has not been set to the new one "
            "after each tile, m = m_new",
            _by(_not_kept),
        ),
        "by the old one": Mistake(
            "the old maximum has been subtracted from the new tile, −∞ from the first "
            "one: its powers are infinite. Find the new maximum first, and subtract it",
            _by(_by_the_old_one),
        ),
        "tile as it is": Mistake(
            "nothing has been subtracted from the new tile: what is held was made with "
            "the running maximum, so subtract it from the tile, too",
            _by(_tile_as_it_is),
        ),
        "mean in a tile": Mistake(
            "the powers of a tile have been averaged; add them up",
            _by(_averaged),
        ),
        "over all rows": Mistake(
            "the powers of all rows have been added up together: each row has a sum of "
            "its own, sum(-1)",
            _by(_over_all_rows),
        ),
        "short tile dropped": Mistake(
            "the last tile is missing where it is shorter than the others: "
            "scores.split(size, -1) has it, and so has range(0, keys, size)",
            _whole_tiles,
        ),
        "log forgotten": Mistake(
            "the maximum and the sum have been added; the sum's logarithm is wanted, "
            "m + ln l",
            _by(_rescaled, torch.add),
        ),
        "maximum forgotten": Mistake(
            "this is ln l alone: l was divided by e to the power of m, so add m again",
            _by(_rescaled, lambda m, total: total.log()),
        ),
        "maximum subtracted": Mistake(
            "m has been subtracted; l was divided by e to the power of m, so add it",
            _by(_rescaled, lambda m, total: total.log() - m),
        ),
        "in bits": Mistake(
            "the logarithm is log2; the natural one is wanted, since e is the base of "
            "the powers",
            _by(_rescaled, lambda m, total: m + total.log2()),
        ),
        "sum alone": Mistake(
            "this is the running sum l; m + ln l is wanted",
            _by(_rescaled, lambda m, total: total),
        ),
        "maximum alone": Mistake(
            "this is the row's maximum m; m + ln l is wanted",
            _by(_rescaled, lambda m, total: m),
        ),
        "mean of tiles": Mistake(
            "the tiles' own results have been averaged: powers add up, logarithms do "
            "not",
            _from_tiles(lambda each: each.mean(0)),
        ),
        "sum of tiles": Mistake(
            "the tiles' own results have been added up: powers add up, logarithms do "
            "not",
            _from_tiles(lambda each: each.sum(0)),
        ),
        "hidden as 0": Mistake(
            "a hidden score has been taken for a score of 0, and exp(0) is 1. It must "
            "add nothing: exp(−∞) is 0",
            partial(
                _in_one_tile,
                change=lambda scores: scores.masked_fill(scores == HIDDEN, 0.0),
            ),
        ),
    },
    hints=(
        "the sum so far is Σ exp(s − m_old). By what must it be multiplied to become "
        "Σ exp(s − m_new)?",
        "in each round: m_new = torch.maximum(m, tile.amax(-1)); then l = l · exp(m − "
        "m_new) + the tile's sum of exp(s − m_new); then m = m_new.",
        "what is m after a tile of −∞ alone, and what is m − m_new? Let m begin with "
        "−1e9, and no difference is NaN.",
    ),
    instead=("logsumexp",),
)
