r"""What a Transformer does, by name: the traces of its layers and of the whole.

A layer's trace has three steps for each sub-layer f: what f itself does
(``attention``, ``cross``, ``feed_forward``), the sum with what went around it
(``..._added``), and the layer norm (``..._normalised``): before f in pre-norm, after
the sum in post-norm. The last step of a layer is its result, ``output``.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from qkv.attention import MultiHeadTrace
from qkv.layers import LayerNormTrace
from qkv.trace import Place, step


@runtime_checkable
class SublayerTrace(Protocol):
    """The steps of what a layer does to each token alone: the last is its output."""

    output: Tensor


_NORM = Place("norm", "Norm", counted="layer norms")
_ADD = Place("add", "Add")
_ENCODER_ATTENTION = Place(
    "attention",
    "Multi-head self-attention",
    called="self-attention",
    counted="encoder self-attention",
)
_DECODER_ATTENTION = Place(
    "attention",
    "Masked multi-head self-attention",
    called="self-attention",
    counted="decoder self-attention",
)
_CROSS = Place(
    "cross-attention",
    "Multi-head cross-attention",
    called="cross-attention",
    counted="cross-attention",
)
_ENCODER_FEED_FORWARD = Place(
    "feed-forward",
    "Feed-forward",
    called="the feed-forward network",
    counted="encoder feed-forward",
)
_DECODER_FEED_FORWARD = Place(
    "feed-forward",
    "Feed-forward",
    called="the feed-forward network",
    counted="decoder feed-forward",
)
_POSITIONS = Place(
    "position", "Add positions", called="the position", counted="learned positions"
)
_SOURCE_EMBEDDING = Place("embedding", "Source embedding", counted="source embedding")
_TARGET_EMBEDDING = Place("embedding", "Target embedding", counted="target embedding")
_OUTPUT = Place("linear", "Linear", counted="output layer")
_SOFTMAX = Place("softmax", "Softmax")


@dataclass(frozen=True, eq=False)
class PreNormEncoderTrace:
    """The steps of an encoder layer that normalises each sub-layer's input."""

    attention_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"\mathrm{LN}(x)",
        reads=("x",),
        owner="norm1",
        place=_NORM,
    )
    attention: MultiHeadTrace = step(
        "Look at all tokens",
        formula=r"\mathrm{SelfAttention}(\mathrm{LN}(x))",
        reads=("attention_normalised",),
        owner="self_attn",
        place=_ENCODER_ATTENTION,
    )
    attention_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x' = x + \mathrm{SelfAttention}(\mathrm{LN}(x))",
        reads=("x", "attention"),
        place=_ADD,
    )
    feed_forward_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"\mathrm{LN}(x')",
        reads=("attention_added",),
        owner="norm2",
        place=_NORM,
    )
    feed_forward: SublayerTrace = step(
        "Work on each token alone",
        formula=r"\mathrm{FFN}(\mathrm{LN}(x'))",
        reads=("feed_forward_normalised",),
        owner="feed_forward",
        place=_ENCODER_FEED_FORWARD,
    )
    feed_forward_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"y = x' + \mathrm{FFN}(\mathrm{LN}(x'))",
        reads=("attention_added", "feed_forward"),
        place=_ADD,
    )

    @property
    def output(self) -> Float[Tensor, "*batch token d_model"]:
        """The layer's result."""
        return self.feed_forward_added


@dataclass(frozen=True, eq=False)
class PostNormEncoderTrace:
    """The steps of an encoder layer that normalises after each sub-layer."""

    attention: MultiHeadTrace = step(
        "Look at all tokens",
        formula=r"\mathrm{SelfAttention}(x)",
        reads=("x",),
        owner="self_attn",
        place=_ENCODER_ATTENTION,
    )
    attention_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x + \mathrm{SelfAttention}(x)",
        reads=("x", "attention"),
        place=_ADD,
    )
    attention_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"x' = \mathrm{LN}(x + \mathrm{SelfAttention}(x))",
        reads=("attention_added",),
        owner="norm1",
        place=_NORM,
    )
    feed_forward: SublayerTrace = step(
        "Work on each token alone",
        formula=r"\mathrm{FFN}(x')",
        reads=("attention_normalised",),
        owner="feed_forward",
        place=_ENCODER_FEED_FORWARD,
    )
    feed_forward_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x' + \mathrm{FFN}(x')",
        reads=("attention_normalised", "feed_forward"),
        place=_ADD,
    )
    feed_forward_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"y = \mathrm{LN}(x' + \mathrm{FFN}(x'))",
        reads=("feed_forward_added",),
        owner="norm2",
        place=_NORM,
    )

    @property
    def output(self) -> Float[Tensor, "*batch token d_model"]:
        """The layer's result."""
        return self.feed_forward_normalised.output


