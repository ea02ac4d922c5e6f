"""Motifs that come back at a lag which the data decide, and where they came before."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qkv._checks import whole
from qkv.data.series.kinds import OfNumbers
from qkv.data.streams import Drawing, about

__all__ = ["Motifs", "Played"]

KNOWN_FROM = 3  # values of a motif after which it is clear which one is being played


@dataclass(frozen=True, eq=False)
class Played(OfNumbers):
    """Series of motifs: the next value is asked everywhere.

    ``motif`` says which motif each value is of, ``length`` how many values each has;
    ``noise`` is σ. What is asked at step t is the value at t + 1.

    Examples
    --------
    >>> played = Motifs(motifs=2, length=4, plays=3).sample(5, seed=0)
    >>> played
    Played(5 series of 3 motifs of 4 values)
    >>> played.inputs[0].shape, played.target.shape
    (torch.Size([5, 11]), torch.Size([5, 11]))
    """

    values: Float[Tensor, "batch time"]
    motif: Int[Tensor, "batch time"]
    length: int
    kinds: int
    noise: float

    @property
    def inputs(self) -> tuple[Float[Tensor, "batch step"]]:
        """What a model is called with: all values but the last."""
        return (self.values[:, :-1],)

    @property
    def target(self) -> Float[Tensor, "batch step"]:
        """What it is to foretell: all values but the first."""
        return self.values[:, 1:]

    @property
    def place(self) -> Int[Tensor, " time"]:
        """Where in its motif each value is, from 0."""
        return torch.arange(self.values.shape[1]) % self.length

    @property
    def repeat(self) -> Bool[Tensor, "batch step"]:
        """True where a motif was played before, and three of its values are known.

        These are the values that can be foretold.
        """
        return self._scored & self._seen

    @property
    def new(self) -> Bool[Tensor, "batch step"]:
        """True at the same places of a motif that is played for the first time.

        Nobody can foretell these: an error below their variance is a leak.
        """
        return self._scored & ~self._seen

    @property
    def _scored(self) -> Tensor:
        return (self.place >= KNOWN_FROM)[1:].expand_as(self.target)

    @property
    def _seen(self) -> Tensor:
        return self.echoes.any(-1)

    @property
    def echoes(self) -> Bool[Tensor, "batch query key"]:
        """Where the value that is asked was played before: True at each such key.

        A query is the step at which the next value is asked. A key is a step up to it;
        a true one has the same place of an earlier play of the same motif.
        """
        steps = self.values.shape[1] - 1
        asked = torch.arange(1, steps + 1).unsqueeze(-1)
        key = torch.arange(steps)
        same_place = (asked - key) % self.length == 0
        earlier = (key < asked) & same_place
        same = self.motif[:, 1:].unsqueeze(-1) == self.motif[:, :-1].unsqueeze(-2)
        return earlier & same

    @property
    def oracle(self) -> Float[Tensor, "batch step"]:
        r"""Forecast as who knows which motifs were played: by Bayes' rule, exactly.

        The oracle is told the motif of each *finished* play, never that of the present
        one: what it has seen n times, it knows to within σ²/n, and it weighs all that
        the present one may be by how well they explain its values so far.

        .. math:: \hat y_{t+1} = \sum_k p(k \mid \text{values of this play})\;
                  \frac{\sum_{\text{plays of } k} y}{n_k + \sigma^2}

        where a motif that was never played has the mean 0.
        """
        plays = self.values.unflatten(1, (-1, self.length)).double()
        names = self.motif[:, :: self.length]
        of = torch.nn.functional.one_hot(names, self.kinds).double()
        before = of.cumsum(1) - of  # how often each was played until this one
        sums = torch.einsum("spk,spl->spkl", of, plays)
        sums = sums.cumsum(1) - sums
        n, variance = before.unsqueeze(-1), self.noise**2
        mean = sums / (n + variance)
        spread = variance / (n + variance) + variance
        off = (plays.unsqueeze(2) - mean).square() / spread + spread.log()
        fits = -0.5 * (off.cumsum(-1) - off)  # the values before this one
        forecast = (fits.softmax(2) * mean).sum(2)
        return forecast.flatten(1)[:, 1:].to(self.values.dtype)

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.values)

    def __repr__(self) -> str:
        """Say how many series there are, and of what."""
        plays = self.values.shape[1] // self.length
        return f"Played({len(self)} series of {plays} motifs of {self.length} values)"


class Motifs(Drawing[Played]):
    r"""Series of motifs, new in each, in an order that nobody knows.

    A motif is ``length`` numbers from N(0, 1); a series plays one of its own motifs
    after the other, each time with noise of its own. How long ago the present one was
    played before is drawn, so that no fixed lag foretells it, and no period.

    Parameters
    ----------
    motifs : how many each series has.
    length : how many values each has.
    plays : how many are played in a series.
    noise : σ of what is added to each value.

    Raises
    ------
    ValueError
        If a number is below 1, ``length`` not above 3, so that nothing would be
        scored, or ``noise`` is not positive.

    Examples
    --------
    >>> motifs = Motifs()
    >>> motifs
    Motifs: Series of motifs, new in each, in an order that nobody knows; 9 plays of 3
    motifs of 8 values, noise 0.1
    >>> played = motifs.sample(500, seed=0)
    >>> error = (played.oracle - played.target).square()
    >>> f"{error[played.repeat].mean():.2f} {error[played.new].mean():.1f}"
    '0.02 1.0'
    """

    def __init__(
        self, motifs: int = 3, length: int = 8, plays: int = 9, noise: float = 0.1
    ) -> None:
        """Remember the sizes."""
        whole(1, motifs=motifs, plays=plays)
        whole(KNOWN_FROM + 1, length=length)
        if not noise > 0:
            raise ValueError(f"noise must be positive, not {noise}")
        self.motifs, self.length, self.plays, self.noise = motifs, length, plays, noise

    def _draw(self, count: int, generator: torch.Generator) -> Played:
        motifs = torch.randn(count, self.motifs, self.length, generator=generator)
        names = torch.randint(self.motifs, (count, self.plays), generator=generator)
        played = motifs[torch.arange(count).unsqueeze(-1), names].flatten(1)
        noise = self.noise * torch.randn(played.shape, generator=generator)
        motif = names.repeat_interleave(self.length, 1)
        return Played(played + noise, motif, self.length, self.motifs, self.noise)

    def __repr__(self) -> str:
        """Say what is asked, and of what."""
        return (
            f"{about(self)}; {self.plays} plays of {self.motifs} motifs of "
            f"{self.length} values, noise {self.noise:g}"
        )
