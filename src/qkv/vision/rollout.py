"""Where a model looks, over all its layers."""

import torch
from jaxtyping import Float
from torch import Tensor


def rollout(
    weights: list[Float[Tensor, "*batch head query key"]]
    | tuple[Float[Tensor, "*batch head query key"], ...],
) -> Float[Tensor, "*batch query key"]:
    r"""Say how much of each first token is in each last one, from all layers' weights.

    .. math:: \tilde A = \hat A_L \cdots \hat A_1, \qquad
              \hat A_l = \frac{1}{2} \Big(\frac{1}{H} \sum_h A_{l,h} + I\Big)

    The heads are averaged, and half of each token comes by the residual connection.
    Rows sum to one, as the weights' do. It is a sketch of how what is read flows, not
    an account of it: values and feed-forward networks do not come in.

    Parameters
    ----------
    weights : of every layer, the first first.

    Raises
    ------
    ValueError
        If there is no layer, the layers differ in their shape, have no head axis, or
        have not as many keys as queries, or a row does not sum to 1.
    TypeError
        If the layers come as one tensor.

    Notes
    -----
    Abnar and Zuidema (2020), section 3.

    Examples
    --------
    >>> to_the_first = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    >>> rollout([to_the_first, to_the_first])
    tensor([[1.0000, 0.0000],
            [0.7500, 0.2500]])
    """
    if isinstance(weights, Tensor):
        raise TypeError(
            f"weights is one tensor of shape {tuple(weights.shape)}, but is a list of "
            "the layers' '*batch head query key'; if its first axis is the layer, give "
            "list(weights)"
        )
    if not weights:
        raise ValueError("rollout needs the weights of at least 1 layer")
    shapes = {tuple(layer.shape) for layer in weights}
    if any(len(shape) < 3 for shape in shapes):
        raise ValueError(
            "rollout wants '*batch head query key' of every layer, but the weights are "
            f"{', '.join(map(str, sorted(shapes)))}"
        )
    *_, query, key = weights[0].shape
    if len(shapes) > 1 or query != key:
        raise ValueError(
            "rollout follows the same tokens through all layers, but the weights are "
            f"{', '.join(map(str, sorted(shapes)))}"
        )
    for number, layer in enumerate(weights, 1):
        sums = layer.sum(-1)
        if not ((sums - 1).abs() <= 0.01).all():
            furthest = sums.flatten()[(sums - 1).abs().argmax()].item()
            raise ValueError(
                f"rollout wants weights, whose rows sum to 1, but a row of layer "
                f"{number} sums to {furthest:.4g}; give trace.weights, not scores"
            )
    here = torch.eye(key, dtype=weights[0].dtype, device=weights[0].device)
    flow = here
    for layer in weights:
        flow = (layer.mean(-3) + here) / 2 @ flow
    return flow
