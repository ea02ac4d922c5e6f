"""Where a chapter cites, the site leads to its references, and those to the paper."""

import subprocess
import sys

from bs4 import BeautifulSoup

from tests.site.conftest import ROOT, tags

SMALL_BOOK = {
    "conf.py": "import sys\nsys.path.insert(0, {ext!r})\n"
    "extensions = ['site_references', 'myst_parser']\n"
    "bibtex_bibfiles, bibtex_cite_id = ['a.bib'], '{{key}}'\n",
    "a.bib": "@misc{{one, author={{A, B}}, year={{2001}}, title={{C}}, "
    "url={{{paper}}}}}",
    "index.md": "# Home\n\n[A (2001)]({paper}), [other](https://arxiv.org/abs/2)\n\n"
    "```{{toctree}}\nreferences\n```\n",
    "references.md": "# Works\n\n```{{bibliography}}\n:all:\n```\n",
}


def parsed(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_a_citation_leads_to_its_entry(built):
    chapter = parsed(built / "chapters" / "02_bahdanau_attention.html").article
    (link, *_) = chapter.find_all("a", string="Bahdanau et al., 2015")
    assert link["href"] == "../references.html#bahdanau2015"
    assert "external" not in link["class"]
    entry = parsed(built / "references.html").find(id="bahdanau2015")
    assert "jointly learning to align and translate" in entry.text


def test_no_chapter_leads_to_a_paper_past_the_references(built):
    for page in built.glob("chapters/**/*.html"):
        links = [attributes.get("href") or "" for _, attributes in tags(page)]
        assert not [link for link in links if "arxiv.org" in link or "doi.org" in link]


def test_an_entry_leads_to_its_paper(built):
    for entry in parsed(built / "references.html").find_all(class_="citation"):
        (link,) = entry.find_all("a")
        assert link["href"].startswith(("https://arxiv.org/abs/", "https://doi.org/"))
        assert link.text == link["href"]


def test_on_paper_too_and_other_links_stay(tmp_path):
    book, paper = tmp_path / "book", "https://arxiv.org/abs/1"
    book.mkdir()
    for name, text in SMALL_BOOK.items():
        (book / name).write_text(text.format(ext=str(ROOT / "book/_ext"), paper=paper))
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "singlehtml"]
    subprocess.run([*command, str(book), str(tmp_path / "out")], check=True)
    page = parsed(tmp_path / "out" / "index.html")
    assert page.find("a", string="A (2001)")["href"] == "#one"
    assert page.find("a", string="other")["href"] == "https://arxiv.org/abs/2"
    assert page.find(id="one").find("a")["href"] == paper
