"""Other right answers to "A moving mean that stays inside"."""

import torch


def moving_mean_by_places(past, kernel):
    length = past.shape[-1]
    around = torch.arange(kernel) - kernel // 2
    places = (torch.arange(length)[:, None] + around).clamp(0, length - 1)
    return past[:, places].mean(-1)


def moving_mean_by_pooling(past, kernel):
    side = kernel // 2
    first, last = past[:, :1].repeat(1, side), past[:, -1:].repeat(1, side)
    longer = torch.cat([first, past, last], 1)
    pooled = torch.nn.functional.avg_pool1d(longer[:, None], kernel, stride=1)
    return pooled.squeeze(1)


ALTERNATIVES = (moving_mean_by_places, moving_mean_by_pooling)
