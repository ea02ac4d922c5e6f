"""Other right answers to "Cut a picture into patches"."""

import torch
from torch.nn import functional as F


def cut_reshaped(image, patch):
    channel, height, width = image.shape
    rows, columns = height // patch, width // patch
    split = image.reshape(channel, rows, patch, columns, patch)
    return split.permute(1, 3, 0, 2, 4).reshape(rows * columns, -1)


def cut_by_slices(image, patch):
    _, height, width = image.shape
    return torch.stack(
        [
            image[:, top : top + patch, left : left + patch].flatten()
            for top in range(0, height, patch)
            for left in range(0, width, patch)
        ]
    )


def cut_unfolded(image, patch):
    windows = image.unfold(1, patch, patch).unfold(2, patch, patch)
    return windows.permute(1, 2, 0, 3, 4).flatten(2).flatten(0, 1)


def cut_f_unfold(image, patch):
    return F.unfold(image[None], patch, stride=patch)[0].T


ALTERNATIVES = (cut_reshaped, cut_by_slices, cut_unfolded, cut_f_unfold)
