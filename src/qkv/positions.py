r"""Positions: how attention, which sees a set, is told the order.

Four ways, two of them *absolute* and two *relative*:

- :func:`sinusoidal` (and :class:`Sinusoidal`) adds a vector computed from the position,
- :class:`Learned` adds a vector looked up for the position,
- :func:`rotate` turns queries and keys, so that a score depends on their distance,
- :func:`alibi` lowers a score the more, the further away the key is.

Positions count from 0.
"""

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from qkv._checks import a_tensor, axes_at_least, whole

BASE = 10000.0
KEPT = 1 << 14  # positions that a table is kept of; those beyond are computed each time


def sinusoidal(
    length: int, d_model: int, *, base: float = BASE, start: int = 0
) -> Float[Tensor, "token d_model"]:
    r"""Return a vector of sines and cosines for each position, as if of clock hands.

    .. math:: PE_{p,2i} = \sin(p\,\theta_i), \qquad PE_{p,2i+1} = \cos(p\,\theta_i),
              \qquad \theta_i = b^{-2i/d_{\mathrm{model}}}

    Each pair (2i, 2i+1) is a hand that turns by :math:`\theta_i` from one position to
    the next: the first fast, the last hardly at all.

    Parameters
    ----------
    length : how many positions.
    d_model : the size of each vector, an even number.
    base : b, which decides how slow the slowest hand is.
    start : the first position.

    Raises
    ------
    ValueError
        If ``d_model`` is odd or below 2, ``length`` is negative, or ``base`` is not
        positive.

    Notes
    -----
    Vaswani et al. (2017), section 3.5.

    Examples
    --------
    >>> sinusoidal(3, 4)
    tensor([[ 0.0000,  1.0000,  0.0000,  1.0000],
            [ 0.8415,  0.5403,  0.0100,  0.9999],
            [ 0.9093, -0.4161,  0.0200,  0.9998]])
    """
    whole(0, length=length)
    return _encoding(_in_a_row(start, length), d_model, base)


def shift(
    encoding: Float[Tensor, "*batch token d_model"],
    offset: int | float,
    *,
    base: float = BASE,
) -> Float[Tensor, "*batch token d_model"]:
    r"""Turn the encoding of every position p into that of p + offset, not knowing p.

    .. math:: \begin{pmatrix} \sin (p+k)\theta_i \\ \cos (p+k)\theta_i \end{pmatrix} =
              \begin{pmatrix} \cos k\theta_i & \sin k\theta_i \\
              -\sin k\theta_i & \cos k\theta_i \end{pmatrix}
              \begin{pmatrix} \sin p\theta_i \\ \cos p\theta_i \end{pmatrix}

    The matrix depends on the offset k alone. This is what lets a model that is linear
    in the encoding look "three places back" wherever it stands.

    Raises
    ------
    ValueError
        If ``d_model`` is odd or below 2, or ``base`` is not positive.

    Notes
    -----
    Vaswani et al. (2017), section 3.5, which says that there is such a matrix, and
    hopes that it makes attending by distance easy to learn.

    Examples
    --------
    >>> torch.allclose(shift(sinusoidal(5, 8), 3), sinusoidal(5, 8, start=3), atol=1e-6)
    True
    """
    axes_at_least("encoding", encoding, "*batch token d_model")
    # sines come first here, cosines in rotate(): the same turn, seen in a mirror
    return _turn(encoding, -offset * _frequencies("d_model", encoding.shape[-1], base))


class Sinusoidal(nn.Module):
    """Add :func:`sinusoidal` to a sequence of any length. There is nothing to learn.

    Raises
    ------
    ValueError
        If ``d_model`` is odd or below 2, or ``base`` is not positive.

    Examples
    --------
    >>> Sinusoidal(2)(torch.zeros(1, 3, 2), start=1)
    tensor([[[ 0.8415,  0.5403],
             [ 0.9093, -0.4161],
             [ 0.1411, -0.9900]]])
    """

    def __init__(self, d_model: int, *, base: float = BASE) -> None:
        """Remember the sizes; hold no parameters."""
        super().__init__()
        _frequencies("d_model", d_model, base)
        self.d_model, self.base = d_model, base

    def forward(
        self,
        x: Float[Tensor, "*batch token d_model"],
        start: int | Int[Tensor, " *batch"] = 0,
    ) -> Float[Tensor, "*batch token d_model"]:
        """Add its encoding to each token, the first standing at ``start``.

        Where ``start`` is a tensor, each row of the batch has its own.
        """
        _same_size(self.d_model, x)
        tokens = x.shape[-2]
        first, end = _bounds(start, tokens)
        if first < 0 or end > KEPT:
            places = _positions(start, tokens)
            return x + _encoding(places, self.d_model, self.base).to(x)
        length = 1 << end.bit_length()  # few tables for all the lengths asked
        table = _table(length, self.d_model, self.base, x.dtype, x.device)
        return x + table[_places(start, tokens)]

    def extra_repr(self) -> str:
        """Say the size of the vectors."""
        return f"d_model={self.d_model}"