@dataclass(frozen=True, eq=False)
class PreNormDecoderTrace:
    """The steps of a decoder layer that normalises each sub-layer's input."""

    attention_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"\mathrm{LN}(x)",
        reads=("x",),
        owner="norm1",
        place=_NORM,
    )
    attention: MultiHeadTrace = step(
        "Look at the tokens so far",
        formula=r"\mathrm{SelfAttention}(\mathrm{LN}(x))",
        reads=("attention_normalised",),
        owner="self_attn",
        place=_DECODER_ATTENTION,
    )
    attention_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x' = x + \mathrm{SelfAttention}(\mathrm{LN}(x))",
        reads=("x", "attention"),
        place=_ADD,
    )
    cross_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"\mathrm{LN}(x')",
        reads=("attention_added",),
        owner="norm2",
        place=_NORM,
    )
    cross: MultiHeadTrace = step(
        "Look at the source",
        formula=r"\mathrm{Attention}(\mathrm{LN}(x'), m, m)",
        reads=("cross_normalised", "memory"),
        owner="multihead_attn",
        place=_CROSS,
    )
    cross_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x'' = x' + \mathrm{Attention}(\mathrm{LN}(x'), m, m)",
        reads=("attention_added", "cross"),
        place=_ADD,
    )
    feed_forward_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"\mathrm{LN}(x'')",
        reads=("cross_added",),
        owner="norm3",
        place=_NORM,
    )
    feed_forward: SublayerTrace = step(
        "Work on each token alone",
        formula=r"\mathrm{FFN}(\mathrm{LN}(x''))",
        reads=("feed_forward_normalised",),
        owner="feed_forward",
        place=_DECODER_FEED_FORWARD,
    )
    feed_forward_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"y = x'' + \mathrm{FFN}(\mathrm{LN}(x''))",
        reads=("cross_added", "feed_forward"),
        place=_ADD,
    )

    @property
    def output(self) -> Float[Tensor, "*batch token d_model"]:
        """The layer's result."""
        return self.feed_forward_added


@dataclass(frozen=True, eq=False)
class PostNormDecoderTrace:
    """The steps of a decoder layer that normalises after each sub-layer."""

    attention: MultiHeadTrace = step(
        "Look at the tokens so far",
        formula=r"\mathrm{SelfAttention}(x)",
        reads=("x",),
        owner="self_attn",
        place=_DECODER_ATTENTION,
    )
    attention_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x + \mathrm{SelfAttention}(x)",
        reads=("x", "attention"),
        place=_ADD,
    )
    attention_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"x' = \mathrm{LN}(x + \mathrm{SelfAttention}(x))",
        reads=("attention_added",),
        owner="norm1",
        place=_NORM,
    )
    cross: MultiHeadTrace = step(
        "Look at the source",
        formula=r"\mathrm{Attention}(x', m, m)",
        reads=("attention_normalised", "memory"),
        owner="multihead_attn",
        place=_CROSS,
    )
    cross_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x' + \mathrm{Attention}(x', m, m)",
        reads=("attention_normalised", "cross"),
        place=_ADD,
    )
    cross_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"x'' = \mathrm{LN}(x' + \mathrm{Attention}(x', m, m))",
        reads=("cross_added",),
        owner="norm2",
        place=_NORM,
    )
    feed_forward: SublayerTrace = step(
        "Work on each token alone",
        formula=r"\mathrm{FFN}(x'')",
        reads=("cross_normalised",),
        owner="feed_forward",
        place=_DECODER_FEED_FORWARD,
    )
    feed_forward_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x'' + \mathrm{FFN}(x'')",
        reads=("cross_normalised", "feed_forward"),
        place=_ADD,
    )
    feed_forward_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"y = \mathrm{LN}(x'' + \mathrm{FFN}(x''))",
        reads=("feed_forward_added",),
        owner="norm3",
        place=_NORM,
    )

    @property
    def output(self) -> Float[Tensor, "*batch token d_model"]:
        """The layer's result."""
        return self.feed_forward_normalised.output


