"""Other right answers to "Hide what it looks at, at one word"."""

import torch


def hiding_step_by_step(scores, h, W, word):
    order, curve = scores.argsort(descending=True), []
    for hidden in range(len(scores)):
        left = scores.clone()
        left[order[:hidden]] = -torch.inf
        curve.append((W @ (left.softmax(0) @ h)).softmax(0)[word])
    return torch.stack(curve)


def hiding_by_what_is_left(scores, h, W, word):
    order = scores.argsort(descending=True).tolist()
    curve = []
    while order:
        context = scores[order].softmax(0) @ h[order]
        curve.append((context @ W.T).softmax(0)[word].item())
        order.pop(0)
    return torch.tensor(curve)


def hiding_and_sharing_out(scores, h, W, word):
    weights, curve = scores.softmax(0), []
    for _ in range(len(scores)):
        curve.append((W @ (weights @ h)).softmax(0)[word])
        weights = weights.clone()
        weights[weights.argmax()] = 0
        weights = weights / weights.sum()
    return torch.stack(curve)


ALTERNATIVES = (hiding_step_by_step, hiding_by_what_is_left, hiding_and_sharing_out)
