"""Decoding: let a model write, one token after another, and see what it wrote.

:func:`greedy` takes the likeliest token, :func:`beam` searches for a likely sequence,
and :func:`sample` draws. All are built on a model's ``start`` and ``step`` alone, so
that nothing of the past is computed again, and all write the target of an
encoder-decoder or go on with the prompt of a language model. :func:`translate`,
:func:`exact_match` and :func:`record` do it with the examples of a corpus.
"""

from qkv.decoding.examples import BATCH_SIZE, exact_match, record, translate
from qkv.decoding.loop import Continuing, greedy, sample, sampling_probabilities
from qkv.decoding.search import BeamNode, BeamTree, beam, beam_tree

__all__ = [
    "BATCH_SIZE",
    "BeamNode",
    "BeamTree",
    "Continuing",
    "beam",
    "beam_tree",
    "exact_match",
    "greedy",
    "record",
    "sample",
    "sampling_probabilities",
    "translate",
]
