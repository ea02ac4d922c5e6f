"""The page for those who teach: what it says by hand is of chapters that exist."""

import re

from tools.classroom.grades import CHAPTERS, ROOT


def test_each_chapter_has_something_to_discuss():
    page = (ROOT / "book" / "teaching.md").read_text("utf-8")
    to_discuss = page.partition("\n## To discuss\n")[2]
    numbers = [int(n) for n in re.findall(r"^Chapter (\d+)\n: ", to_discuss, re.M)]
    names = sorted(path.name for path in CHAPTERS.glob("[0-9][0-9]_*.md"))
    assert numbers == [int(name[:2]) for name in names]
