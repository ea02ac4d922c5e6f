"""A layer of experts, as it runs and step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call

from qkv._checks import whole
from qkv.experts._checks import as_wide, at_most
from qkv.experts.capacity import kept, places
from qkv.experts.routing import balance_loss, gates
from qkv.layers import FeedForward, FeedForwardTrace
from qkv.trace import Place, step

Gates = Callable[[Tensor, int], tuple[Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class RoutingTrace:
    """The steps of a layer of experts: who is asked, what all would say, the sum.

    ``experts`` shows what every expert would say of every token, also of those that it
    never sees when the layer runs.
    """

    logits: Float[Tensor, "*batch token expert"] = step(
        "Score every expert",
        formula=r"s = W_g x",
        reads=("x",),
        owner="router",
    )
    probabilities: Float[Tensor, "*batch token expert"] = step(
        "Make probabilities of the scores",
        formula=r"p = \mathrm{softmax}(s)",
        reads=("logits",),
    )
    chosen: Int[Tensor, "*batch token choice"] = step(
        "Choose the best",
        formula=r"\mathrm{top}_k(s)",
        reads=("logits",),
    )
    weights: Float[Tensor, "*batch token choice"] = step(
        "Weigh the chosen; one without a place left weighs nothing",
        formula=r"g_i",
        reads=("probabilities", "chosen"),
    )
    experts: tuple[FeedForwardTrace, ...] = step(
        "What each expert would say",
        formula=r"E_i(x)",
        reads=("x",),
        owner="experts",
    )
    output: Float[Tensor, "*batch token d_model"] = step(
        "Add up what the chosen say, each by its weight",
        formula=r"y = \sum_{i \in \mathrm{top}_k} g_i E_i(x)",
        reads=("chosen", "weights", "experts"),
        place=Place(label="Experts", called="the layer of experts"),
    )


class MixtureOfExperts(nn.Module):
    r"""Let each token be worked on by the k of N feed-forward networks that fit it.

    .. math:: \mathrm{MoE}(x) = \sum_{i \in \mathrm{top}_k} g_i(x)\, E_i(x), \qquad
              g(x) = \mathrm{softmax}(W_g x)

    It maps d_model to d_model, token by token, and stands wherever a
    :class:`~qkv.layers.FeedForward` may stand:
    ``feed_forward=lambda: MixtureOfExperts(...)`` of a Transformer.

    Parameters
    ----------
    d_model, d_ff : the widths of a token, and of each expert.
    experts : how many there are, N.
    k : how many work on a token.
    balance : α, by which :meth:`auxiliary_loss` weighs :func:`balance_loss`.
        :func:`~qkv.training.fit` adds it to the loss.
    capacity : None, and every expert takes all tokens that choose it (*dropless*); or
        the capacity factor, and it has as many :func:`places`. Then what a token gets
        depends on the others in its batch.
    gate : chooses and weighs; called as ``gate(logits, k)``, it returns what
        :func:`gates` does. ``partial(gates, renormalise=True)`` is Mixtral's.

    Raises
    ------
    ValueError
        If a size is below 1, k is above ``experts``, ``balance`` is below 0 or not
        finite, ``capacity`` is not above 0, or x has another d_model.
    TypeError
        If a size is not whole, or x is no tensor, or holds another kind of numbers than
        the weights.
    FloatingPointError
        If x is such that a router's score is NaN or infinite.

    Notes
    -----
    Shazeer et al. (2017), equation 1; for k = 1 Fedus et al. (2022), equation 2. The
    router has no bias.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> layer = MixtureOfExperts(d_model=6, d_ff=8, experts=4, k=2)
    >>> x = torch.randn(3, 5, 6)
    >>> layer(x).shape, layer.trace(x).weights.shape
    (torch.Size([3, 5, 6]), torch.Size([3, 5, 2]))
    >>> torch.allclose(layer(x), layer.trace(x).output, atol=1e-6)
    True
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        experts: int,
        k: int = 1,
        *,
        balance: float = 0.01,
        capacity: float | None = None,
        gate: Gates = gates,
    ):
        """Make the router and the experts."""
        super().__init__()
        sizes = whole(1, d_model=d_model, d_ff=d_ff, experts=experts, k=k)
        d_model, d_ff, experts, k = sizes.values()
        _check_settings(experts, k, balance, capacity)
        self.k, self.balance, self.capacity = k, balance, capacity
        self.gate = gate
        self.router = nn.Linear(d_model, experts, bias=False)
        made = nn.ModuleList(FeedForward(d_model, d_ff) for _ in range(experts))
        # a list of modules does not say of which kind they are
        self.experts = cast(Sequence[FeedForward], made)

    def forward(
        self, x: Float[Tensor, "*batch token d_model"]
    ) -> Float[Tensor, "*batch token d_model"]:
        """Let each expert work on its own tokens alone, and add up what they say."""
        weights, chosen = self._route(self._logits(x), self.gate)
        numbers = chosen.flatten()
        order = numbers.argsort(stable=True)  # each expert has its tokens in a row
        token = order // self.k
        counts = numbers.bincount(minlength=len(self.experts)).tolist()
        tokens = x.flatten(0, -2)
        parts = tokens.index_select(0, token).split(counts)
        said = torch.cat([E(part) for E, part in zip(self.experts, parts, strict=True)])
        gate = weights.flatten().index_select(0, order)
        weighed = gate[:, None] * said  # under autocast of other numbers than x
        output = weighed.new_zeros(tokens.shape).index_add_(0, token, weighed)
        return output.view(x.shape)

    def trace(self, x: Float[Tensor, "*batch token d_model"]) -> RoutingTrace:
        """Return the steps of :meth:`forward`, with what all experts would say.

        A gate that learns from its calls, as :class:`~qkv.experts.RoutingBias` does,
        learns nothing from this one.
        """
        logits = self._logits(x)
        weights, chosen = self._route(logits, _looked_at(self.gate))
        traces = tuple(expert.trace(x) for expert in self.experts)
        said = torch.stack([trace.output for trace in traces], -2)
        of_chosen = said.take_along_dim(chosen[..., None], -2)
        output = (weights[..., None] * of_chosen).sum(-2)
        probabilities = logits.softmax(-1)
        return RoutingTrace(logits, probabilities, chosen, weights, traces, output)

    def auxiliary_loss(
        self, x: Float[Tensor, "*batch token d_model"]
    ) -> Float[Tensor, ""]:
        """Return α times the :func:`balance_loss` of the tokens in ``x``."""
        if not self.balance:
            as_wide(x, self.router.weight)
            return x.new_zeros(())
        logits = self._logits(x)
        _, chosen = self.gate(logits, self.k)
        return self.balance * balance_loss(logits.softmax(-1), chosen)

    def _logits(self, x: Tensor) -> Tensor:
        as_wide(x, self.router.weight)
        return self.router(x)

    def _route(self, logits: Tensor, gate: Gates) -> tuple[Tensor, Tensor]:
        weights, chosen = gate(logits, self.k)
        if self.capacity is None or not chosen.numel():
            return weights, chosen
        experts, tokens = logits.shape[-1], chosen.numel() // self.k
        room = places(tokens, experts, self.k, capacity=self.capacity)
        return weights * kept(chosen, experts, room), chosen

    def extra_repr(self) -> str:
        """Say how many experts work on a token, and how they are kept busy."""
        capacity = "dropless" if self.capacity is None else f"capacity={self.capacity}"
        return f"k={self.k}, balance={self.balance}, {capacity}"


def _looked_at(gate: Gates) -> Gates:
    """Return the gate on copies of its buffers, so that a call leaves it as it is."""
    if not isinstance(gate, nn.Module):
        return gate
    copies = {name: buffer.clone() for name, buffer in gate.named_buffers()}
    return lambda logits, k: functional_call(gate, copies, (logits, k))


def _check_settings(
    experts: int, k: int, balance: float, capacity: float | None
) -> None:
    at_most(k, experts, "there are experts =")
    if not 0 <= balance < float("inf"):
        raise ValueError(
            f"balance is {balance}, but is a weight of the loss, 0 or above; 0.01 is "
            "usual"
        )
    if capacity is not None:
        places(1, experts, k, capacity=capacity)
