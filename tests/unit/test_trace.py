"""A trace is walked in order, with the names of its axes read from its annotations."""

import dataclasses
from dataclasses import dataclass

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qkv.trace import Place, Recording, given, place_of, step, walk


@dataclass(frozen=True)
class Inner:
    scores: Float[Tensor, "*batch query key"] = step(
        "Compare", formula="q k^T", reads=("queries", "keys")
    )
    visible: Bool[Tensor, "query key"] = step("Mask")


@dataclass(frozen=True)
class Outer:
    queries: Float[Tensor, "query d_k"] = step("Ask")
    inner: Inner = step("Attend")
    layers: tuple[Inner, ...] = step("Again and again")
    total: Float[Tensor, ""] = step("Add up")


def inner(*batch: int) -> Inner:
    return Inner(torch.ones(*batch, 2, 3), torch.ones(2, 3, dtype=torch.bool))


def outer() -> Outer:
    layers = (inner(), inner(5))
    return Outer(torch.ones(2, 7), inner(11, 13), layers, torch.tensor(1.0))


def test_steps_come_in_order_with_the_path_from_the_root():
    assert [s.path for s in walk(outer())] == [
        "queries",
        "inner.scores",
        "inner.visible",
        "layers.0.scores",
        "layers.0.visible",
        "layers.1.scores",
        "layers.1.visible",
        "total",
    ]


def test_a_step_says_what_it_is():
    compare = next(walk(inner()))
    assert compare.title == "Compare"
    assert compare.formula == "q k^T"
    assert compare.reads == ("queries", "keys")


def test_what_is_given_is_no_step_but_each_step_of_its_trace_has_it():
    @dataclass(frozen=True)
    class Scaled:
        gain: Float[Tensor, " d_model"] = given()
        output: Float[Tensor, "token d_model"] = step("Scale", by=("scale", "gain"))

    @dataclass(frozen=True)
    class Around:
        scaled: Scaled = step("Norm", owner="norm")
        total: Float[Tensor, ""] = step("Add up", owner="sums")

    gain = torch.ones(3)
    scale, total = walk(Around(Scaled(gain, torch.ones(2, 3)), torch.tensor(1.0)))
    assert scale.path == "scaled.output"
    assert scale.by == ("scale", "gain")
    assert scale.given["gain"] is gain
    assert (total.by, total.owner, total.given) == ((), "sums", {})


def test_a_place_is_said_by_the_inner_trace_and_else_by_the_step_around():
    @dataclass(frozen=True)
    class Named:
        hidden: Float[Tensor, ""] = step("Think", place=Place("norm", "Inner"))
        output: Float[Tensor, ""] = step("Say", place=Place(label="Experts"))

    @dataclass(frozen=True)
    class Layer:
        named: Named = step("Work", place=Place("feed-forward", "FFN", "it", "ffn"))
        inner: Inner = step("Look", place=Place("attention", "Attention"))
        plain: Float[Tensor, ""] = step("Add")

    one = torch.tensor(1.0)
    layer = Layer(Named(one, one), inner(), one)
    assert place_of(layer, "named") == Place("feed-forward", "Experts", "", "ffn")
    assert place_of(layer, "inner") == Place("attention", "Attention")
    assert place_of(layer, "plain") == Place()


def test_axes_have_the_names_of_the_annotation():
    shapes = {s.path: s.shape for s in walk(outer())}
    assert shapes["queries"] == {"query": 2, "d_k": 7}
    assert shapes["layers.0.scores"] == {"query": 2, "key": 3}
    assert shapes["layers.1.scores"] == {"batch": 5, "query": 2, "key": 3}
    assert shapes["inner.scores"] == {"batch": 11, "batch1": 13, "query": 2, "key": 3}
    assert shapes["total"] == {}


def test_a_step_names_the_axes_that_its_trace_knows_as_batch():
    @dataclass(frozen=True)
    class InHeads:
        one: Inner = step("Attend, every head for itself", axes=("head",))
        many: tuple[Inner, ...] = step("Again", axes=("head",))

    @dataclass(frozen=True)
    class InLayers:
        layers: InHeads = step("Layer by layer", axes=("layer",))

    trace = InHeads(inner(5, 7), (inner(7), inner(11, 5, 7)))
    axes = {s.path: s.axes for s in walk(trace)}
    assert axes["one.scores"] == ("batch", "head", "query", "key")
    assert axes["one.visible"] == ("query", "key")  # it has no batch to be named
    assert axes["many.0.scores"] == ("head", "query", "key")
    assert axes["many.1.scores"] == ("batch", "batch1", "head", "query", "key")
    axes = {s.path: s.axes for s in walk(InLayers(trace))}
    assert axes["layers.one.scores"] == ("layer", "head", "query", "key")
    assert axes["layers.many.0.scores"] == ("head", "query", "key")


def test_values_are_the_very_tensors():
    trace = inner()
    assert next(walk(trace)).value is trace.scores


def test_a_trace_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        inner().scores = torch.zeros(2, 3)


@pytest.mark.parametrize("thing", [torch.ones(2), {"a": 1}, Inner, None])
def test_what_is_no_trace_is_refused_by_name(thing):
    with pytest.raises(TypeError, match=f"not {type(thing).__name__}$"):
        list(walk(thing))


def test_a_field_that_is_no_step_is_refused_by_its_path():
    @dataclass(frozen=True)
    class Wrong:
        size: int = step("Count")

    @dataclass(frozen=True)
    class Around:
        wrong: Wrong = step("Hold it")

    with pytest.raises(TypeError, match=r"'wrong\.size' holds a int"):
        list(walk(Around(Wrong(3))))


def test_a_field_without_a_step_is_known_by_its_name():
    @dataclass(frozen=True)
    class Plain:
        weights: Float[Tensor, " key"]

    (only,) = walk(Plain(torch.ones(3)))
    assert (only.title, only.formula, only.reads) == ("weights", "", ())


def test_a_recording_may_have_no_truth():
    recorded = Recording(("a",), ("b",), ("b",), ("a", "b"), forced=1, free=2)
    assert recorded.truth is None


def test_axes_may_be_named_without_a_type():
    """In a notebook, where a reader has no jaxtyping at hand."""

    @dataclass(frozen=True)
    class Doubled:
        twice: "*batch token" = step("Double")

    (only,) = walk(Doubled(torch.ones(2, 3)))
    assert only.shape == {"batch": 2, "token": 3}
