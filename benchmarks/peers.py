"""Encoder–decoders that others wrote, called like ``qkv.transformer.Transformer``.

Last, byte pair encoding as minbpe has it, in plain Python.

x-transformers and transformers (Marian) take part where they are installed; `make
bench` brings both. Around PyTorch's and x-transformers' layers stand our own
embeddings, positions and output, so that the layers are what is compared.
"""

import importlib.util
import math
import os
import warnings
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmarks.measure import ratio
from qkv.data import BOS, EOS, PAD
from qkv.positions import Sinusoidal
from qkv.transformer import Transformer, TransformerConfig

MAX_LENGTH = 1024  # Marian makes its table of positions for as many tokens


class Around(nn.Module):
    """Embeddings, positions and output; what is between is another's."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config, self.positions = config, Sinusoidal(config.d_model)
        self.source_embedding = nn.Embedding(config.n_source, config.d_model)
        self.target_embedding = nn.Embedding(config.n_target, config.d_model)
        nn.init.normal_(self.source_embedding.weight, std=0.02)
        nn.init.normal_(self.target_embedding.weight, std=0.02)
        self.output = nn.Linear(config.d_model, config.n_target)

    def read(self, table: nn.Embedding, tokens: Tensor) -> Tensor:
        return self.positions(table(tokens) * self.config.d_model**0.5)

    def forward(self, source: Tensor, lengths: Tensor, target_in: Tensor) -> Tensor:
        memory, padding = self.encode(source, lengths)
        return self.output(self.decode(target_in, memory, padding))

    @torch.inference_mode()
    def write(self, source: Tensor, lengths: Tensor, max_length: int) -> Tensor:
        """Write greedily as textbooks do: the whole target again for each token."""
        memory, padding = self.encode(source, lengths)
        written = source.new_full((len(source), 1), BOS)
        for _ in range(max_length):
            logits = self.output(self.decode(written, memory, padding)[:, -1])
            written = torch.cat([written, logits.argmax(-1, keepdim=True)], 1)
        return written[:, 1:]


class PyTorch(Around):
    """``nn.Transformer``."""

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        with warnings.catch_warnings():  # it says that pre-norm has no nested tensors
            warnings.simplefilter("ignore", UserWarning)
            self.layers = nn.Transformer(
                config.d_model,
                config.heads,
                *config.layers,
                config.d_ff,
                dropout=0.0,
                batch_first=True,
                norm_first=config.norm_first,
            )

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        padding = source == PAD if lengths.min() < source.shape[1] else None
        x = self.read(self.source_embedding, source)
        return self.layers.encoder(x, src_key_padding_mask=padding), padding

    def decode(self, target: Tensor, memory: Tensor, padding: Tensor | None) -> Tensor:
        future = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        return self.layers.decoder(
            self.read(self.target_embedding, target),
            memory,
            tgt_mask=future,
            tgt_is_causal=True,
            memory_key_padding_mask=padding,
        )


class XTransformers(Around):
    """x-transformers' encoder and decoder, with fused attention and a cache."""

    def __init__(self, config: TransformerConfig):
        from x_transformers import Decoder, Encoder

        super().__init__(config)
        shared = {
            "dim": config.d_model,
            "heads": config.heads,
            "attn_dim_head": config.d_model // config.heads,
            "attn_flash": True,
            "ff_mult": config.d_ff / config.d_model,
            "ff_custom_activation": nn.ReLU(),
            "pre_norm": config.norm_first,
        }
        self.encoder = Encoder(depth=config.layers[0], **shared)
        self.decoder = Decoder(depth=config.layers[1], cross_attend=True, **shared)

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        real = source != PAD if lengths.min() < source.shape[1] else None
        return self.encoder(self.read(self.source_embedding, source), mask=real), real

    def decode(self, target: Tensor, memory: Tensor, real: Tensor | None) -> Tensor:
        x = self.read(self.target_embedding, target)
        return self.decoder(x, context=memory, context_mask=real)

    @torch.inference_mode()
    def write(self, source: Tensor, lengths: Tensor, max_length: int) -> Tensor:
        """Write greedily with the decoder's own cache, as its ``generate`` does."""
        memory, real = self.encode(source, lengths)
        written = source.new_full((len(source), 1), BOS)
        cache = None
        for _ in range(max_length):
            x, cache = self.decoder(
                self.read(self.target_embedding, written),
                context=memory,
                context_mask=real,
                cache=cache,
                return_hiddens=True,
            )
            token = self.output(x[:, -1]).argmax(-1, keepdim=True)
            written = torch.cat([written, token], 1)
        return written[:, 1:]


