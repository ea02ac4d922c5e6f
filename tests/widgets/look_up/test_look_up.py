"""LookUp: its JavaScript is Python's network; its words; and what a reader does."""

import base64
import functools
import json

import pytest
import torch

from qkv.data import FindTheTwin, Piece
from qkv.vision import extent, load_look_up, save, seen_by
from qkv.widgets import LookUp
from qkv.widgets.shared.base import Widget
from tests.browser import watched_page
from tests.widgets.checkpoints import keep_checkpoints
from tests.widgets.look_up.sample import boards, look_up, network, piece, task
from tests.widgets.pages import (
    EVIL,
    HARM,
    barriers,
    chance,
    harm,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    state_of,
    too_small,
    unreadable,
)
from tests.widgets.test_front_end import CORE, ROOT, STATIC, run

FOLDER = (ROOT / "src/qkv/widgets/look_up").as_uri()
COMMITTED = sorted((ROOT / "src/qkv/checkpoints").glob("look_up*.safetensors"))
CELLS = [(row, column) for row in range(7) for column in range(7)]
SLOTS = [(row, column) for row in range(3) for column in range(3)]


def asked(expression, cases, **given):
    """Return what JavaScript gives for each case; `m` is the board, `net` a network."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ readCheckpoint }} from "{CORE}/safetensors.js";
        import {{ unpack }} from "{CORE}/tensors.js";
        import * as m from "{FOLDER}/board.js";
        import {{ lookUp }} from "{FOLDER}/looking.js";
        const {{ cases, file, drawings, paints }} = JSON.parse(readFileSync(0, "utf8"));
        const inks = drawings && unpack(drawings);
        let net;
        if (file) {{
            const bytes = readFileSync(file);
            const from = bytes.byteOffset;
            net = lookUp(readCheckpoint(bytes.buffer.slice(from, from + bytes.length)));
        }}
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    text = json.dumps({"cases": cases, **given})
    return json.loads(run("--input-type=module", "-e", source, text=text))


def near(got, want):
    found = torch.tensor(got, dtype=torch.float64)
    torch.testing.assert_close(found, want.double(), atol=1e-5, rtol=0)


# ------------------------------------------------------------ JavaScript = Python

ALL = """(() => {
    const looked = net.look(m.pictureOf(c.board, inks, paints));
    return {weights: looked.weights, gamma: net.gamma,
        said: looked.weights.map((_, p) => net.answer(looked, p, c.gamma))};
})()"""


def compare(file, count):
    """Hold what Node does with a checkpoint to what Python does, on random boards."""
    model = load_look_up(file)
    view = LookUp(model, task())
    factors = torch.linspace(-2, 2, count)
    states = list(zip(boards(count), factors.tolist(), strict=True))
    cases = [{"board": board, "gamma": gamma} for board, gamma in states]
    shared = {"drawings": view.drawings, "paints": view.paints}
    answers = asked(ALL, cases, file=str(file), **shared)
    for (board, gamma), made in zip(states, answers, strict=True):
        view.board = board
        with torch.no_grad():
            trace = model.trace(view._pixels())
            logits = model.head(
                trace.grid + gamma * model.block.gamma * trace.block.said
            )
        near(made["weights"], trace.block.attention.weights[0])
        near(made["gamma"], model.block.gamma)
        logits = logits.flatten(1, 2)[0]
        size = logits.abs().max()
        near([each["probabilities"] for each in made["said"]], logits.softmax(-1))
        near(
            [[x / size for x in each["logits"]] for each in made["said"]], logits / size
        )


def test_the_browsers_network_is_pythons(tmp_path):
    save(network(), tmp_path / "small.safetensors")
    compare(tmp_path / "small.safetensors", 30)
    save(network(seed=1, widths=(2, 9, 4), d_k=11), tmp_path / "other.safetensors")
    compare(tmp_path / "other.safetensors", 30)


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.stem)
def test_the_committed_network_looks_up_in_the_browser_as_in_python(file):
    assert file.stat().st_size <= 400_000
    compare(file, 40)


def scene(board):
    """Return the task's own picture of a board, its black digits first."""
    pieces = [
        Piece(each["digit"], each["colour"], tuple(each["slot"]), each["hand"])
        for each in board
    ]
    return task().scene(pieces, held_out=True)


