"""Places of an expert, and the tokens for which there is none."""

from fractions import Fraction
from math import ceil, comb

from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import one_hot

from qkv._checks import whole
from qkv.experts._checks import of_experts


def places(tokens: int, experts: int, k: int = 1, *, capacity: float) -> int:
    r"""Return how many tokens one expert may take of a batch.

    .. math:: \left\lceil c \cdot \frac{k T}{N} \right\rceil

    With the capacity factor c = 1 there are just enough for equal loads.

    Raises
    ------
    ValueError
        If a number is below 1, or the capacity is not above 0.
    TypeError
        If a number is not whole.

    Notes
    -----
    Fedus et al. (2022), equation 3, for k = 1.

    Examples
    --------
    >>> places(tokens=256, experts=4, capacity=1.25), places(10, 4, capacity=1.0)
    (80, 3)
    """
    tokens, experts, k = whole(1, tokens=tokens, experts=experts, k=k).values()
    if not 0 < capacity < float("inf"):
        raise ValueError(
            f"capacity is {capacity}, but is a factor above 0; 1 gives just enough "
            "places for equal loads, and None, in a layer, all that are wanted"
        )
    # as a fraction, so that 1.1 · 20 is 22, and not a little more
    return ceil(Fraction(str(float(capacity))) * k * tokens / experts)


def kept(
    chosen: Int[Tensor, "*batch choice"], experts: int, places: int
) -> Bool[Tensor, "*batch choice"]:
    """Return which of the choices find a place: each expert takes the first that come.

    First come the first choices of all tokens, in their order through all leading
    axes, then the second ones. A choice that is not kept is *dropped*: the token gets
    nothing from this expert.

    Raises
    ------
    ValueError
        If nothing is chosen, an expert that there is not, or ``places`` is below 1.
    TypeError
        If ``chosen`` is no tensor of whole numbers, or another number is not whole.

    Notes
    -----
    Lepikhin et al. (2021), algorithm 1: second choices come after all first ones.

    Examples
    --------
    >>> import torch
    >>> kept(torch.tensor([[0], [1], [0], [0]]), experts=2, places=2).flatten()
    tensor([ True,  True,  True, False])
    """
    experts, places = whole(1, experts=experts, places=places).values()
    of_experts(chosen, experts)
    in_turn = chosen.reshape(-1, chosen.shape[-1]).mT.flatten()
    so_far = one_hot(in_turn.long(), experts).cumsum(0)
    place = so_far.gather(1, in_turn[:, None].long()).squeeze(1)
    first = place <= places
    return first.view(chosen.shape[-1], -1).mT.reshape(chosen.shape)


def expected_dropped(tokens: int, experts: int, places: int) -> float:
    r"""Return the share of tokens that are dropped if each expert is equally likely.

    .. math:: \frac{N}{T} \sum_{n > c} (n - c) \binom{T}{n}
              \Bigl(\frac{1}{N}\Bigr)^{n} \Bigl(1 - \frac{1}{N}\Bigr)^{T - n}

    The number of tokens of one expert is binomial; what is above its c places is
    dropped, and there are N experts. One choice a token.

    Raises
    ------
    ValueError
        If a number is below 1.
    TypeError
        If a number is not whole.

    Examples
    --------
    >>> round(expected_dropped(tokens=256, experts=4, places=64), 3)
    0.043
    """
    numbers = whole(1, tokens=tokens, experts=experts, places=places)
    tokens, experts, places = numbers.values()
    ways = sum(
        (n - places) * comb(tokens, n) * (experts - 1) ** (tokens - n)
        for n in range(places + 1, tokens + 1)
    )
    return float(Fraction(experts * ways, tokens * experts**tokens))
