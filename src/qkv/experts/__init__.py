r"""Experts: many feed-forward networks, of which each token pays for a few.

A *router* scores the experts for each token; the k best of them work on it, and what
they say is added up, each weighed by its gate. So a layer may have many times the
parameters of a feed-forward network at hardly more arithmetic a token.

:class:`MixtureOfExperts` is such a layer, and stands wherever a
:class:`~qkv.layers.FeedForward` may stand. :func:`gates` chooses and weighs,
:func:`balance_loss` asks for equal loads, and so does :class:`RoutingBias` without a
loss; :func:`kept` drops what has no place, and :func:`purity` compares what experts
stand for with a known truth.

- :mod:`qkv.experts.routing`: who works on which token, and how evenly,
- :mod:`qkv.experts.bias`: equal loads without a loss,
- :mod:`qkv.experts.capacity`: places, and the tokens for which there is none,
- :mod:`qkv.experts.layer`: the layer, and its steps one by one.
"""

from qkv.experts.bias import RoutingBias
from qkv.experts.capacity import expected_dropped, kept, places
from qkv.experts.layer import MixtureOfExperts, RoutingTrace
from qkv.experts.routing import balance_loss, gates, loads, purity

__all__ = [
    "MixtureOfExperts",
    "RoutingBias",
    "RoutingTrace",
    "balance_loss",
    "expected_dropped",
    "gates",
    "kept",
    "loads",
    "places",
    "purity",
]
