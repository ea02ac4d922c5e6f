"""Corpora: what is drawn, what it is known to mean, and what is refused."""

import errno
import re
import tracemalloc
import unicodedata
from collections import Counter
from datetime import date, timedelta
from itertools import islice

import pytest
import torch
from babel.dates import format_date

from qkv.data import (
    BOS,
    EOS,
    PAD,
    Batch,
    DictatedNumbers,
    Example,
    KoreanDates,
    PairCorpus,
    Vocabulary,
    lines,
    load_pairs,
)
from qkv.data.text.dates import ENGLISH, FIRST, KOREAN, KOREAN_WITH_WEEKDAY, LAST

EVERY_FORMAT = (*ENGLISH, KOREAN, KOREAN_WITH_WEEKDAY)


@pytest.fixture(scope="module")
def dates() -> KoreanDates:
    return KoreanDates()


def equal(one: Batch, other: Batch) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(other, name))
        for name in ("source", "source_lengths", "target")
    )


def text_of(style, day: date) -> str:
    return "".join(style.write(day)[0])


# ------------------------------------------------------------------------- vocabulary


def test_encode_and_decode_are_inverse():
    vocabulary = Vocabulary(["영", "one", "<script>alert(1)</script>"])
    tokens = ("<script>alert(1)</script>", "영")
    assert vocabulary.encode(tokens) == [5, 3]
    assert vocabulary.decode([5, 3]) == tokens
    assert len(vocabulary) == 6


def test_decode_stops_at_the_end_and_leaves_out_padding():
    vocabulary = Vocabulary("abc")
    row = torch.tensor([BOS, 3, PAD, 4, EOS, 5])
    assert vocabulary.decode(row) == ("a", "b")


@pytest.mark.parametrize("index", [6, -1])
def test_decode_refuses_a_number_without_a_token(index):
    with pytest.raises(ValueError, match=f"no token has number {index}: there are 6"):
        Vocabulary("abc").decode([index])


def test_an_unknown_token_is_named_with_its_nearest():
    with pytest.raises(ValueError, match=r"unknown token 'sevn'.*is 'seven'"):
        DictatedNumbers().source_vocab.encode(["one", "sevn"])


def test_an_unknown_token_without_a_neighbour_is_named():
    with pytest.raises(ValueError, match="'x'; this vocabulary is empty"):
        Vocabulary([]).encode(["x"])


def test_an_empty_sequence_is_refused():
    with pytest.raises(ValueError, match="the sequence is empty"):
        Vocabulary("abc").encode([])


@pytest.mark.parametrize(
    ("tokens", "said"), [("aba", "'a' occurs twice$"), (["<pad>"], "and is reserved")]
)
def test_a_token_stands_for_one_number(tokens, said):
    with pytest.raises(ValueError, match=said):
        Vocabulary(tokens)


def test_a_vocabulary_describes_itself():
    assert repr(Vocabulary("ab")) == (
        "Vocabulary of 5: '<pad>', '<bos>', '<eos>', 'a', 'b'"
    )
    assert repr(Vocabulary("abcd")).endswith("'c', …")


# --------------------------------------------------------------- examples and batches


def test_alignment_is_true_where_fields_are_the_same_and_not_empty():
    example = Example(
        tuple("7 May"), tuple("5월 7일"), ("d", "", *"mmm"), ("m", "", "", "d", "")
    )
    expected = torch.tensor(
        [
            [0, 0, 1, 1, 1],
            [0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0],
            [0, 0, 0, 0, 0],
        ]
    )
    assert torch.equal(example.alignment, expected.bool())


def test_alignment_has_an_axis_for_target_and_one_for_source():
    example = Example(tuple("abc"), tuple("ABCDE"), ("x",) * 3, ("x",) * 5)
    assert example.alignment.shape == (5, 3)


def test_an_unknown_alignment_is_an_error():
    with pytest.raises(ValueError, match="alignment of 'I go' is not known"):
        _ = Example(("I", "go"), ("간다",)).alignment


def test_fields_are_as_many_as_tokens():
    with pytest.raises(ValueError, match="1 target fields for 2 target tokens"):
        Example(("a",), ("b", "c"), ("x",), ("x",))


