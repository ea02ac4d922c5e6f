"""Run the exercises of one notebook, and tell line by line what came of each.

Started by grades.py, in a fresh process and an empty folder, for one notebook of one
learner. It reads from its standard input what to run, and writes what it tells, as
JSON, into the file whose number it is given: what a cell prints is nobody's.
"""

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.classroom import confine

LONGEST = 10_000  # characters of an error that are told


def main(number: str) -> None:
    told = json.load(sys.stdin)
    with os.fdopen(int(number), "w") as out:
        if told["confined"]:
            confine.confine(Path.cwd())
        for answer in answers(told):
            out.write(json.dumps(answer) + "\n")
            out.flush()


def answers(told: dict):
    """Yield that all is ready; of each exercise, that it begins, and what was found."""
    notebook = Notebook(told["names"])
    confine.limit(told["seconds"] * (1 + len(told["exercises"])))
    yield {"ready": True}
    for exercise in told["exercises"]:
        yield {"begins": exercise["id"]}
        found = notebook.answer(exercise["id"], exercise["cells"], exercise["judged"])
        yield {"id": exercise["id"], **found}


class Notebook:
    """A learner's cells, run as a kernel would, and the functions that they check.

    Parameters
    ----------
    names : code of the book's, which makes the names that a chapter's cells may use.
    """

    def __init__(self, names: str):
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        quiet = Config({"HistoryManager": {"enabled": False}})
        self._shell = InteractiveShell.instance(config=quiet)
        self._shell.run_cell(names, silent=True).raise_error()
        import qkv.exercises

        self._handed: dict[str, object] = {}
        vars(qkv.exercises)["check"] = self._shell.user_ns["check"] = self._check

    def answer(self, id: str, cells: list[str], judged: bool) -> dict:
        """Run the cells of one exercise; say what the book says of their answer."""
        from qkv.exercises import finding

        name = finding.find(id).name
        before = self._shell.user_ns.get(name)
        self._handed.clear()
        try:
            error = self._run(cells)
            attempt = self._handed.get(id, self._shell.user_ns.get(name))
            if id not in self._handed and attempt is before:
                return _raised(error) if error else {"stage": "NO_ANSWER", "said": ""}
            return _judged(id, attempt) if judged else {}
        except BaseException as error:  # sys.exit in a function, too
            return _raised(error)

    def _check(self, id: object, attempt: object = None) -> None:
        """Stand in for the check: the answer is judged once, after the cells."""
        if isinstance(id, str):
            self._handed[id] = attempt

    def _run(self, cells: list[str]) -> BaseException | None:
        for source in cells:
            ran = self._shell.run_cell(source, store_history=False)
            if error := ran.error_before_exec or ran.error_in_exec:
                return error
        return None


def _judged(id: str, attempt: object) -> dict:
    from qkv.checking.judge import judge
    from qkv.exercises import finding

    verdict = judge(finding.find(id), attempt)
    said = "; ".join([verdict.message, *verdict.notes])
    return {"stage": verdict.stage.name, "mistake": verdict.mistake, "said": said}


def _raised(error: BaseException) -> dict:
    said = f"raised {type(error).__name__}: {error}"[:LONGEST].rstrip(": ")
    return {"stage": "RAISED", "said": said}


if __name__ == "__main__":
    main(sys.argv[1])
