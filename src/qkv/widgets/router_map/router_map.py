"""A router's rows while they learn: which expert takes which token of a plane."""

from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv._checks import whole
from qkv.experts import balance_loss, gates, kept, loads, places, purity
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import listed
from qkv.widgets.shared.html import page

__all__ = ["RouterMap"]

MOST_TOKENS, MOST_TOPICS, MOST_EXPERTS, MOST_STEPS = 256, 4, 8, 40
CAPACITIES = (None, 1.0, 1.25, 1.5, 2.0)
"""The capacity factors that can be chosen; with None every expert takes all."""

FAR = 10.0
"""How far from the middle the reader's own token may be, each way."""

_DIGITS = 7  # of a router's rows: what follows from them is right to a millionth


class RouterMap(Widget):
    r"""A plane of tokens, and which expert takes each while the router learns.

    .. math:: p = \mathrm{softmax}(W_g x), \qquad
              g_i = p_i \text{ for the } k \text{ largest, and } 0 \text{ for the rest}

    Each row of the router is an arrow, and each expert has the region where its logit
    is the largest. ← and → go through what was recorded of a training; beside the plane
    stand the loads, with 1/N and the places of a capacity factor, and one token's way
    through logits, softmax, top-k and weight. The reader chooses the run, k, the factor
    and the token, and puts one of their own into the plane; all is computed in the page.

    Parameters
    ----------
    tokens : "token 2", what the router reads, 256 at most. They are drawn, and counted.
    topics : the true topic of each token, 0 to 3.
    runs : {name: {step: router}}: for each run the router's matrix, "expert 2", at each
        recorded step of its training, such as ``layer.router.weight``. All runs have
        the same steps and as many experts, 2 to 8.
    renormalised : names of the runs whose weights are divided by their sum. With k = 1
        that makes each weight 1, and the router learns nothing from the error.
    run : the name of the run that it opens with; the first if not given. It opens at
        the last step.

    Raises
    ------
    ValueError
        If tokens, topics and routers do not fit each other, or there are too many to be
        drawn; if runs differ in their steps; or if ``renormalised`` or ``run`` names a
        run that there is not.
    TypeError
        If ``runs`` is no dict of dicts.

    Notes
    -----
    Choices, weights, places, loads, balancing loss and purity are those of
    :mod:`qkv.experts`. The reader's token comes after all others, and counts in no sum.
    In JupyterLab the traits follow the reader: ``view.step``, ``view.own``. Experts,
    topics and tokens are counted from 1 in the picture, and from 0 in the traits.

    Examples
    --------
    >>> tokens, topics = [[2, 0], [2, 1], [-2, 0], [0, -2]], [0, 0, 1, 1]
    >>> learnt = {0: [[1, 1], [0, 1]], 9: [[2, 0], [-1, -1]]}
    >>> RouterMap(tokens, topics, {"balanced": learnt})
    A router of 2 experts for 4 tokens of 2 topics, run “balanced” after 9 steps, k = 1: loads 0.50 and 0.50, purity 1.00, balancing loss 1.00. Token 1 of topic 1 goes to expert 1 (0.998).
    """  # noqa: E501

    _esm = module("router_map")
    tokens = traitlets.List().tag(sync=True)
    topics = traitlets.List().tag(sync=True)
    steps = traitlets.List().tag(sync=True)
    runs = traitlets.List().tag(sync=True)
    busiest = traitlets.List().tag(sync=True)
    run = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    k = traitlets.Int(1).tag(sync=True)
    capacity = traitlets.Float(None, allow_none=True).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)
    own = traitlets.List([1.0, 0.5]).tag(sync=True)
    part = traitlets.Int(3).tag(sync=True)

    def __init__(
        self,
        tokens: Tensor | Sequence[Sequence[float | int]],
        topics: Tensor | Sequence[int],
        runs: Mapping[str, Any],
        *,
        renormalised: Collection[str] = (),
        run: str | None = None,
    ):
        points = _plane("tokens", tokens, "token", 1, MOST_TOKENS)
        truth = _topics(topics, len(points))
        steps = _steps(runs)
        _known(runs, renormalised, run)
        routers = {
            name: [
                _plane(f"runs[{name!r}][{n}]", recorded[n], "expert", 2, MOST_EXPERTS)
                for n in steps
            ]
            for name, recorded in runs.items()
        }
        _as_many(routers)
        super().__init__(
            tokens=listed(points),
            topics=truth,
            steps=steps,
            runs=[
                {
                    "name": name,
                    "renormalised": name in renormalised,
                    "gates": [listed(router, _DIGITS) for router in recorded],
                }
                for name, recorded in routers.items()
            ],
            busiest=[_busiest(points, routers, k) for k in (1, 2)],
            run=list(runs).index(run) if run is not None else 0,
            step=len(steps) - 1,
        )
        self._say()

    @traitlets.validate("run", "step", "token", "part")
    def _there(self, proposal: Any) -> int:
        name, index = proposal["trait"].name, proposal["value"]
        low = -1 if name == "token" else 0
        sizes = {"run": self.runs, "step": self.steps, "token": self.tokens}
        size = len(sizes[name]) if name in sizes else 4
        if not low <= index < size:
            raise ValueError(f"{name} is {index}, but is to be {low} to {size - 1}")
        return index

    @traitlets.validate("k")
    def _one_or_two(self, proposal: Any) -> int:
        if proposal["value"] not in (1, 2):
            raise ValueError(f"k is {proposal['value']}, but a RouterMap shows 1 and 2")
        return proposal["value"]

    @traitlets.validate("capacity")
    def _offered(self, proposal: Any) -> float | None:
        if proposal["value"] not in CAPACITIES:
            known = ", ".join(str(c) for c in CAPACITIES)
            raise ValueError(
                f"capacity is {proposal['value']}, but a RouterMap has {known}"
            )
        return proposal["value"]

    @traitlets.validate("own")
    def _in_sight(self, proposal: Any) -> list[float]:
        own = proposal["value"]
        if len(own) != 2 or not all(-FAR <= x <= FAR for x in own):
            raise ValueError(
                f"own is {own}, but is to be two numbers of −{FAR:g} to {FAR:g}"
            )
        return own

    @traitlets.observe("run", "step", "k", "capacity", "token", "own")
    def _say(self, _: Any = None) -> None:
        """Say what the router does now."""
        run, step = self.runs[self.run], self.steps[self.step]
        n_experts, n_topics = len(run["gates"][0]), len(set(self.topics))
        many = "1 topic" if n_topics == 1 else f"{n_topics} topics"
        when = f"after {step} steps" if step else "before training"
        self.alt = (
            f"A router of {n_experts} experts for {len(self.tokens)} tokens of {many}, "
            f"run “{run['name']}” {when}, k = {self.k}: {self._sums()}{self._places()} "
            f"{self._one()}"
        )

    def _routes(
        self, points: list, run: int | None = None, step: int | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return probabilities, chosen experts and weights of some tokens."""
        made = self.runs[self.run if run is None else run]
        rows = _exact(made["gates"][self.step if step is None else step])
        logits = _exact(points) @ rows.mT
        weights, chosen = gates(logits, self.k)
        if made["renormalised"]:
            weights = weights / weights.sum(-1, keepdim=True)
        return logits.softmax(-1), chosen, weights

    def _sums(self, run: int | None = None, step: int | None = None) -> str:
        probabilities, chosen, _ = self._routes(self.tokens, run, step)
        shares = [_two(f) for f in loads(chosen, probabilities.shape[1]).tolist()]
        pure = purity(chosen[:, 0], torch.tensor(self.topics))
        balance = balance_loss(probabilities, chosen).item()
        return (
            f"loads {', '.join(shares[:-1])} and {shares[-1]}, purity {_two(pure)}, "
            f"balancing loss {_two(balance)}."
        )

    def _room(self, experts: int) -> int:
        if self.capacity is None:
            return len(self.tokens)
        return places(len(self.tokens), experts, self.k, capacity=self.capacity)

    def _places(self) -> str:
        if self.capacity is None:
            return ""
        probabilities, chosen, _ = self._routes(self.tokens)
        experts = probabilities.shape[1]
        lost = (~kept(chosen, experts, self._room(experts))).sum().item()
        return f" With {self._room(experts)} places an expert, {lost} are dropped."

    def _one(self) -> str:
        """Say where the token that is followed goes, and with which weights."""
        mine = self.token < 0
        point = self.own if mine else self.tokens[self.token]
        _, chosen, weights = self._routes([point])
        who = (
            "The reader's token"
            if mine
            else (f"Token {self.token + 1} of topic {self.topics[self.token] + 1}")
        )
        to = " and ".join(
            f"expert {i + 1} ({weight:.3f})"
            for i, weight in zip(chosen[0].tolist(), weights[0].tolist(), strict=True)
        )
        return f"{who} goes to {to}."

    def fallback(self) -> str:
        """Return what each run was at its first, its middle and its last step."""
        last = len(self.steps) - 1
        shown = sorted({0, last // 2, last})
        rows = "".join(
            f'<tr><th scope="row">{escape(run["name"])}</th><td>{self.steps[step]}</td>'
            f"<td>{self._sums(number, step)}</td></tr>"
            for number, run in enumerate(self.runs)
            for step in shown
        )
        heads = "".join(f'<th scope="col">{h}</th>' for h in ("run", "step", "experts"))
        body = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        return page(self.alt, body)


def _two(x: float) -> str:
    """Return two decimals, half of one rounded up as JavaScript does."""
    return f"{x + 1e-9:.2f}"


def _exact(rows: list) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _plane(name: str, given: Any, axis: str, least: int, most: int) -> Tensor:
    """Return points of the plane, one a row."""
    rows = torch.as_tensor(given).detach().cpu().double()
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(
            f"{name} has shape {tuple(rows.shape)}, but is to have {axis} × 2: a "
            "RouterMap draws tokens of two numbers, and a router without a bias that "
            "reads them"
        )
    if not least <= len(rows) <= most:
        raise ValueError(
            f"{name} has {axis} = {len(rows)}, but a RouterMap draws {least} to {most}"
        )
    if not rows.isfinite().all():
        raise ValueError(f"{name} has a number that is NaN or infinite; look for where")
    return rows


def _topics(given: Any, tokens: int) -> list[int]:
    topics = torch.as_tensor(given)
    if topics.shape != (tokens,):
        raise ValueError(
            f"topics has shape {tuple(topics.shape)}, but there are {tokens} tokens; "
            "give one topic for each"
        )
    if (
        topics.is_floating_point()
        or not 0 <= topics.min() <= topics.max() < MOST_TOPICS
    ):
        raise ValueError(
            f"topics are to be whole numbers of 0 to {MOST_TOPICS - 1}, not "
            f"{sorted(set(topics.tolist()))}"
        )
    return topics.tolist()


def _steps(runs: Any) -> list[int]:
    """Return the steps that all runs were recorded at."""
    if not isinstance(runs, Mapping) or not all(
        isinstance(recorded, Mapping) for recorded in runs.values()
    ):
        raise TypeError(
            "runs is to be a dict of dicts, the router's matrix for each step of each "
            "run: {'balanced': {0: layer.router.weight, 50: ...}}"
        )
    if not runs:
        raise ValueError("runs is empty; give at least one, with a router a step")
    (first, recorded), *others = runs.items()
    steps = sorted(whole(0, step=step)["step"] for step in recorded)
    if not 1 <= len(steps) <= MOST_STEPS:
        raise ValueError(
            f"run {first!r} has {len(steps)} recorded steps, but a RouterMap goes "
            f"through 1 to {MOST_STEPS}; record less often"
        )
    for name, other in others:
        if sorted(other) != steps:
            raise ValueError(
                f"run {name!r} was recorded at steps {sorted(other)}, but {first!r} at "
                f"{steps}; record all runs at the same steps"
            )
    return steps


def _known(runs: Mapping, renormalised: Collection[str], run: str | None) -> None:
    if isinstance(renormalised, str):
        raise ValueError(
            f"renormalised is the text {renormalised!r}; give a list of names"
        )
    asked = {"renormalised": renormalised, "run": [] if run is None else [run]}
    for what, names in asked.items():
        for name in names:
            if name not in runs:
                raise ValueError(
                    f"{what} names {name!r}, but the runs are "
                    f"{', '.join(map(repr, runs))}"
                )


def _busiest(points: Tensor, routers: Mapping[str, list[Tensor]], k: int) -> int:
    """Return the most tokens that an expert ever gets: the length of the bars."""
    every = [router for recorded in routers.values() for router in recorded]
    chosen = [gates(points @ router.mT, k)[1] for router in every]
    return max(int(each.flatten().bincount().max()) for each in chosen)


def _as_many(routers: Mapping[str, list[Tensor]]) -> None:
    sizes = {name: {len(router) for router in all_} for name, all_ in routers.items()}
    if len(set().union(*sizes.values())) > 1:
        said = ", ".join(f"{name!r} {sorted(each)}" for name, each in sizes.items())
        raise ValueError(
            f"the runs differ in their number of experts: {said}; give as many to each"
        )