def test_a_board_is_drawn_as_the_task_draws_it():
    view = look_up()
    some = [b for b in boards(40) if any(each["colour"] == "black" for each in b)]
    assert len(some) > 20
    given = {"drawings": view.drawings, "paints": view.paints}
    for board, made in zip(
        some, asked("m.pictureOf(c, inks, paints)", some, **given), strict=True
    ):
        near(made, scene(board).pixels[0])
        view.board = board
        near(view._pixels()[0].tolist(), scene(board).pixels[0])


def test_cells_and_twins_are_the_tasks():
    some = [b for b in boards(60) if any(each["colour"] == "black" for each in b)]
    expression = """c.filter((p) => p.colour === "black").map((p) => {
        const twins = m.twinsOf(c, p);
        return {cell: m.cellOf(p.slot), slot: m.slotOf(m.cellOf(p.slot)),
            colours: twins.map((t) => t.colour), mine: p.slot,
            covered: twins.length === 1 ? m.covered(twins[0].slot) : []};
    })"""
    found = 0
    for board, made in zip(some, asked(expression, some), strict=True):
        twins = scene(board)
        assert [each["cell"] for each in made] == twins.cells[0].tolist()
        assert all(each["slot"] == each["mine"] for each in made)
        for i, each in enumerate(made):
            there = twins.covers()[0, i].flatten().nonzero().flatten().tolist()
            assert each["covered"] == there
            answer = int(twins.answers[0, i])
            assert (answer >= 0) == (len(each["colours"]) == 1)
            if answer >= 0:
                assert each["colours"] == [task().colours[answer]]
                found += 1
    assert found > 5


def test_a_cell_without_attention_sees_what_a_gradient_reaches():
    view, model = look_up(), network(widths=(12, 24, 48))
    assert view.reach == 7
    fields = asked(f"m.fieldOf(c, {view.reach})", CELLS)
    for cell, field in zip(CELLS, fields, strict=True):
        if sum(cell) % 3:
            continue
        seen = seen_by(model.trunk, (28, 28), cell)
        assert tuple(field.values()) == extent(seen)
    expression = f"m.slots.map((slot) => m.shown(m.fieldOf(c, {view.reach}), slot))"
    for field, made in zip(fields, asked(expression, CELLS), strict=True):
        there = torch.zeros(28, 28)
        there[field["top"] : field["bottom"], field["left"] : field["right"]] = 1
        boxes = [there[9 * r : 9 * r + 8, 9 * c : 9 * c + 8] for r, c in SLOTS]
        assert made == [int(box.sum()) for box in boxes]


def test_a_drawn_board_is_one_of_the_training():
    world = json.dumps({"kinds": 10, "hands": 3, "colours": list(task().colours)})
    chance = "(() => { let x = c + 1; return () => (x = (x * 16807) % 2147483647) / 2147483647; })()"  # noqa: E501
    view, seen = look_up(), set()
    for board in asked(f"m.drawn({world}, {chance})", list(range(40))):
        view.board = board  # Python takes it
        asks = [each for each in board if each["colour"] == "black"]
        twins = [each for each in board if each["colour"] != "black"]
        assert len(asks) == len(twins) == len({each["colour"] for each in twins}) == 3
        assert [t["digit"] for t in twins] == [a["digit"] for a in asks]
        assert len({each["digit"] for each in asks}) == 3
        assert all(a["hand"] != t["hand"] for a, t in zip(asks, twins, strict=True))
        seen |= {(each["digit"], tuple(each["slot"])) for each in board}
    assert {digit for digit, _ in seen} == set(range(10))
    assert {place for _, place in seen} == set(SLOTS)


def test_what_comes_into_an_empty_slot_is_a_twin_or_asks():
    world = json.dumps({"kinds": 10, "hands": 3, "colours": list(task().colours)})
    alone = [piece(7, "black", 0, 0, hand=2)]
    both = [*alone, piece(7, "red", 1, 1)]
    made = asked(f"m.added(c, [2, 2], {world})", [[], alone, both])
    assert made[0] == piece(0, "black", 2, 2)
    assert made[1] == piece(7, "red", 2, 2)
    assert made[2] == piece(0, "black", 2, 2)


