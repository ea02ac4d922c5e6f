"""Who works on which token, how the work is shared out, and what experts stand for."""

from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from qkv._checks import a_tensor, indices, whole
from qkv.experts._checks import at_most, fractions, of_experts


def gates(
    logits: Float[Tensor, "*batch expert"], k: int, *, renormalise: bool = False
) -> tuple[Float[Tensor, "*batch choice"], Int[Tensor, "*batch choice"]]:
    r"""Return the weights of the k best experts of each token, and which they are.

    .. math:: p = \mathrm{softmax}(W_g x), \qquad
              g_i = p_i \text{ for the } k \text{ largest, and } 0 \text{ for the rest}

    The best one comes first; of equals, the one with the lower number. The weights are
    probabilities over *all* experts. With ``renormalise`` those of the chosen ones are
    brought to a sum of 1, which is the same as a softmax over their logits alone.

    Raises
    ------
    ValueError
        If k is below 1, or above the number of experts; if there are no experts; or if
        k is 1 and the only weight is to be renormalised: it would be 1 whatever the
        logits are, and the router would learn nothing.
    TypeError
        If the logits are no tensor of fractions, or k is not whole.
    FloatingPointError
        If a token's highest logit is NaN or infinite.

    Notes
    -----
    Fedus et al. (2022), equations 1 and 2, for k = 1; Shazeer et al. (2017), equations
    3 and 5, with ``renormalise``, there without noise.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[0.5, 0.25, 0.25]]).log()
    >>> weights, chosen = gates(logits, k=2)
    >>> weights, chosen
    (tensor([[0.5000, 0.2500]]), tensor([[0, 1]]))
    >>> gates(logits, k=2, renormalise=True)[0]
    tensor([[0.6667, 0.3333]])
    """
    k = _choices(logits, k)
    if renormalise and k == 1:
        raise ValueError(
            "renormalise is True and k is 1: the only weight would be 1 whatever the "
            "logits are, and no gradient would reach the router; leave renormalise "
            "out, or choose k = 2 or more"
        )
    chosen = logits.sort(dim=-1, descending=True, stable=True).indices[..., :k]
    weights = logits.softmax(-1).gather(-1, chosen)
    if renormalise:
        weights = weights / weights.sum(-1, keepdim=True)
    return weights, chosen


def _choices(logits: Tensor, k: int) -> int:
    fractions("logits", logits)
    k = whole(1, k=k)["k"]
    at_most(k, logits.shape[-1], "logits has expert =")
    highest = logits.detach().amax(-1)
    if logits.device.type == "cpu" and not highest.isfinite().all():
        wrong = ~highest.isfinite()
        raise FloatingPointError(
            f"logits has {highest[wrong][0].item()} as the highest of the token at "
            f"{wrong.nonzero()[0].tolist()}, and no expert can be chosen by it; look "
            "for where it is from: too large a learning rate, a division by 0"
        )
    return k