def test_collate_by_hand():
    numbers = DictatedNumbers()
    batch = numbers.collate([numbers.parse("0"), numbers.parse("907")])
    assert batch.source.tolist() == [[3, PAD, PAD], [12, 3, 10]]
    assert batch.source_lengths.tolist() == [1, 3]
    assert batch.target.tolist() == [[3, EOS, PAD, PAD], [12, 3, 10, EOS]]
    assert batch.target_in.tolist() == [[BOS, 3, EOS, PAD], [BOS, 12, 3, 10]]


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        ([], "at least one example"),
        ([Example((), ("일",))], "the sequence is empty"),
        ([Example(("one",), ())], "the sequence is empty"),
        ([Example(("일",), ("일",))], "unknown token '일'"),
    ],
)
def test_collate_refuses_what_it_cannot_encode(examples, said):
    with pytest.raises(ValueError, match=said):
        DictatedNumbers().collate(examples)


# ------------------------------------------------------------------- dictated numbers

SINO_KOREAN = {
    "zero": "영",
    "one": "일",
    "two": "이",
    "three": "삼",
    "four": "사",
    "five": "오",
    "six": "육",
    "seven": "칠",
    "eight": "팔",
    "nine": "구",
}


def test_every_digit_is_translated():
    example = DictatedNumbers().parse("0123456789")
    assert dict(zip(example.source, example.target, strict=True)) == SINO_KOREAN


@pytest.mark.parametrize(
    "text", ["739", " 7 39 ", "seven three nine", "Seven THREE nine\n"]
)
def test_digits_and_words_are_read_alike(text):
    example = DictatedNumbers().parse(text)
    assert example.target == ("칠", "삼", "구")
    assert torch.equal(example.alignment, torch.eye(3).bool())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no digit was given"),
        (" \n", "no digit was given"),
        ("seven tree", "'tree'; the nearest known one is 'three'"),
        ("7²", "unknown token '7²'"),
        ("٣", "unknown token '٣'"),
        ("-3", "unknown token '-3'"),
    ],
)
def test_what_is_no_digit_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        DictatedNumbers().parse(text)


def test_samples_have_the_length_asked_for():
    numbers = DictatedNumbers((2, 5))
    assert {len(e.source) for e in numbers.sample(200, seed=0)} == {2, 3, 4, 5}
    assert {len(e.source) for e in numbers.sample(50, length=31, seed=0)} == {31}
    drawn = numbers.sample(200, length=(7, 8), seed=0)
    assert {len(e.source) for e in drawn} == {7, 8}
    assert all(len(e.source) == len(e.target) for e in drawn)


def test_the_seed_decides_the_sample():
    numbers = DictatedNumbers()
    assert numbers.sample(7, seed=3) == numbers.sample(7, seed=3)
    assert numbers.sample(7, seed=3) != numbers.sample(7, seed=4)


def test_the_seed_decides_the_batches():
    numbers = DictatedNumbers()
    first, again, other = (
        list(islice(numbers.batches(batch_size=5, seed=seed), 3)) for seed in (0, 0, 1)
    )
    assert all(map(equal, first, again))
    assert not any(map(equal, first, other))


def test_batches_are_what_collating_their_examples_gives():
    numbers = DictatedNumbers((1, 7))
    for batch in islice(numbers.batches(batch_size=11, seed=0), 5):
        examples = [
            numbers.parse(" ".join(numbers.source_vocab.decode(row)))
            for row in batch.source
        ]
        assert equal(batch, numbers.collate(examples))


def test_digits_and_lengths_are_drawn_uniformly():
    numbers = DictatedNumbers((1, 4))
    batch = next(numbers.batches(batch_size=20_000, seed=0))
    lengths = Counter(batch.source_lengths.tolist())
    digits = Counter(batch.source[batch.source != PAD].tolist())
    assert sorted(lengths) == [1, 2, 3, 4]
    assert all(abs(n - 5_000) < 4 * 61 for n in lengths.values())
    assert sorted(digits) == list(range(3, 13))
    assert all(abs(n - 5_000) < 4 * 71 for n in digits.values())


