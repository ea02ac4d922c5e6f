"""What a Vision Transformer does, by name."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from qkv.trace import step
from qkv.transformer.traces import EncoderLayerTrace


@dataclass(frozen=True, eq=False)
class VisionTrace:
    """A Vision Transformer, from the pixels to the probabilities of the classes."""

    patches: Float[Tensor, "*batch patch pixel"] = step(
        "Cut the image into patches", formula=r"x_p^i", reads=("images",)
    )
    embedded: Float[Tensor, "*batch patch d_model"] = step(
        "Make a token of each patch", formula=r"x_p^i E + b", reads=("patches",)
    )
    tokens: Float[Tensor, "*batch token d_model"] = step(
        "Put the class token before them",
        formula=r"[x_{class};\; x_p^1 E + b;\; \dots;\; x_p^N E + b]",
        reads=("embedded",),
    )
    positioned: Float[Tensor, "*batch token d_model"] = step(
        "Add where each patch stands",
        formula=r"z_0 = [x_{class};\; x_p^i E + b] + E_{pos}",
        reads=("tokens",),
    )
    encoder: tuple[EncoderLayerTrace, ...] = step(
        "Let the tokens look at each other, layer by layer", reads=("positioned",)
    )
    normalised: Float[Tensor, "*batch token d_model"] = step(
        "Normalise what the last layer has made",
        formula=r"y = \mathrm{LN}(z_L)",
        reads=("encoder",),
    )
    logits: Float[Tensor, "*batch classes"] = step(
        "Score every class, from the class token alone",
        formula=r"W y^0 + b",
        reads=("normalised",),
    )
    probabilities: Float[Tensor, "*batch classes"] = step(
        "Say how likely each class is",
        formula=r"\mathrm{softmax}(W y^0 + b)",
        reads=("logits",),
    )
