"""Checks of what a router says, and of the sizes of a layer of experts."""

from torch import Tensor

from qkv._checks import axes_at_least, indices, like_the_weights


def fractions(name: str, x: Tensor) -> None:
    """Refuse what is no row of fractions, one for each expert.

    Raises
    ------
    ValueError
        If there are no experts.
    TypeError
        If it is no tensor, or holds whole numbers.
    """
    axes_at_least(name, x, "*batch expert")
    if not x.is_floating_point():
        raise TypeError(
            f"{name} holds {x.dtype}, but is to have fractions; give {name}.float()"
        )
    if not x.shape[-1]:
        raise ValueError(f"{name} has expert = 0; a layer needs 1 or more")


def of_experts(chosen: Tensor, experts: int) -> None:
    """Refuse choices that are none of ``experts``, and no choice at all.

    Raises
    ------
    ValueError
        If nothing is chosen, or an expert that there is not.
    TypeError
        If it is no tensor of whole numbers.
    """
    indices("chosen", chosen, "the numbers of experts")
    axes_at_least("chosen", chosen, "*batch choice")
    if not chosen.numel():
        raise ValueError(
            f"chosen has shape {tuple(chosen.shape)}, and no expert in it; give at "
            "least 1 token, and 1 choice for each"
        )
    low, high = (each.item() for each in chosen.aminmax())
    if not 0 <= low <= high < experts:
        raise ValueError(
            f"chosen has expert {low if low < 0 else high}, but there are {experts}, "
            f"0 to {experts - 1}; count them from 0, and give what gates(logits, k) "
            "chose of as many"
        )


def as_wide(x: Tensor, weight: Tensor) -> None:
    """Refuse tokens of another width, or of another kind of numbers, than the layer's.

    Raises
    ------
    ValueError
        If they have another d_model.
    TypeError
        If they hold other numbers than the weights, or are no tensor.
    """
    like_the_weights("x", x, weight)
    axes_at_least("x", x, "*batch token d_model")
    d_model = weight.shape[-1]
    if x.shape[-1] != d_model:
        raise ValueError(
            f"layer of experts has d_model = {d_model}, but x has d_model = "
            f"{x.shape[-1]}; the two must agree"
        )


def at_most(k: int, experts: int, where: str) -> None:
    """Refuse more choices for a token than there are experts.

    Raises
    ------
    ValueError
        If there are more.
    """
    if k > experts:
        raise ValueError(
            f"k = {k} experts are to work on each token, but {where} {experts}; "
            f"choose k from 1 to {experts}"
        )