def test_batches_can_be_of_another_length():
    batch = next(DictatedNumbers().batches(batch_size=3, seed=0, length=23))
    assert batch.source.shape == (3, 23)
    assert batch.target.shape == (3, 24)


@pytest.mark.parametrize("lengths", [(0, 3), (5, 4)])
def test_lengths_run_upwards_from_one(lengths):
    with pytest.raises(ValueError, match="lengths run from at least 1 upwards"):
        DictatedNumbers(lengths)


def test_a_batch_of_nothing_is_refused_at_once():
    with pytest.raises(ValueError, match="batch_size must be at least 1, not 0"):
        DictatedNumbers().batches(batch_size=0, seed=0)
    with pytest.raises(ValueError, match="lengths run from"):
        DictatedNumbers().batches(batch_size=1, seed=0, length=0)


def test_corpora_describe_themselves(dates):
    assert repr(DictatedNumbers()) == (
        "DictatedNumbers: Digits read out in English, written in Korean; "
        "13 source and 13 target tokens; 1 to 20 digits"
    )
    assert "34,602 pairs to train on, 1,923 held out" in repr(dates)


# ------------------------------------------------------------------------------ dates

# written by hand, for a native reader to check
DAY = date(2026, 11, 7)
BY_HAND = [
    ("Saturday, November 7, 2026", "2026년 11월 7일 토요일"),
    ("November 7, 2026", "2026년 11월 7일"),
    ("Nov 7, 2026", "2026년 11월 7일"),
    ("Saturday, 7 November 2026", "2026년 11월 7일 토요일"),
    ("7 November 2026", "2026년 11월 7일"),
    ("7 Nov 2026", "2026년 11월 7일"),
    ("Saturday 7 November 2026", "2026년 11월 7일 토요일"),
    ("Saturday, 07 November 2026", "2026년 11월 7일 토요일"),
    ("07-Nov-2026", "2026년 11월 7일"),
    ("2026-11-07", "2026년 11월 7일"),
    ("Sat, Nov 7, 2026", "2026년 11월 7일 토요일"),
    ("Sat 7 Nov 2026", "2026년 11월 7일 토요일"),
]
OF_EACH_KIND = [
    ("Sunday 1 January 1950", "1950년 1월 1일 일요일"),
    ("Monday, February 29, 2016", "2016년 2월 29일 월요일"),
    ("Tue, Mar 1, 2011", "2011년 3월 1일 화요일"),
    ("Wednesday, 19 April 1961", "1961년 4월 19일 수요일"),
    ("Thu 3 May 1973", "1973년 5월 3일 목요일"),
    ("Friday, 06 June 1986", "1986년 6월 6일 금요일"),
    ("17-Jul-1998", "1998년 7월 17일"),
    ("15 August 2005", "2005년 8월 15일"),
    ("9 Sept 2019", "2019년 9월 9일"),
    ("Sep 9, 2019", "2019년 9월 9일"),
    ("October 3, 2030", "2030년 10월 3일"),
    ("2049-12-31", "2049년 12월 31일"),
]


def test_every_format_writes_what_was_written_by_hand():
    assert [text_of(style, DAY) for style in ENGLISH] == [text for text, _ in BY_HAND]


@pytest.mark.parametrize(("english", "korean"), BY_HAND + OF_EACH_KIND)
def test_dates_as_a_native_reader_expects_them(dates, english, korean):
    example = dates.parse(english)
    assert "".join(example.source) == english
    assert "".join(example.target) == korean


def test_there_are_a_dozen_formats_and_no_two_write_alike():
    days = [FIRST + timedelta(days=n) for n in range(0, 36_525, 997)]
    patterns = {style.pattern for style in ENGLISH}
    assert len(ENGLISH) == len(patterns) == 12
    written = {tuple(text_of(style, day) for day in days) for style in ENGLISH}
    assert len(written) == 12


@pytest.mark.parametrize("style", ENGLISH, ids=str)
def test_no_format_could_take_the_day_for_the_month(style):
    letters = re.sub("[^yMd]", "", style.pattern)
    named_month = "MMM" in letters
    assert named_month or letters.startswith("y")
    assert "yy" not in letters.replace("yyyy", "")


