"""Training in the page: one head learns to look for a name, with √d_k or without."""

import math
from typing import Any

import torch
import traitlets
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam

from qkv._checks import whole
from qkv.attention import AttentionTrace, attend
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import listed, number
from qkv.widgets.shared.html import named, page, table
from qkv.widgets.shared.uniforms import uniforms

__all__ = ["LearnToLook"]

PAIRS, BATCH, EXAM = 8, 32, 200
MOST_SEED = 999
"""The largest seed of weights and data."""
_STEPS, _EVERY = 150, 5
_D_MODEL, _D_K, _RATE = 32, 64, 0.005
_DRAWERS = 10
# fmt: off
_NAMES = [
    "Ada", "Amy", "Ben", "Bo", "Cai", "Cem", "Dan", "Dov", "Eli", "Eve", "Fay",
    "Flo", "Gil", "Hal", "Ida", "Jin", "Jo", "Kim", "Lee", "Min", "Ned", "Ola",
    "Pia", "Ray", "Sue", "Tom", "Uma", "Vic", "Wes", "Xia", "Yun", "Zoe",
]
# fmt: on
_BLANK = len(_NAMES)  # the row of the table that stands for "which drawer?"


class LearnToLook(Widget):
    r"""A small model that learns associative recall in the page, before one's eyes.

    Eight pairs are given, each a name and its drawer, then a name is asked for. One
    head of attention looks for it,

    .. math:: o = \sum_j \alpha_j v_j, \qquad
              \alpha = \mathrm{softmax}_j\, \frac{q \cdot k_j}{\sqrt{d_k}},

    and a matrix reads the drawer from o. The reader trains it, with the division or
    without, and with other d_k, learning rates and seeds, and sees the loss, the share
    of right answers and the weights. Forward, backward and Adam run in the page; no
    kernel is needed. Two runs are stored, with the division and without, so that there
    is something to see before a button is pressed, and on paper.

    Parameters
    ----------
    seed : of the weights and of the data, 0 to 999.

    Raises
    ------
    ValueError
        If the seed is another number.
    TypeError
        If it is not a whole one.

    Notes
    -----
    32 names, 10 drawers, d_model = 32, batches of 32 fresh questions, Adam. The stored
    runs are trained by torch when the widget is made, in double precision.

    Examples
    --------
    >>> LearnToLook().runs[0]["settings"]
    {'scaled': True, 'd_k': 64, 'rate': 0.005, 'seed': 0}
    """

    _esm = module("learn_to_look")
    scaled = traitlets.Bool(True).tag(sync=True)
    d_k = traitlets.Int(_D_K).tag(sync=True)
    rate = traitlets.Float(_RATE).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    names = traitlets.List().tag(sync=True)
    runs = traitlets.List().tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)

    def __init__(self, *, seed: int = 0):
        if not 0 <= seed <= MOST_SEED:
            raise ValueError(f"seed={seed} must lie in 0 to {MOST_SEED}")
        seed = whole(0, seed=seed)["seed"]
        runs = [run(scaled=scaled, seed=seed) for scaled in (True, False)]
        super().__init__(
            seed=seed, names=_NAMES, runs=runs, frame=len(runs[0]["frames"]) - 1
        )
        divided, plain = (made["frames"] for made in runs)
        self.alt = (
            f"A head that learns to find a name among {PAIRS} pairs, dₖ = {_D_K}. "
            f"Before the first step the scores of a question spread by "
            f"{divided[0]['spread']:.1f} if they are divided by √dₖ, and by "
            f"{plain[0]['spread']:.1f} if not; the largest of {PAIRS} weights is "
            f"{divided[0]['peak']:.2f} and {plain[0]['peak']:.2f}. After 50 steps "
            f"{divided[10]['right']:.2f} of the answers are right if divided, "
            f"{plain[10]['right']:.2f} if not."
        )

    def fallback(self) -> str:
        """Return how many answers are right, and the largest weight, step by step."""
        divided, plain = (made["frames"] for made in self.runs)
        rows = range(0, len(divided), 5)
        values = [
            [made[i][what] for what in ("right", "peak") for made in (divided, plain)]
            for i in rows
        ]
        heads = [
            f"{what}, {how}"
            for what in ("right", "largest weight")
            for how in ("divided", "not divided")
        ]
        steps = [named(f"step {divided[i]['step']}") for i in rows]
        return page(self.alt, table(values, steps, [named(head) for head in heads]))


# The front end's training.js does the same, by hand. Tests hold both equal.