def loads(
    chosen: Int[Tensor, "*batch choice"], experts: int
) -> Float[Tensor, " expert"]:
    """Return the share of the tokens that each expert works on.

    The shares come to k, the number of choices of a token: to 1 where there is one.

    Raises
    ------
    ValueError
        If nothing is chosen, or an expert that there is not.
    TypeError
        If ``chosen`` is no tensor of whole numbers, or ``experts`` is not whole.

    Examples
    --------
    >>> import torch
    >>> loads(torch.tensor([[2], [0], [2], [2]]), experts=4)
    tensor([0.2500, 0.0000, 0.7500, 0.0000])
    """
    of_experts(chosen, whole(1, experts=experts)["experts"])
    counts = chosen.flatten().bincount(minlength=experts)
    return counts / (chosen.numel() // chosen.shape[-1])


def balance_loss(
    probabilities: Float[Tensor, "*batch expert"],
    chosen: Int[Tensor, "*batch choice"],
    *,
    real: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ""]:
    r"""Return how far the experts are from equal loads: k where they are equal.

    .. math:: N \sum_{i=1}^{N} f_i P_i

    f is the share of the tokens that expert i works on (:func:`loads`), P the mean
    of its probability, over all tokens. f is made of whole counts and has no gradient;
    P has one: it is lowered where the load is high. Times a small α it is added to the
    loss of what is learnt.

    Parameters
    ----------
    probabilities : the router's softmax over all N experts, not only the chosen ones.
    chosen : the numbers of the k experts of each token, as :func:`gates` returns them.
    real : True for a token, False for padding, which counts in neither f nor P.

    Raises
    ------
    ValueError
        If there are no (real) tokens, probabilities do not come to 1, or there is not
        one row of choices, and one ``real``, for each row of probabilities; or if an
        expert was chosen that there is not.
    TypeError
        If one is no tensor, or one of other numbers.

    Notes
    -----
    Fedus et al. (2022), equations 4 to 6, less their factor α, for k = 1. With more
    choices f comes to k, as in Mixtral: its ``load_balancing_loss_func`` (Hugging Face)
    is the same number.

    Examples
    --------
    >>> import torch
    >>> chosen = torch.tensor([[0], [1], [0], [1]])
    >>> balance_loss(torch.full((4, 2), 0.5), chosen)
    tensor(1.)
    >>> balance_loss(torch.tensor([[0.75, 0.25]]).expand(4, 2), chosen.new_zeros(4, 1))
    tensor(1.5000)
    """
    fractions("probabilities", probabilities)
    _beside("chosen", chosen, 1, probabilities)
    if real is not None:
        _beside("real", real, 0, probabilities)
        probabilities, chosen = probabilities[real.bool()], chosen[real.bool()]
    experts = probabilities.shape[-1]
    share = loads(chosen, experts).to(probabilities.dtype)
    _sum_to_one(probabilities.detach())
    mean = probabilities.reshape(-1, experts).mean(0)
    return experts * (share * mean).sum()


def _beside(name: str, x: Tensor, own: int, probabilities: Tensor) -> None:
    """Refuse what is for other tokens; ``own`` axes of it are none of theirs."""
    a_tensor(name, x)
    tokens = x.shape[: x.ndim - own]
    if tokens != probabilities.shape[:-1]:
        raise ValueError(
            f"{name} is for tokens of shape {tuple(tokens)}, but probabilities for "
            f"{tuple(probabilities.shape[:-1])}; give one row for each token"
        )


def _sum_to_one(probabilities: Tensor) -> None:
    sums = probabilities.sum(-1)
    if probabilities.device.type == "cpu" and not (sums - 1).abs().max() < 0.02:
        raise ValueError(
            f"probabilities of a token come to {sums.flatten()[0].item():.4g}, but are "
            "to come to 1 over all experts; give logits.softmax(-1)"
        )


def purity(expert: Int[Tensor, "*batch"], topic: Int[Tensor, "*batch"]) -> float:
    r"""Return the share of tokens that have the commonest topic of their expert.

    .. math:: \frac{1}{T} \sum_{e} \max_z n_{ez}

    n counts the tokens of topic z that expert e works on. It is 1 where each expert
    has a single topic, whichever: experts have no names, and two may share a topic.

    Raises
    ------
    ValueError
        If there are no tokens, one is below 0, or there is not one topic for each.
    TypeError
        If one is no tensor of whole numbers.

    Notes
    -----
    Chance is no constant: of k experts and topics drawn at random it is a little above
    the largest topic's share.

    Examples
    --------
    >>> import torch
    >>> topic = torch.tensor([0, 0, 1, 1, 2, 2])
    >>> purity(torch.tensor([2, 2, 0, 0, 1, 1]), topic)
    1.0
    >>> purity(torch.tensor([0, 0, 0, 0, 1, 1]), topic) * 6
    4.0
    """
    for name, x in (("expert", expert), ("topic", topic)):
        indices(name, x, f"the numbers of {name}s")
        if not x.numel() or x.min() < 0:
            raise ValueError(f"{name} has no tokens, or a number below 0")
    if expert.shape != topic.shape:
        raise ValueError(
            f"expert has shape {tuple(expert.shape)}, but topic has "
            f"{tuple(topic.shape)}; give one topic for each token's expert"
        )
    counts = one_hot(expert.flatten().long()).mT @ one_hot(topic.flatten().long())
    return counts.amax(1).sum().item() / topic.numel()
