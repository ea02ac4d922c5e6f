r"""What a Transformer does, by name: the traces of its layers and of the whole.

A layer's trace has three steps for each sub-layer f: what f itself does
(``attention``, ``cross``, ``feed_forward``), the sum with what went around it
(``..._added``), and the layer norm (``..._normalised``): before f in pre-norm, after
the sum in post-norm. The last step of a layer is its result, ``output``.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from qkv.attention import MultiHeadTrace
from qkv.layers import FeedForwardTrace, LayerNormTrace
from qkv.trace import step


@dataclass(frozen=True, eq=False)
class PreNormEncoderTrace:
    """The steps of an encoder layer that normalises what each sub-layer is told."""

    attention_normalised: LayerNormTrace = step(
        "Normalise", formula=r"\mathrm{LN}(x)", reads=("x",)
    )
    attention: MultiHeadTrace = step(
        "Look at all tokens",
        formula=r"\mathrm{SelfAttention}(\mathrm{LN}(x))",
        reads=("attention_normalised",),
    )
    attention_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x' = x + \mathrm{SelfAttention}(\mathrm{LN}(x))",
        reads=("x", "attention"),
    )
    feed_forward_normalised: LayerNormTrace = step(
        "Normalise", formula=r"\mathrm{LN}(x')", reads=("attention_added",)
    )
    feed_forward: FeedForwardTrace = step(
        "Work on each token alone",
        formula=r"\mathrm{FFN}(\mathrm{LN}(x'))",
        reads=("feed_forward_normalised",),
    )
    feed_forward_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"y = x' + \mathrm{FFN}(\mathrm{LN}(x'))",
        reads=("attention_added", "feed_forward"),
    )

    @property
    def output(self) -> Float[Tensor, "*batch token d_model"]:
        """The layer's result."""
        return self.feed_forward_added


@dataclass(frozen=True, eq=False)
class PostNormEncoderTrace:
    """The steps of an encoder layer that normalises what each sub-layer has made."""

    attention: MultiHeadTrace = step(
        "Look at all tokens",
        formula=r"\mathrm{SelfAttention}(x)",
        reads=("x",),
    )
    attention_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x + \mathrm{SelfAttention}(x)",
        reads=("x", "attention"),
    )
    attention_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"x' = \mathrm{LN}(x + \mathrm{SelfAttention}(x))",
        reads=("attention_added",),
    )
    feed_forward: FeedForwardTrace = step(
        "Work on each token alone",
        formula=r"\mathrm{FFN}(x')",
        reads=("attention_normalised",),
    )
    feed_forward_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x' + \mathrm{FFN}(x')",
        reads=("attention_normalised", "feed_forward"),
    )
    feed_forward_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"y = \mathrm{LN}(x' + \mathrm{FFN}(x'))",
        reads=("feed_forward_added",),
    )

    @property
    def output(self) -> Float[Tensor, "*batch token d_model"]:
        """The layer's result."""
        return self.feed_forward_normalised.output


@dataclass(frozen=True, eq=False)
class PreNormDecoderTrace:
    """The steps of a decoder layer that normalises what each sub-layer is told."""

    attention_normalised: LayerNormTrace = step(
        "Normalise", formula=r"\mathrm{LN}(x)", reads=("x",)
    )
    attention: MultiHeadTrace = step(
        "Look at the tokens so far",
        formula=r"\mathrm{SelfAttention}(\mathrm{LN}(x))",
        reads=("attention_normalised",),
    )
    attention_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x' = x + \mathrm{SelfAttention}(\mathrm{LN}(x))",
        reads=("x", "attention"),
    )
    cross_normalised: LayerNormTrace = step(
        "Normalise", formula=r"\mathrm{LN}(x')", reads=("attention_added",)
    )
    cross: MultiHeadTrace = step(
        "Look at the source",
        formula=r"\mathrm{Attention}(\mathrm{LN}(x'), m, m)",
        reads=("cross_normalised", "memory"),
    )
    cross_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x'' = x' + \mathrm{Attention}(\mathrm{LN}(x'), m, m)",
        reads=("attention_added", "cross"),
    )
    feed_forward_normalised: LayerNormTrace = step(
        "Normalise", formula=r"\mathrm{LN}(x'')", reads=("cross_added",)
    )
    feed_forward: FeedForwardTrace = step(
        "Work on each token alone",
        formula=r"\mathrm{FFN}(\mathrm{LN}(x''))",
        reads=("feed_forward_normalised",),
    )
    feed_forward_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"y = x'' + \mathrm{FFN}(\mathrm{LN}(x''))",
        reads=("cross_added", "feed_forward"),
    )

    @property
    def output(self) -> Float[Tensor, "*batch token d_model"]:
        """The layer's result."""
        return self.feed_forward_added


