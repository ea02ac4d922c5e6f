r"""Layers: what stands between the attentions of a Transformer.

:class:`LayerNorm` brings every token to the same scale, :class:`FeedForward` works on
every token alone, and :func:`residual` adds what a sub-layer says to what it was told.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import (
    axes_at_least,
    indices,
    like_the_weights,
    one_of,
    whole,
)
from qkv.trace import given, step

# What stands between the two layers of a feed-forward network, by name.
ACTIVATIONS = {"relu": torch.relu, "gelu": F.gelu}


@dataclass(frozen=True, eq=False)
class LayerNormTrace:
    """The steps of layer normalisation, and the scale and shift that were learned."""

    gain: Float[Tensor, " d_model"] = given()
    shift: Float[Tensor, " d_model"] = given()
    mean: Float[Tensor, "*batch token 1"] = step(
        "The mean of each token's features",
        formula=r"\mu = \frac{1}{d} \sum_i x_i",
        reads=("x",),
        by=("mean", "x"),
    )
    variance: Float[Tensor, "*batch token 1"] = step(
        "How far they lie from it",
        formula=r"\sigma^2 = \frac{1}{d} \sum_i (x_i - \mu)^2",
        reads=("x", "mean"),
        by=("variance", "x"),
    )
    normalised: Float[Tensor, "*batch token d_model"] = step(
        "Bring them to mean 0 and variance 1",
        formula=r"\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}",
        reads=("x", "mean", "variance"),
        by=("normal", "x"),
    )
    output: Float[Tensor, "*batch token d_model"] = step(
        "Scale and shift each feature as learned",
        formula=r"y = \gamma \odot \hat x + \beta",
        reads=("normalised",),
        by=("scale", "normalised", "gain", "shift"),
    )


class LayerNorm(nn.Module):
    r"""Bring each token's features to mean 0 and variance 1, then scale and shift them.

    .. math:: \mu = \frac{1}{d} \sum_i x_i, \qquad
              \sigma^2 = \frac{1}{d} \sum_i (x_i - \mu)^2, \qquad
              y = \gamma \odot \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta

    The mean is over the features of one token, never over tokens or sentences, so that
    a sentence is the same in any batch. The variance is divided by d, not by d - 1.
    γ is ``weight`` and β is ``bias``, as in ``torch.nn.LayerNorm``.

    Raises
    ------
    ValueError
        If x has another d_model than the layer, or d_model is below 1.
    TypeError
        If x is no tensor, or holds another kind of numbers than the weights.

    Notes
    -----
    Ba et al. (2016), equations 3 and 4, with g and b for γ and β; ε, inside the root,
    keeps a token of equal features from a division by zero.

    Examples
    --------
    >>> LayerNorm(4)(torch.tensor([[1.0, 1.0, 3.0, 3.0]]))
    tensor([[-1.0000, -1.0000,  1.0000,  1.0000]], grad_fn=<NativeLayerNormBackward0>)
    """

    def __init__(self, d_model: int, eps: float = 1e-5):
        """Make a scale of ones and a shift of zeros."""
        super().__init__()
        whole(1, d_model=d_model)
        self.d_model, self.eps = d_model, eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(
        self, x: Float[Tensor, "*batch token d_model"]
    ) -> Float[Tensor, "*batch token d_model"]:
        """Normalise, in one fused kernel."""
        _fitting("layer norm", self.weight, x)
        return F.layer_norm(x, (self.d_model,), self.weight, self.bias, self.eps)

    def trace(self, x: Float[Tensor, "*batch token d_model"]) -> LayerNormTrace:
        """Return the steps of :meth:`forward`, one by one."""
        _fitting("layer norm", self.weight, x)
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        normalised = (x - mean) / torch.sqrt(variance + self.eps)
        output = self.weight * normalised + self.bias
        return LayerNormTrace(
            gain=self.weight,
            shift=self.bias,
            mean=mean,
            variance=variance,
            normalised=normalised,
            output=output,
        )

    def advancing(self) -> Callable[[Tensor], Tensor]:
        """Return what a call does, its weights looked up once for many tokens."""
        shape, weight, bias, eps = (self.d_model,), self.weight, self.bias, self.eps
        return lambda x: torch.layer_norm(x, shape, weight, bias, eps)

    def extra_repr(self) -> str:
        """Say the size and ε."""
        return f"{self.d_model}, eps={self.eps}"


@dataclass(frozen=True, eq=False)
class FeedForwardTrace:
    """The steps of a position-wise feed-forward network."""

    hidden: Float[Tensor, "*batch token d_ff"] = step(
        "Ask d_ff questions of each token",
        formula=r"h = x W_1 + b_1",
        reads=("x",),
        owner="linear1",
    )
    activated: Float[Tensor, "*batch token d_ff"] = step(
        "Keep what answers yes",
        formula=r"a = \max(0, h)",
        reads=("hidden",),
        by=("relu", "hidden"),
    )
    output: Float[Tensor, "*batch token d_model"] = step(
        "Write what follows from it",
        formula=r"y = a W_2 + b_2",
        reads=("activated",),
        owner="linear2",
    )


@dataclass(frozen=True, eq=False)
class GeluFeedForwardTrace(FeedForwardTrace):
    """The steps of a position-wise feed-forward network with GELU."""

    activated: Float[Tensor, "*batch token d_ff"] = step(
        "Keep what answers yes",
        formula=r"a = h\,\Phi(h)",
        reads=("hidden",),
    )


class FeedForward(nn.Module):
    r"""Work on every token alone: to a width of d_ff, and back, the same for all.

    .. math:: \mathrm{FFN}(x) = \max(0, x W_1 + b_1)\, W_2 + b_2

    With the activation "gelu", :math:`h\,\Phi(h)` stands for :math:`\max(0, h)`, where
    Φ is the distribution function of the standard normal distribution.

    Raises
    ------
    ValueError
        If x has another d_model than the network, a width is below 1, or there is no
        such activation.
    TypeError
        If x is no tensor, or holds another kind of numbers than the weights.

    Notes
    -----
    Vaswani et al. (2017), equation 2; Hendrycks and Gimpel (2016) for the other.

    Examples
    --------
    >>> network = FeedForward(d_model=3, d_ff=3)
    >>> for layer in (network.linear1, network.linear2):
    ...     _ = nn.init.eye_(layer.weight), nn.init.zeros_(layer.bias)
    >>> x = torch.tensor([[-1.0, 0.0, 1.0]])
    >>> network(x).tolist(), network.trace(x).hidden.tolist()
    ([[0.0, 0.0, 1.0]], [[-1.0, 0.0, 1.0]])
    """

    def __init__(self, d_model: int, d_ff: int, activation: str = "relu"):
        """Make the layer up and the layer down."""
        super().__init__()
        whole(1, d_model=d_model, d_ff=d_ff)
        one_of("activation", activation, ACTIVATIONS, who="the layers know")
        self.activation = activation
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)

    def forward(
        self, x: Float[Tensor, "*batch token d_model"]
    ) -> Float[Tensor, "*batch token d_model"]:
        """Apply both linear layers to every token on its own."""
        _fitting("feed-forward network", self.linear1.weight, x)
        return self.linear2(ACTIVATIONS[self.activation](self.linear1(x)))

    def trace(self, x: Float[Tensor, "*batch token d_model"]) -> FeedForwardTrace:
        """Return the steps of :meth:`forward`, one by one."""
        _fitting("feed-forward network", self.linear1.weight, x)
        hidden = self.linear1(x)
        activated = ACTIVATIONS[self.activation](hidden)
        kind = GeluFeedForwardTrace if self.activation == "gelu" else FeedForwardTrace
        return kind(hidden, activated, self.linear2(activated))

    def advancing(self) -> Callable[[Tensor], Tensor]:
        """Return what a call does, its weights looked up once for many tokens."""
        activate = ACTIVATIONS[self.activation]
        W1, b1 = self.linear1.weight, self.linear1.bias
        W2, b2 = self.linear2.weight, self.linear2.bias
        return lambda x: F.linear(activate(F.linear(x, W1, b1)), W2, b2)

    def extra_repr(self) -> str:
        """Say the activation."""
        return f"activation={self.activation!r}"


def residual(
    x: Float[Tensor, "*batch token d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    norm_first: bool,
) -> Float[Tensor, "*batch token d_model"]:
    r"""Add a sub-layer's output to its input, and normalise: a residual connection.

    .. math:: \text{pre-norm: } x + f(\mathrm{LN}(x)), \qquad
              \text{post-norm: } \mathrm{LN}(x + f(x))

    In pre-norm x itself goes by untouched, from the first layer to the last, and so
    does its gradient back; in post-norm every layer normalises it anew.

    Notes
    -----
    Post-norm is Vaswani et al. (2017), section 3.1; pre-norm and why it trains without
    a warm-up, Xiong et al. (2020).

    Examples
    --------
    >>> x, halve = torch.tensor([[2.0, 4.0]]), lambda x: x / 2
    >>> residual(x, torch.neg, halve, norm_first=True)
    tensor([[1., 2.]])
    >>> residual(x, torch.neg, halve, norm_first=False)
    tensor([[0., 0.]])
    """
    if norm_first:
        return x + sublayer(norm(x))
    return norm(x + sublayer(x))


def embed(
    table: nn.Embedding, tokens: Int[Tensor, "*batch"], side: str
) -> Float[Tensor, "*batch d_embedding"]:
    """Look up the vector of each token.

    Raises
    ------
    ValueError
        If a token is not in the table; ``side`` says whose, "source" or "target".
    TypeError
        If the tokens are no tensor of integers.

    Examples
    --------
    >>> embed(nn.Embedding(11, 2), torch.tensor([3, 4, 5]), "source").shape
    torch.Size([3, 2])
    """
    indices(f"{side} tokens", tokens)
    try:
        return table(tokens)
    except IndexError:
        wrong = tokens[(tokens < 0) | (tokens >= table.num_embeddings)]
        raise ValueError(
            f"{side} has token {wrong[0].item()}, but the model knows {side} tokens "
            f"0 to {table.num_embeddings - 1}; encode with the vocabulary the model "
            "was built for"
        ) from None


def _fitting(layer: str, weight: Tensor, x: Tensor) -> None:
    like_the_weights("x", x, weight)
    axes_at_least("x", x, "*batch d_model")
    d_model = weight.shape[-1]
    if x.shape[-1] != d_model:
        raise ValueError(
            f"{layer} has d_model = {d_model}, but x has d_model = {x.shape[-1]}; "
            "the two must agree"
        )
