"""MergePad: its JavaScript merges and cuts as qkv.subwords; its words; in Chromium."""

import json
import random
import unicodedata

import pytest

from qkv.subwords import learn, longest_match, trace, units
from qkv.widgets import MergePad
from qkv.widgets.merge_pad.merge_pad import EXAMPLES, counted, drawn
from tests.browser import watched_page
from tests.widgets.pages import (
    EVIL,
    HARM,
    barriers,
    harm,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    state_of,
    too_small,
)
from tests.widgets.test_front_end import ROOT, run

FOLDER = (ROOT / "src/qkv/widgets/merge_pad").as_uri()
BY = ("character", "jamo", "byte")


def asked(expression, cases):
    """Return what a JavaScript expression of the modules gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as m from "{FOLDER}/merging.js";
        import {{ drawn }} from "{FOLDER}/drawing.js";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


# ------------------------------------------------------------ JavaScript = Python

HAND = "able×5 unable×4 afford×6 unfold×2"
ODD = [
    ("", "unaffordable"),
    (" \n\t ", ""),
    (HAND, "unaffordable"),
    ("ㅋㅋㅋㅋ ㅋㅋㅋ×3 ㅋ", "ㅋㅋㅋㅋㅋ"),
    ("aaaa aaaaaaa×2 aa", "aaaaaaaaa"),
    ("👩‍👩‍👧‍👦 👩‍👩‍👧 👍🏽×2 👍", "👩‍👧👍🏽"),
    ("<script>alert(1)</script> <script>×4", "</script><script>"),
    (unicodedata.normalize("NFD", "고양이는×5 고양이를 강아지는"), "고양이"),
    ("고양이는 " + unicodedata.normalize("NFD", "고양이는"), "강아지"),
    ("é e\u0301 e\u0301e\u0301 \u0301", "e\u0301\u0301"),
    ("ab ba ab ba cd dc cd dc", "abcd"),  # all pairs tie
    ("b\u00a0a\u3000c\ufeffd\x1ce\x85f", "b\u00a0a"),
    ("a×0 b×12×3 c×123456 ×4 d*2 e×٣", "×4"),
    (" ".join(f"{i * 7919 % 4001:o}" for i in range(1, 80)), "1234567654321"),
    ("\U00010000 \uffff \U00010000\uffff", "\uffff\U00010000"),
]
LETTERS = (
    "ab",
    "abc",
    "aé고",
    "ㅋㅎㅋ",
    "가각갂나낙",
    "👍🏽‍👩",
    "<>script/",
    "ab가나👍",
)


def random_texts(count=100):
    """Return texts with a new word each, of few letters: much repeats, much ties."""
    draw = random.Random(0)
    texts = list(ODD)
    while len(texts) < count:
        letters = draw.choice(LETTERS)
        word, *some = (
            "".join(draw.choices(letters, k=draw.randint(1, 9)))
            for _ in range(draw.randint(2, 13))
        )
        carried = [w + f"×{draw.randint(1, 9)}" * draw.randint(0, 1) for w in some]
        text = draw.choice([" ", "\n", "  "]).join(carried)
        form = draw.choice(["NFC", "NFD"])
        texts.append((unicodedata.normalize(form, text), word))
    return texts


def latin(token):
    """Return a token as JavaScript has it: a byte is the character of its number."""
    return token.decode("latin-1") if isinstance(token, bytes) else token


ALL = """(() => {
    const {text, word, by} = c;
    const learnt = m.learn(text, by);
    const {tokens, merges} = learnt;
    const steps = Array.from({length: merges.length + 1}, (_, k) => m.rowsAfter(learnt, k));
    const name = (ids) => ids.map((id) => tokens[id]);
    const unit = m.units(word, by);
    const cut = (ids) => ids && ids.map((id) => (id < 0 ? unit[-1 - id] : tokens[id]));
    return {
        tokens,
        whole: cut(m.encoded(learnt, unit.map((u, i) => {
            const id = tokens.indexOf(u);
            return id < 0 ? -1 - i : id;
        }), merges.length)),
        merges: merges.map(({a, b}) => name([a, b])),
        ids: merges.map(({id}) => id),
        counts: merges.map(({count}) => count),
        ties: merges.map(({equal, rival}) => [equal, rival ? name(rival) : null]),
        words: steps.map((rows) => rows.map(({ids, count}) => [name(ids), count])),
        pairs: steps.map((rows) => m.pairs(rows).map(([n, a, b]) => [name([a, b]), n])),
        sizes: m.everySize(learnt, unit).map(({from, to, order, match}) =>
            ({from, to, order: cut(order), ids: order, match: cut(match) ?? null})),
    };
})()"""  # noqa: E501


@pytest.fixture(scope="module")
def both():
    """Return what JavaScript makes of each text, with what Python is to make of it."""
    cases = [
        {"text": text, "word": word, "by": by}
        for text, word in random_texts()
        for by in BY
    ]
    return list(zip(cases, asked(ALL, cases), strict=True))


def learnt(case):
    return learn(counted(case["text"]), 10_000, by=case["by"])


def test_there_are_a_hundred_texts_that_matter(both):
    assert len(both) == 300
    assert sum(len(made["merges"]) for _, made in both) > 3000
    assert max(len(made["merges"]) for _, made in both) > 100  # three states are kept
    assert sum(equal > 0 for _, made in both for equal, _ in made["ties"]) > 1000
    differ = [
        size["order"] != size["match"] for _, made in both for size in made["sizes"]
    ]
    assert 100 < sum(differ) < len(differ)


def test_merges_and_ids_are_pythons(both):
    for case, made in both:
        bpe = learnt(case)
        assert made["merges"] == [[latin(t) for t in pair] for pair in bpe.merges], case
        assert made["tokens"] == [latin(t) for t in bpe.tokens], case
        joined = [latin(a + b) for a, b in bpe.merges]
        assert [made["tokens"][i] for i in made["ids"]] == joined, case


def test_pairs_and_words_are_pythons_at_every_step(both):
    for case, made in both:
        steps = trace(counted(case["text"]), 10_000, by=case["by"])
        assert len(made["words"]) == len(steps) + 1
        for k, step in enumerate(steps):
            counts = {tuple(map(latin, p)): n for p, n in step.counts.items()}
            shown = [(tuple(pair), n) for pair, n in made["pairs"][k]]
            assert dict(shown) == counts, case
            assert shown[0][0] == tuple(map(latin, step.pair)), case
            assert made["counts"][k] == counts[shown[0][0]]
            words = {tuple(map(latin, w)): n for w, n in step.words.items()}
            now = {tuple(tokens): n for tokens, n in made["words"][k + 1]}
            assert now == words, case
            equal, rival = made["ties"][k]
            most = [pair for pair, n in shown if n == shown[0][1]]
            assert equal == len(most) - 1
            assert rival == (list(most[1]) if equal else None)
        assert made["pairs"][-1] == []


def test_a_word_is_cut_as_python_cuts_it_under_every_number_of_merges(both):
    for case, made in both:
        bpe, last = learnt(case), 0
        for size in made["sizes"]:
            assert size["from"] == last
            for k in range(size["from"], size["to"] + 1):
                now = bpe.first(k)
                split = [latin(t) for t in now.split(case["word"])]
                assert size["order"] == split, (case, k)
                assert size["match"] == matched(case, now), (case, k)
            last = size["to"] + 1
        assert last == len(made["merges"]) + 1
        assert made["whole"] == [latin(t) for t in bpe.split(case["word"])], case
        if not any(i < 0 for i in made["sizes"][0]["ids"]):
            assert made["sizes"][-1]["ids"] == bpe.encode(case["word"])


def matched(case, bpe):
    """Return the longest matches, without ##; None where a part is unknown."""
    joined = "".join(map(latin, units(case["word"], case["by"])))
    found = longest_match(joined, {latin(t) for t in bpe.tokens}, prefix="")
    return None if found == ["[UNK]"] else found


