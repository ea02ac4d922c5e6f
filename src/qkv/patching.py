r"""Run a model with some of its intermediate values replaced: *activation patching*.

A trace shows what a model computed, by name. :func:`patched` runs the same computation
again, puts another value in the place of one that is named, and lets everything after
it follow: what a value *does* is the difference between the two traces. A head is
ablated by zeros in its place, a word is patched by its state in another sentence.

It works on whatever returns a trace. Nothing is registered on a model and nothing is
kept in one: values are exchanged while another run passes them, found by the order
in which the run calls PyTorch's functions.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from qkv.trace import walk

Replacement = Tensor | Callable[[Tensor], Tensor]
_CHANGES = (
    "the run does not do the same each time, so that no step can be found again; "
    "switch off what changes between runs, such as dropout, with model.eval()"
)


def patched(
    run: Callable[..., Any], *inputs: Any, replace: Mapping[str, Replacement]
) -> Any:
    r"""Return the trace of ``run(*inputs)`` with some of its values replaced.

    Where the run makes the value v and goes on to f(v), this goes on to f(v'): nothing
    before the place changes, and everything after it is computed anew.

    Parameters
    ----------
    run : what makes a trace, such as ``model.trace``. It is called three times, and
        has to do the same each time.
    inputs : what it takes.
    replace : by the path of a step, as :func:`qkv.trace.walk` names it: the value that
        is to stand there, or a function from the value that stands there to the one
        that is to. It is given what the replacements before it have led to.

    Raises
    ------
    ValueError
        If there is no such step, a value has another shape or kind of numbers than the
        step's, the step is given to the run and not made by it, two paths are one
        value, or the run draws random numbers or does not do the same each time.
    TypeError
        If a value is no tensor.

    Notes
    -----
    Meng et al. (2022) patch states, Wang et al. (2023) heads; Zhang and Nanda (2024)
    compare how it is done.

    Examples
    --------
    >>> from qkv.attention import trace_scaled_dot_product
    >>> query, key = torch.tensor([[1.0, 0.0]]), torch.tensor([[9.0, 0.0], [0.0, 9.0]])
    >>> inputs = query, key, torch.tensor([[2.0], [8.0]])
    >>> trace_scaled_dot_product(*inputs).output.round(decimals=2)
    tensor([[2.0100]])
    >>> even = torch.tensor([[0.5, 0.5]])
    >>> patched(trace_scaled_dot_product, *inputs, replace={"weights": even}).output
    tensor([[5.]])
    """
    run(*inputs)  # what a model makes once and keeps, such as positions, is made now
    random = torch.get_rng_state()
    with _Record() as record:
        trace = run(*inputs)
    if not torch.equal(torch.get_rng_state(), random):
        raise ValueError(_CHANGES)
    exchange = _Exchange(record, _places(trace, record, replace))
    with exchange:
        trace = run(*inputs)
    exchange.check_calls(len(record.calls))
    return trace


class _Moment(NamedTuple):
    """When a value is made: by which call, and as which of its results."""

    call: int
    result: int


class _Place(NamedTuple):
    path: str
    replacement: Replacement

    def replaced(self, value: Tensor) -> Tensor:
        """Return what is to stand here in the place of ``value``, if it can."""
        new = self.replacement
        new = new if isinstance(new, Tensor) else new(value)
        if not isinstance(new, Tensor):
            raise TypeError(
                f"{self.path!r} is to be replaced by a tensor, not by "
                f"{type(new).__name__}"
            )
        for what in "shape", "dtype", "device":
            if (old := getattr(value, what)) != (given := getattr(new, what)):
                raise ValueError(
                    f"{self.path!r} has {what} {_said(old)}, but what is to replace it "
                    f"has {_said(given)}; the two must agree"
                )
        return new


def _places(
    trace: Any, record: "_Record", replace: Mapping[str, Replacement]
) -> dict[_Moment, _Place]:
    """Return what is to be exchanged, by the moment in which it is made."""
    values = {step.path: step.value for step in walk(trace)}
    places: dict[_Moment, _Place] = {}
    for path, replacement in replace.items():
        if path not in values:
            raise _unknown(path, values)
        moment = record.moment(path, values[path])
        if moment in places:
            raise ValueError(
                f"{places[moment].path!r} and {path!r} are one and the same value here;"
                " replace one of them"
            )
        places[moment] = _Place(path, replacement)
    return places


class _Calls(TorchFunctionMode):
    """Let a run call PyTorch's functions, and keep which makes tensors, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Callable] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if not any(isinstance(value, Tensor) for value in _results(made)):
            return made  # a size, a kind of numbers: no step, and read at any time
        self.calls.append(func)
        return self.seen(len(self.calls) - 1, made)

    def seen(self, call: int, made: Any) -> Any:
        """Return what the run is to go on with."""
        raise NotImplementedError


class _Record(_Calls):
    """Keep what is made, too, to find when a value was."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[_Moment, Tensor]] = []

    def seen(self, call: int, made: Any) -> Any:
        for result, value in enumerate(_results(made)):
            self.made.append((_Moment(call, result), value))
        return made

    def moment(self, path: str, value: Tensor) -> _Moment:
        """Return the first moment in which this very value was a result."""
        for moment, made in self.made:
            if made is value:
                return moment
        raise ValueError(
            f"{path!r} is given to the run and not made by it; change what it is given"
        )


class _Exchange(_Calls):
    """Let a run do again what was recorded, with other results in some places."""

    def __init__(self, record: _Record, places: dict[_Moment, _Place]):
        super().__init__()
        self.expected, self.places = record.calls, places
        self.exchanged_in = {moment.call for moment in places}

    def seen(self, call: int, made: Any) -> Any:
        if call not in self.exchanged_in:
            return made
        self.check_calls(call + 1)
        new = [
            place.replaced(value) if place else value
            for result, value in enumerate(_results(made))
            for place in [self.places.get(_Moment(call, result))]
        ]
        return new[0] if isinstance(made, Tensor) else type(made)(new)

    def check_calls(self, count: int) -> None:
        """Refuse a run that has not done the same as the recorded one up to here."""
        if self.calls[:count] != self.expected[:count]:
            raise ValueError(_CHANGES)


def _results(made: Any) -> tuple[Any, ...]:
    return tuple(made) if isinstance(made, tuple | list) else (made,)


def _unknown(path: str, known: Mapping[str, Tensor]) -> ValueError:
    near = get_close_matches(path, known, n=1)
    hint = f"; the nearest is {near[0]!r}" if near else ""
    return ValueError(
        f"the trace has no step {path!r}{hint}; qkv.trace.walk(trace) yields all, each "
        "with its path"
    )


def _said(what: Any) -> str:
    return str(tuple(what) if isinstance(what, torch.Size) else what)