def test_two_digits_change_places_and_the_asked_cell_stays_with_its_digit():
    board = [piece(7, "black", 0, 0), piece(3, "red", 1, 2)]
    moved = "m.moved(c, [0, 0], [1, 2])"
    assert asked(moved, [board]) == [[piece(7, "black", 1, 2), piece(3, "red", 0, 0)]]
    went = asked("m.followed(c, [0, 0], [1, 2])", [[1, 1], [3, 5], [2, 2]])
    assert went == [[3, 5], [1, 1], [2, 2]]


# ------------------------------------------------------------ Python's words

view_of = functools.cache(look_up)  # what happens in a browser does not change it


def truth(view):
    """Return where the cell looks and what it answers, straight from the network."""
    model = load_small()
    row, column = view.cell
    with torch.no_grad():
        trace = model.trace(view._pixels())
        gate = view.gamma * model.block.gamma
        logits = model.head(trace.grid + gate * trace.block.said)[0, row, column]
    return trace.block.looks[0, row, column].flatten(), logits.softmax(-1)


@functools.cache
def load_small():
    return look_up()._network


class TestWords:
    def test_it_opens_at_a_black_digit_whose_twin_is_out_of_sight(self):
        view = view_of()
        weights, says = truth(view)
        best = int(weights.argmax())
        assert "black 3 (top left), blue 3 (bottom middle), black 7" in repr(view)
        at = f"row {best // 7 + 1}, column {best % 7 + 1} ({weights[best]:.2f})"
        assert f"The cell of black 3 (top left) looks most at {at}; its" in repr(view)
        share = weights.view(7, 7)[4:6, 2:4].sum()
        assert f"its twin, blue 3 (bottom middle), gets {share:.2f} in all" in repr(
            view
        )
        name = task().colours[int(says.argmax())]
        assert f"the network answers {name} ({says.max():.2f}), and is " in repr(view)

    def test_each_twin_it_opens_with_is_out_of_sight(self):
        board = view_of().board
        asks, twins = board[::2], board[1::2]
        pairs = [[a["slot"], t["slot"]] for a, t in zip(asks, twins, strict=True)]
        assert {each["colour"] for each in asks} == {"black"}
        assert [a["digit"] for a in asks] == [t["digit"] for t in twins]
        expression = "m.shown(m.fieldOf(m.cellOf(c[0]), 7), c[1])"
        assert asked(expression, pairs) == [0, 0, 0]

    def test_it_follows_its_traits(self):
        view = look_up()
        before = view.found
        view.gamma = 0
        assert "With γ = 0 × " in repr(view)
        weights, says = truth(view)
        for name, exact in (("weights", weights), ("probabilities", says)):
            recorded = torch.tensor(view.found[name], dtype=torch.float32)
            torch.testing.assert_close(recorded, exact, atol=5.1e-5, rtol=0)
        assert view.found["weights"] == before["weights"]
        assert view.found["probabilities"] != before["probabilities"]
        view.cell = (0, 6)
        assert view.found["cell"] == [0, 6]
        assert "The cell in row 1, column 7 looks most at" in repr(view)
        assert repr(view).endswith("nothing is right there.")
        view.board = []
        assert "slots: nothing." in repr(view)

    @pytest.mark.parametrize("kind", [torch.float64, torch.float16])
    def test_a_model_in_other_numbers_is_shown_as_its_file_is_read(self, kind):
        view = LookUp(network().to(kind), task())
        assert view._network.head.layers[0].weight.dtype is torch.float32
        assert view.alt == view_of().alt or kind is torch.float16

    def test_there_is_no_minus_zero(self):
        view = look_up()
        view.gamma = -0.0
        assert "With γ = 0 × " in repr(view)

    def test_its_state_is_the_same_each_time_and_has_no_weights(self):
        state = state_of(look_up())
        assert state == state_of(view_of())
        assert state["size"] == len(network().to_bytes())
        assert len(json.dumps(state)) < 8_000
        data, _ = view_of()._repr_mimebundle_()
        assert data["text/plain"] == view_of().alt
        assert data["text/html"] == view_of().fallback()

    def test_the_fallback_has_the_numbers_and_escapes(self):
        text = view_of().fallback()
        assert text.count("<table>") == 2
        assert f">{max(view_of().found['probabilities']):.2f}</td>" in text
        view = look_up()
        view.names = [EVIL] * 10
        view.gamma = 0.5
        assert "&lt;img/src=" in view.fallback()
        assert harm(view.fallback()) == []