def test_units_are_pythons():
    texts = [text for text, _ in random_texts()]
    for by in BY:
        made = asked("m.units(c.text, c.by)", [{"text": t, "by": by} for t in texts])
        assert made == [[latin(u) for u in units(text, by)] for text in texts]


def test_tokens_are_drawn_as_python_draws_them(both):
    for case, made in both:
        tokens = [{"token": t, "by": case["by"]} for t in made["tokens"]]
        case["drawn"] = tokens
    every = [token for case, _ in both for token in case["drawn"]]
    for token, made in zip(every, asked("drawn(c.token, c.by)", every), strict=True):
        given = token["token"]
        exact = given.encode("latin-1") if token["by"] == "byte" else given
        assert made["text"] == drawn(exact, token["by"])
        if token["by"] == "byte" and made["whole"]:
            assert len(exact.decode()) >= 1


@pytest.mark.parametrize(
    ("token", "by", "text", "whole"),
    [
        ("고", "byte", "EA B3 A0", "고"),
        ("고"[:1], "character", "고", ""),
        ("\u1100\u1169", "jamo", "고", ""),
        ("\u1169\u110b", "jamo", "ㅗㅇ", ""),
        ("\u11bc", "jamo", "·ㅇ", ""),
        ("\u200d", "character", "U+200D", ""),
        ("\u0301", "jamo", "◌\u0301", ""),
        ("<b>", "character", "<b>", ""),
    ],
)
def test_a_token_can_be_seen(token, by, text, whole):
    given = token.encode().decode("latin-1") if by == "byte" else token
    (made,) = asked(f"drawn(c, '{by}')", [given])
    assert made == {"text": text, "whole": whole}


