"""Race byte pair encoding against minbpe's way and Hugging Face's tokenizers.

usage: python -m benchmarks.subwords [--rounds N]

Learning is 600 merges of the words of `Derivations`. Encoding cuts all words of its
phrases, where many come again; ours has cut none of them before. Then it cuts each
held-out word once. minbpe's way, in Python as ours, counts every pair again for each
merge. tokenizers is written in Rust: how much faster it is, is said, and has no limit.
All give the same numbers. Returns 1 where a limit is missed.
"""

import argparse
import os
import sys
from collections.abc import Callable

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # read when it is loaded

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from benchmarks.measure import race, ratio, table
from benchmarks.peers import encode_by_recounting, learn_by_recounting
from qkv.data import Derivations, DerivedPhrases
from qkv.data.text.derivations import BEGIN
from qkv.subwords import learn

MERGES = 600
LIMIT = 1 / 8  # of the time of minbpe's way

Words = dict[str, int]
Calls = dict[str, Callable[[], object]]
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


def learning(counts: Words) -> Calls:
    return {
        "qkv.subwords.learn": lambda: learn(counts, MERGES),
        "tokenizers (Rust)": lambda: learn_in_rust(counts, MERGES),
        "minbpe's way": lambda: learn_by_recounting(counts, MERGES),
    }


def encoding(counts: Words, words: list[str]) -> Calls:
    """Return the candidates, which agree with one another."""
    bpe, rust = learn(counts, MERGES), learn_in_rust(counts, MERGES)
    by_number = learn_by_recounting(counts, MERGES)
    number = {unit: i for i, unit in enumerate(bpe.alphabet)}
    text = " ".join(words)

    def ours() -> list[int]:
        fresh = bpe.first(MERGES)
        return [i for word in words for i in fresh.encode(word)]

    def recounting() -> list[int]:
        in_numbers = ([number[unit] for unit in word] for word in words)
        return [i for ids in in_numbers for i in encode_by_recounting(ids, by_number)]

    calls: Calls = {
        "qkv.subwords.BytePairs.encode": ours,
        "tokenizers (Rust)": lambda: rust.encode(text).ids,
        "minbpe's way": recounting,
    }
    expected, *found = (call() for call in calls.values())
    assert all(each == expected for each in found)
    return calls


def words_of_phrases(words: Derivations) -> list[str]:
    phrases = DerivedPhrases(words, lambda word: [word]).train
    return [word.removeprefix(BEGIN) for phrase in phrases for word in phrase.source]


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
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args(arguments).rounds
    words = Derivations(0)
    text, once = words_of_phrases(words), [*words.held_out]
    calls = learning(words.counts)
    title = f"{MERGES} merges of {len(words.counts):,} words"
    held = [fast(title, race(calls, rounds=rounds), LIMIT)]
    for limit, title, texts in (
        (LIMIT, f"A text of {len(text):,} words, {len(set(text)):,} different", text),
        (None, f"{len(once):,} words, each once", once),
    ):
        calls = encoding(words.counts, texts)
        held.append(fast(title, race(calls, rounds=4 * rounds), limit))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
