"""What ``check`` and ``hint`` say, and how they are called."""

from typing import Any

import pytest

import qkv.exercises
from qkv.checking import solved
from qkv.checking.solved import Solved
from qkv.exercises import check, example, hint


@pytest.fixture(autouse=True)
def _fresh_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(solved, "session", Solved())
    monkeypatch.setattr(qkv.exercises, "_hints_given", {})
    monkeypatch.setattr(qkv.exercises, "_failed", {})


def said(capsys: pytest.CaptureFixture) -> str:
    return capsys.readouterr().out


def test_check_prints_one_deterministic_message(capsys: pytest.CaptureFixture) -> None:
    check("0.1", lambda ids, table: table[ids - 1])
    first = said(capsys)
    check("0.1", lambda ids, table: table[ids - 1])
    assert said(capsys) == first
    assert first.startswith("✗ 0.1 Look up a batch of words: each word has got")
    assert first.count("\n") == 1


def test_an_unknown_exercise_is_refused_with_those_of_its_chapter() -> None:
    with pytest.raises(ValueError, match=r"no exercise '99\.1'; progress\(\) lists"):
        check("99.1", None)
    with pytest.raises(ValueError, match=r"'0\.70'; chapter 0 has 0\.1, .*, 0\.6"):
        hint("0.70")
    with pytest.raises(ValueError, match="no exercise 'embed'"):
        check("embed", None)


def embed(ids: Any, table: Any) -> Any:
    return table[ids]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((1.1, embed), 'stands in quotes: check("1.1", embed)'),
        ((embed,), 'comes first: check("1.1", embed)'),
        ((embed, "1.2"), 'comes first: check("1.2", embed)'),
        ((embed, 1.2), 'comes first: check("1.2", embed)'),
        ((lambda x: x, "1.2"), 'comes first: check("1.2", your_function)'),
        (("0.6",), 'your function, too: check("0.6", gru_step)'),
        (("0.1", 3), "the function itself, not a value of type int"),
    ],
)
def test_a_call_that_went_wrong_is_answered_in_one_sentence(
    given: tuple, words: str, capsys: pytest.CaptureFixture
) -> None:
    check(*given)
    answer = said(capsys)
    assert words in answer
    assert answer.count("\n") == 1


def test_a_hint_wants_its_number_in_quotes(capsys: pytest.CaptureFixture) -> None:
    hint(1.1)
    assert 'in quotes: hint("1.1")' in said(capsys)
    assert example(1.1) is None
    assert 'in quotes: example("1.1")' in said(capsys)


def test_hints_come_one_by_one_and_say_how_many_are_left(
    capsys: pytest.CaptureFixture,
) -> None:
    said_so = []
    for _ in range(4):
        hint("0.6")
        said_so.append(said(capsys))
    assert said_so[0].startswith("Hint 1 of 3 to 0.6: take the four lines")
    assert said_so[0].endswith("(2 more hints)\n")
    assert said_so[1].endswith("(one more hint)\n")
    assert "no more hints" in said_so[2]
    assert said_so[3] == said_so[2]


def test_the_last_hint_says_where_the_solution_is(
    tmp_path: Any, capsys: pytest.CaptureFixture
) -> None:
    for _ in range(3):
        hint("1.2")
    assert "worked out in the chapter's solutions, under 1.2)" in said(capsys)
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions/01_a.ipynb").touch()
    hint("1.2")
    assert "worked out in solutions/01_a.ipynb, under 1.2)" in said(capsys)


def test_an_example_is_the_input_that_failed(capsys: pytest.CaptureFixture) -> None:
    assert example("4.4") == (15, 3, True)
    assert said(capsys) == (
        "count_parameters(d_model, heads, bias) with three heads with biases, "
        "wanted: 960\n"
    )
    check("4.4", lambda d_model, heads, bias: 960)
    assert "(with five heads without; before that it was right: " in said(capsys)
    assert example("4.4") == (35, 5, False)
    check("4.4", lambda d_model, heads, bias: 4 * (d_model * d_model + bias * d_model))
    assert example("4.4") == (15, 3, True)


def test_an_example_has_tensors_and_what_is_wanted(
    capsys: pytest.CaptureFixture,
) -> None:
    ids, table = example("0.1")
    words = said(capsys)
    assert words.startswith("embed(ids, table) with ")
    assert repr(table[ids]) in words


@pytest.mark.parametrize("ask", [hint, example, lambda id: check(id, embed)])
def test_an_exercise_by_hand_is_solved_in_its_widget(
    ask: Any, capsys: pytest.CaptureFixture
) -> None:
    ask("3.a")
    assert said(capsys) == (
        "3.a is worked out by hand: fill in the numbers in its widget\n"
    )


def test_notes_follow_the_verdict(capsys: pytest.CaptureFixture) -> None:
    check("3.1", lambda x, basis: x.detach() @ basis.mT @ basis)
    first, note = said(capsys).splitlines()
    assert first.startswith("✓ 3.1 ")
    assert note.startswith("  but no gradient passes through it")