def test_bytes_that_are_no_character_have_none():
    half = "\xea\xb3"
    assert asked("drawn(c, 'byte')", [half]) == [{"text": "EA B3", "whole": ""}]


# ------------------------------------------------------------ Python's words


class TestWords:
    def test_it_opens_at_the_hand_example(self):
        pad = MergePad()
        assert (pad.text, pad.by, pad.merges, pad.word) == (
            HAND,
            "character",
            7,
            "unaffordable",
        )
        assert pad.alt.endswith("unaffordable is un | af | fo | rd | able, 5 tokens.")

    def test_it_follows_its_traits(self):
        pad = MergePad("low low lower", merges=0, word="lowest")
        assert repr(pad) == (
            "Byte pair encoding of 2 words by characters before any merge: "
            "lowest is l | o | w | e | s | t, 6 tokens."
        )
        pad.merges = 1
        assert "after 1 merge, the last l + o → lo: lowest is lo | w" in repr(pad)
        pad.text, pad.merges, pad.word = "low", 99, " low "
        assert "of 1 word by characters after 2 merges" in repr(pad)
        assert repr(pad).endswith("low is low, 1 token.")
        pad.by, pad.word = "byte", ""
        assert "the last 6C 6F + 77 → 6C 6F 77: no word is given." in repr(pad)

    def test_without_a_text_there_is_no_merge(self):
        pad = MergePad("", merges=3)
        assert "of 0 words by characters before any merge" in repr(pad)
        assert pad.fallback().count('<th scope="row">') == 1

    def test_its_state_is_the_same_each_time(self):
        assert state_of(MergePad()) == state_of(MergePad())
        data, _ = MergePad()._repr_mimebundle_()
        assert data["text/plain"] == MergePad().alt
        assert data["text/html"] == MergePad().fallback()
        assert "application/vnd.jupyter.widget-view+json" in data

    def test_the_fallback_is_the_merges_one_by_one(self):
        text = MergePad().fallback()
        assert text.count('<th scope="row">') == 8
        assert "<td>ab + le → able</td><td>9</td>" in text
        assert "<td>u + n → un</td><td>6</td><td>un | af | fo | rd | able</td>" in text

    def test_a_long_fallback_ends(self):
        text = MergePad(" ".join(f"w{i}x{i}" for i in range(200)), merges=400)
        assert text.fallback().count('<th scope="row">') == 31

    def test_markup_is_a_text(self):
        pad = MergePad(f"{EVIL} {EVIL}", merges=500, word=EVIL)
        assert harm(pad.fallback()) == []
        assert "&lt;img/src=" in pad.fallback()

    @pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e["name"])
    def test_an_example_has_its_merges_and_a_word_that_it_has_not(self, example):
        counts = counted(example["text"])
        assert example["word"] not in counts
        bpe = learn(counts, example["merges"])
        assert len(bpe.merges) == example["merges"]
        assert 1 < len(bpe.encode(example["word"])) < len(example["word"])


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (
                {"text": "a" * 2001},
                "text has 2,001 characters, but the pad takes 2,000",
            ),
            ({"word": "a" * 101}, "word has 101 characters, but the pad takes 100"),
            ({"by": "syllable"}, "by is 'syllable', but a MergePad has 'character'"),
            ({"merges": -1}, "merges"),
        ],
    )
    def test_what_does_not_fit(self, options, words):
        with pytest.raises(ValueError, match=words):
            MergePad(**options)
        pad = MergePad()
        ((name, value),) = options.items()
        with pytest.raises(ValueError, match=words):
            setattr(pad, name, value)
        assert state_of(pad) == state_of(MergePad())

    def test_half_a_character(self):
        with pytest.raises(ValueError, match="half of a surrogate pair"):
            MergePad("a\ud83d")