class Learned(nn.Module):
    """Add a vector of its own for each position, learned like any other parameter.

    Positions that training never reaches keep the random vectors they began with, and
    beyond ``length`` there is none.

    Notes
    -----
    Gehring et al. (2017), section 3.1; compared with sinusoids in Vaswani et al.
    (2017), table 3, row E.

    Examples
    --------
    >>> Learned(32, 8)(torch.zeros(5, 32, 8)).shape
    torch.Size([5, 32, 8])
    >>> Learned(32, 8)(torch.zeros(5, 40, 8))
    Traceback (most recent call last):
        ...
    ValueError: 40 tokens from position 0 need length 40, and the table has length 32;
    make a longer table and train it, or use a scheme that is computed
    """

    def __init__(self, length: int, d_model: int) -> None:
        """Make the table: one random row for each position."""
        super().__init__()
        whole(1, length=length, d_model=d_model)
        self.table = nn.Embedding(length, d_model)

    def forward(
        self,
        x: Float[Tensor, "*batch token d_model"],
        start: int | Int[Tensor, " *batch"] = 0,
    ) -> Float[Tensor, "*batch token d_model"]:
        """Add its row to each token, the first standing at ``start``.

        Where ``start`` is a tensor, each row of the batch has its own.

        Raises
        ------
        ValueError
            If the sequence goes beyond the table, or ``start`` is negative.
        """
        _same_size(self.table.embedding_dim, x)
        tokens = x.shape[-2]
        first, end = _bounds(start, tokens)
        if first < 0:
            raise ValueError(f"start must be at least 0, not {first}")
        if end > self.table.num_embeddings:
            raise ValueError(
                f"{tokens} tokens from position {end - tokens} need length {end}, and "
                f"the table has length {self.table.num_embeddings}; make a longer "
                "table and train it, or use a scheme that is computed"
            )
        return x + self.table.weight[_places(start, tokens)]


def rotate(
    x: Float[Tensor, "*batch token d_head"], *, base: float = BASE, start: int = 0
) -> Float[Tensor, "*batch token d_head"]:
    r"""Turn each pair of numbers by an angle that grows with the position: rotary.

    .. math:: \begin{pmatrix} y_{2i} \\ y_{2i+1} \end{pmatrix} =
              \begin{pmatrix} \cos p\theta_i & -\sin p\theta_i \\
              \sin p\theta_i & \cos p\theta_i \end{pmatrix}
              \begin{pmatrix} x_{2i} \\ x_{2i+1} \end{pmatrix},
              \qquad \theta_i = b^{-2i/d_{\mathrm{head}}}

    Queries and keys are turned, values are not. Two vectors turned by the same angle
    keep their dot product, so that a score depends on the distance alone. Lengths
    stay as they are.

    Parameters
    ----------
    x : queries or keys, after the split into heads.
    base : b, as in :func:`sinusoidal`.
    start : the position of the first token. Where keys are kept from earlier calls,
        new queries start behind them.

    Raises
    ------
    ValueError
        If ``d_head`` is odd or below 2, or ``base`` is not positive.

    Notes
    -----
    Su et al. (2021), equation 34. Some libraries pair the number i with i + d_head/2
    instead of 2i with 2i + 1: the same up to a permutation, but weights trained with
    one are not right for the other.

    Examples
    --------
    >>> rotate(torch.tensor([[1.0, 0.0]] * 3))
    tensor([[ 1.0000,  0.0000],
            [ 0.5403,  0.8415],
            [-0.4161,  0.9093]])
    """
    axes_at_least("x", x, "*batch token d_head")
    positions = _in_a_row(start, x.shape[-2])
    return _turn(x, _angles(positions, "d_head", x.shape[-1], base))


