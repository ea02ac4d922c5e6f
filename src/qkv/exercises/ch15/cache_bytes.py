"""What the cache of keys and values takes, in bytes."""

from collections.abc import Callable

from qkv.checking.exercise import Exercise, Mistake


def cache_bytes(
    batch: int,
    tokens: int,
    layers: int,
    heads: int,
    kv_heads: int,
    d_model: int,
    bits: int,
) -> int:
    return 2 * batch * tokens * layers * kv_heads * (d_model // heads) * bits // 8


def _with(**changed: Callable) -> Callable:
    """The right answer to another question: with some of the numbers exchanged."""

    def wrong(batch, tokens, layers, heads, kv_heads, d_model, bits):
        asked = {
            "batch": batch,
            "tokens": tokens,
            "layers": layers,
            "heads": heads,
            "kv_heads": kv_heads,
            "d_model": d_model,
            "bits": bits,
        }
        other = {name: change(asked) for name, change in changed.items()}
        return cache_bytes(**asked | other)

    return wrong


def _in_part(part: Callable) -> Callable:
    """The right answer and something done to it."""
    return lambda *asked: part(cache_bytes(*asked))


def _whole_bytes(batch, tokens, layers, heads, kv_heads, d_model, bits):
    return 2 * batch * tokens * layers * kv_heads * (d_model // heads) * (bits // 8)


def _a_byte_at_least(batch, tokens, layers, heads, kv_heads, d_model, bits):
    numbers = cache_bytes(batch, tokens, layers, heads, kv_heads, d_model, 8)
    return numbers * max(bits // 8, 1)


def _queries_too(batch, tokens, layers, heads, kv_heads, d_model, bits):
    width = (heads + 2 * kv_heads) * (d_model // heads)
    return batch * tokens * layers * width * bits // 8


def _with_the_weights(batch, tokens, layers, heads, kv_heads, d_model, bits):
    """All scores as well, as if they were kept."""
    scores = batch * layers * heads * tokens * tokens * bits // 8
    kept = cache_bytes(batch, tokens, layers, heads, kv_heads, d_model, bits)
    return kept + scores


EXERCISE = Exercise(
    id="15.1",
    title="How large is the cache?",
    minutes=5,
    difficulty=1,
    reference=cache_bytes,
    cases={
        "a key head for each query head": lambda: (1, 1, 32, 32, 32, 4096, 16),
        "eight query heads share a key head": lambda: (1, 4096, 32, 64, 8, 8192, 16),
        "one key head for all": lambda: (5, 13, 3, 7, 1, 77, 32),
        "every number different": lambda: (2, 11, 5, 12, 3, 156, 8),
        "half a byte each": lambda: (3, 7, 2, 6, 2, 66, 4),
    },
    mistakes={
        "keys only": Mistake(
            "only the keys, or only the values, have been counted: a cache holds both, "
            "so that it is twice as large",
            _in_part(lambda size: size // 2),
        ),
        "query heads": Mistake(
            "each token has been counted with d_model keys and d_model values, as if "
            "each query head had its own. The cache holds kv_heads heads of d_model // "
            "heads numbers each. (d_model // kv_heads is not the width of a head: all "
            "heads are as wide as those of the queries)",
            _with(kv_heads=lambda asked: asked["heads"]),
        ),
        "d_model for d_head": Mistake(
            "each key head has been counted with d_model numbers. The query heads "
            "share out d_model, so that a head has d_model // heads",
            _with(heads=lambda asked: 1),
        ),
        "bits": Mistake(
            "this is in bits; a byte has 8 bits, so divide by 8",
            _in_part(lambda size: 8 * size),
        ),
        "numbers": Mistake(
            "these are the numbers that are held; each of them takes bits / 8 bytes",
            _with(bits=lambda asked: 8),
        ),
        "whole bytes": Mistake(
            "right until a number takes less than a byte: bits // 8 is 0 for 4 bits. "
            "Multiply by bits first, then divide by 8",
            _whole_bytes,
        ),
        "a byte at least": Mistake(
            "right until a number takes less than a byte: 4 bits have been rounded up "
            "to a whole byte, but two such numbers fit into one",
            _a_byte_at_least,
        ),
        "width forgotten": Mistake(
            "the heads have been counted, and not the numbers in each: a head of keys "
            "has d_model // heads of them",
            _with(d_model=lambda asked: asked["heads"]),
        ),
        "one key head": Mistake(
            "this is the cache of a single key head; there are kv_heads of them",
            _with(kv_heads=lambda asked: 1),
        ),
        "heads of a group": Mistake(
            "heads // kv_heads is how many query heads share one key head. What is "
            "held is the key heads themselves: kv_heads of them",
            _with(kv_heads=lambda asked: asked["heads"] // asked["kv_heads"]),
        ),
        "batch forgotten": Mistake(
            "this is the cache of one sentence; each sentence of the batch has its own "
            "keys and values",
            _with(batch=lambda asked: 1),
        ),
        "one layer": Mistake(
            "this is the cache of one layer; each layer has keys and values of its own",
            _with(layers=lambda asked: 1),
        ),
        "one token": Mistake(
            "this is what one more token adds; the cache holds all tokens",
            _with(tokens=lambda asked: 1),
        ),
        "queries too": Mistake(
            "the queries have been counted, too. A query is used once, when its token "
            "is read, and no later token asks for it: only keys and values are kept",
            _queries_too,
        ),
        "queries like keys": Mistake(
            "three vectors have been counted for each key head, a query among them; "
            "only keys and values are kept, two",
            _in_part(lambda size: size * 3 // 2),
        ),
        "tokens squared": Mistake(
            "the tokens have been counted twice, as in a map of scores, query × key. "
            "Scores are not kept. A cache holds one key and one value for each token",
            _with(batch=lambda asked: asked["batch"] * asked["tokens"]),
        ),
        "scores too": Mistake(
            "the scores have been added. They are used once and are not kept: the "
            "cache holds keys and values",
            _with_the_weights,
        ),
        "in KiB": Mistake(
            "this is in KiB (1,024 bytes); bytes are wanted",
            _in_part(lambda size: size / 1024),
        ),
        "in MiB": Mistake(
            "this is in MiB (1,024 × 1,024 bytes); bytes are wanted",
            _in_part(lambda size: size / 1024**2),
        ),
        "in GiB": Mistake(
            "this is in GiB (1,024³ bytes); bytes are wanted",
            _in_part(lambda size: size / 1024**3),
        ),
    },
    hints=(
        "count for one token and one layer first: how many numbers are its keys, and "
        "how many its values?",
        "a head has d_model // heads numbers, and there are kv_heads of them, once for "
        "the keys and once for the values.",
        "multiply by layers, tokens and batch. bits · numbers / 8 is the number of "
        "bytes.",
    ),
    trained=False,
)