class Marian(nn.Module):
    """Marian's model from transformers, which is post-norm."""

    def __init__(self, config: TransformerConfig):
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from transformers import MarianConfig, MarianMTModel

        super().__init__()
        sides = ("encoder", "decoder")
        sizes = {f"{side}_attention_heads": config.heads for side in sides}
        sizes |= {f"{side}_ffn_dim": config.d_ff for side in sides}
        sizes["encoder_layers"], sizes["decoder_layers"] = config.layers
        self.model = MarianMTModel(
            MarianConfig(
                vocab_size=config.n_source,
                decoder_vocab_size=config.n_target,
                d_model=config.d_model,
                max_position_embeddings=MAX_LENGTH,
                activation_function="relu",
                dropout=0.0,
                scale_embedding=True,
                decoder_start_token_id=BOS,
                pad_token_id=PAD,
                eos_token_id=EOS,
                forced_eos_token_id=None,
                share_encoder_decoder_embeddings=False,
                tie_word_embeddings=False,
                **sizes,
            )
        )

    def forward(self, source: Tensor, lengths: Tensor, target_in: Tensor) -> Tensor:
        full = lengths.min() == source.shape[1]
        return self.model(
            source,
            attention_mask=None if full else (source != PAD).long(),
            decoder_input_ids=target_in,
            use_cache=False,
        ).logits

    @torch.inference_mode()
    def write(self, source: Tensor, lengths: Tensor, max_length: int) -> Tensor:
        """Write greedily with transformers' ``generate``."""
        found = self.model.generate(
            source,
            attention_mask=(source != PAD).long(),
            do_sample=False,
            num_beams=1,
            max_new_tokens=max_length,
            min_new_tokens=max_length,
        )
        return found[:, 1:]


PEERS: dict[str, tuple[str, Callable[[TransformerConfig], nn.Module]]] = {
    "nn.Transformer": ("torch", PyTorch),
    "x-transformers": ("x_transformers", XTransformers),
    "Marian (transformers)": ("transformers", Marian),
}


def models(config: TransformerConfig) -> dict[str, nn.Module]:
    """Return ours, and each peer that is installed; PyTorch's has our weights."""
    made: dict[str, nn.Module] = {"qkv.transformer.Transformer": Transformer(config)}
    for name, (package, kind) in PEERS.items():
        if importlib.util.find_spec(package):
            made[name] = kind(config)
    same_weights(made["qkv.transformer.Transformer"], made["nn.Transformer"])
    return made


def same_weights(ours: Transformer, theirs: PyTorch) -> None:
    """Give PyTorch's model our weights: the names are the same but for one level.

    In post-norm it has two norms that ours has not; they stay as they are, and change
    nothing, for what they normalise is normal.
    """
    stacks = ("encoder.", "decoder.")
    weights = {
        f"layers.{name}" if name.startswith(stacks) else name: value
        for name, value in ours.state_dict().items()
    }
    missed = theirs.load_state_dict(weights, strict=False)
    assert not missed.unexpected_keys
    assert all(".norm." in name for name in missed.missing_keys)


def best_last(times: dict[str, list[float]]) -> dict[str, list[float]]:
    """Put the peer last that ours does worst against: the last is compared with."""
    (ours, own), *others = times.items()
    others.sort(key=lambda peer: ratio(own, peer[1]))
    return {ours: own, **dict(others)}


# ---------------------------------------------------- byte pair encoding, minbpe's way

Pair = tuple[int, int]


def count_pairs(ids: list[int], counts: dict[Pair, int], often: int = 1) -> None:
    for pair in pairwise(ids):
        counts[pair] = counts.get(pair, 0) + often


def join(ids: list[int], pair: Pair, new: int) -> list[int]:
    joined, i = [], 0
    while i < len(ids):
        if ids[i] == pair[0] and i < len(ids) - 1 and ids[i + 1] == pair[1]:
            joined.append(new)
            i += 2
        else:
            joined.append(ids[i])
            i += 1
    return joined


def learn_by_recounting(counts: dict[str, int], merges: int) -> dict[Pair, int]:
    """Count every pair of every word again for each merge, as minbpe does.

    A word that occurs often is counted once, so many times: minbpe goes over a text.
    Of equally frequent pairs the lowest is taken, so that the merges are ours.
    """
    number = {unit: i for i, unit in enumerate(sorted(set("".join(counts))))}
    words = [([number[unit] for unit in word], often) for word, often in counts.items()]
    learnt: dict[Pair, int] = {}
    for new in range(len(number), len(number) + merges):
        pairs: dict[Pair, int] = {}
        for ids, often in words:
            count_pairs(ids, pairs, often)
        pair = min(pairs, key=lambda p: (-pairs[p], p))
        words = [(join(ids, pair, new), often) for ids, often in words]
        learnt[pair] = new
    return learnt


def encode_by_recounting(ids: list[int], learnt: dict[Pair, int]) -> list[int]:
    """Count the word's pairs again after each merge, as minbpe does."""
    while len(ids) >= 2:
        pairs: dict[Pair, int] = {}
        count_pairs(ids, pairs)
        pair = min(pairs, key=lambda p: learnt.get(p, math.inf))
        if pair not in learnt:
            break
        ids = join(ids, pair, learnt[pair])
    return ids
