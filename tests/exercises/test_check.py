"""What ``check`` and ``hint`` say, and how they are called."""

from typing import Any

import pytest

import qkv.exercises
from qkv.checking import solved
from qkv.checking.solved import Solved
from qkv.exercises import check, hint


@pytest.fixture(autouse=True)
def _fresh_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(solved, "session", Solved())
    monkeypatch.setattr(qkv.exercises, "_hints_given", {})


def said(capsys: pytest.CaptureFixture) -> str:
    return capsys.readouterr().out


def test_check_prints_one_deterministic_message(capsys: pytest.CaptureFixture) -> None:
    check("1.3", lambda states, lengths: states[:, 0])
    first = said(capsys)
    check("1.3", lambda states, lengths: states[:, 0])
    assert said(capsys) == first
    assert first.startswith("✗ 1.3 Bug hunt: the last state: this is the state after")
    assert first.count("\n") == 1


def test_an_unknown_exercise_is_refused_with_those_of_its_chapter() -> None:
    with pytest.raises(ValueError, match=r"no exercise '99\.1'; progress\(\) lists"):
        check("99.1", None)
    with pytest.raises(ValueError, match=r"'1\.70'; chapter 1 has 1\.1, .*, 1\.6, and"):
        hint("1.70")
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
        (("1.2",), 'your function, too: check("1.2", gru_step)'),
        (("1.1", 3), "the function itself, not a value of type int"),
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


def test_hints_come_one_by_one_and_say_how_many_are_left(
    capsys: pytest.CaptureFixture,
) -> None:
    said_so = []
    for _ in range(4):
        hint("1.2")
        said_so.append(said(capsys))
    assert said_so[0].startswith("Hint 1 of 3 to 1.2: take the four lines")
    assert said_so[0].endswith("(2 more hints)\n")
    assert said_so[1].endswith("(one more hint)\n")
    assert "no more hints" in said_so[2]
    assert said_so[3] == said_so[2]
