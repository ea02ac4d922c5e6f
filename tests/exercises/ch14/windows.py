"""Other right answers to "Known, and to be forecast"."""

import torch


def windows_one_by_one(series, now, length, horizon):
    pasts = [series[n - length + 1 : n + 1] for n in now.tolist()]
    futures = [series[n + 1 : n + 1 + horizon] for n in now.tolist()]
    return torch.stack(pasts), torch.stack(futures)


def windows_of_all(series, now, length, horizon):
    every = series.unfold(0, length + horizon, 1)[now - length + 1]
    return every[:, :length], every[:, length:]


ALTERNATIVES = (windows_one_by_one, windows_of_all)
