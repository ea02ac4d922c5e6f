"""The page for those who teach: its syllabus is made from the chapters."""

import json
import re

import pytest

from tests.site.conftest import CHAPTERS


def test_the_syllabus_has_the_hours_of_each_chapter(site):
    from site_chapters import Chapter  # conftest puts it on the path
    from site_teaching import hours

    page = (site.folder / "teaching.html").read_text("utf-8")
    syllabus = page.partition('id="a-syllabus-by-hours"')[2].partition("<section")[0]
    rows = re.findall(r'<tr><td><a href="chapters/(\w+)\.html">(.+?)</tr>', syllabus)
    assert [name for name, _ in rows] == sorted(
        p.stem for p in CHAPTERS.glob("*.ipynb")
    )
    for name, row in rows:
        twin = json.loads((CHAPTERS / f"{name}.ipynb").read_text("utf-8"))
        about = twin["metadata"]["book"]
        chapter = Chapter(name, about["chapter"], name, "", about["minutes"])
        assert f"<td>{hours(chapter)}<td>{about['cpu_seconds']}" in row
        assert f"<td>{about['needs']}<td>" in row


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0"), (15, "¼"), (90, "1½"), (110, "1¾"), (120, "2")]
)
def test_hours_are_told_in_quarters(site, minutes, said):
    from site_chapters import Chapter
    from site_teaching import hours

    assert hours(Chapter("chapters/03_a", 3, "A", "", minutes)) == said
