"""Race byte pair encoding against minbpe's way and Hugging Face's tokenizers.

usage: python -m benchmarks.subwords [--rounds N]

Learning is 600 merges of the words of `Derivations`; encoding cuts its held-out words,
and then long ones of random letters. minbpe's way, in Python as ours, counts every pair
again for each merge. tokenizers is written in Rust: how much faster it is, is said, and
has no limit. All give the same numbers. Returns 1 where a limit is missed.
"""

import argparse
import json
import os
import random
import sys
from collections.abc import Callable

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # read when it is loaded

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from benchmarks.measure import race, ratio, table
from benchmarks.peers import encode_by_recounting, learn_by_recounting
from qkv.data import Derivations
from qkv.subwords import BytePairs, learn

MERGES, LONG = 600, 2000
LIMIT = 1 / 8  # of the time of minbpe's way

Words = dict[str, int]
Times = dict[str, list[float]]


def learn_in_rust(counts: Words, merges: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=len(set("".join(counts))) + merges,
        min_frequency=0,
        show_progress=False,
    )
    texts = (" ".join([word] * often) for word, often in counts.items())
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def without_cache(tokenizer: Tokenizer) -> Tokenizer:
    """Return it so that a word is cut each time, as ours is."""
    model = json.loads(tokenizer.to_str())["model"]
    merges = list(map(tuple, model["merges"]))
    return Tokenizer(models.BPE(model["vocab"], merges, cache_capacity=0))


def learning(counts: Words) -> dict[str, Callable[[], object]]:
    return {
        "qkv.subwords.learn": lambda: learn(counts, MERGES),
        "tokenizers (Rust)": lambda: learn_in_rust(counts, MERGES),
        "minbpe's way": lambda: learn_by_recounting(counts, MERGES),
    }


def encoding(counts: Words, words: list[str]) -> dict[str, Callable[[], object]]:
    """Return the candidates, which agree with one another."""
    bpe, rust = learn(counts, MERGES), without_cache(learn_in_rust(counts, MERGES))
    by_number = learn_by_recounting(counts, MERGES)
    assert [bpe.tokens[a] + bpe.tokens[b] for a, b in by_number] == joined(bpe)
    number = {unit: i for i, unit in enumerate(bpe.alphabet)}
    calls = {
        "qkv.subwords.BytePairs.encode": lambda: [bpe.encode(word) for word in words],
        "tokenizers (Rust)": lambda: [rust.encode(word).ids for word in words],
        "minbpe's way": lambda: [
            encode_by_recounting([number[unit] for unit in word], by_number)
            for word in words
        ],
    }
    ours, *others = (call() for call in calls.values())
    assert all(other == ours for other in others)
    return calls


def joined(bpe: BytePairs) -> list[str]:
    return [left + right for left, right in bpe.merges]


def long_words(alphabet: tuple[str, ...], count: int) -> list[str]:
    generator = random.Random(0)
    return ["".join(generator.choices(alphabet, k=LONG)) for _ in range(count)]


def fast(title: str, times: Times, limit: float | None) -> bool:
    """Print the times; say whether ours is within its limit of minbpe's way."""
    held = table(title, times, limit=limit)
    ours, rust, recounting = times.values()
    print(f"  ours is {ratio(recounting, ours):.1f} times as fast as minbpe's way,")
    print(f"  and tokenizers {ratio(ours, rust):.1f} times as fast as ours")
    return held


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    words = Derivations(0)
    counts = words.counts
    title = f"{MERGES} merges of {len(counts):,} words"
    held = [fast(title, race(learning(counts), rounds=rounds), LIMIT)]
    for title, texts in {
        f"{len(words.held_out):,} words, each encoded once": [*words.held_out],
        f"5 words of {LONG:,} letters": long_words(learn(counts, 0).alphabet, 5),
    }.items():
        times = race(encoding(counts, texts), rounds=4 * rounds)
        held.append(fast(title, times, LIMIT))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
