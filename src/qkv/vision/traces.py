"""What a Vision Transformer and the captioners do, by name."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from qkv.attention import AttentionTrace
from qkv.trace import step
from qkv.transformer.traces import DecoderLayerTrace, EncoderLayerTrace


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


@dataclass(frozen=True, eq=False)
class CaptionTrace:
    """A captioner, from the pixels to each word, with where it looks for it."""

    features: Float[Tensor, "batch d_hidden row column"] = step(
        "See what is in each place", formula=r"a_{ij}", reads=("images",)
    )
    grid: Float[Tensor, "batch place d_hidden"] = step(
        "Add where each place is",
        formula=r"h_{ij} = a_{ij} + P_{ij}",
        reads=("features",),
    )
    queries: Float[Tensor, "batch target d_hidden"] = step(
        "Ask with the decoder's state so far",
        formula=r"q_t = s_{t-1}, \quad "
        r"s_0 = \tanh(W \frac{1}{N} \sum_{ij} h_{ij} + b)",
        reads=("grid", "target"),
    )
    attention: AttentionTrace = step("Look at the grid, all places together")
    states: Float[Tensor, "batch target d_hidden"] = step(
        "Write the caption",
        formula=r"s_t = \mathrm{GRU}([E y_{t-1}; c_t], s_{t-1})",
        reads=("target", "attention.context", "queries"),
    )
    probabilities: Float[Tensor, "batch target vocab"] = step(
        "Say how likely each next word is",
        formula=r"p(y_t \mid y_{<t}, a) = \mathrm{softmax}(W_o [s_t; c_t] + b_o)",
        reads=("states", "attention.context"),
    )

    @property
    def weights(self) -> Float[Tensor, "batch target row column"]:
        """Where each word looks, over the grid: each map sums to 1."""
        return self.attention.weights.unflatten(-1, self.features.shape[-2:])


@dataclass(frozen=True, eq=False)
class TransformerCaptionTrace:
    """A captioner whose decoder is a Transformer's."""

    features: Float[Tensor, "batch d_model row column"] = step(
        "See what is in each place", formula=r"a_{ij}", reads=("images",)
    )
    grid: Float[Tensor, "batch place d_model"] = step(
        "Add where each place is",
        formula=r"h_{ij} = a_{ij} + P_{ij}",
        reads=("features",),
    )
    memory: Float[Tensor, "batch place d_model"] = step(
        "What the decoder will look at",
        formula=r"m_{ij} = \mathrm{LN}(h_{ij})",
        reads=("grid",),
    )
    embedded: Float[Tensor, "batch target d_model"] = step(
        "Embed the words so far",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E y_{t-1}",
        reads=("target",),
    )
    placed: Float[Tensor, "batch target d_model"] = step(
        "Add where each word stands",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E y_{t-1} + PE_{t-1}",
        reads=("embedded",),
    )
    decoder: tuple[DecoderLayerTrace, ...] = step(
        "Write the caption, layer by layer", reads=("placed", "memory")
    )
    decoded: Float[Tensor, "batch target d_model"] = step(
        "What is known of each next word", formula=r"z_t", reads=("decoder",)
    )
    logits: Float[Tensor, "batch target vocab"] = step(
        "Score every word", formula=r"W_o z_t + b_o", reads=("decoded",)
    )
    probabilities: Float[Tensor, "batch target vocab"] = step(
        "Say how likely each next word is",
        formula=r"p(y_t \mid y_{<t}, a) = \mathrm{softmax}(W_o z_t + b_o)",
        reads=("logits",),
    )