class TestRefused:
    @pytest.mark.parametrize(
        ("trait", "value", "words"),
        [
            ("gamma", 2.5, "gamma is 2.5, but is to be from −2 to 2"),
            ("gamma", float("nan"), "gamma is nan, but is to be from"),
            ("cell", [0, 7], r"cell is \[0, 7\], but is to be \(row, column\), each"),
            ("cell", [1], r"cell is \[1\], but is to be \(row, column\)"),
            ("board", [{"digit": 3}], "a digit of it is a dict of digit, hand, colour"),
            ("board", ["black 3"], "a digit of it is a dict of digit, hand, colour"),
            ("board", [piece(3, "pink", 0, 0)], "'pink'"),
            ("board", [piece(10, "red", 0, 0)], "digit is 10, but is to be 0 to 9"),
            ("board", [piece(1, "red", 0, 0, 3)], "hand is 3, but is to be 0 to 2"),
            ("board", [piece(1, "red", 0, 3)], r"slot is \[0, 3\], but is to be"),
            (
                "board",
                [piece(1, "red", 0, 0), piece(2, "blue", 0, 0)],
                r"two digits in slot \(0, 0\): the red 1 and the blue 2; there is room",
            ),
        ],
    )
    def test_what_a_trait_can_not_be(self, trait, value, words):
        view = look_up()
        with pytest.raises(ValueError, match=words):
            setattr(view, trait, value)
        assert state_of(view) == state_of(view_of())

    def test_a_model_of_another_question(self):
        words = "the model has 3 answers, but the twins have 4 colours"
        with pytest.raises(ValueError, match=words):
            LookUp(network(classes=3), task())
        words = "the model has channels = 1, but the board has red, green and blue"
        with pytest.raises(ValueError, match=words):
            LookUp(network(channels=1), task())

    def test_a_task_without_the_digits_it_opens_with(self):
        words = "the task has 5 kinds of digits, but the board opens with one of kind 7"
        with pytest.raises(ValueError, match=words):
            LookUp(network(), FindTheTwin(5))
        assert len(LookUp(network(), FindTheTwin(8)).names) == 8


# ------------------------------------------------------------ in Chromium


@pytest.fixture
def site(show, tmp_path):
    """A page from disk, with the checkpoint where the site has it."""
    keep_checkpoints(tmp_path, small=network())
    return lambda view=None, **options: show(view or view_of(), **options)


def say(page):
    return page.locator(".qkv-say").inner_text()


def numbers(page):
    return page.locator(".qkv-in-numbers td:not(thead td)").all_inner_texts()


def says(page):
    return page.locator(".qkv-answers .qkv-num").all_inner_texts()


def shows(page, view):
    """Hold what the page shows to what Python finds for a widget in that state."""
    weights, answers = truth(view)
    assert numbers(page) == ["0" if x < 0.005 else f"{x:.2f}" for x in weights.tolist()]
    assert says(page) == [chance(p) for p in answers.tolist()]


def here(page):
    page.get_by_text("The model is here").wait_for()


def at(page, row, column):
    return page.locator(f"[data-slot='{row}-{column}']")


def cell(page, row, column):
    return page.locator(f"[data-cell='{7 * row + column}']")


def turn(page, steps):
    page.locator("input[type=range]").focus()
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")


FOCUS = "document.activeElement.getAttribute('aria-label')"


