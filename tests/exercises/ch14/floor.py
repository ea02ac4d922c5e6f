"""Other right answers to "The floor, from φ"."""

import torch


def floor_by_impulse(phi, sigma, horizon):
    """Let a single surprise happen, and watch."""
    lags = len(phi)
    values = [0.0] * (lags - 1) + [1.0]
    for _ in range(horizon - 1):
        values.append(sum(f * values[-n - 1] for n, f in enumerate(phi.tolist())))
    floors, total = [], 0.0
    for value in values[lags - 1 :]:
        total += value**2
        floors.append(sigma**2 * total)
    return torch.tensor(floors)


def floor_by_matrix(phi, sigma, horizon):
    """The upper left entry of the powers of the companion matrix."""
    step = torch.zeros(len(phi), len(phi))
    step[0] = phi
    step[1:, :-1] = torch.eye(len(phi) - 1)
    psi = [torch.linalg.matrix_power(step, n)[0, 0] for n in range(horizon)]
    return sigma**2 * torch.stack(psi).square().cumsum(0)


ALTERNATIVES = (floor_by_impulse, floor_by_matrix)