def draw(seed: int, start: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return questions: names and drawers, "batch key", and who is asked, "batch".

    Examples
    --------
    >>> names, drawers, asked = draw(1, 0, 5)
    >>> names.shape, asked.shape
    (torch.Size([5, 8]), torch.Size([5]))
    """
    per = 2 * PAIRS + 1
    u = uniforms(seed, start * per, count * per).view(count, per)
    order = torch.arange(len(_NAMES)).repeat(count, 1)
    row = torch.arange(count)
    for j in range(PAIRS):
        other = j + (u[:, j] * (len(_NAMES) - j)).long()
        order[row, j], order[row, other] = order[row, other], order[row, j]
    drawers = (u[:, PAIRS : 2 * PAIRS] * _DRAWERS).long()
    return order[:, :PAIRS], drawers, (u[:, -1] * PAIRS).long()


def begin(d_k: int, seed: int) -> dict[str, Tensor]:
    """Return what is learnt, before the first step.

    Examples
    --------
    >>> sum(p.numel() for p in begin(32, seed=0).values())
    4768
    """
    rows = len(_NAMES) + 1 + _DRAWERS
    shapes = {"query": d_k, "key": d_k, "value": _D_MODEL, "output": _DRAWERS}
    pairs = uniforms(seed, 0, rows * _D_MODEL).view(-1, 2)
    size, turn = (-2 * pairs[:, 0].log()).sqrt(), 2 * math.pi * pairs[:, 1]
    table = torch.stack([size * turn.cos(), size * turn.sin()], -1)
    made, at = {"table": table.reshape(rows, _D_MODEL)}, rows * _D_MODEL
    for name, outs in shapes.items():
        u = uniforms(seed, at, outs * _D_MODEL)
        made[name] = ((2 * u - 1) * _D_MODEL**-0.5).view(outs, _D_MODEL)
        at += u.numel()
    return {name: value.requires_grad_() for name, value in made.items()}


def answer(
    learnt: dict[str, Tensor],
    names: Int[Tensor, "*batch key"],
    drawers: Int[Tensor, "*batch key"],
    asked: Int[Tensor, "*batch query"],
    *,
    scaled: bool,
) -> tuple[AttentionTrace, Float[Tensor, "*batch query vocab"]]:
    """Return the attention to the pairs, and the logits of each drawer.

    Examples
    --------
    >>> names, drawers, asked = draw(1, 0, 5)
    >>> learnt = begin(16, seed=0)
    >>> trace, logits = answer(learnt, names, drawers, asked[:, None], scaled=True)
    >>> trace.weights.shape, logits.shape
    (torch.Size([5, 1, 8]), torch.Size([5, 1, 10]))
    """
    table = learnt["table"]
    x = table[names] + table[_BLANK + 1 + drawers]
    q = (table[names.gather(-1, asked)] + table[_BLANK]) @ learnt["query"].T
    k, v = x @ learnt["key"].T, x @ learnt["value"].T
    scores = q @ k.mT / (q.shape[-1] ** 0.5 if scaled else 1.0)
    trace = attend(scores, v)
    return trace, trace.context @ learnt["output"].T


def loss_of(
    learnt: dict[str, Tensor], questions: tuple[Tensor, ...], *, scaled: bool
) -> Float[Tensor, ""]:
    """Return the mean loss of a batch of questions: near ln 10 before the first step.

    Examples
    --------
    >>> bool(loss_of(begin(16, seed=0), draw(1, 0, 500), scaled=True) < 2.5)
    True
    """
    names, drawers, asked = questions
    _, logits = answer(learnt, names, drawers, asked[:, None], scaled=scaled)
    target = drawers.gather(1, asked[:, None])[:, 0]
    return F.cross_entropy(logits[:, 0], target)


def run(
    *,
    scaled: bool,
    seed: int = 0,
    d_k: int = _D_K,
    rate: float = _RATE,
    steps: int = _STEPS,
) -> dict[str, Any]:
    """Train, and return what the front end shows of it.

    Examples
    --------
    >>> run(scaled=True, steps=5)["frames"][0]["step"]
    0
    """
    learnt = begin(d_k, 3 * seed)
    exam = draw(3 * seed + 2, 0, EXAM)
    optimizer = Adam(learnt.values(), lr=rate)
    losses, before = [], None
    frames = [_frame(0, learnt, exam, before, scaled=scaled)]
    for at in range(1, steps + 1):
        if at % _EVERY == 0:
            before = _exam_scores(learnt, exam, scaled=scaled)
        batch = draw(3 * seed + 1, (at - 1) * BATCH, BATCH)
        optimizer.zero_grad()
        loss = loss_of(learnt, batch, scaled=scaled)
        loss.backward()
        optimizer.step()
        losses.append(number(float(loss.detach())))
        if at % _EVERY == 0:
            frames.append(_frame(at, learnt, exam, before, scaled=scaled))
    names, drawers, _ = exam
    return {
        "settings": {"scaled": scaled, "d_k": d_k, "rate": rate, "seed": seed},
        "losses": losses,
        "frames": frames,
        "names": names[0].tolist(),
        "drawers": drawers[0].tolist(),
    }


@torch.no_grad()
def _exam_scores(
    learnt: dict[str, Tensor], exam: tuple[Tensor, ...], *, scaled: bool
) -> Tensor:
    names, drawers, asked = exam
    return answer(learnt, names, drawers, asked[:, None], scaled=scaled)[0].scores


@torch.no_grad()
def _frame(
    at: int,
    learnt: dict[str, Tensor],
    exam: tuple[Tensor, ...],
    before: Tensor | None,
    *,
    scaled: bool,
) -> dict[str, Any]:
    """Return what can be seen after a step, in means over the exam."""
    names, drawers, asked = exam
    trace, logits = answer(learnt, names, drawers, asked[:, None], scaled=scaled)
    target = drawers.gather(1, asked[:, None])
    hit = trace.weights[:, 0].gather(1, asked[:, None])
    every = torch.arange(PAIRS)[None]
    shown, said = answer(learnt, names[:1], drawers[:1], every, scaled=scaled)
    move = 0.0 if before is None else (trace.scores - before).abs().mean()
    values = {
        "right": (logits.argmax(-1) == target).double().mean(),
        "hit": hit.mean(),
        "peak": trace.weights.amax(-1).mean(),
        "spread": trace.scores.std(-1, correction=0).mean(),
        "slope": (hit * (1 - hit)).mean(),
        "move": move,
    }
    return {
        "step": at,
        **{name: number(float(value)) for name, value in values.items()},
        "map": listed(shown.weights[0], 2),
        "says": said[0].argmax(-1).tolist(),
    }
