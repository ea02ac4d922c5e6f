r"""Picture tokens: a discrete variational autoencoder (dVAE) and how it is trained.

An encoder says of each patch how likely each of K codes is, a decoder paints from the
codes' vectors. To choose a code has no gradient; :func:`gumbel_softmax` draws one
softly instead. :func:`annealed` makes batches of pictures for
:func:`qkv.training.fit`: each brings the temperature and the weight of the KL term of
its step.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, log
from typing import Protocol, cast, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import (
    height_and_width,
    indices,
    like_the_weights,
    pixels_like,
    same_dtype,
    settle,
    whole,
    whole_batch,
)
from qkv.trace import step
from qkv.vision.cutting import grid, of_size


@dataclass(frozen=True)
class DiscreteVAEConfig:
    """The sizes of a :class:`DiscreteVAE`.

    Parameters
    ----------
    image : height and width in pixels.
    channels : 3 for red, green and blue.
    patch : the side of the square that a token stands for; it divides both sides.
    codes : K, how many tokens there are to choose from.
    d_code : the width of a code's vector.
    width : of the convolutions in encoder and decoder.
    """

    image: tuple[int, int] = (16, 16)
    channels: int = 3
    patch: int = 4
    codes: int = 64
    d_code: int = 32
    width: int = 64

    def __post_init__(self) -> None:
        """Refuse what no model can be made of.

        Raises
        ------
        ValueError
            If a size is below 1, or ``patch`` does not divide both sides.
        TypeError
            If a size is no whole number.
        """
        settle(self, **height_and_width(image=self.image))
        sizes = "channels", "patch", "codes", "d_code", "width"
        settle(self, **whole(1, **{name: getattr(self, name) for name in sizes}))
        grid(self.image, self.patch)

    @property
    def grid(self) -> tuple[int, int]:
        """How many rows and columns of tokens there are."""
        return grid(self.image, self.patch)


def gumbel_softmax(
    logits: Float[Tensor, "*batch code"],
    uniform: Float[Tensor, "*batch code"],
    temperature: Float[Tensor, ""] | float,
) -> Float[Tensor, "*batch code"]:
    r"""Draw a code softly, by given random numbers u: shares that sum to 1.

    .. math:: g_k = -\log(-\log u_k), \qquad
              s = \mathrm{softmax}\!\left(\frac{\ell + g}{\tau}\right)

    The largest share is the code that arg max of ℓ + g draws, by the probabilities
    softmax(ℓ); the lower τ, the closer it is to 1. The shares have a gradient, and the
    arg max has none.

    Parameters
    ----------
    logits : ℓ.
    uniform : u, from 0 to below 1, one for each logit; 0 counts as the smallest number
        above it, so that no noise is -∞.
    temperature : τ, above 0.

    Raises
    ------
    ValueError
        If there is not one number for each logit, one is outside, or the temperature
        is not above 0.
    TypeError
        If numbers and logits are of different kinds.

    Notes
    -----
    Jang et al. (2017), Maddison et al. (2017). ``torch.nn.functional.gumbel_softmax``
    does the same with numbers that it draws itself.

    Examples
    --------
    >>> logits = torch.tensor([1.0, 2.0, 4.0]).log()
    >>> uniform = torch.tensor([-0.25, -1.0, -0.5]).exp()
    >>> gumbel_softmax(logits, uniform, 1.0) * 14
    tensor([4., 2., 8.])
    """
    return _shares(logits, gumbel(logits, uniform), temperature)


def gumbel(
    logits: Float[Tensor, "*batch code"], uniform: Float[Tensor, "*batch code"]
) -> Float[Tensor, "*batch code"]:
    """Return the Gumbel noise of uniform numbers, one for each logit."""
    same_dtype(logits=logits, uniform=uniform)
    if uniform.shape != logits.shape:
        raise ValueError(
            f"uniform has the shape {tuple(uniform.shape)}, but logits "
            f"{tuple(logits.shape)}; give one number for each logit: "
            "torch.rand_like(logits)"
        )
    if not ((uniform >= 0) & (uniform < 1)).all():
        raise ValueError(
            f"uniform runs from {uniform.min():g} to {uniform.max():g}, but is wanted "
            "from 0 to below 1; give torch.rand_like(logits)"
        )
    least = torch.finfo(uniform.dtype).tiny
    return -torch.log(-torch.log(uniform.clamp_min(least)))


def _shares(
    logits: Tensor, noise: Tensor, temperature: Float[Tensor, ""] | float
) -> Tensor:
    if not temperature > 0:
        raise ValueError(
            f"temperature is {float(temperature):g}, but must be above 0; tokens that "
            "are chosen, and not drawn, are tokens(pictures)"
        )
    return ((logits + noise) / temperature).softmax(-1)


def kl_to_uniform(logits: Float[Tensor, "*batch code"]) -> Float[Tensor, "*batch"]:
    r"""Return how far softmax(ℓ) is from choosing all K codes equally, in nats.

    .. math:: \mathrm{KL}(q \,\|\, u) = \sum_k q_k \log \frac{q_k}{1/K}
              = \log K - H(q)

    Examples
    --------
    >>> kl_to_uniform(torch.zeros(5, 7)).abs().max() < 1e-6
    tensor(True)
    """
    log_q = logits.log_softmax(-1)
    return log(logits.shape[-1]) + (log_q.exp() * log_q).sum(-1)


@dataclass(frozen=True, eq=False)
class DiscreteVAETrace:
    """A discrete VAE, from the pixels to the same pixels painted anew."""

    logits: Float[Tensor, "batch row column code"] = step(
        "Score every code for each patch", formula=r"\ell_{ij}", reads=("images",)
    )
    noise: Float[Tensor, "batch row column code"] = step(
        "Make Gumbel noise of uniform numbers",
        formula=r"g = -\log(-\log u)",
        reads=("uniform",),
    )
    shares: Float[Tensor, "batch row column code"] = step(
        "Draw a code softly",
        formula=r"s_{ij} = \mathrm{softmax}((\ell_{ij} + g_{ij}) / \tau)",
        reads=("logits", "noise"),
    )
    vectors: Float[Tensor, "batch row column d_code"] = step(
        "Mix the codes' vectors by their shares",
        formula=r"z_{ij} = \sum_k s_{ijk} e_k",
        reads=("shares",),
    )
    painted: Float[Tensor, "batch channel height width"] = step(
        "Paint a patch from each vector and its neighbours",
        formula=r"\hat x",
        reads=("vectors",),
    )


class DiscreteVAE(nn.Module):
    r"""Write a picture as a few tokens, and paint it from them again.

    .. math::
        \ell_{ij} &= \mathrm{Encoder}(x)_{ij}, \qquad
        s_{ij} = \mathrm{softmax}((\ell_{ij} + g_{ij}) / \tau) \\
        z_{ij} &= \sum_k s_{ijk}\, e_k, \qquad \hat x = \mathrm{Decoder}(z)

    The encoder cuts the picture into patches, and both look at neighbouring patches,
    too. A call is what training does; :meth:`tokens` and :meth:`pictures` are what it
    is for. ``codes`` holds the codes' vectors.

    Parameters
    ----------
    config : its sizes.

    Raises
    ------
    ValueError
        If pictures are of another size, or there is none, a token is unknown, or
        uniform numbers or temperature don't fit.
    TypeError
        If pixels are of another kind of numbers than the weights.

    Notes
    -----
    Ramesh et al. (2021), section 2.1, much smaller, and with squared error.

    Examples
    --------
    >>> model = DiscreteVAE(DiscreteVAEConfig())
    >>> pictures = torch.rand(5, 3, 16, 16)
    >>> tokens = model.tokens(pictures)
    >>> tokens.shape, model.pictures(tokens).shape
    (torch.Size([5, 4, 4]), torch.Size([5, 3, 16, 16]))
    >>> painted, logits = model(pictures, torch.rand(5, 4, 4, 64), 1.0)
    >>> logits.shape
    torch.Size([5, 4, 4, 64])
    """

    def __init__(self, config: DiscreteVAEConfig = DiscreteVAEConfig()):
        """Make encoder, codes and decoder."""
        super().__init__()
        self.config = config
        channels, patch, width = config.channels, config.patch, config.width
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, patch, stride=patch),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, config.codes, 1),
        )
        self.codes = nn.Embedding(config.codes, config.d_code)
        self.decoder = nn.Sequential(
            nn.Conv2d(config.d_code, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            last := nn.Conv2d(width, channels * patch**2, 1),
            nn.PixelShuffle(patch),
        )
        # White paper at first. If the first steps are to learn it, they drive ReLUs to
        # where nothing comes back, and all patches may end with one code.
        nn.init.ones_(cast(Tensor, last.bias))

    @property
    def grid(self) -> tuple[int, int]:
        """How many rows and columns of tokens a picture has."""
        return self.config.grid

    @property
    def n_codes(self) -> int:
        """How many tokens there are to choose from."""
        return self.config.codes

    def forward(
        self,
        images: Float[Tensor, "batch channel height width"],
        uniform: Float[Tensor, "batch row column code"],
        temperature: Float[Tensor, ""] | float,
    ) -> tuple[
        Float[Tensor, "batch channel height width"],
        Float[Tensor, "batch row column code"],
    ]:
        """Return the pictures painted anew from drawn codes, and the codes' logits."""
        logits = self.logits(images)
        return self.paint(gumbel_softmax(logits, uniform, temperature)), logits

    def logits(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch row column code"]:
        """Return the score of every code for each patch."""
        pixels_like(images, self.codes.weight)
        whole_batch("images", images, "batch channel height width")
        of_size(images, self.config.channels, self.config.image)
        return self.encoder(images).movedim(1, -1)

    def paint(
        self, shares: Float[Tensor, "batch row column code"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Return the pictures of shares of the codes: of each patch they sum to 1."""
        like_the_weights("shares", shares, self.codes.weight)
        self._fits("shares", shares, self.config.codes)
        return self._painted(shares @ self.codes.weight)

    @torch.no_grad()
    def tokens(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Int[Tensor, "batch row column"]:
        """Return the likeliest code of each patch."""
        return self.logits(images).argmax(-1)

    @torch.no_grad()
    def pictures(
        self, tokens: Int[Tensor, "batch row column"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Return what tokens show."""
        indices("tokens", tokens, "codes")
        self._fits("tokens", tokens)
        known = self.config.codes
        if tokens.numel() and not 0 <= tokens.min() <= tokens.max() < known:
            raise ValueError(
                f"tokens run from {tokens.min()} to {tokens.max()}, but there are "
                f"{known} codes, 0 to {known - 1}; of a sentence of two languages take "
                "vocabulary.tokens(ids)"
            )
        return self._painted(self.codes(tokens))

    def trace(
        self,
        images: Float[Tensor, "batch channel height width"],
        uniform: Float[Tensor, "batch row column code"],
        temperature: Float[Tensor, ""] | float,
    ) -> DiscreteVAETrace:
        """Do what a call does, and return every step."""
        logits = self.logits(images)
        noise = gumbel(logits, uniform)
        shares = _shares(logits, noise, temperature)
        vectors = shares @ self.codes.weight
        return DiscreteVAETrace(logits, noise, shares, vectors, self._painted(vectors))

    def _painted(self, vectors: Float[Tensor, "batch row column d_code"]) -> Tensor:
        return self.decoder(vectors.movedim(-1, 1))

    def _fits(self, name: str, x: Tensor, *last: int) -> None:
        wanted = (*self.config.grid, *last)
        if x.ndim != 1 + len(wanted) or x.shape[1:] != wanted:
            axes = ", ".join(("row", "column", "code")[: len(wanted)])
            raise ValueError(
                f"{name} has the shape {tuple(x.shape)}, but the model has (batch, "
                f"{axes}) with {axes} = {wanted}; give one for each patch"
            )


@runtime_checkable
class HasPixels(Protocol):
    """A batch of pictures, whatever else it holds."""

    @property
    def pixels(self) -> Tensor:
        """The pictures."""


@dataclass(frozen=True, eq=False)
class Repainting:
    r"""Pictures to be painted anew, and how far the training is: a batch.

    The loss is the negative of the evidence lower bound, per patch:

    .. math:: \frac{1}{N} \sum_{ij} \left( \|x_{ij} - \hat x_{ij}\|^2
              + \beta \, \mathrm{KL}(q_{ij} \,\|\, u) \right)

    Parameters
    ----------
    pixels : the pictures.
    uniform : what Gumbel noise is made of.
    temperature : τ, how softly codes are drawn.
    kl_weight : β.

    Notes
    -----
    Ramesh et al. (2021), equation 1.
    """

    pixels: Float[Tensor, "batch channel height width"]
    uniform: Float[Tensor, "batch row column code"]
    temperature: float = 1.0
    kl_weight: float = 0.0

    @property
    def inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        """What the model is called with."""
        return self.pixels, self.uniform, torch.tensor(self.temperature)

    @property
    def target(self) -> Float[Tensor, "batch channel height width"]:
        """What the model is to paint."""
        return self.pixels

    def loss(
        self,
        output: tuple[Tensor, Tensor],
        target: Float[Tensor, "batch channel height width"],
    ) -> Float[Tensor, ""]:
        """Return the squared error of a patch, and β times its KL term."""
        painted, logits = output
        error = F.mse_loss(painted, target, reduction="sum") / logits[..., 0].numel()
        return error + self.kl_weight * kl_to_uniform(logits).mean()


def annealed(
    batches: Iterable[HasPixels],
    config: DiscreteVAEConfig,
    *,
    steps: int,
    seed: int,
    temperature: tuple[float, float] = (1.0, 0.1),
    kl_weight: tuple[float, float] = (0.1, 0.0),
    until: float = 0.8,
) -> Iterator[Repainting]:
    r"""Yield pictures to train on, drawn ever less softly, with ever less of the KL.

    .. math:: \tau_n = \tau_0 \left(\frac{\tau_1}{\tau_0}\right)^{x}, \quad
              \beta_n = \beta_0 + x (\beta_1 - \beta_0), \quad
              x = \min\left(1, \frac{n}{\text{until} \cdot \text{steps}}\right)

    Parameters
    ----------
    batches : a stream of pictures.
    config : of the model that is to be trained.
    steps : how many there will be.
    seed : decides the uniform numbers.
    temperature : τ at first and at last; it falls by the same factor at each step.
    kl_weight : β at first and at last; it falls in a straight line.
    until : the share of the steps in which both fall; then they stay.

    Raises
    ------
    ValueError
        If ``steps`` is below 1, ``until`` is not above 0 and at most 1, a temperature
        is not above 0, a weight is negative, or one of them is infinite.
    TypeError
        If ``steps`` is not whole, or ``temperature`` or ``kl_weight`` not two numbers.

    Examples
    --------
    >>> from qkv.data import Scenes
    >>> world = Scenes(slots=2, jitter=0, sizes=(1.0,), most=4)
    >>> batches = world.batches(batch_size=5, seed=0)
    >>> stream = annealed(batches, DiscreteVAEConfig(), steps=5, seed=0)
    >>> for _ in range(5):
    ...     batch = next(stream)
    ...     print(f"{batch.temperature:.3f} {batch.kl_weight:.3f}")
    1.000 0.100
    0.562 0.075
    0.316 0.050
    0.178 0.025
    0.100 0.000
    """
    whole(1, steps=steps)
    if not 0 < until <= 1:
        raise ValueError(f"until is {until}, but is a share above 0 and at most 1")
    _check_ends("temperature", temperature)
    _check_ends("kl_weight", kl_weight, or_0=True)
    return _annealed(batches, config, until * steps, seed, temperature, kl_weight)


def _check_ends(name: str, ends: tuple[float, float], *, or_0: bool = False) -> None:
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        raise TypeError(
            f"{name} is {ends!r}, but is two numbers, (at first, at last); write "
            f"{name}=({ends!r}, {ends!r}) for the same at every step"
        )
    if not all(0 < end < inf or (or_0 and end == 0) for end in ends):
        least = "0 or more" if or_0 else "above 0"
        raise ValueError(f"{name} is {ends}, but both must be {least}, and finite")


def _annealed(
    batches: Iterable[HasPixels],
    config: DiscreteVAEConfig,
    falling: float,
    seed: int,
    temperature: tuple[float, float],
    kl_weight: tuple[float, float],
) -> Iterator[Repainting]:
    generator = torch.Generator().manual_seed(seed)
    for done, batch in enumerate(batches):
        share, pixels = min(1.0, done / falling), batch.pixels
        sizes = len(pixels), *config.grid, config.codes
        yield Repainting(
            pixels,
            torch.rand(sizes, generator=generator, dtype=pixels.dtype),
            temperature[0] * (temperature[1] / temperature[0]) ** share,
            kl_weight[0] + share * (kl_weight[1] - kl_weight[0]),
        )