# ------------------------------------------------------------ in Chromium


def say(page):
    return page.locator(".qkv-say").inner_text()


def field(page, name):
    return page.locator({"text": "textarea", "word": ".qkv-by-size input"}[name])


def ways(page):
    """Return the new word's tokens, by merge order and by longest match."""
    return [
        way.locator("b:not(.qkv-differs)").all_inner_texts()
        for way in page.locator(".qkv-two-ways > div").all()
    ]


def rows(page):
    """Return the words of the text as tokens."""
    found = page.locator(".qkv-cutting tbody tr").all()
    return {
        row.locator("th").inner_text(): row.locator("b").all_inner_texts()
        for row in found
    }


def stretches(page):
    return page.locator(".qkv-by-size tbody th").all_inner_texts()


class TestSteps:
    def test_it_opens_at_the_seventh_merge(self, show):
        page = show(MergePad())
        assert say(page) == (
            "Merge 7: u + n → un, because it stands 6 times, as often as fo + rd and 1 "
            "other pair, and its ids are the lowest; unaffordable is now 5 tokens."
        )
        assert ways(page) == [["un", "af", "fo", "rd", "able"]] * 2
        assert rows(page)["unfold"] == ["un", "fo", "l", "d"]
        assert page.locator(".qkv-cutting .qkv-made b").all_inner_texts() == [
            "un",
            "un",
        ]
        assert page.locator(".qkv-count").inner_text() == "7 / 13"
        first = page.locator(".qkv-pairs tbody tr").first
        assert first.inner_text().split("\t") == ["6", "fo + rd", "13 + 15"]

    def test_to_the_ends_and_back_by_keyboard(self, show):
        page = show(MergePad())
        page.locator("[data-act=next]").focus()
        page.keyboard.press("Home")
        assert say(page) == (
            "No merge yet: each token is one character; unaffordable is 12 tokens. The "
            "first will be a + b, because it stands 9 times, as often as b + l and 1 "
            "other pair, and its ids are the lowest."
        )
        assert rows(page)["able"] == list("able")
        page.keyboard.press("ArrowRight")
        assert say(page).startswith("Merge 1: a + b → ab, because it stands 9 times")
        assert page.locator(".qkv-say").get_attribute("aria-live") == "polite"
        page.keyboard.press("End")
        assert "No pair is left: each word of the text is one token." in say(page)
        assert page.locator(".qkv-pairs tbody tr").count() == 0
        assert set(rows(page)) == {tokens[0] for tokens in rows(page).values()}
        page.keyboard.press("ArrowLeft")
        assert page.locator(".qkv-count").inner_text() == "12 / 13"

    def test_every_number_of_merges_is_a_way_there(self, show):
        page = show(MergePad())
        assert stretches(page)[:4] == ["0", "1", "2", "3"]
        page.locator("[data-to='9']").click()
        assert say(page).endswith("unaffordable is now 3 tokens.")
        assert ways(page)[0] == ["un", "afford", "able"]
        pressed = page.locator(".qkv-row[aria-pressed=true]")
        assert pressed.inner_text() == stretches(page)[-1]
        assert pressed.evaluate("(e) => e === document.activeElement")

    def test_another_word_is_cut_as_it_is_typed(self, show):
        page = show(MergePad())
        field(page, "word").fill("foldable")
        assert "foldable stays at 4 tokens" in say(page)
        assert ways(page)[0] == ["fo", "l", "d", "able"]
        field(page, "word").fill("affix")
        assert ways(page) == [["af", "f", "i", "x"], ["[UNK]"]]
        notes = page.locator(".qkv-note:visible").all_inner_texts()
        assert notes == ["No tokens for i, x: the text has none."]
        assert page.locator(".qkv-two-ways .qkv-none").count() == 3
        field(page, "word").fill("")
        assert page.locator(".qkv-two-ways").count() == 0
        assert "Type a word" in page.locator(".qkv-note:visible").inner_text()

    def test_the_two_ways_may_differ(self, show):
        page = show(MergePad("cd×9 abc×5", word="abcd", merges=3))
        assert ways(page) == [["ab", "cd"], ["abc", "d"]]
        bpe = learn(counted("cd×9 abc×5"), 3)
        assert bpe.split("abcd") == ["ab", "cd"]
        assert longest_match("abcd", bpe.tokens, prefix="") == ["abc", "d"]
        assert page.locator(".qkv-differs").inner_text() == "differs: 2 tokens"
        row = page.locator(".qkv-by-size tbody tr").last.inner_text()
        assert row.split("\t") == ["3", "2", "ab cd\nlongest match: abc d"]

    def test_buttons_bring_texts_with_a_word(self, show):
        page = show(MergePad())
        page.get_by_role("button", name="Korean").click()
        assert ways(page)[0] == ["강아지", "를"]
        assert field(page, "text").input_value().startswith("고양이는×5")
        assert page.locator(".qkv-cutting tbody th[lang=ko]").count() == 5
        assert page.locator(".qkv-piece b[lang=ko]").count() > 5
        pressed = page.locator("[data-example][aria-pressed=true]").all_inner_texts()
        assert pressed == ["Korean"]

    def test_jamo_and_bytes(self, show):
        page = show(MergePad(EXAMPLES[1]["text"], word="강아지만", merges=0))
        assert page.locator(".qkv-two-ways .qkv-none").count() == 2
        page.get_by_label("jamo", exact=True).check()
        assert ways(page)[0] == [
            "ㄱ",
            "ㅏ",
            "·ㅇ",
            "ㅇ",
            "ㅏ",
            "ㅈ",
            "ㅣ",
            "ㅁ",
            "ㅏ",
            "·ㄴ",
        ]
        page.get_by_label("bytes", exact=True).check()
        assert ways(page)[0][:3] == ["EA", "B0", "95"]
        page.locator("[data-act=next]").focus()
        page.keyboard.press("End")
        whole = page.locator(".qkv-cutting .qkv-piece span[lang=ko]").all_inner_texts()
        assert whole == ["고양이는", "고양이를", "강아지는", "강아지가", "나무를"]

    def test_by_keyboard_alone(self, show):
        page = show(MergePad())
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("to toto")
        page.keyboard.press("ArrowLeft")  # in the text, and no step
        page.keyboard.press("End")
        assert list(rows(page)) == ["to", "toto"]
        for _ in range(3):
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert field(page, "text").input_value() == EXAMPLES[2]["text"]
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        assert page.get_by_label("jamo", exact=True).is_checked()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert say(page).startswith("Merge 6: ")


