"""Other right answers to "Attention between words, not pieces"."""

import torch


def word_by_word(weights, target_words, source_words):
    rows = []
    for t in range(int(target_words.max()) + 1):
        row = weights[target_words == t].mean(0)
        rows.append(
            torch.stack(
                [row[source_words == s].sum() for s in range(int(source_words[-1]) + 1)]
            )
        )
    return torch.stack(rows)


def added_by_index(weights, target_words, source_words):
    words = int(source_words.max()) + 1
    summed = weights.new_zeros(len(weights), words).index_add(1, source_words, weights)
    pieces = target_words.bincount()
    found = weights.new_zeros(len(pieces), words).index_add(0, target_words, summed)
    return found / pieces[:, None]


def split_where_words_begin(weights, target_words, source_words):
    columns = weights.split(source_words.bincount().tolist(), dim=1)
    summed = torch.stack([part.sum(1) for part in columns], dim=1)
    rows = summed.split(target_words.bincount().tolist())
    return torch.stack([part.mean(0) for part in rows])


ALTERNATIVES = (word_by_word, added_by_index, split_where_words_begin)
