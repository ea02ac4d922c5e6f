"""A self-attention block for pictures: every place looks at all places."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import axes_at_least, like_the_weights, whole
from qkv.attention import (
    ScaledDotProductTrace,
    scaled_dot_product_attention,
    trace_scaled_dot_product,
)
from qkv.trace import step
from qkv.vision.grids import places


@dataclass(frozen=True, eq=False)
class SelfAttention2dTrace:
    """The steps of self-attention over the places of a picture."""

    queries: Float[Tensor, "*batch d_k row column"] = step(
        "Make a query of every place", formula=r"q_i = W_q x_i", reads=("x",)
    )
    keys: Float[Tensor, "*batch d_k key_row key_column"] = step(
        "Make a key of every place", formula=r"k_j = W_k x_j", reads=("x",)
    )
    values: Float[Tensor, "*batch d_v key_row key_column"] = step(
        "Make a value of every place", formula=r"v_j = W_v x_j", reads=("x",)
    )
    attention: ScaledDotProductTrace = step(
        "Lay the places out in a row, and attend",
        formula=r"o_i = \sum_j \mathrm{softmax}_j"
        r"(\frac{q_i \cdot k_j}{\sqrt{d_k}}) v_j",
        reads=("queries", "keys", "values"),
    )
    said: Float[Tensor, "*batch channel row column"] = step(
        "Make a picture of it again", formula=r"W_o o_i", reads=("attention",)
    )
    output: Float[Tensor, "*batch channel row column"] = step(
        "Add as much of it as the gate lets through",
        formula=r"y_i = x_i + \gamma\, W_o o_i",
        reads=("x", "said"),
    )

    @property
    def looks(self) -> Float[Tensor, "*batch row column key_row key_column"]:
        """Where each place looks: for each place a picture whose numbers sum to 1."""
        to_keys = self.attention.weights.unflatten(-1, self.keys.shape[-2:])
        return to_keys.unflatten(-3, self.queries.shape[-2:])


class SelfAttention2d(nn.Module):
    r"""Let every place of a picture look at all places, and add what it reads.

    .. math:: q_i = W_q x_i, \quad k_j = W_k x_j, \quad v_j = W_v x_j, \qquad
              y_i = x_i + \gamma\, W_o \sum_j
              \mathrm{softmax}_j\Big(\frac{q_i \cdot k_j}{\sqrt{d_k}}\Big) v_j

    Each W is a 1 × 1 convolution: the same linear map at every place. The attention is
    chapter 3's, over the places in a row. The gate γ is one number that is learnt; at 0
    the block returns what it is given, so that it can be put into a trained network.

    Parameters
    ----------
    channels : the numbers of a place, in and out.
    d_k : the width of queries and keys; ``channels`` if not given.
    d_v : the width of values; ``channels`` if not given.
    pool : the side of squares of which keys and values keep the largest number alone:
        so there are fewer of them, and still as many queries. What is left over at the
        bottom and at the right is not looked at.
    gamma : the gate at first.

    Raises
    ------
    ValueError
        If a size is below 1, or a picture has other channels, or is smaller than
        ``pool``.
    TypeError
        If a size is not whole, or a picture holds other numbers than the weights.
    FloatingPointError
        If a query, key or value is NaN or infinite (on a CPU).

    Notes
    -----
    Zhang et al. (2019), section 3, equations 1 to 3, who do not divide by the root of
    d_k; the block is from Wang et al. (2018), equation 6, the pooling their section
    3.3.

    Examples
    --------
    >>> block = SelfAttention2d(channels=6, d_k=3)
    >>> x = torch.rand(5, 6, 7, 4)
    >>> torch.equal(block(x), x)
    True
    >>> trace = block.trace(x)
    >>> trace.attention.weights.shape, trace.looks.shape
    (torch.Size([5, 28, 28]), torch.Size([5, 7, 4, 7, 4]))
    """

    def __init__(
        self,
        channels: int,
        d_k: int | None = None,
        d_v: int | None = None,
        *,
        pool: int = 1,
        gamma: float = 0.0,
    ):
        """Make the four 1 × 1 convolutions and the gate."""
        super().__init__()
        d_k = channels if d_k is None else d_k
        d_v = channels if d_v is None else d_v
        whole(1, channels=channels, d_k=d_k, d_v=d_v, pool=pool)
        self.channels, self.pool = channels, pool
        self.W_q = nn.Conv2d(channels, d_k, 1)
        self.W_k = nn.Conv2d(channels, d_k, 1)
        self.W_v = nn.Conv2d(channels, d_v, 1)
        self.W_o = nn.Conv2d(d_v, channels, 1)
        self.gamma = nn.Parameter(torch.tensor(float(gamma)))

    def forward(
        self, x: Float[Tensor, "*batch channel row column"]
    ) -> Float[Tensor, "*batch channel row column"]:
        """Look, and add, on the fused kernel."""
        q, k, v = self._projected(x)
        read = scaled_dot_product_attention(places(q), places(k), places(v))
        return x + self.gamma * self._said(read, x)

    def trace(
        self, x: Float[Tensor, "*batch channel row column"]
    ) -> SelfAttention2dTrace:
        """Return the steps of :meth:`forward`, one by one."""
        q, k, v = self._projected(x)
        attention = trace_scaled_dot_product(places(q), places(k), places(v))
        said = self._said(attention.output, x)
        return SelfAttention2dTrace(
            queries=q,
            keys=k,
            values=v,
            attention=attention,
            said=said,
            output=x + self.gamma * said,
        )

    def _projected(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self._fitting(x)
        q, k, v = (_everywhere(W, x) for W in (self.W_q, self.W_k, self.W_v))
        return q, _largest(k, self.pool), _largest(v, self.pool)

    def _said(self, read: Tensor, x: Tensor) -> Tensor:
        """Map what each place has read, and make a picture of the row of places."""
        said = F.linear(read, self.W_o.weight.flatten(1), self.W_o.bias)
        return said.mT.unflatten(-1, x.shape[-2:])

    def _fitting(self, x: Tensor) -> None:
        like_the_weights("x", x, self.W_q.weight)
        axes_at_least("x", x, "*batch channel row column")
        channel, *sides = x.shape[-3:]
        if channel != self.channels:
            raise ValueError(
                f"the block has channel = {self.channels}, but x has channel = "
                f"{channel}; the two must agree"
            )
        if min(sides) < self.pool:
            raise ValueError(
                f"pool = {self.pool}, but x has row = {sides[0]} and column = "
                f"{sides[1]}, so that no key is left; give a larger picture, or "
                "choose a smaller pool"
            )


def _everywhere(W: nn.Conv2d, x: Tensor) -> Tensor:
    """Do a 1 × 1 convolution as what it is: one linear map at every place.

    On a CPU the product is as fast, and it takes any number of leading axes. The places
    stay beside each other in memory, as attention reads them.
    """
    return F.linear(x.movedim(-3, -1), W.weight.flatten(1), W.bias).movedim(-1, -3)


def _largest(x: Tensor, pool: int) -> Tensor:
    """Keep the largest number of each square, whatever axes lead."""
    if pool == 1:
        return x
    # An empty batch may be pooled where an axis of channels follows it.
    pooled = F.max_pool2d(x.reshape(-1, *x.shape[-3:]), pool)
    return pooled.reshape(*x.shape[:-2], *pooled.shape[-2:])