class TestTyping:
    def test_a_text_that_is_too_long_is_kept_and_not_drawn(self, show):
        page = show(MergePad())
        said = say(page)
        field(page, "text").fill("ab " * 667)
        note = page.locator(".qkv-note:visible").inner_text()
        assert "2,001 characters, and the pad takes 2,000: shorten it" in note
        field(page, "text").blur()
        assert len(field(page, "text").input_value()) == 2001
        assert field(page, "text").get_attribute("aria-invalid") == "true"
        assert say(page) == said
        field(page, "text").fill("ab " * 666)
        notes = page.locator(".qkv-note:visible").all_inner_texts()
        assert not any("shorten" in note for note in notes)
        assert rows(page) == {"ab": ["ab"]}

    def test_a_word_that_is_too_long_likewise(self, show):
        page = show(MergePad())
        field(page, "word").fill("a" * 101)
        note = page.locator(".qkv-note:visible").inner_text()
        assert "101 characters, and the pad takes 100" in note
        assert len(field(page, "word").input_value()) == 101

    def test_an_empty_text_says_what_to_do(self, show):
        page = show(MergePad())
        field(page, "text").fill("  ")
        note = page.locator(".qkv-note:visible").inner_text()
        assert (
            note == "The text is empty: type some words, or press one of the buttons."
        )
        page.get_by_role("button", name="English").click()
        assert page.locator(".qkv-note:visible").count() == 0
        assert "Merge 7" in say(page)

    def test_a_script_is_drawn_and_not_run(self, show):
        page = show(MergePad(f"{EVIL} {EVIL}×2", merges=0, word=EVIL))
        page.locator("[data-act=next]").focus()
        for key in ("ArrowRight", "End"):
            page.keyboard.press(key)
            assert page.evaluate(HARM) == []
        assert rows(page) == {EVIL: [EVIL]}
        field(page, "text").fill("<script>pwned(1)</script> <script>")
        assert page.evaluate(HARM) == []
        assert "<script>" in rows(page)

    def test_what_is_typed_goes_to_the_kernel_and_not_its_keys(self, show):
        page = live(show, MergePad())
        page.evaluate("window.reached = 0")
        page.evaluate("addEventListener('keydown', () => window.reached++)")
        box = page.locator("#live2 textarea")
        box.fill("")
        box.press_sequentially("고양이 a")
        assert page.evaluate("window.reached") == 0
        assert page.evaluate("model.get('text')") == "고양이 a"
        page.evaluate("model.set('merges', 1)")
        assert "Merge 1: 고 + 양" in page.locator("#live2 .qkv-say").inner_text()
        page.evaluate("model.set('text', 'ab ab')")
        assert "Merge 1: a + b" in page.locator("#live2 .qkv-say").inner_text()