@dataclass(frozen=True, eq=False)
class PostNormDecoderTrace:
    """The steps of a decoder layer that normalises what each sub-layer has made."""

    attention: MultiHeadTrace = step(
        "Look at the tokens so far",
        formula=r"\mathrm{SelfAttention}(x)",
        reads=("x",),
    )
    attention_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x + \mathrm{SelfAttention}(x)",
        reads=("x", "attention"),
    )
    attention_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"x' = \mathrm{LN}(x + \mathrm{SelfAttention}(x))",
        reads=("attention_added",),
    )
    cross: MultiHeadTrace = step(
        "Look at the source",
        formula=r"\mathrm{Attention}(x', m, m)",
        reads=("attention_normalised", "memory"),
    )
    cross_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x' + \mathrm{Attention}(x', m, m)",
        reads=("attention_normalised", "cross"),
    )
    cross_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"x'' = \mathrm{LN}(x' + \mathrm{Attention}(x', m, m))",
        reads=("cross_added",),
    )
    feed_forward: FeedForwardTrace = step(
        "Work on each token alone",
        formula=r"\mathrm{FFN}(x'')",
        reads=("cross_normalised",),
    )
    feed_forward_added: Float[Tensor, "*batch token d_model"] = step(
        "Add it to what went around",
        formula=r"x'' + \mathrm{FFN}(x'')",
        reads=("cross_normalised", "feed_forward"),
    )
    feed_forward_normalised: LayerNormTrace = step(
        "Normalise",
        formula=r"y = \mathrm{LN}(x'' + \mathrm{FFN}(x''))",
        reads=("feed_forward_added",),
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
    )
    source_placed: Float[Tensor, "batch source d_model"] = step(
        "Add where each token stands",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E x_j + PE_{j-1}",
        reads=("source_embedded",),
    )
    encoder: tuple[EncoderLayerTrace, ...] = step(
        "Read the source, layer by layer", reads=("source_placed",)
    )
    memory: Float[Tensor, "batch source d_model"] = step(
        "What the decoder will look at", formula=r"m", reads=("encoder",)
    )
    target_embedded: Float[Tensor, "batch target d_model"] = step(
        "Embed the target so far",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E' y_{i-1}",
        reads=("target",),
    )
    target_placed: Float[Tensor, "batch target d_model"] = step(
        "Add where each token stands",
        formula=r"\sqrt{d_{\mathrm{model}}}\, E' y_{i-1} + PE_{i-1}",
        reads=("target_embedded",),
    )
    decoder: tuple[DecoderLayerTrace, ...] = step(
        "Write the target, layer by layer", reads=("target_placed", "memory")
    )
    decoded: Float[Tensor, "batch target d_model"] = step(
        "What is known of each next token", formula=r"z_i", reads=("decoder",)
    )
    logits: Float[Tensor, "batch target vocab"] = step(
        "Score every token of the vocabulary",
        formula=r"W_o z_i + b_o",
        reads=("decoded",),
    )
    probabilities: Float[Tensor, "batch target vocab"] = step(
        "Say how likely each next token is",
        formula=r"p(y_i \mid y_{<i}, x) = \mathrm{softmax}(W_o z_i + b_o)",
        reads=("logits",),
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