@pytest.mark.parametrize("style", EVERY_FORMAT, ids=str)
def test_fields_put_together_are_what_babel_writes(style):
    for offset in range(0, 36_525, 13):
        day = FIRST + timedelta(days=offset)
        assert text_of(style, day) == format_date(day, style.style, style.locale)


@pytest.mark.parametrize("style", EVERY_FORMAT, ids=str)
def test_fields_cover_all_but_separators_and_units(style):
    for offset in range(0, 36_525, 97):
        day = FIRST + timedelta(days=offset)
        characters, fields = style.write(day)
        written = {
            field: "".join(
                c for c, f in zip(characters, fields, strict=True) if f == field
            )
            for field in set(fields)
        }
        rest = written.pop("")
        assert set(rest) <= set(" ,-년월일요")
        assert written.keys() - {"weekday"} == {"year", "month", "day"}
        assert int(written["year"]) == day.year
        assert int(written["day"]) == day.day
        if "weekday" in written:
            names = [format_date(day, "EEEE", locale) for locale in ("en", "ko")]
            assert any(name.startswith(written["weekday"]) for name in names)
        if written["month"].isdigit():
            assert int(written["month"]) == day.month
        else:
            assert format_date(day, "MMMM", "en").startswith(written["month"][:3])


def test_each_output_is_aligned_with_its_own_field_alone(dates):
    example = dates.parse("Sunday, 07 September 2008")
    source, target = "".join(example.source), "".join(example.target)
    assert target == "2008년 9월 7일 일요일"
    looked_at = [
        "".join(c for c, seen in zip(source, row, strict=True) if seen)
        for row in example.alignment
    ]
    assert looked_at == (
        ["2008"] * 4 + ["", "", "September", "", "", "07", "", "", "Sunday", "", ""]
    )


def test_no_date_is_both_trained_and_held_out(dates):
    assert len(dates.train) + len(dates.held_out) == (LAST - FIRST).days + 1 == 36_525
    trained, held_out = (
        {tuple(re.findall(r"\d+", "".join(e.target))) for e in side}
        for side in (dates.train, dates.held_out)
    )
    assert len(trained) == len(dates.train)
    assert len(held_out) == len(dates.held_out) > 1_000
    assert not trained & held_out


def test_the_split_is_the_same_whatever_the_seed(dates):
    def days(corpus: KoreanDates) -> set[str]:
        return {"".join(e.target).split("일")[0] for e in corpus.held_out}

    other = KoreanDates(seed=1)
    assert days(dates) == days(other)
    assert dates.held_out != other.held_out


def test_the_seed_decides_the_formats_and_the_order(dates):
    again = KoreanDates()
    assert again.train == dates.train
    assert again.held_out == dates.held_out
    assert again.source_vocab.tokens == dates.source_vocab.tokens


def test_a_slice_of_the_held_out_dates_has_every_format_and_field(dates):
    shapes = {re.sub(r"\d+", "0", "".join(e.source)) for e in dates.held_out[:200]}
    assert len(shapes) > 100  # each month in each format looks different
    months = {re.search(r"(\d+)월", "".join(e.target))[1] for e in dates.held_out[:200]}
    assert len(months) == 12


def test_every_character_is_known_and_none_is_idle(dates):
    every = dates.train + dates.held_out
    assert {c for e in every for c in e.source} == set(dates.source_vocab.tokens[3:])
    assert {c for e in every for c in e.target} == set(dates.target_vocab.tokens[3:])


@pytest.mark.parametrize("style", ENGLISH, ids=str)
def test_every_format_is_read_back(dates, style):
    for offset in range(0, 36_525, 1_009):
        day = FIRST + timedelta(days=offset)
        text = text_of(style, day)
        example = dates.parse(f"  {text.upper()} ")
        assert "".join(example.target).startswith(
            f"{day.year}년 {day.month}월 {day.day}일"
        )
        assert "".join(dates.parse(text).source) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "in none of the formats"),
        ("7/11/2026", "in none of the formats.*Sat 7 Nov 2026"),
        ("7 Nov 1949", "in none of the formats of 1950 to 2049"),
        ("2050-01-01", "in none of the formats of 1950 to 2049"),
        ("31 November 2026", "that month has no day 31"),
        ("Feb 29, 2001", "that month has no day 29"),
        ("Friday, 7 November 2026", "the wrong weekday: that day is a Saturday"),
        ("<script>", "in none of the formats"),
    ],
)
def test_what_is_no_date_is_refused(dates, text, said):
    with pytest.raises(ValueError, match=said):
        dates.parse(text)


