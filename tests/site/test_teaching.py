"""The page for those who teach: its syllabus is made from the chapters."""

import json

import pytest
from bs4 import BeautifulSoup

from tests.site.conftest import CHAPTERS


def test_the_syllabus_has_the_hours_of_each_chapter(site):
    from site_chapters import Chapter  # conftest puts it on the path
    from site_teaching import hours

    page = (site.folder / "teaching.html").read_text("utf-8")
    rows = BeautifulSoup(page, "html.parser").select("#a-syllabus-by-hours tbody tr")
    found = {row.a["href"]: [cell.get_text() for cell in row("td")] for row in rows}
    twins = sorted(CHAPTERS.glob("*.ipynb"))
    assert [*found] == [f"chapters/{twin.stem}.html" for twin in twins]
    for twin, cells in zip(twins, found.values(), strict=True):
        about = json.loads(twin.read_text("utf-8"))["metadata"]["book"]
        chapter = Chapter("", about["chapter"], "", "", about["minutes"])
        told = [about["needs"], hours(chapter), str(about["cpu_seconds"])]
        assert [cells[1], *cells[3:]] == told


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0"), (15, "¼"), (90, "1½"), (110, "1¾"), (120, "2")]
)
def test_hours_are_told_in_quarters(site, minutes, said):
    from site_chapters import Chapter
    from site_teaching import hours

    assert hours(Chapter("chapters/03_a", 3, "A", "", minutes)) == said


def test_a_part_has_the_sum_of_its_rows(site):
    from site_chapters import Chapter
    from site_teaching import hours

    chapter = Chapter("chapters/03_a", 3, "A", "", 110)
    assert hours(chapter) == "1¾"
    assert hours(chapter, chapter) == "3½"