LONG = " ".join(f"{i * 7919 % 4001:o}{i:x}" for i in range(1, 251))


def test_a_step_never_moves_the_page(show):
    pads = {
        "English": MergePad(),
        "Korean": MergePad(EXAMPLES[1]["text"], "byte", 0, EXAMPLES[1]["word"]),
    }
    for pad in pads.values():
        page = show(pad, width="1000px")
        page.locator("[data-act=next]").focus()
        page.keyboard.press("Home")
        high = set()
        for _ in range(20):
            high.add(page.evaluate("document.querySelector('.qkv-w').offsetHeight"))
            page.keyboard.press("ArrowRight")
        assert len(high) == 1
        assert high.pop() <= 700


def test_of_many_words_those_that_changed_are_seen(show):
    page = show(MergePad(LONG, merges=40))
    assert len(LONG) <= 2000
    assert page.locator(".qkv-cutting tbody tr").count() == 30
    touched = page.locator(".qkv-cutting tbody tr:has(.qkv-made)").count()
    first = page.locator(".qkv-cutting tbody tr").first
    assert touched > 0
    assert first.locator(".qkv-made").count() > 0
    assert "words more" in page.locator(".qkv-col").nth(1).inner_text()


def test_of_a_word_without_end_the_first_tokens_are_drawn(show):
    """Each step draws all its tokens anew: thousands would make it slow."""
    text = "".join(chr(0xAC00 + i * 7919 % 11172) for i in range(2000))
    page = show(MergePad(text, "byte", 0, "새"))
    words = page.locator(".qkv-cutting tbody")
    assert words.locator(".qkv-piece").count() == 200
    assert words.inner_text().endswith("…")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, theme):
    page = show(MergePad(), theme=theme)
    assert barriers(page) == []
    page.get_by_role("button", name="Korean").click()
    page.get_by_label("bytes", exact=True).check()
    field(page, "word").fill("멍멍")
    assert barriers(page) == []
    page.get_by_label("characters", exact=True).check()
    assert barriers(page) == []
    field(page, "text").fill("")
    assert barriers(page) == []


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path):
    path = tmp_path / "page.html"
    long = MergePad(EVIL + " " + "가" * 90, "byte", 0, "나" * 100)
    path.write_text(page_of(MergePad(), long), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for _ in range(3):
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            assert too_small(page) == []
            for button in page.locator("[data-act=next]").all():
                button.click()
        assert page.seen.errors == []
        assert page.seen.foreign == []


def test_on_paper_it_stands_before_now_and_at_the_end(show):
    page = show(MergePad(), query="?print")
    assert page.locator("button, input, textarea").count() == 0
    captions = page.locator(".qkv-print > figure > figcaption").all_inner_texts()
    assert captions == ["After 0 merges", "After 7 merges", "After 13 merges"]
    assert HAND in page.locator(".qkv-print").inner_text()
    reasons = page.locator(".qkv-print .qkv-say:visible").all_inner_texts()
    assert "because it stands 6 times" in reasons[1]


def other(**changes):
    """Return what is stored of a widget like this one, and not of itself."""
    return payload(MergePad(), **changes) | {"model_id": "other"}


BROKEN = [
    ({"text": None}, "it has no text or no word"),
    ({"by": "syllable"}, "by is syllable, and none of character, jamo, byte"),
    ({"merges": -1}, "its number of merges is none"),
    ({"merges": "x"}, "its number of merges is none"),
    ({"word": "x" * 101}, "its word has 101 characters, and may have 100"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(other(**changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [MergePad()], broken)