# ----------------------------------------------------------- pairs, and a reader's file


def pairs_of(count: int) -> list[Example]:
    return [Example((f"s{n}",), (f"t{n}", f"u{n}")) for n in range(count)]


def test_a_pass_draws_every_pair_once_and_the_next_in_another_order():
    corpus = PairCorpus(pairs_of(11), pairs_of(13)[11:])
    stream = corpus.batches(batch_size=4, seed=0)
    passes = [list(islice(stream, 3)) for _ in range(2)]
    for one in passes:
        drawn = [corpus.source_vocab.decode(r)[0] for b in one for r in b.source]
        assert sorted(drawn) == sorted(f"s{n}" for n in range(11))
    assert [len(b.source) for b in passes[0]] == [4, 4, 3]
    assert not equal(passes[0][0], passes[1][0])


def test_the_seed_decides_the_order_of_pairs():
    corpus = PairCorpus(pairs_of(30))
    first, again, other = (
        next(corpus.batches(batch_size=7, seed=s)) for s in (0, 0, 1)
    )
    assert equal(first, again)
    assert not equal(first, other)


def test_batches_of_pairs_are_what_collating_gives(dates):
    batch = next(dates.batches(batch_size=5, seed=0))
    by_text = {e.source: e for e in dates.train}
    rows = [by_text[dates.source_vocab.decode(row)] for row in batch.source]
    assert equal(batch, dates.collate(rows))


def test_nothing_to_draw_from_is_refused():
    with pytest.raises(ValueError, match="no training example"):
        PairCorpus([]).batches(batch_size=1, seed=0)