class TestLooking:
    def test_what_is_recorded_needs_no_model(self, site):
        page, loads = site(), []
        page.on("request", lambda request: loads.append(request.url))
        shows(page, view_of())
        assert "The black 3 (top left) looks most at itself: 0.46." in say(page)
        page.get_by_label("what it sees without attention").check()
        assert say(page) == (
            "Without attention the cell of the black 3 (top left) sees 18 × 18 "
            "pixels, of which 15 × 15 lie in the picture. Its twin, the blue 3 (bottom "
            "middle), is out of sight: no weight of these convolutions can bring its "
            "colour here."
        )
        assert loads == []

    def test_a_black_digit_and_a_cell_ask_and_the_model_is_loaded_once(self, site):
        page, view, loads = site(), look_up(), []
        page.on("request", lambda request: loads.append(request.url))
        at(page, 2, 0).click()
        here(page)
        view.cell = [5, 1]
        shows(page, view)
        best = int(truth(view)[0].argmax())
        row, column = best // 7, best % 7
        # two cells wide and high is what a digit covers of the grid
        on = [p for p in view.board if p["slot"] == [row // 2, column // 2]]
        name = f", on the {on[0]['colour']} {on[0]['digit']}" if on else ""
        where = f"row {row + 1}, column {column + 1}{name}"
        assert f"The black 5 (bottom left) looks most at {where}: " in say(page)
        cell(page, 0, 3).click()
        view.cell = [0, 3]
        shows(page, view)
        assert "The cell in row 1, column 4 looks most at" in say(page)
        assert "training asked nothing here" in say(page)
        assert cell(page, 0, 3).get_attribute("aria-pressed") == "true"
        assert [url.rpartition("/")[2] for url in loads] == ["small.js"]

    def test_gamma_is_turned(self, site):
        page, view = site(), look_up()
        for steps, gamma in ((-4, 0.0), (-4, -1.0), (-4, -2.0), (16, 2.0)):
            turn(page, steps)
            here(page)
            view.gamma = gamma
            shows(page, view)
            if gamma == 0:
                assert "γ is 0: nothing of what it looked up is added. " in say(page)
                assert "is out of sight, so the model guesses" in say(page)
            assert ("γ has the wrong sign" in say(page)) == (gamma < 0)
        text = page.locator("input[type=range]").get_attribute("aria-valuetext")
        assert text.startswith("2 × ")

    def test_the_twin_is_outlined_and_the_per_cent_stand_over_the_picture(self, site):
        page = site()
        picture = page.locator(".qkv-over").bounding_box()
        box = page.locator(".qkv-over .qkv-twin").bounding_box()
        pixel = picture["width"] / 28
        assert box["x"] - picture["x"] == pytest.approx(9 * pixel, abs=2)
        assert box["y"] - picture["y"] == pytest.approx(18 * pixel, abs=2)
        assert box["width"] == pytest.approx(8 * pixel, abs=2)
        weights, _ = truth(view_of())
        texts = page.locator(".qkv-spot-of").all_inner_texts()
        per_cent = [round(100 * x) for x in weights.tolist()]
        assert texts == [str(x) if x else "" for x in per_cent]
        assert (
            cell(page, 1, 1).get_attribute("aria-label").startswith("row 2, column 2:")
        )

    def test_the_field_is_a_square(self, site):
        page = site()
        page.get_by_label("what it sees without attention").check()
        cell(page, 3, 3).click()
        picture = page.locator(".qkv-over").bounding_box()
        field = page.locator(".qkv-over .qkv-field").bounding_box()
        pixel = picture["width"] / 28
        assert field["width"] == pytest.approx(18 * pixel, abs=2)
        assert field["height"] == pytest.approx(18 * pixel, abs=2)
        assert field["x"] - picture["x"] == pytest.approx(5 * pixel, abs=2)
        assert say(page) == (
            "Without attention the cell in row 4, column 4 sees 18 × 18 pixels."
        )

    @pytest.mark.parametrize(
        ("board", "words"),
        [
            ([piece(4, "black", 0, 0)], "No 4 on the board has a colour: the model"),
            (
                [
                    piece(4, "black", 0, 0),
                    piece(4, "red", 1, 1),
                    piece(4, "blue", 2, 2),
                ],
                "2 coloured digits are a 4; in training there was one. The model says",
            ),
            ([piece(4, "red", 0, 0)], "No black digit has its centre in this cell"),
            ([], "No black digit has its centre in this cell"),
        ],
    )
    def test_a_board_without_one_right_answer_says_so(self, site, board, words):
        view = look_up()
        view.board = board
        page = site(view)
        assert words in say(page)
        shows(page, view)

    def test_a_twin_in_sight_is_counted(self, site):
        view = look_up()
        view.board = [piece(4, "black", 0, 0), piece(4, "red", 0, 1)]
        view.mode = "field"
        page = site(view)
        assert "the red 4 (top middle), 48 of its 64 pixels are in sight." in say(page)
        page.get_by_label("where it looks").check()
        turn(page, -4)
        here(page)
        assert "From what the cell sees itself the model says" in say(page)


class TestBoard:
    def test_a_digit_is_dragged_and_its_cell_follows_it(self, site):
        page, view = site(), look_up()
        ends = [at(page, *place).bounding_box() for place in ((0, 0), (1, 1))]
        page.mouse.move(*(ends[0][k] + 20 for k in "xy"))
        page.mouse.down()
        page.mouse.move(*(ends[1][k] + 25 for k in "xy"), steps=4)
        assert page.locator(".qkv-held").count() == 1
        page.mouse.up()
        here(page)
        view.board = [piece(3, "black", 1, 1), *view.board[1:]]
        view.cell = [3, 3]
        shows(page, view)
        assert at(page, 1, 1).get_attribute("aria-label") == "black 3, middle, asks"
        assert at(page, 0, 0).inner_text() == "+"
        assert page.evaluate(FOCUS) == "black 3, middle, asks"

    def test_a_digit_that_is_let_go_outside_stays(self, site):
        page = site()
        box = at(page, 0, 0).bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(2, 2, steps=3)
        page.mouse.up()
        shows(page, view_of())
        assert at(page, 0, 0).get_attribute("aria-label") == "black 3, top left, asks"
        assert page.locator(".qkv-held").count() == 0

    def test_a_digit_is_recoloured_exchanged_and_removed(self, site):
        page, view = site(), look_up()
        at(page, 2, 1).click()
        assert "The black 3 (top left) looks" in say(page), (
            "a coloured one asks nothing"
        )
        page.locator("[data-pick=colour]").select_option(label="yellow")
        here(page)
        assert "its twin, the yellow 3 (bottom middle)" in say(page).replace(
            "Its", "its"
        )
        page.locator("[data-pick=hand]").select_option(label="3")
        board = [*view.board]
        board[1] = piece(3, "yellow", 2, 1, hand=2)
        view.board = board
        shows(page, view)
        page.locator("[data-pick=digit]").select_option(label="8")
        assert "No 3 on the board has a colour" in say(page)
        page.locator("[data-act=remove]").click()
        assert "press + to put a digit there" in page.locator(".qkv-tools").inner_text()
        view.board = [board[0], *board[2:]]
        shows(page, view)
        at(page, 2, 1).click()  # the twin of the one that has none
        assert at(page, 2, 1).get_attribute("aria-label") == "yellow 3, bottom middle"

    def test_another_board_and_reset(self, site):
        page = site()
        reset = page.locator("[data-act=reset]")
        assert reset.get_attribute("aria-disabled") == "true"
        page.locator("[data-act=another]").click()
        here(page)
        assert page.locator(".qkv-digit").count() == 6
        turn(page, -2)
        page.get_by_label("what it sees without attention").check()
        reset.click()
        shows(page, view_of())
        assert "The black 3 (top left) looks most at" in say(page)
        assert reset.get_attribute("aria-disabled") == "true"

    def test_by_keyboard_alone(self, site):
        page, view = site(), look_up()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowLeft")
        here(page)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS) == "black 3, top left, asks"
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        assert page.evaluate(FOCUS) == "black 3, middle, asks"
        page.keyboard.press("ArrowDown")  # changes places with its twin
        assert page.evaluate(FOCUS) == "black 3, bottom middle, asks"
        view.board = [
            piece(3, "black", 2, 1),
            piece(3, "blue", 1, 1, 1),
            *view.board[2:],
        ]
        view.cell = [5, 3]
        shows(page, view)
        for _ in range(3):
            page.keyboard.press("Shift+Tab")
        assert page.evaluate(FOCUS) == "blue 3, middle"
        page.keyboard.press("Delete")
        assert "No 3 on the board has a colour" in say(page)
        assert page.evaluate(FOCUS) == "empty, middle: put a digit here"
        page.keyboard.press("Enter")
        assert page.evaluate(FOCUS).endswith(" 3, middle")
        cell(page, 5, 3).focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Home")
        assert "The cell in row 5, column 1 looks most at" in say(page)
        assert page.evaluate(FOCUS).startswith("row 5, column 1")

    def test_it_goes_to_the_kernel_and_comes_from_it(self, show):
        page = live(show, view_of())
        place = page.locator("#live2")
        page.evaluate("""() => {
            model.send = (message) => (window.message = message);
            model.on = (name, listener) => (window.answer = listener);
        }""")
        place.locator("[data-cell='9']").click()
        assert page.evaluate("model.get('cell')") == [1, 2]
        assert "Loading the model" in place.locator("[role=status]").inner_text()
        page.evaluate(
            """(text) => {
                const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
                answer({id: message.id}, [new DataView(bytes.buffer, 3)]);
            }""",
            base64.b64encode(b"---" + network().to_bytes()).decode(),
        )
        place.get_by_text("The model is here").wait_for()
        assert (
            "The cell in row 2, column 3 looks"
            in place.locator(".qkv-say").inner_text()
        )
        place.locator("[data-slot='0-0']").press("ArrowRight")
        assert page.evaluate("model.get('board')")[0] == piece(3, "black", 0, 1)


class TestModel:
    def test_a_missing_file_is_said_and_it_can_be_asked(self, show):
        page = show(view_of())
        cell(page, 2, 2).click()
        said = "its file checkpoints/small.js could not be loaded. What is recorded"
        page.get_by_text(said).wait_for()
        assert say(page) == "For this the model is needed."
        page.locator("[data-act=load]").click()
        page.get_by_text(said).wait_for()
        page.locator("[data-act=reset]").click()
        shows(page, view_of())

    def test_a_model_of_another_question_is_refused(self, site, tmp_path):
        keep_checkpoints(tmp_path, small=network(classes=3))
        page = site()
        cell(page, 2, 2).click()
        page.get_by_text("the file is of a model for another question").wait_for()

    def test_python_sends_the_weights_when_asked(self):
        view, sent = look_up(), []
        view.send = lambda *parts: sent.append(parts)
        view._handle_custom_msg({"type": "weights", "id": "7", "name": "small"}, [])
        assert sent[-1] == ({"type": "weights", "id": "7"}, [network().to_bytes()])


HEIGHT = "document.querySelector('.qkv-w').offsetHeight"


@pytest.mark.parametrize("width", ["736px", "1000px"])
def test_a_step_never_moves_the_page(site, width):
    page, high = site(width=width), set()

    def measure():
        high.add(page.evaluate(HEIGHT))

    measure()
    for slot_of in ((2, 0), (0, 2), (1, 1)):
        at(page, *slot_of).click()
        here(page)
        measure()
    for steps in (-4, -4, 8):
        turn(page, steps)
        measure()
    page.get_by_label("what it sees without attention").check()
    measure()
    page.locator("[data-act=remove]").click()
    measure()
    cell(page, 6, 6).click()
    measure()
    assert len(high) == 1
    assert high.pop() <= 700


def test_the_focus_stays_where_a_digit_was_removed(site):
    page = site()
    page.locator("[data-act=remove]").focus()
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUS) == "empty, top left: put a digit here"
    at(page, 0, 2).focus()
    page.keyboard.press("Delete")
    assert page.evaluate(FOCUS) == "empty, top right: put a digit here"