def alibi(
    heads: int, query: int, key: int | None = None
) -> Float[Tensor, "head query key"]:
    r"""Return what to add to the scores, so that what is far away counts less.

    .. math:: b_{hij} = -m_h\,|i-j|, \qquad m_h = 2^{-8h/H}, \qquad h = 1, \dots, H

    Every head has a slope m of its own: the first sees what is near, the last sees
    far. Nothing is added to the tokens, and nothing is learned.

    Parameters
    ----------
    heads : H.
    query : how many queries.
    key : how many keys; as many as queries unless said. Where there are more, the
        queries are the last tokens: earlier keys were kept from earlier calls.

    Raises
    ------
    ValueError
        If there is no head, a size is negative, or there are fewer keys than queries.

    Notes
    -----
    Press et al. (2022), section 3, where no query sees the keys after it; with
    :math:`|i-j|` the same bias serves where it does. The slopes are the paper's for
    every H: a geometric sequence that begins with, and has the ratio,
    :math:`2^{-8/H}`. The authors' code differs where H is not a power of two: it
    fills up the slopes of the next lower power with every second one of the next
    higher.

    Examples
    --------
    >>> alibi(4, 3)[0]
    tensor([[ 0.0000, -0.2500, -0.5000],
            [-0.2500,  0.0000, -0.2500],
            [-0.5000, -0.2500,  0.0000]])
    >>> alibi(4, 1, 3)[:, 0, 0]
    tensor([-0.5000, -0.1250, -0.0312, -0.0078])
    """
    key = query if key is None else key
    whole(1, heads=heads)
    whole(0, query=query, key=key)
    if key < query:
        raise ValueError(
            f"{query} queries are the last of the keys, and there are only {key} keys"
        )
    position = torch.arange(key)
    distance = (position[key - query :, None] - position).abs()
    exponents = -8 * torch.arange(1, heads + 1, dtype=torch.float64) / heads
    slopes = (2.0**exponents).to(torch.get_default_dtype())
    return slopes[:, None, None] * -distance


@lru_cache(maxsize=16)
def _table(
    length: int, d_model: int, base: float, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "token d_model"]:
    """Return :func:`sinusoidal` from a cache: a decoder needs a row at each step."""
    return sinusoidal(length, d_model, base=base).to(device, dtype)


def _bounds(start: int | Tensor, tokens: int) -> tuple[int, int]:
    """Return the first position of the batch, and the one after its last."""
    if not isinstance(start, Tensor):
        return start, start + tokens
    first, last = map(int, start.aminmax())
    return first, last + tokens


def _places(start: int | Tensor, tokens: int) -> slice | Int[Tensor, "*batch token"]:
    """Return the index of every token's row in a table, a slice where one will do."""
    if not isinstance(start, Tensor):
        return slice(start, start + tokens)
    return start.unsqueeze(-1) + torch.arange(tokens, device=start.device)


def _frequencies(axis: str, size: int, base: float) -> Float[Tensor, " pair"]:
    if size < 2 or size % 2:
        raise ValueError(
            f"{axis} must be even, two numbers for each frequency, not {size}"
        )
    whole(2, **{axis: size})
    if not base > 0:
        raise ValueError(f"base must be positive, not {base}")
    return base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)


def _in_a_row(start: int, length: int) -> Float[Tensor, " token"]:
    # in float32 the angle of position 100,000 would be wrong in its third decimal
    return torch.arange(start, start + length, dtype=torch.float64)


def _positions(start: int | Tensor, tokens: int) -> Float[Tensor, "*batch token"]:
    if not isinstance(start, Tensor):
        return _in_a_row(start, tokens)
    return start.cpu().double().unsqueeze(-1) + _in_a_row(0, tokens)


def _encoding(
    positions: Float[Tensor, "*batch token"], d_model: int, base: float
) -> Float[Tensor, "*batch token d_model"]:
    angles = _angles(positions, "d_model", d_model, base)
    pairs = torch.stack([angles.sin(), angles.cos()], dim=-1)
    return pairs.flatten(-2).to(torch.get_default_dtype())


def _angles(
    positions: Float[Tensor, "*batch token"], axis: str, size: int, base: float
) -> Float[Tensor, "*batch token pair"]:
    return positions[..., None] * _frequencies(axis, size, base)


def _turn(
    x: Float[Tensor, "*batch token size"], angles: Float[Tensor, "... pair"]
) -> Float[Tensor, "*batch token size"]:
    _fractions(x)
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    first, second = x[..., 0::2], x[..., 1::2]
    turned = [first * cos - second * sin, first * sin + second * cos]
    return torch.stack(turned, dim=-1).flatten(-2)


def _fractions(x: Tensor) -> None:
    a_tensor("x", x)
    if not x.is_floating_point():
        raise TypeError(
            f"x holds {x.dtype}, but sines and cosines are fractions; give x.float()"
        )


def _same_size(d_model: int, x: Tensor) -> None:
    _fractions(x)
    axes_at_least("x", x, "*batch token d_model")
    if x.shape[-1] != d_model:
        raise ValueError(
            f"the positions have d_model {d_model}, and x has d_model {x.shape[-1]}"
        )
