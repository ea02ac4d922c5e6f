"""Other right answers to "The last season, again and again"."""

import torch


def seasonal_by_repeating(past, horizon, season):
    last = past[:, -season:]
    return last.repeat(1, horizon // season + 1)[:, :horizon]


def seasonal_step_by_step(past, horizon, season):
    known = past
    for _ in range(horizon):
        known = torch.cat([known, known[:, -season, None]], -1)
    return known[:, past.shape[1] :]


def seasonal_in_a_loop(past, horizon, season):
    columns = [past[:, -season:][:, step % season] for step in range(horizon)]
    return torch.stack(columns, -1)


ALTERNATIVES = (seasonal_by_repeating, seasonal_step_by_step, seasonal_in_a_loop)