EncoderLayerTrace = PreNormEncoderTrace | PostNormEncoderTrace
DecoderLayerTrace = PreNormDecoderTrace | PostNormDecoderTrace


@dataclass(frozen=True, eq=False)
class TransformerTrace:
    """A Transformer, from the source's tokens to the next token's probabilities."""

    source_embedded: Float[Tensor, "batch source d_model"] = step(
        "Embed the source",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E x_j",
        reads=("source",),
        owner="source_embedding",
        place=_SOURCE_EMBEDDING,
    )
    source_placed: Float[Tensor, "batch source d_model"] = step(
        "Add where each token stands",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E x_j + PE_{j-1}",
        reads=("source_embedded",),
        owner="positions",
        place=_POSITIONS,
    )
    encoder: tuple[EncoderLayerTrace, ...] = step(
        "Read the source, layer by layer",
        reads=("source_placed",),
        owner="encoder.layers",
    )
    memory: Float[Tensor, "batch source d_model"] = step(
        "What the decoder will look at",
        formula=r"m",
        reads=("encoder",),
        owner="encoder.norm",
        place=_NORM,
    )
    target_embedded: Float[Tensor, "batch target d_model"] = step(
        "Embed the target so far",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E' y_{i-1}",
        reads=("target",),
        owner="target_embedding",
        place=_TARGET_EMBEDDING,
    )
    target_placed: Float[Tensor, "batch target d_model"] = step(
        "Add where each token stands",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E' y_{i-1} + PE_{i-1}",
        reads=("target_embedded",),
        owner="positions",
        place=_POSITIONS,
    )
    decoder: tuple[DecoderLayerTrace, ...] = step(
        "Write the target, layer by layer",
        reads=("target_placed", "memory"),
        owner="decoder.layers",
    )
    decoded: Float[Tensor, "batch target d_model"] = step(
        "What is known of each next token",
        formula=r"z_i",
        reads=("decoder",),
        owner="decoder.norm",
        place=_NORM,
    )
    logits: Float[Tensor, "batch target vocab"] = step(
        "Score every token of the vocabulary",
        formula=r"W_o z_i + b_o",
        reads=("decoded",),
        owner="output",
        place=_OUTPUT,
    )
    probabilities: Float[Tensor, "batch target vocab"] = step(
        "Say how likely each next token is",
        formula=r"p(y_i \mid y_{<i}, x) = \mathrm{softmax}(W_o z_i + b_o)",
        reads=("logits",),
        place=_SOFTMAX,
    )


@dataclass(frozen=True, eq=False)
class LanguageModelTrace:
    """A decoder alone, from the tokens so far to the next token's probabilities."""

    embedded: Float[Tensor, "batch token d_model"] = step(
        "Embed the tokens",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E y_i",
        reads=("tokens",),
    )
    placed: Float[Tensor, "batch token d_model"] = step(
        "Add where each token stands",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E y_i + PE_i",
        reads=("embedded",),
    )
    decoder: tuple[EncoderLayerTrace, ...] = step(
        "Look back, layer by layer", reads=("placed",)
    )
    decoded: Float[Tensor, "batch token d_model"] = step(
        "What is known of each next token", formula=r"z_i", reads=("decoder",)
    )
    logits: Float[Tensor, "batch token vocab"] = step(
        "Score every token of the vocabulary",
        formula=r"W_o z_i + b_o",
        reads=("decoded",),
    )
    probabilities: Float[Tensor, "batch token vocab"] = step(
        "Say how likely each next token is",
        formula=r"p(y_{i+1} \mid y_{\le i}) = \mathrm{softmax}(W_o z_i + b_o)",
        reads=("logits",),
    )
