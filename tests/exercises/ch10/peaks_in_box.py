"""Other right answers to "Where does each word look?"."""

import torch


def peaks_word_by_word(weights, speaks_of, boxes, cell):
    columns = weights.shape[2]
    inside = []
    for alpha, number in zip(weights, speaks_of.tolist(), strict=True):
        if number < 0:
            continue
        row, column = divmod(alpha.argmax().item(), columns)
        top, left, bottom, right = boxes[number].tolist()
        y, x = (row + 0.5) * cell, (column + 0.5) * cell
        inside.append(top <= y < bottom and left <= x < right)
    return sum(inside) / len(inside)


def peaks_at_once(weights, speaks_of, boxes, cell):
    asked = speaks_of != -1
    place = weights[asked].flatten(1).argmax(1)
    peak = torch.stack(torch.unravel_index(place, weights.shape[1:]), 1)
    centre = cell * peak + cell / 2
    first, last = boxes[speaks_of[asked]].split(2, dim=1)
    return ((first <= centre) & (centre < last)).all(1).float().mean()


def peaks_on_a_map_of_each_box(weights, speaks_of, boxes, cell):
    maps = []
    for top, left, bottom, right in boxes.tolist():
        pixels = torch.zeros(len(weights[0]) * cell, len(weights[0, 0]) * cell)
        pixels[top:bottom, left:right] = 1
        maps.append(pixels[cell // 2 :: cell, cell // 2 :: cell])
    hits = [
        maps[n].flatten()[alpha.argmax()]
        for alpha, n in zip(weights, speaks_of, strict=True)
        if n >= 0
    ]
    return torch.stack(hits).mean().item()


ALTERNATIVES = (peaks_word_by_word, peaks_at_once, peaks_on_a_map_of_each_box)
