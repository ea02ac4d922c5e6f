"""Other right answers to "One look at a grid"."""

import torch

from qkv.attention import AdditiveScore, attend


def look_at_a_list_of_places(s, h, W, U, v):
    row, column, d_key = h.shape
    places = h.reshape(-1, d_key)
    weights = torch.softmax(torch.tanh(places @ U.T + s @ W.T) @ v, dim=0)
    return weights.reshape(row, column), weights @ places


def look_in_two_loops(s, h, W, U, v):
    rows = [[torch.exp(v @ torch.tanh(W @ s + U @ cell)) for cell in row] for row in h]
    powers = torch.stack([torch.stack(row) for row in rows])
    weights = powers / powers.sum()
    context = torch.zeros(h.shape[-1])
    for i, j in torch.cartesian_prod(*map(torch.arange, weights.shape)):
        context = context + weights[i, j] * h[i, j]
    return weights, context


def look_with_chapter_2(s, h, W, U, v):
    score = AdditiveScore(len(s), h.shape[-1], len(v))
    for part, weight in ((score.W, W), (score.U, U), (score.v, v[None])):
        part.weight.data = weight
    places = h.flatten(0, 1)
    looked = attend(score(s[None], score.project(places)), places)
    return looked.weights.reshape(h.shape[:2]), looked.context[0]


ALTERNATIVES = (look_at_a_list_of_places, look_in_two_loops, look_with_chapter_2)
