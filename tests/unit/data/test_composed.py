"""A word is one word however its system writes it: composed (NFC) or in parts (NFD)."""

from unicodedata import normalize

import pytest
import torch
from PIL import Image

from qkv.data import (
    DateLanguage,
    EnglishKorean,
    Example,
    PairCorpus,
    Vocabulary,
    load_images,
    load_pairs,
)
from qkv.decoding import exact_match, translate
from qkv.recurrent import Seq2Seq

LINES = "I go\t나는 간다\ncafé\t까페\nyou go\t너는 간다\n"
FORMS = ("NFC", "NFD")


def in_parts(text):
    parts = normalize("NFD", text)
    assert parts != text
    return parts


@pytest.fixture(params=FORMS)
def corpus(request, tmp_path):
    file = tmp_path / "pairs.tsv"
    lines = LINES + LINES.replace("go", "went")
    file.write_text(normalize(request.param, lines) + LINES, "utf-8")
    return load_pairs(file, held_out=0.0)


def test_a_file_has_the_same_tokens_in_either_form(corpus):
    assert corpus.source_vocab.tokens[3:] == ("I", "café", "go", "went", "you")
    assert corpus.target_vocab.tokens[3:] == ("간다", "까페", "나는", "너는")


def test_characters_of_a_file_are_syllables(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text(in_parts("go\t간다\n"), "utf-8")
    corpus = load_pairs(file, held_out=0.0, tokenize=list)
    assert corpus.train[0].target == ("간", "다")


def test_letters_by_the_readers_wish_stay_letters(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("go\t간다\n", "utf-8")
    corpus = load_pairs(
        file, held_out=0.0, tokenize=lambda text: normalize("NFD", text)
    )
    assert corpus.train[0].target == tuple(in_parts("간다"))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_typed_is_known_in_either_form(corpus, form):
    typed = normalize(form, "café")
    assert corpus.parse(typed).target == ("까페",)
    given = corpus.parse(normalize(form, "café\t나는"))
    assert given == Example(("café",), ("나는",))
    model = Seq2Seq(len(corpus.source_vocab), len(corpus.target_vocab))
    model.output.bias.data[corpus.target_vocab.encode(["까페"])] = 99.0
    assert translate(model, corpus, [typed], max_length=1) == [("까페",)]


def test_a_vocabulary_and_examples_of_the_readers_own():
    vocabulary = Vocabulary([in_parts("나는"), "간다"])
    assert vocabulary.encode(["나는", in_parts("나는"), in_parts("간다")]) == [3, 3, 4]
    assert vocabulary.decode([3, 4]) == ("나는", "간다")
    with pytest.raises(ValueError, match="'나는' occurs twice"):
        Vocabulary(["나는", in_parts("나는")])
    with pytest.raises(ValueError, match="unknown token '나도'"):
        vocabulary.encode([in_parts("나도")])
    examples = [Example(("I",), (in_parts("나는"),)), Example(("me",), ("나는",))]
    assert examples[0].target == ("나는",)
    pairs = PairCorpus(examples)
    assert len(pairs.target_vocab) == 4
    model = Seq2Seq(len(pairs.source_vocab), 4)
    end, word = torch.tensor([[0.0, 0, 9, 0], [0.0, 0, 0, 9]])
    model.step = lambda token, state: (
        torch.where(token[:, None] == 3, end, word),
        state,
    )
    assert exact_match(model, pairs, [Example(("I",), (in_parts("나는"),))]) == 1.0


def test_korean_is_judged_alike():
    korean = EnglishKorean()
    assert korean.judge("I love cats", in_parts("나는 고양이를 좋아해")).ok
    assert DateLanguage().is_valid(in_parts("2026년 11월 21일"))


def test_classes_of_images_are_named_as_they_are_typed(tmp_path):
    for name in ("개", in_parts("고양이"), "새", "__MACOSX", ".cache", "@eaDir"):
        (tmp_path / name).mkdir()
        Image.new("L", (4, 4)).save(tmp_path / name / "1.png")
    (tmp_path / "개" / "__MACOSX").mkdir()
    assert load_images(tmp_path, patch=2, held_out=0.0).names == ("개", "고양이", "새")
