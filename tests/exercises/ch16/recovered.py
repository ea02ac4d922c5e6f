"""Other right answers to "How much is recovered?"."""

import torch


def recovered_by_gather(clean, corrupted, patched, first, second):
    def difference(logits):
        both = logits.gather(1, torch.stack([first, second], 1))
        return both[:, 0] - both[:, 1]

    start = difference(corrupted)
    return (difference(patched) - start) / (difference(clean) - start)


def recovered_pair_by_pair(clean, corrupted, patched, first, second):
    found = []
    for n, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        start, now, goal = (
            x.log_softmax(-1)[n, a] - x.log_softmax(-1)[n, b]
            for x in (corrupted, patched, clean)
        )
        found.append(1 - (goal - now) / (goal - start))
    return torch.stack(found)


ALTERNATIVES = (recovered_by_gather, recovered_pair_by_pair)