def test_no_key_of_the_board_leaves_it(site):
    """JupyterLab would go on to the next cell, also from a slot that is empty."""
    page = site()
    page.evaluate("window.left = []")
    page.evaluate("() => addEventListener('keydown', (event) => left.push(event.key))")
    for row, column in [(0, 0), (0, 1)]:  # a digit, and nothing
        at(page, row, column).focus()
        for key in ("ArrowRight", "Delete", "Delete", "ArrowUp"):
            page.keyboard.press(key)
    page.keyboard.press("Tab")
    assert page.evaluate("left") == ["Tab"]


def test_a_name_that_is_a_script_is_drawn_not_run(site):
    view = look_up()
    view.names = [EVIL] * 10
    page = site(view)
    assert EVIL in page.locator("[data-pick=digit]").inner_text()
    assert page.evaluate(HARM) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(site, theme):
    page = site(theme=theme)
    assert barriers(page) == []
    at(page, 1, 1).click()
    here(page)
    page.get_by_label("what it sees without attention").check()
    assert barriers(page) == []


def test_a_small_screen_is_not_scrolled_across(browser, tmp_path):
    path = tmp_path / "page.html"
    keep_checkpoints(tmp_path, small=network())
    path.write_text(page_of(view_of()), "utf-8")
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
    with watched_page(browser, **phone) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for act in ("[data-slot='2-0']", "[data-cell='30']", "[data-act=another]"):
            page.locator(act).tap()
            here(page)
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            assert too_small(page) == []
            assert unreadable(page) == []
        sides = page.locator("[data-cell], [data-slot]").evaluate_all(
            "(all) => all.map((b) => Math.min(b.offsetWidth, b.offsetHeight))"
        )
        assert min(sides) >= 36
        assert page.seen.errors == []
        assert page.seen.foreign == []


