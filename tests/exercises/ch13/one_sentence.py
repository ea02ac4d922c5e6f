"""Other right answers to "One sentence of two languages"."""

import torch


def one_sentence_by_hand(words, tokens, offset):
    """Each half by hand, <eos> where the border is."""
    picture = tokens + offset
    inputs = torch.cat([words, picture[:, :-1]], 1)
    target = torch.cat([words[:, 1:], picture], 1)
    is_picture = target >= offset
    is_word = (target != 0) & (target != 1) & ~is_picture
    weights = is_word / is_word.sum(1, keepdim=True) * 0.125
    return (
        inputs,
        target,
        weights + is_picture / is_picture.sum(1, keepdim=True) * 0.875,
    )


def one_sentence_in_loops(words, tokens, offset):
    inputs, targets, weights = [], [], []
    for row, picture in zip(words.tolist(), tokens.tolist(), strict=True):
        ids = row + [token + offset for token in picture]
        asked = len([word for word in row if word not in (0, 1)])
        inputs.append(ids[:-1])
        targets.append(ids[1:])
        weights.append(
            [
                7 / (8 * len(picture)) if id >= offset else (id > 1) / (8 * asked)
                for id in ids[1:]
            ]
        )
    return torch.tensor(inputs), torch.tensor(targets), torch.tensor(weights)


def one_sentence_in_double_precision(words, tokens, offset):
    ids = torch.hstack([words, tokens.add(offset)])
    target = ids[:, 1:].clone()
    weights = torch.zeros(target.shape, dtype=torch.float64)
    weights[:, -tokens.shape[1] :] = 7 / 8 / tokens.shape[1]
    counts = (words > 1).sum(1)
    for row in range(len(words)):
        weights[row, : words.shape[1] - 1][words[row, 1:] > 1] = 1 / 8 / counts[row]
    return ids[:, :-1], target, weights


ALTERNATIVES = (
    one_sentence_by_hand,
    one_sentence_in_loops,
    one_sentence_in_double_precision,
)
