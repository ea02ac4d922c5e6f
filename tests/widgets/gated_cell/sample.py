"""Cells whose weights are made by hand, and what they do over a sentence."""

import torch

from qkv.recurrent import GRUCell, LSTMCell

WORDS = ("the", "film", "was", "not", "really", "that", "good", "<script>")


def _made(kind, units):
    """Return a cell of seeded weights whose unit 1 opens at "not" alone."""
    generator = torch.Generator().manual_seed(5)
    cell = kind(len(WORDS), units)
    with torch.no_grad():
        for weight in cell.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.8)
        keep = units + 1  # the update or the forget gate of unit 1
        cell.weight_hh[keep::units] = 0
        cell.weight_ih[keep::units] = 0
        cell.bias_ih[keep::units], cell.bias_hh[keep::units] = 0, 0
        cell.bias_ih[keep] = 3.5
        cell.weight_ih[keep, WORDS.index("not")] = -6
        # what it then writes, and what it would at any other word
        cell.bias_ih[2 * units + 1] = -0.4
        cell.weight_ih[2 * units + 1, WORDS.index("not")] = 2
        if kind is LSTMCell:
            cell.bias_ih[1] = -4  # its input gate is shut
            cell.weight_ih[1, WORDS.index("not")] = 8
            cell.bias_ih[3 * units + 1] = 1
    return cell


@torch.no_grad()
def read_gru(text, units=7, start=None):
    """Return the traces of a GRU over the words of a text."""
    cell = _made(GRUCell, units)
    hidden, traces = torch.zeros(units) if start is None else start, []
    for word in text.split():
        x = torch.eye(len(WORDS))[WORDS.index(word)]
        traces.append(cell.trace(x, hidden))
        hidden = traces[-1].hidden
    return traces


@torch.no_grad()
def read_lstm(text, units=7):
    """Return the traces of an LSTM over the words of a text."""
    cell, traces = _made(LSTMCell, units), []
    state = torch.zeros(units), torch.zeros(units)
    for word in text.split():
        x = torch.eye(len(WORDS))[WORDS.index(word)]
        traces.append(cell.trace(x, state))
        state = traces[-1].hidden, traces[-1].cell
    return traces
