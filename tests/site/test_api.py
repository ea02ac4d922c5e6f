"""The API reference: every public module has its page, and shapes can be read."""

from tests.site.conftest import ROOT  # first: it finds book/_ext

# isort: split
from bs4 import BeautifulSoup
from site_api import subjects


def text_of(built, subject):
    page = built / "api" / "generated" / f"{subject}.html"
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_every_subject_of_the_package_has_a_page(built):
    for subject in subjects(ROOT):
        assert subject in text_of(built, subject).find("h1").text


def test_answers_and_private_modules_have_none():
    listed = [name for names in subjects(ROOT).values() for name in names]
    assert "qkv.attention" in listed
    assert not [name for name in listed if "._" in name or ".ch0" in name]


def test_what_a_subject_loads_when_asked_is_described_once_by_its_names(built):
    page = text_of(built, "qkv.widgets")
    assert [each["id"] for each in page.select("dt[id$='.Stepper']")] == [
        "qkv.widgets.Stepper"
    ]
    assert text_of(built, "qkv.plot").find(id="qkv.plot.heatmap")


def test_what_readers_never_import_has_no_section():
    found = subjects(ROOT)
    assert found["qkv.plot"] == ["qkv.plot"]
    assert "qkv.data.text.grammar" in found["qkv.data"]
    assert "qkv.exercises.sentences" not in found["qkv.exercises"]


def test_a_function_named_like_its_module_is_described_once(built):
    page = text_of(built, "qkv.decoding")
    assert len(page.find_all(id="qkv.decoding.beam")) == 1
    assert page.find(id="qkv.decoding.beam").name == "dt"


def test_what_a_package_hands_on_to_its_subject_is_described_once(built):
    page = text_of(built, "qkv.data")
    assert page.find(id="qkv.data.EnglishKorean")
    assert page.find(id="qkv.data.text.grammar.judge")
    assert not page.find_all(id="qkv.data.text.grammar.EnglishKorean")


def test_what_a_subject_hands_on_is_described_once(built):
    for subject in subjects(ROOT):
        page = text_of(built, subject)
        kinds = "dl.py.class > dt[id], dl.py.function > dt[id]"
        found = [each["id"].rpartition(".")[::2] for each in page.select(kinds)]
        own = {name for where, name in found if where == subject}
        assert not [x for x in found if x[1] in own and x[0] != subject]


def test_a_widget_says_what_it_is_made_from(built):
    page = text_of(built, "qkv.widgets")
    for each in page.select("dt.sig-object[id]"):
        assert "*args" not in each.text, each["id"]
    signature = page.find(id="qkv.widgets.MaskPainter").text
    assert "tokens: Sequence[str]" in signature
    assert "lengths" in signature


def test_shapes_stand_in_signatures_in_words(built):
    page = text_of(built, "qkv.attention")
    signature = page.find(id="qkv.attention.attend").text
    assert "Float[Tensor, '*batch query key']" in signature
    assert "jaxtyping" not in signature


def test_a_trace_has_a_table_of_its_steps(built):
    described = text_of(built, "qkv.attention").find(id="qkv.attention.AttentionTrace")
    table = described.find_parent("dl").find("table")
    rows = [row.find("td").text.strip() for row in table.find_all("tr")[1:]]
    assert rows == ["scores", "weights", "context"]
    assert table.find("math")
