"""Other right answers to "How often each pair occurs"."""

from collections import Counter, defaultdict
from itertools import pairwise


def pairs_by_places(words):
    counts = {}
    for word, times in words.items():
        for n in range(len(word) - 1):
            pair = (word[n], word[n + 1])
            counts[pair] = counts.get(pair, 0) + times
    return counts


def pairs_with_counter(words):
    counts = Counter()
    for word, times in words.items():
        for pair, n in Counter(pairwise(word)).items():
            counts[pair] += n * times
    return counts


def pairs_repeated(words):
    counts = defaultdict(int)
    for word in words:
        for _ in range(words[word]):
            for pair in pairwise(word):
                counts[pair] += 1
    return counts


ALTERNATIVES = (pairs_by_places, pairs_with_counter, pairs_repeated)
