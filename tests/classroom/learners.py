"""Learners of a class: what each has written into a copy of a chapter."""

import json

from tools.classroom.grades import CHAPTERS, read

CHAPTER = "03_scaled_dot_product.ipynb"
NAMED = """def scaled_scores(q, k):
    return q @ k.mT


check("3.2", scaled_scores)"""
RIGHT = """def scaled_scores(q, k):
    return q @ k.mT / q.shape[-1] ** 0.5


check("3.2", scaled_scores)"""


def learner(homes, name, answers=(), chapter=CHAPTER):
    """Make a learner's home, with a chapter's notebook and their answers in it."""
    notebook = read(CHAPTERS / chapter)
    for cell in notebook["cells"]:
        for tag in cell.get("metadata", {}).get("tags", ()):
            id = tag.removeprefix("exercise-")
            cell["source"] = dict(answers).get(id, cell["source"])
    return broken(homes, name, json.dumps(notebook).encode(), chapter)


def broken(homes, name, content, chapter=CHAPTER):
    """Make a learner's home, with anything in the notebook's place."""
    home = homes / name
    (home / "work").mkdir(parents=True)
    (home / "work" / chapter).write_bytes(content)
    return home