def test_a_file_is_read(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_bytes(
        "\ufeffI  go\t나는 간다\tignored\tCC BY\r\n"
        "\r\n"
        "<script>x</script>\t나는 \u2028간다\n\n".encode()
    )
    corpus = load_pairs(file, held_out=0.0)
    assert [e.source for e in corpus.train] == [("I", "go"), ("<script>x</script>",)]
    assert corpus.train[0].target == ("나는", "간다")
    assert corpus.held_out == []
    assert len(next(corpus.batches(batch_size=2, seed=0)).source) == 2


@pytest.mark.parametrize(
    "content",
    ["a\tb\rc\td\r", "a\tb\r\nc\td", "\ufeffa\tb\n\ufeffc\td\n", "a\tb\n\r\rc\td"],
    ids=["old Mac", "Windows", "two files in one", "mixed"],
)
def test_lines_end_as_on_any_system(tmp_path, content):
    file = tmp_path / "pairs.tsv"
    file.write_bytes(content.encode())
    corpus = load_pairs(file, held_out=0.0)
    assert corpus.train == [Example(("a",), ("b",)), Example(("c",), ("d",))]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(lines, "LONGEST_LINE", 10)
    file = tmp_path / "pairs.tsv"
    file.write_bytes(b"1234\t5678\n")
    assert load_pairs(file, held_out=0.0).train[0].target == ("5678",)
    with file.open("ab") as more:
        more.truncate(2**27)  # nothing at all, which takes no room on a disk
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"pairs\.tsv, line 2 has over 10 bytes, and"):
        load_pairs(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**23


def test_a_file_that_is_named_in_hangul_by_a_mac_is_read_and_named(tmp_path):
    file = tmp_path / unicodedata.normalize("NFD", "문장 쌍.tsv")
    file.write_text("간다\tgo\n말\n", "utf-8")
    with pytest.raises(ValueError, match=rf"{file.name}, line 2: 1 column"):
        load_pairs(file)


def test_a_file_that_may_not_be_read_is_not_said_to_be_missing(tmp_path, monkeypatch):
    file = tmp_path / "pairs.tsv"
    file.touch()

    def refuse(self, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(type(file), "open", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied: .*pairs\.tsv"):
        load_pairs(file)


def test_a_file_is_read_by_characters(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("go\t간다\n", encoding="utf-8")
    corpus = load_pairs(str(file), held_out=0.0, tokenize=list)
    assert corpus.train[0].target == ("간", "다")
    typed = "".join(corpus.train[0].source)
    assert corpus.parse(typed) == corpus.train[0]


def test_no_held_out_source_is_trained(tmp_path):
    file = tmp_path / "pairs.tsv"
    lines = [f"source {n // 5}\ttarget {n}\n" for n in range(100)]
    file.write_text("".join(lines), encoding="utf-8")
    corpus = load_pairs(file, held_out=0.25)
    train, held_out = ({e.source for e in s} for s in (corpus.train, corpus.held_out))
    assert not train & held_out
    assert (len(train), len(held_out)) == (15, 5)
    assert len(corpus.train) + len(corpus.held_out) == 100
    assert corpus.collate(corpus.held_out).source.shape == (25, 2)


def test_what_is_held_out_is_the_same_in_every_run(tmp_path):
    """Else a second run would train on what the first has kept from training."""
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"s {n}\tt {n}\n" for n in range(100)), encoding="utf-8")
    splits, after = [], []
    for seed in (0, 1):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        corpus = load_pairs(file, held_out=0.25)
        splits.append([example.source for example in corpus.held_out])
        after.append(torch.equal(torch.get_rng_state(), before))
    assert splits[0] == splits[1] != [("s", str(n)) for n in range(25)]
    assert after == [True, True]  # nor does it take of the reader's own random numbers


def test_a_sentence_of_the_file_is_recognised():
    corpus = PairCorpus([Example(("I", "go"), ("간다",))])
    assert corpus.parse("I  go ").target == ("간다",)
    assert corpus.parse("you go\t너는 간다") == Example(("you", "go"), ("너는", "간다"))
    for text in ("go I", "", "go\t"):
        with pytest.raises(ValueError, match=r"the translation of .* is not known"):
            corpus.parse(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.tsv: there is no such file"):
        load_pairs(tmp_path / "none.tsv")
    with pytest.raises(IsADirectoryError, match="is a folder, and pairs are read from"):
        load_pairs(tmp_path)


def test_a_share_of_too_few_pairs_is_none(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("a\tb\nc\td\nc\te\n", "utf-8")
    said = r"held_out = 0\.1 of 2 sources is none; give at least 0\.5 to hold one out"
    with pytest.raises(ValueError, match=said):
        load_pairs(file)
    assert len(load_pairs(file, held_out=0.5).held_out) in (1, 2)
    file.write_text("a\tb\n", "utf-8")
    with pytest.raises(
        ValueError, match="of 1 sources is none; give 0 to hold out non"
    ):
        load_pairs(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"pairs\.tsv is empty"),
        (b"\n \n", r"pairs\.tsv is empty"),
        (b"a\tb\nonly one column\n", r"pairs\.tsv, line 2: 1 column where"),
        (b"a\tb\n\n\tb\n", r"pairs\.tsv, line 3: the source is empty"),
        (b"a\tb\na\t \n", r"pairs\.tsv, line 2: the target is empty"),
        (b"a\tb\nc\td\n\xb0\xa1\te\n", r"pairs\.tsv, line 3 is not UTF-8"),
        ("\ufeffa\tb".encode("utf-16-le"), r"pairs\.tsv, line 1 is not UTF-8; save"),
        ("a\tb\n".encode("utf-16-le"), r"pairs\.tsv, line 1 is not UTF-8"),
        (b"a\tb\nc\t\0d\n", r"pairs\.tsv, line 2 is not UTF-8"),
        (b"a\tb\r\nc\td\r\ne\r\n", r"pairs\.tsv, line 3: 1 column"),
        (b"a\tb\rc\td\re\n", r"pairs\.tsv, line 3: 1 column"),
        (b"a <eos>\tb\n", r"pairs\.tsv, line 1: the token '<eos>' is reserved"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(tmp_path, content, said):
    file = tmp_path / "pairs.tsv"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        load_pairs(file)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_is_below_one(tmp_path, share):
    with pytest.raises(ValueError, match="held_out is a share"):
        load_pairs(tmp_path / "any.tsv", held_out=share)
