"""What several exercises of chapter 11 are made of."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor


def places(
    x: Float[Tensor, "batch channel row column"],
) -> Float[Tensor, "batch place channel"]:
    """The places of a picture in a row, each with its channels."""
    return x.flatten(2).mT


def picture(
    x: Float[Tensor, "batch place channel"],
    like: Float[Tensor, "batch d_model row column"],
) -> Float[Tensor, "batch channel row column"]:
    """A picture of a row of places."""
    return x.mT.unflatten(2, like.shape[2:])


def over_keys(scores: Float[Tensor, "batch query key"]) -> Tensor:
    """Weights of the keys, for each query."""
    return scores.softmax(-1)


def attended(
    q: Float[Tensor, "batch query d_k"],
    k: Float[Tensor, "batch key d_k"],
    v: Float[Tensor, "batch key d_v"],
    weigh: Callable[[Tensor], Tensor] = over_keys,
) -> tuple[Float[Tensor, "batch query d_v"], Float[Tensor, "batch query key"]]:
    """What each query reads, and with which weights."""
    weights = weigh(q @ k.mT / q.shape[-1] ** 0.5)
    return weights @ v, weights
