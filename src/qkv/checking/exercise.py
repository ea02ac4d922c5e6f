"""What an exercise is: a task, its right answer, and wrong ones that have names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qkv.checking.annotations import axes_returned, axes_taken

Case = Callable[[], tuple]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give.

    Attributes
    ----------
    says : what the reader is told: what is wrong, and how it shows.
    wrong : the wrong answer itself, called like the right one.
    """

    says: str
    wrong: Callable


@dataclass(frozen=True)
class Exercise:
    """A task with a known answer, and the wrong answers that have names.

    Attributes
    ----------
    id : chapter and number, "1.2".
    title : what is to be written, in a few words.
    minutes : how long it may take.
    difficulty : 1 for what the text has just shown, 2 for a thought of one's own, 3 for
        several that must fit together.
    reference : a right answer. Its annotations name the axes of the arguments and of
        the result; its optional parameters are no part of the exercise.
    cases : arguments by a description of them. Each call makes fresh ones, always
        the same. Sizes are different primes unless a mistake shows only where two
        are equal; such a case comes first.
    mistakes : at least five by their names, told apart by the cases.
    hints : from a nudge to nearly the answer.
    results : the names of the results, where the reference returns several.
    given : in a bug hunt, the code to be mended.
    tolerance : how far a number may be off.
    instead : functions of the libraries that do all of it, by their names, besides
        those that are called like the reference.
    trained : whether it is a part of what is trained, so that gradients must pass.
    backward : whether the gradients that reach the arguments are a part of the answer,
        and are compared as its values are.
    """

    id: str
    title: str
    minutes: int
    difficulty: int
    reference: Callable
    cases: Mapping[str, Case]
    mistakes: Mapping[str, Mistake]
    hints: tuple[str, ...]
    results: tuple[str, ...] = ()
    given: Callable | None = None
    tolerance: float = 1e-5
    instead: tuple[str, ...] = ()
    trained: bool = True
    backward: bool = False

    @property
    def name(self) -> str:
        """The name of the function that the reader writes."""
        return self.reference.__name__

    @property
    def stars(self) -> str:
        """The difficulty as readers see it, ★ to ★★★."""
        return "★" * self.difficulty

    @property
    def takes(self) -> dict[str, str]:
        """The axes of each argument by its name, ``{"ids": "batch token"}``."""
        return axes_taken(self.reference)

    @property
    def returns(self) -> tuple[str, ...]:
        """The axes of each result; several make a tuple."""
        return axes_returned(self.reference)

    @property
    def call(self) -> str:
        """The call, as the reader writes it."""
        return f"{self.name}({', '.join(self.takes)})"
