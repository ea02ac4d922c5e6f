"""Equal loads without a loss: a bias that has a say in the choice alone."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from qkv._checks import whole
from qkv.experts._checks import fractions
from qkv.experts.routing import gates, loads


class RoutingBias(nn.Module):
    r"""A gate that learns to send less to experts with much to do, without a loss.

    .. math:: \mathrm{chosen} = \mathrm{top}_k(p + b), \qquad g_i = p_i, \qquad
              b_i \leftarrow b_i + u \cdot \mathrm{sign}(\bar f - f_i)

    The bias b decides who is chosen, and is not in the gates: so no gradient of another
    aim meets that of what is learnt. After each call in training it is raised by u
    where an expert's load f is below the mean, and lowered where it is above. It aims
    at equal loads all the same, whatever the data are.

    Parameters
    ----------
    experts : how many there are.
    rate : u, the step of the bias.

    Raises
    ------
    ValueError
        If ``experts`` is below 1, or ``rate`` not above 0; or if the logits are for
        another number of experts.
    TypeError
        If ``experts`` is not whole, or the logits are no tensor of fractions.

    Notes
    -----
    Wang et al. (2024), algorithm 1. A layer that has it wants ``balance=0``: with a
    loss, too, the bias would be moved twice a step. It is kept with the weights, and
    stands still in evaluation, where no gradient is wanted, and in
    :meth:`MixtureOfExperts.trace <qkv.experts.MixtureOfExperts.trace>`.

    Examples
    --------
    >>> from qkv.experts import MixtureOfExperts
    >>> gate = RoutingBias(4, rate=0.5)
    >>> layer = MixtureOfExperts(6, 8, experts=4, balance=0.0, gate=gate)
    >>> probabilities = torch.tensor([[0.4, 0.3, 0.2, 0.1]])
    >>> weights, chosen = gate(probabilities.log(), k=1)
    >>> chosen.tolist(), gate.bias.tolist()
    ([[0]], [-0.5, 0.5, 0.5, 0.5])
    >>> gate(probabilities.log(), k=1)
    (tensor([[0.3000]]), tensor([[1]]))
    """

    bias: Float[Tensor, " expert"]

    def __init__(self, experts: int, rate: float = 1e-3):
        """Begin with a bias of 0 for each expert."""
        super().__init__()
        experts = whole(1, experts=experts)["experts"]
        if not 0 < rate < float("inf"):
            raise ValueError(
                f"rate is {rate}, but is how far the bias goes in a step, above 0; "
                "0.001 is usual"
            )
        self.rate = rate
        self.register_buffer("bias", torch.zeros(experts))

    def forward(
        self, logits: Float[Tensor, "*batch expert"], k: int
    ) -> tuple[Float[Tensor, "*batch choice"], Int[Tensor, "*batch choice"]]:
        """Choose by p + b, weigh by p; in training, then move the bias."""
        self._as_many(logits)
        probabilities = logits.softmax(-1)
        _, chosen = gates(probabilities.detach() + self.bias, k)
        if self.training and torch.is_grad_enabled() and chosen.numel():
            load = loads(chosen, len(self.bias))
            self.bias += self.rate * (load.mean() - load).sign()
        return probabilities.gather(-1, chosen), chosen

    def _as_many(self, logits: Tensor) -> None:
        fractions("logits", logits)
        experts = logits.shape[-1]
        if experts != len(self.bias):
            raise ValueError(
                f"logits has expert = {experts}, but the bias is for "
                f"{len(self.bias)}; give the layer RoutingBias({experts})"
            )

    def extra_repr(self) -> str:
        """Say how many experts there are, and the step."""
        return f"{len(self.bias)}, rate={self.rate}"