def touch(page, start, end):
    """Drag with a finger from the middle of one element to that of another."""
    session = page.context.new_cdp_session(page)
    boxes = [element.bounding_box() for element in (start, end)]
    ends = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
    for kind, points in (
        ("touchStart", ends[:1]),
        *(
            ("touchMove", [[a + k / 4 * (b - a) for a, b in zip(*ends, strict=True)]])
            for k in range(1, 5)
        ),
        ("touchEnd", []),
    ):
        where = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})


def test_a_finger_drags_a_digit_and_not_the_page(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(view_of()), "utf-8")
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
    with watched_page(browser, **phone) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        at(page, 0, 0).scroll_into_view_if_needed()
        before = page.evaluate("scrollY")
        touch(page, at(page, 1, 0), at(page, 0, 1))
        assert at(page, 0, 1).get_attribute("aria-label") == "red 7, top middle"
        assert page.evaluate("scrollY") == before


def test_a_state_alone_makes_the_widget_again():
    """As a kernel that comes back does: it has no network, and says what was seen."""
    state = state_of(view_of())
    again = LookUp.__new__(LookUp)
    Widget.__init__(again, **state)
    assert state_of(again) == state
    assert again.fallback() == view_of().fallback()


def test_on_paper_both_views_stand_without_controls(site):
    page = site(query="?print")
    assert page.locator("button, input, select").count() == 0
    assert page.locator("figure").count() == 2
    words = page.locator(".qkv-say").all_inner_texts()
    assert "looks most at" in words[0]
    assert "Without attention" in words[1]


def test_the_module_is_small():
    assert (STATIC / "look_up.js").stat().st_size <= 44_000


BROKEN = [
    ({"drawings": {"size": [1, 1, 4, 4]}}, "it has no drawings of digits"),
    ({"board": None}, "it has no board"),
    ({"board": [piece(12, "red", 0, 0)]}, "a digit of its board is none that it"),
    ({"board": [piece(1, "pink", 0, 0)]}, "a digit of its board is none that it"),
    ({"board": [piece(1, "red", 0, 5)]}, "a digit of its board is none that it"),
    (
        {"board": [piece(1, "red", 0, 0), piece(2, "red", 0, 0)]},
        "two digits lie in one slot",
    ),
    ({"cell": [7, 0]}, "its cell is none of 7 × 7"),
    ({"gamma": 3}, "its gamma is not from −2 to 2"),
    ({"found": {"weights": [1]}}, "what is recorded of it is not of its grid"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(payload(look_up(), **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [view_of()], broken)
