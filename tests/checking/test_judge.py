"""What the judge says of an attempt, stage by stage."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.checking.judge import Stage, Verdict, judge


def exercise(reference: Callable, **changes: Any) -> Exercise:
    parts = {
        "id": "9.1",
        "title": "Double",
        "minutes": 2,
        "difficulty": 1,
        "reference": reference,
        "cases": {
            "two sentences": lambda: (torch.arange(10.0).view(2, 5),),
            "a batch of one": lambda: (torch.arange(3.0).view(1, 3),),
        },
        "mistakes": {"tripled": Mistake("three times, not twice", lambda x: 3 * x)},
        "hints": ("add it to itself", "x + x"),
    }
    return Exercise(**parts | changes)


Sentences = Float[Tensor, "batch token"]


def double(x: Sentences) -> Sentences:
    return 2 * x


def is_large(x: Sentences) -> Bool[Tensor, "batch token"]:
    return x > 1


def half(x: Sentences) -> float:
    return 0.5


def first_line(verdict: Verdict) -> str:
    return verdict.message.partition("\n")[0]


def said(capsys: pytest.CaptureFixture) -> str:
    return capsys.readouterr().out


@pytest.mark.parametrize("empty", [None, ..., lambda x: None, lambda x: ...])
def test_what_returns_nothing_is_not_attempted(empty: Any) -> None:
    verdict = judge(exercise(double), empty)
    assert verdict.stage is Stage.UNTOUCHED
    assert 'double(x) returns nothing yet (about 2 minutes; hint("9.1")' in (
        verdict.message
    )


def test_not_implemented_is_not_attempted() -> None:
    def attempt(x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    assert judge(exercise(double), attempt).stage is Stage.UNTOUCHED


def test_what_pytorch_has_not_implemented_is_an_error_of_the_reader() -> None:
    verdict = judge(exercise(double), lambda x: x.bool() @ x.bool().T)
    assert verdict.stage is Stage.RAISED
    assert "not implemented for 'Bool'" in verdict.message


def test_a_bug_hunt_as_given_is_not_attempted() -> None:
    hunt = exercise(double, given=lambda x: x + 2)
    verdict = judge(hunt, lambda x: 2 + x)
    assert verdict.stage is Stage.UNTOUCHED
    assert "as it was given" in verdict.message
    assert judge(hunt, lambda x: 3 + x).stage is Stage.VALUES


@pytest.mark.parametrize("empty", [None, ..., lambda x: None, lambda x: ...])
def test_an_empty_attempt_at_a_bug_hunt_is_told_that_it_is_empty(empty: Any) -> None:
    """Not that it is as it was given: there is nothing in it to be mended."""
    hunt = exercise(double, given=lambda x: x + 2)
    verdict = judge(hunt, empty)
    assert verdict.stage is Stage.UNTOUCHED
    assert "double(x) returns nothing yet (about 2 minutes; hint(" in verdict.message
    assert "as it was given" not in verdict.message


def test_a_bug_hunt_that_gives_nothing_back_may_be_left_empty_too() -> None:
    hunt = exercise(double, given=lambda x: None)
    assert "returns nothing yet" in judge(hunt, lambda x: None).message


def test_an_error_is_shown_with_the_readers_own_line() -> None:
    def helper(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, x[0]])

    verdict = judge(exercise(double), lambda x: helper(x))
    assert verdict.stage is Stage.RAISED
    assert verdict.message.startswith("raised RuntimeError: ")
    assert "\n  in your line: return torch.cat([x, x[0]])\n" in verdict.message


def test_a_wrong_number_of_parameters_is_told_how_it_is_called() -> None:
    verdict = judge(exercise(double), lambda: 1)
    assert verdict.stage is Stage.RAISED
    assert "TypeError" in verdict.message
    assert "the check calls double(x)" in verdict.message


def test_sizes_in_an_error_are_no_addresses() -> None:
    message = judge(exercise(double), lambda x: x.repeat(5, 1) @ x).message
    assert "(10x5 and 2x5)" in message


def test_an_address_in_an_error_is_left_out() -> None:
    def attempt(x: torch.Tensor) -> torch.Tensor:
        raise ValueError("<object object at 0x7f001234abcd> is odd")

    assert "0x…" in judge(exercise(double), attempt).message


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ([1.0], "returned a list of 1; wanted a tensor of axes (batch, token)"),
        (5, "returned a value of type int; wanted a tensor"),
        (np.ones((2, 5)), "returned a value of type ndarray; wanted a tensor"),
        (torch.ones(2, 5) * 1j, "a tensor of complex64; wanted real numbers"),
        (
            torch.nested.as_nested_tensor([torch.ones(5)] * 2, layout=torch.jagged),
            "returned a nested tensor; wanted a plain one",
        ),
        (torch.zeros(5, 2), "(token 5, batch 2); wanted (batch 2, token 5): the same"),
        (torch.zeros(2, 5, 7), "(batch 2, token 5, 7); wanted (batch 2, token 5)"),
        (torch.tensor(0.0), "returned axes (); wanted (batch 2, token 5)"),
    ],
)
def test_type_and_shape_are_said_in_axis_words(result: Any, words: str) -> None:
    verdict = judge(exercise(double), lambda x: result)
    assert verdict.stage in (Stage.TYPE, Stage.SHAPE)
    assert words in verdict.message


def test_a_size_that_two_axes_share_is_not_named() -> None:
    def square(x: Float[Tensor, " batch"]) -> Float[Tensor, "batch key"]:
        return torch.zeros(2, 2)

    same = exercise(square, cases={"": lambda: (torch.ones(2),)})
    message = judge(same, lambda x: torch.zeros(2, 1, 2)).message
    assert "returned axes (2, 1, 2); wanted (batch 2, key 2)" in message


def test_what_a_sparse_tensor_leaves_out_is_0() -> None:
    assert judge(exercise(double), lambda x: 2 * x.to_sparse()).stage is Stage.SOLVED


@pytest.mark.parametrize("result", [1j, torch.tensor(1j)])
def test_a_complex_number_is_not_taken_for_its_real_part(result: Any) -> None:
    assert judge(exercise(half), lambda x: result).stage is Stage.TYPE


def test_no_number_is_minus_0() -> None:
    message = first_line(judge(exercise(double), lambda x: -0.0 * x))
    assert message.endswith("0, wanted 18")
    assert "-0" not in message


def test_any_number_of_axes_may_stand_in_front() -> None:
    def doubled(x: Float[Tensor, "*batch token"]) -> Float[Tensor, "*batch token"]:
        return 2 * x

    many = exercise(
        doubled,
        cases={
            "no batch": lambda: (torch.arange(5.0),),
            "heads in front": lambda: (torch.arange(30.0).view(3, 2, 5),),
        },
    )
    assert judge(many, doubled).stage is Stage.SOLVED
    assert "wanted (token 5)" in judge(many, lambda x: torch.ones(7)).message
    folded = judge(many, lambda x: 2 * x.view(-1, x.shape[-1]).squeeze(0)).message
    assert "axes (6, token 5); wanted (batch 3, batch 2, token 5)" in folded
    off = judge(many, lambda x: 2 * x + (x == 29)).message
    assert "most at batch 2, batch 1, token 4: 59, wanted 58" in off


def test_the_result_instead_of_the_function_is_understood() -> None:
    verdict = judge(exercise(double), torch.zeros(2))
    assert verdict.stage is Stage.TYPE
    assert 'check("9.1", double)' in verdict.message


def test_whole_numbers_must_stay_whole() -> None:
    def later(x: Sentences) -> Int[Tensor, "batch token"]:
        return x.long() + 1

    ids = exercise(later, mistakes={})
    assert "wanted whole numbers" in judge(ids, lambda x: x + 1).message
    assert judge(ids, lambda x: (x + 1).int()).stage is Stage.SOLVED
    yes = exercise(is_large, mistakes={})
    for numbers in (lambda x: x * 1.0, lambda x: (x > 1).long()):
        assert "wanted True and False" in judge(yes, numbers).message


def test_what_is_true_or_false_is_said_so() -> None:
    yes = exercise(is_large, mistakes={})
    message = first_line(judge(yes, lambda x: x > 0))
    assert (
        message
        == "1 of 10 values are off, most at batch 0, token 1: True, wanted False"
    )


def test_the_worst_value_is_named_by_its_place() -> None:
    def attempt(x: torch.Tensor) -> torch.Tensor:
        x = 2 * x
        x[1, 3] += 1.5
        x[0, 0] -= 1
        return x

    verdict = judge(exercise(double), attempt)
    assert verdict.stage is Stage.VALUES
    assert first_line(verdict) == (
        "2 of 10 values are off, most at batch 1, token 3: 17.5000, wanted 16"
    )


def test_nan_is_off_and_is_the_worst() -> None:
    def attempt(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x == 3, torch.nan, 2 * x)

    message = judge(exercise(double), attempt).message
    assert "1 of 10 values are off, most at batch 0, token 3: NaN, wanted 6" in message


def test_what_fails_later_says_with_what() -> None:
    verdict = judge(exercise(double), lambda x: (2 * x).squeeze())
    assert verdict.stage is Stage.SHAPE
    assert "\n  (with a batch of one; before that it was right: " in verdict.message
    assert verdict.case == "a batch of one"


def test_a_mistake_counts_only_if_it_explains_every_case() -> None:
    assert judge(exercise(double), lambda x: 3 * x).mistake == "tripled"
    verdict = judge(exercise(double), lambda x: 3 * x if len(x) == 2 else 5 * x)
    assert verdict.stage is Stage.VALUES


def test_an_attempt_cannot_change_what_it_is_compared_with() -> None:
    assert judge(exercise(double), lambda x: x.mul_(2)).stage is Stage.SOLVED
    assert judge(exercise(double), lambda x: x.mul_(3)).mistake == "tripled"


def test_gradients_and_double_precision_do_no_harm() -> None:
    weight = torch.nn.Parameter(torch.tensor(2.0))
    assert judge(exercise(double), lambda x: x * weight).stage is Stage.SOLVED
    assert judge(exercise(double), lambda x: x.double() * 2).stage is Stage.SOLVED
    torch.set_default_dtype(torch.float64)
    try:
        assert judge(exercise(double), lambda x: x * torch.ones(1) * 2).stage is (
            Stage.SOLVED
        )
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_sessions_random_numbers_are_left_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    judge(exercise(double), lambda x: x + torch.rand(1))
    torch.testing.assert_close(torch.rand(2), expected)


@pytest.mark.parametrize("number", [0.5, torch.tensor(0.5)])
def test_one_number_may_be_a_float_or_a_tensor_without_axes(number: Any) -> None:
    share = exercise(half, mistakes={})
    assert judge(share, lambda x: number).stage is Stage.SOLVED
    assert first_line(judge(share, lambda x: "0.5")) == (
        "returned a value of type str; wanted one number"
    )
    assert "wanted one number" in judge(share, lambda x: torch.ones(1) / 2).message
    off = judge(share, lambda x: 0.25)
    assert first_line(off) == "returned 0.2500; wanted 0.5000"


def test_several_results_are_told_apart_by_their_names() -> None:
    def once_and_twice(x: Sentences) -> tuple[Sentences, Sentences]:
        return x, 2 * x

    both = exercise(once_and_twice, results=("one", "two"))
    assert judge(both, lambda x: (x, x + x)).stage is Stage.SOLVED
    alone = judge(both, lambda x: x)
    assert first_line(alone) == "returned a tensor; wanted 2: one, two"
    assert judge(both, lambda x: (x, x)).message.startswith("two: 9 of 10 values")
    assert judge(both, lambda x: (x, x.mT)).message.startswith("two: returned axes")


def test_lists_of_words_are_compared_item_by_item() -> None:
    def read(x: Sentences) -> list[str]:
        return ["a", "b"]

    words = exercise(read, mistakes={})
    assert judge(words, lambda x: ("a", "b")).stage is Stage.SOLVED
    for given, said in {
        ("a", "c"): "item 1 is 'c'; wanted 'b'",
        ("a",): "returned 1 items; wanted 2",
        "ab": "returned a value of type str; wanted a list of 2",
    }.items():
        assert first_line(judge(words, lambda x, given=given: given)) == said


def test_what_an_attempt_prints_is_printed_once(capsys: pytest.CaptureFixture) -> None:
    def attempt(x: torch.Tensor) -> torch.Tensor:
        print("looking")
        return 2 * x

    judge(exercise(double), attempt)
    assert said(capsys) == "looking\n"


def added(a: int, b: int) -> int:
    return a + b


def test_the_input_is_shown_at_once_where_it_is_numbers() -> None:
    sums = exercise(added, cases={"small numbers": lambda: (2, 3)}, mistakes={})
    verdict = judge(sums, lambda a, b: a * b)
    assert verdict.message == (
        "returned 6; wanted 5\n  (with small numbers: added(2, 3))"
    )
    tensors = judge(exercise(double), lambda x: x + 1)
    assert tensors.message.endswith(
        '(with two sentences: example("9.1") shows the input)'
    )
    assert tensors.case == "two sentences"


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (0.50002, "returned 0.50002; wanted 0.5"),
        (0.5000041, "returned 0.500004; wanted 0.5"),
        (10**400, "returned inf; wanted 0.5000"),
        (-(10**400), "returned -inf; wanted 0.5000"),
    ],
)
def test_numbers_have_as_many_decimals_as_tell_them_apart(off: Any, words: str) -> None:
    share = exercise(half, mistakes={}, tolerance=1e-6)
    assert first_line(judge(share, lambda x: off)) == words


def test_a_dtype_that_spoils_the_numbers_is_said() -> None:
    message = first_line(judge(exercise(double), lambda x: (2.4 * x).long()))
    assert message.endswith("; it is a tensor of int64")
    message = first_line(judge(exercise(double), lambda x: (2.002 * x).half()))
    assert message.endswith("; it is a tensor of float16")
    assert judge(exercise(double), lambda x: (2 * x).long()).stage is Stage.SOLVED


def test_what_raises_in_one_case_is_named_by_the_others() -> None:
    def tripled_until_one(x: torch.Tensor) -> torch.Tensor:
        if len(x) == 1:
            raise IndexError("one too far")
        return 3 * x

    verdict = judge(exercise(double), tripled_until_one)
    assert (verdict.stage, verdict.mistake) == (Stage.MISTAKE, "tripled")
    assert first_line(verdict) == "three times, not twice"

    def tripled_at_the_end(x: torch.Tensor) -> torch.Tensor:
        return 3 * x if len(x) == 1 else x @ x

    verdict = judge(exercise(double), tripled_at_the_end)
    assert verdict.mistake == "tripled"
    assert "\n  (with two sentences it raised RuntimeError: " in verdict.message


def test_an_error_beside_right_answers_has_no_name() -> None:
    def right_until_one(x: torch.Tensor) -> torch.Tensor:
        return 2 * x[:2] if len(x) > 1 else x @ x.view(7)

    assert judge(exercise(double), right_until_one).stage is Stage.RAISED
    assert judge(exercise(double), lambda x: x.nothing).stage is Stage.RAISED


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class TestGradients:
    """Where they are a part of the answer, they are compared as values are."""

    asked = exercise(
        double,
        backward=True,
        mistakes={
            "cut": Mistake("no gradient", lambda x: 2 * x.detach()),
            "turned": Mistake("the other way", lambda x: (4 * x).detach() - 2 * x),
        },
    )

    @pytest.mark.parametrize(
        "right", [lambda x: x + x, lambda x: 2 * x.double(), lambda x: x.mul_(2)]
    )
    def test_a_right_one_passes(self, right: Callable) -> None:
        assert judge(self.asked, right).stage is Stage.SOLVED

    @pytest.mark.parametrize(
        ("attempt", "name"),
        [
            (lambda x: torch.tensor((2 * x).tolist()), "cut"),
            (torch.no_grad()(double), "cut"),
            (lambda x: 4 * x.detach() - 2 * x, "turned"),
        ],
    )
    def test_right_values_with_a_wrong_gradient_have_a_name(
        self, attempt: Callable, name: str
    ) -> None:
        verdict = judge(self.asked, attempt)
        assert (verdict.stage, verdict.mistake) == (Stage.MISTAKE, name)

    def test_one_without_a_name_is_told_which_argument_gets_what(self) -> None:
        verdict = judge(self.asked, lambda x: 5 * x - (3 * x).detach())
        assert verdict.stage is Stage.VALUES
        assert first_line(verdict).startswith(
            "the values are right, but the gradient that reaches x is not: 10 of 10 "
            "values are off, most at batch 1, token 4: 50, wanted 20 (the check "
        )

    def test_wrong_values_come_first(self) -> None:
        verdict = judge(self.asked, lambda x: 3 * x)
        assert "the values are right" not in verdict.message

    def test_elsewhere_nobody_looks_at_them(self) -> None:
        verdict = judge(exercise(double), lambda x: 2 * x.detach())
        assert verdict.stage is Stage.SOLVED


def test_a_mistake_beside_one_that_gives_nan_is_named_by_the_other_cases() -> None:
    """Two slips at once: the one that has a name shows where the other does not."""
    cases = {
        "small": lambda: (torch.ones(2, 5),),
        "large": lambda: (torch.full((1, 3), 300.0),),
    }

    def tripled_with_nan(x: torch.Tensor) -> torch.Tensor:
        return 3 * x + x.exp() - x.exp()

    verdict = judge(exercise(double, cases=cases), tripled_with_nan)
    assert verdict.mistake == "tripled"


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_odd_answers_are_judged_like_others() -> None:
    def mute(x: torch.Tensor) -> torch.Tensor:
        raise _Mute

    assert "raised _Mute" in judge(exercise(double), mute).message
    quantised = torch.quantize_per_tensor(torch.ones(2, 5), 0.1, 0, torch.quint8)
    verdict = judge(exercise(double), lambda x: quantised)
    assert first_line(verdict) == "returned a tensor of quint8; wanted real numbers"

    def read(x: Sentences) -> list[str]:
        return ["a", "b"]

    arrays = judge(exercise(read, mistakes={}), lambda x: [np.ones(2), "b"])
    assert first_line(arrays).startswith("item 0 is array")


def test_settings_of_pytorch_are_taken_back() -> None:
    def careless(x: torch.Tensor) -> torch.Tensor:
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.set_default_device("meta")
        return 2 * x

    assert judge(exercise(double), careless).stage is Stage.SOLVED
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert torch.ones(1).device.type == "cpu"


class TestNotes:
    def notes(self, attempt: Callable, **changes: Any) -> str:
        verdict = judge(exercise(double, **changes), attempt)
        assert verdict.stage is Stage.SOLVED
        return " ".join(verdict.notes)

    def test_of_a_clean_answer_nothing_is_said(self) -> None:
        assert self.notes(lambda x: x + x) == ""
        assert self.notes(lambda x: x.clone().mul_(2)) == ""

    def test_it_overwrites_its_input(self) -> None:
        assert self.notes(lambda x: x.mul_(2)).startswith("it overwrites what it was")

    def test_it_cuts_the_gradient(self) -> None:
        for attempt in (
            lambda x: 2 * x.detach(),
            lambda x: torch.tensor((2 * x).tolist()),
            lambda x: torch.from_numpy(2 * x.numpy()),
        ):
            assert self.notes(attempt).startswith("no gradient passes through it")

    def test_a_readers_no_grad_is_no_fault_of_the_answer(self) -> None:
        with torch.no_grad():
            assert self.notes(lambda x: 2 * x) == ""

    def test_it_calls_what_was_to_be_written(self) -> None:
        said = "it calls double, the very function that was to be written"
        assert self.notes(lambda x: (x.double() * 2).float()).startswith(said)
        added = {"instead": ("layer_norm", "mul")}
        assert "calls mul" in self.notes(lambda x: torch.mul(x, 2), **added)
        assert "calls mul" in self.notes(lambda x: x.mul(2), **added)
        assert self.notes(lambda x: x * 2, instead=("layer_norm",)) == ""
