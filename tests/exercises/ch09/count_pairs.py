"""Other right answers to "How often each pair occurs"."""

from collections import Counter, defaultdict


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
        for pair, n in Counter(zip(word[:-1], word[1:], strict=True)).items():
            counts[pair] += n * times
    return counts


def pairs_repeated(words):
    counts = defaultdict(int)
    for word in words:
        for _ in range(words[word]):
            for pair in zip(word, word[1:], strict=False):
                counts[pair] += 1
    return counts


ALTERNATIVES = (pairs_by_places, pairs_with_counter, pairs_repeated)
