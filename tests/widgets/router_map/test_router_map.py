"""RouterMap: its JavaScript routes as qkv.experts; its words; in Chromium."""

import json

import pytest
import torch

from qkv.experts import balance_loss, gates, kept, loads, places, purity
from qkv.widgets import RouterMap
from qkv.widgets.router_map.router_map import CAPACITIES
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
from tests.widgets.router_map.sample import COUNT, router_map, rows, runs, tokens
from tests.widgets.test_front_end import ROOT, STATIC, run

FOLDER = (ROOT / "src/qkv/widgets/router_map").as_uri()
NAMES = list(runs())


def asked(expression, cases):
    """Return what a JavaScript expression of the module gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as m from "{FOLDER}/routing.js";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


# ------------------------------------------------------------ JavaScript = Python

ALL = """(() => {
    const way = {k: c.k, renormalised: c.renormalised};
    const routes = c.tokens.map((token) => m.route(token, c.rows, way));
    const room = m.places({
        tokens: c.tokens.length, experts: c.rows.length, k: c.k, capacity: c.capacity,
    });
    return {routes, room, shared: m.shared(routes, c.topics, room)};
})()"""


def cases():
    """Return states of every kind: few and many experts, ties, large logits."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for i in range(60):
        experts, count = 2 + i % 7, 1 + 5 * (i % 11)
        router = torch.randn(experts, 2, generator=generator) * 4 ** (i % 4 - 1)
        points = torch.randn(count, 2, generator=generator)
        if i % 5 == 0:  # halves, and many of them alike
            router, points = router.round() / 2, points.round()
        topics = torch.randint(4, (count,), generator=generator)
        for k in (1, 2):
            for capacity in (None, 1, 1.25, 1.5, 2):
                made.append(
                    {
                        "tokens": points.tolist(),
                        "topics": topics.tolist(),
                        "rows": router.tolist(),
                        "k": k,
                        "capacity": capacity,
                        "renormalised": i % 3 == 0,
                    }
                )
    return made


@pytest.fixture(scope="module")
def both():
    return list(zip(cases(), asked(ALL, cases()), strict=True))


def exact(values):
    return torch.tensor(values, dtype=torch.float64)


def routed(case):
    logits = exact(case["tokens"]) @ exact(case["rows"]).mT
    weights, chosen = gates(logits, case["k"])
    if case["renormalised"]:
        weights = weights / weights.sum(-1, keepdim=True)
    return logits, chosen, weights


def near(got, want):
    torch.testing.assert_close(exact(got), want.double(), atol=1e-6, rtol=0)


def test_the_cases_have_ties_and_drops(both):
    assert sum(made["shared"]["dropped"] > 0 for _, made in both) > 100
    tied = [
        len(set(route["logits"])) < len(route["logits"])
        for _, made in both
        for route in made["routes"]
    ]
    assert sum(tied) > 500


def test_every_token_goes_pythons_way(both):
    for case, made in both:
        logits, chosen, weights = routed(case)
        parts = {
            name: [route[name] for route in made["routes"]]
            for name in ("logits", "probabilities", "weights", "chosen")
        }
        near(parts["logits"], logits)
        near(parts["probabilities"], logits.softmax(-1))
        near(parts["weights"], weights)
        assert parts["chosen"] == chosen.tolist(), case


def test_places_and_who_finds_one_are_pythons(both):
    for case, made in both:
        _, chosen, _ = routed(case)
        count, experts = len(case["tokens"]), len(case["rows"])
        room = count
        if case["capacity"]:
            room = places(count, experts, case["k"], capacity=case["capacity"])
        assert made["room"] == room, case
        stays = kept(chosen, experts, room)
        assert made["shared"]["stays"] == stays.tolist()
        assert made["shared"]["dropped"] == (~stays).sum()


def test_loads_balance_and_purity_are_pythons(both):
    for case, made in both:
        logits, chosen, _ = routed(case)
        shared, topics = made["shared"], torch.tensor(case["topics"])
        near([e["f"] for e in shared["experts"]], loads(chosen, len(case["rows"])))
        near([e["P"] for e in shared["experts"]], logits.softmax(-1).mean(0))
        near(shared["balance"], balance_loss(logits.softmax(-1), chosen))
        near(shared["purity"], exact(purity(chosen[:, 0], topics)))


def test_topics_in_a_bar_come_to_its_load(both):
    for case, made in both:
        _, chosen, _ = routed(case)
        topics, stays = torch.tensor(case["topics"]), made["shared"]["stays"]
        for number, expert in enumerate(made["shared"]["experts"]):
            here = chosen == number
            for name, which in (
                ("keeps", here & exact(stays).bool()),
                ("drops", here & ~exact(stays).bool()),
                ("firsts", here & (torch.arange(case["k"]) == 0)),
            ):
                often = topics[which.any(-1)].bincount(minlength=max(topics) + 1)
                assert expert[name] == often.tolist()


def inside(points, corners):
    """Whether a convex polygon has each point, whichever way it goes round."""
    ends = corners.roll(-1, 0)
    sides = torch.stack(
        [
            (b[0] - a[0]) * (points[:, 1] - a[1])
            - (b[1] - a[1]) * (points[:, 0] - a[0])
            for a, b in zip(corners, ends, strict=True)
        ]
    )
    return (sides >= 0).all(0) | (sides <= 0).all(0)


def test_a_region_is_where_its_logit_is_the_largest():
    generator = torch.Generator().manual_seed(1)
    routers = [torch.randn(n, 2, generator=generator) for n in (2, 3, 4, 5, 8, 8)]
    grid = torch.linspace(-2.9, 2.9, 23).double()
    points = torch.cartesian_prod(grid + 0.013, grid - 0.007)
    shapes = asked("m.regions(c, 3)", [r.tolist() for r in routers])
    for router, regions in zip(routers, shapes, strict=True):
        best = (points @ router.double().mT).argmax(-1)
        for number, corners in enumerate(regions):
            has = torch.zeros(len(points), dtype=torch.bool)
            if corners:
                has = inside(points, exact(corners))
            assert torch.equal(has, best == number)


def test_of_equal_rows_the_first_has_the_region():
    (regions,) = asked("m.regions(c, 1)", [[[1, 0], [1, 0], [-1, 0]]])
    assert [bool(corners) for corners in regions] == [True, False, True]


# ------------------------------------------------------------ Python's words


class TestWords:
    def test_it_opens_at_the_last_step_of_the_first_run(self):
        view = router_map()
        assert (view.run, view.step, view.k, view.capacity) == (0, 2, 1, None)
        assert repr(view) == (
            "A router of 4 experts for 32 tokens of 4 topics, run “balanced” after 100 "
            "steps, k = 1: loads 0.25, 0.25, 0.25 and 0.25, purity 1.00, balancing "
            "loss 1.00. Token 1 of topic 1 goes to expert 1 (0.910)."
        )

    def test_it_follows_its_traits(self):
        view = router_map(run="no balance")
        assert "loads 0.50, 0.25, 0.25 and 0.00, purity 0.75" in repr(view)
        view.capacity = 1.0
        assert "With 8 places an expert, 8 are dropped." in repr(view)
        view.step, view.own, view.token = 0, [0.0, 0.0], -1
        assert "before training" in repr(view)
        assert repr(view).endswith("The reader's token goes to expert 1 (0.250).")
        view.run, view.k, view.step = 2, 2, 2
        assert "goes to expert 1 (0.500) and expert 2 (0.500)." in repr(view)
        view.k = 1
        assert repr(view).endswith("goes to expert 1 (1.000).")

    def test_its_state_is_the_same_each_time(self):
        assert state_of(router_map()) == state_of(router_map())
        data, _ = router_map()._repr_mimebundle_()
        assert data["text/plain"] == router_map().alt
        assert data["text/html"] == router_map().fallback()
        assert "application/vnd.jupyter.widget-view+json" in data
        json.dumps(state_of(router_map()), allow_nan=False)

    def test_rows_keep_what_follows_from_them_to_a_millionth(self):
        router = torch.randn(4, 2, generator=torch.Generator().manual_seed(2)) * 3
        view = RouterMap(*tokens(), {"one": {0: router}})
        points = exact(view.tokens)
        kept_rows = exact(view.runs[0]["gates"][0])
        want = (points @ router.double().mT).softmax(-1)
        near((points @ kept_rows.mT).softmax(-1).tolist(), want)

    def test_the_fallback_has_each_run_at_its_beginning_and_its_end(self):
        text = router_map().fallback()
        assert text.count('<th scope="row">') == 9
        assert text.count("purity 1.00") == 3
        assert "<td>100</td><td>loads 0.50, 0.25, 0.25 and 0.00, purity 0.75" in text

    def test_markup_is_a_text(self):
        view = RouterMap(*tokens(), {EVIL: runs()["balanced"]})
        assert harm(view.fallback()) == []
        assert "&lt;img/src=" in view.fallback()

    def test_a_parameter_and_a_list_are_taken(self):
        matrix = torch.nn.Linear(2, 4, bias=False).weight
        points, topics = tokens()
        view = RouterMap(points.tolist(), topics.tolist(), {"one": {0: matrix}})
        again = RouterMap(points, topics, {"one": {0: matrix.tolist()}})
        assert state_of(view) == state_of(again)
        assert view.step == 0


BALANCED = runs()["balanced"]


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"tokens": torch.zeros(32, 3)}, r"tokens has shape \(32, 3\), but is to"),
            ({"tokens": torch.zeros(257, 2)}, "tokens has token = 257, but"),
            ({"tokens": torch.full((32, 2), torch.nan)}, "tokens has a number that is"),
            ({"topics": torch.zeros(5).int()}, r"topics has shape \(5,\), but there"),
            ({"topics": torch.full((32,), 4)}, r"whole numbers of 0 to 3, not \[4\]"),
            ({"topics": torch.zeros(32)}, "whole numbers of 0 to 3"),
            ({"runs": {}}, "runs is empty"),
            ({"runs": {"a": {}}}, "run 'a' has 0 recorded steps"),
            ({"runs": {"a": {-1: rows(0.0, 9.0)}}}, "step"),
            ({"runs": {"a": {0: rows(1.0)}}}, "has expert = 1, but a RouterMap draws"),
            ({"runs": {"a": {0: torch.zeros(4, 24)}}}, r"runs\['a'\]\[0\] has shape"),
            (
                {"runs": {"a": BALANCED, "b": {0: rows(0.0, 9.0)}}},
                r"run 'b' was recorded at steps \[0\], but 'a' at \[0, 50, 100\]",
            ),
            (
                {"runs": {"a": {0: rows(1.0, 2.0, 3.0)}, "b": {0: rows(1.0, 2.0)}}},
                r"number of experts: 'a' \[3\], 'b' \[2\]; give as many to each",
            ),
            ({"renormalised": ["dead"]}, "renormalised names 'dead', but the runs are"),
            ({"renormalised": "dead gate"}, "give a list of names"),
            ({"run": "none"}, "run names 'none', but the runs are 'balanced'"),
        ],
    )
    def test_what_does_not_fit(self, changes, words):
        points, topics = tokens()
        given = {"tokens": points, "topics": topics, "runs": runs()} | changes
        with pytest.raises(ValueError, match=words):
            RouterMap(**given)

    def test_runs_without_steps(self):
        with pytest.raises(TypeError, match="a dict of dicts, the router's matrix"):
            RouterMap(*tokens(), {"a": [rows(0.0, 90.0)]})

    @pytest.mark.parametrize(
        ("trait", "value"),
        [
            ("run", 3),
            ("step", -1),
            ("token", COUNT),
            ("token", -2),
            ("k", 3),
            ("capacity", 1.1),
            ("own", [1.0]),
            ("own", [0.0, 11.0]),
            ("part", 4),
        ],
    )
    def test_what_a_trait_can_not_be(self, trait, value):
        view = router_map()
        with pytest.raises(ValueError, match=f"{trait} is "):
            setattr(view, trait, value)
        assert state_of(view) == state_of(router_map())


# ------------------------------------------------------------ in Chromium


def say(page):
    return page.locator(".qkv-say").inner_text()


def why(page):
    return page.locator(".qkv-why").inner_text()


def table(page, name):
    return [
        row.inner_text().split("\t")
        for row in page.locator(f".qkv-{name} tbody tr").all()
    ]


def sums(page):
    return page.locator(".qkv-sums dd").all_inner_texts()


def choose(page, *, run=None, k=None, capacity=None):
    if run:
        page.get_by_label(run, exact=True).check()
    if k:
        page.locator("[name$=-k]").nth(k - 1).check()
    if capacity:
        at = CAPACITIES.index(capacity)
        page.locator("[name$=-capacity]").nth(at).check()


class TestSteps:
    def test_it_opens_at_the_last_step(self, show):
        page = show(router_map())
        assert say(page) == (
            "After 100 steps each expert that is chosen has tokens of one topic: "
            "purity 1.00."
        )
        assert page.locator(".qkv-count").inner_text() == "3 / 3"
        loads = [row[2:4] for row in table(page, "loads")]
        assert loads == [["8", "0.25"]] * 4
        assert sums(page) == ["1.00", "1.00 1 if equal", "0 of 32"]
        assert page.locator(".qkv-region").count() == 4

    def test_through_the_training_by_keyboard(self, show):
        page = show(router_map())
        page.locator("[data-act=back]").focus()
        page.keyboard.press("Home")
        assert say(page).startswith("Before training expert 2 is the first choice for")
        assert page.locator(".qkv-say").get_attribute("aria-live") == "polite"
        page.keyboard.press("ArrowRight")
        assert say(page).startswith("After 50 steps each expert")
        page.keyboard.press("End")
        page.keyboard.press("ArrowRight")
        assert page.locator(".qkv-count").inner_text() == "3 / 3"

    def test_a_dead_expert_is_said_with_its_reason(self, show):
        page = show(router_map())
        choose(page, run="no balance")
        assert say(page) == (
            "After 100 steps no token goes to expert 4: its logit is never the "
            "largest, so it does nothing and learns nothing. Expert 1 is the first "
            "choice for tokens of 2 topics: purity 0.75."
        )
        assert table(page, "loads")[3][2:4] == ["0", "0.00"]
        assert page.locator(".qkv-region").count() == 3
        assert page.locator("text.qkv-idle").text_content() == "4"

    def test_the_dead_gate_is_said_with_its_reason(self, show):
        page = show(router_map(run="dead gate"))
        assert say(page).startswith(
            "After 100 steps every weight is p ÷ p = 1, so the error has no gradient "
            "for the router. The loads are nearly even, and "
        )
        assert "÷" in why(page)
        assert why(page).endswith(
            "= 1, whatever the router says: no gradient of the error reaches it."
        )
        weights = [row[4] for row in table(page, "way-of")]
        assert sorted(weights) == ["0", "0", "0", "1"]
        choose(page, k=2)
        assert "p ÷ p" not in say(page)
        assert "they come to 1, and still depend on the router." in why(page)

    def test_capacity_drops_the_last_in_line(self, show):
        page = show(router_map())
        choose(page, run="no balance", capacity=1.25)
        assert say(page).endswith(
            " Expert 1 has more tokens than 10 places: the last 6 are dropped."
        )
        assert page.locator(".qkv-load .qkv-drops").count() == 2
        assert page.locator(".qkv-dot.qkv-lost").count() == 6
        assert sums(page)[2] == "6 of 32"
        assert table(page, "loads")[0][2] == "16 of 10"
        choose(page, k=2)
        assert "20 places" in say(page)

    def test_the_token_goes_step_by_step(self, show):
        page = show(router_map())
        points, _ = tokens()
        logits = points[0].double() @ runs()["balanced"][100].double().mT
        page.locator("[data-part='0']").click()
        assert why(page).startswith("Token 1, topic 1: row 1 · x = 1.414 × ")
        assert "because row 1 reaches furthest in the token's direction." in why(page)
        assert [row[1] for row in table(page, "way-of")] == [
            f"{z:.2f}".replace("-", "−") for z in logits.tolist()
        ]
        assert {tuple(row[2:]) for row in table(page, "way-of")} == {("", "", "")}
        page.locator("[data-part='1']").click()
        assert f"e to the {logits[0]:.2f} is " in why(page)
        assert why(page).endswith("expert 1 has probability 0.91.")
        page.locator("[data-part='2']").click()
        assert why(page) == (
            "Token 1, topic 1: k = 1: the most probable, expert 1, works on it. The "
            "other 3 do nothing."
        )
        page.locator("[data-part='3']").click()
        assert "what expert 1 says is multiplied by the probability, 0.91:" in why(page)
        assert page.locator(".qkv-why").get_attribute("aria-live") == "polite"

    def test_with_two_experts(self, show):
        page = show(router_map())
        choose(page, k=2)
        assert sums(page)[1] == "2.00 2 if equal"
        ranks = [row[3] for row in table(page, "way-of")]
        assert sorted(ranks) == ["first", "second", "–", "–"]
        assert "what experts 1 and " in why(page)

    def test_a_tie_goes_to_the_lower_number(self, show):
        view = router_map()
        view.own, view.token, view.part = [0.0, 0.0], -1, 0
        page = show(view)
        assert why(page) == (
            "Your token: row 1 · x = 1.414 × 0 + 1.414 × 0 = 0, and as much at experts "
            "2, 3 and 4: of equals the lower number is taken."
        )

    def test_large_logits_are_said_as_differences(self, show):
        view = RouterMap(*tokens(), {"one": {0: rows(45.0, 135.0, length=500.0)}})
        view.part = 1
        page = show(view)
        assert "e to the 0, less the largest logit, is 1, of 1 for all" in why(page)


class TestOwnToken:
    def test_it_is_typed(self, show):
        page = show(router_map())
        page.locator("[data-field=own-0]").fill("-1.5")
        assert page.locator("[data-pick=token]").input_value() == "-1"
        page.locator("[data-field=own-1]").fill("-1.5")
        assert why(page).startswith("Your token: what expert 3 says")
        page.locator("[data-field=own-1]").fill("99")
        assert "Type a number from −10 to 10." in page.locator(".qkv-note").inner_text()
        assert why(page).startswith("Your token: what expert 3 says")

    def test_a_click_puts_it_there_or_follows_a_token(self, show):
        page = show(router_map())
        box = page.locator(".qkv-ground").bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.click(middle[0] - box["width"] * 0.45, middle[1] + 4)
        assert page.locator("[data-pick=token]").input_value() == "-1"
        x = float(page.locator("[data-field=own-0]").input_value())
        assert x == pytest.approx(-0.9 * 3, abs=0.15)
        points, _ = tokens()
        place = [(float(c) / 3) * box["width"] / 2 for c in points[6]]
        page.mouse.click(middle[0] + place[0], middle[1] - place[1])
        picked = int(page.locator("[data-pick=token]").input_value())
        assert (points[picked] - points[6]).norm() < 0.2
        assert f"Token {picked + 1}, topic" in why(page)

    def test_it_is_dragged(self, show):
        page = show(router_map())
        grip = page.locator(".qkv-grip").bounding_box()
        ground = page.locator(".qkv-ground").bounding_box()
        page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
        page.mouse.down()
        for share in (0.4, 0.2):
            page.mouse.move(
                ground["x"] + share * ground["width"],
                ground["y"] + (1 - share) * ground["height"],
            )
        page.mouse.up()
        typed = [page.locator(f"[data-field=own-{c}]").input_value() for c in (0, 1)]
        assert [float(x) for x in typed] == pytest.approx([-1.8, -1.8], abs=0.1)
        assert why(page).startswith("Your token: what expert 3 says")

    def test_it_comes_last_and_counts_in_no_sum(self, show):
        page = show(router_map())
        choose(page, capacity=1.0)
        before = sums(page)
        page.locator("[data-pick=token]").select_option("-1")
        assert sums(page) == before
        assert "8 tokens for 8 places, and it comes last. It is dropped" in why(page)
        assert "dropped" in [row[4] for row in table(page, "way-of")]

    def test_by_keyboard_alone(self, show):
        page = show(router_map())
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert page.get_by_label("no balance").is_checked()
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowLeft")
        assert "After 50 steps" in say(page)
        for _ in range(4):
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        assert page.locator("[data-pick=token]").input_value() == "1"
        page.keyboard.press("Tab")
        page.keyboard.type("2.5")
        assert why(page).startswith("Your token")
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert "row" in why(page)

    def test_it_goes_to_the_kernel(self, show):
        page = live(show, router_map())
        page.locator("#live2 [data-field=own-0]").fill("2")
        assert page.evaluate("model.get('own')") == [2, 0.5]
        assert page.evaluate("model.get('token')") == -1
        page.evaluate("model.set('step', 0)")
        assert "Before training" in page.locator("#live2 .qkv-say").inner_text()


HEIGHT = "document.querySelector('.qkv-w').offsetHeight"


@pytest.mark.parametrize("width", ["736px", "1000px"])
def test_a_step_never_moves_the_page(show, width):
    page = show(router_map(), width=width)
    high = set()
    for name in NAMES:
        choose(page, run=name)
        for act in ("back", "back", "next", "next"):
            page.locator(f"[data-act={act}]").click()
            high.add(page.evaluate(HEIGHT))
    choose(page, capacity=1.0)
    for part in range(4):
        page.locator(f"[data-part='{part}']").click()
        high.add(page.evaluate(HEIGHT))
    assert len(high) == 1
    assert high.pop() <= 700


def test_a_script_is_drawn_and_not_run(show):
    view = RouterMap(*tokens(), {EVIL: BALANCED, "b": BALANCED}, renormalised=[EVIL])
    page = show(view)
    assert page.evaluate(HARM) == []
    for name in (EVIL, "b"):
        choose(page, run=name)
        assert page.evaluate(HARM) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, theme):
    page = show(router_map(), theme=theme)
    assert barriers(page) == []
    choose(page, run="no balance", capacity=1.25)
    page.locator("[data-field=own-0]").fill("99")
    assert barriers(page) == []


BACK = "document.querySelectorAll('[data-act=back]').forEach((b) => b.click())"


def test_a_small_screen_scrolls_not_across(browser, tmp_path):
    path = tmp_path / "page.html"
    long = RouterMap(*tokens(), {EVIL: BALANCED, "a run " * 9: BALANCED})
    path.write_text(page_of(router_map(), long), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for _ in range(3):
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            assert too_small(page) == []
            page.evaluate(BACK)
        assert page.seen.errors == []
        assert page.seen.foreign == []


def test_on_paper_each_run_stands_before_and_after(show):
    page = show(router_map(), query="?print")
    assert page.locator("button, input, select").count() == 0
    captions = page.locator(".qkv-print > figure > figcaption").all_inner_texts()
    assert captions == [f"{n}, after {t} steps" for n in NAMES for t in (0, 100)]
    said = page.locator(".qkv-print .qkv-say:visible").all_inner_texts()
    assert "no token goes to expert 4" in said[3]
    assert page.locator(".qkv-print .qkv-plane").count() == 6


def test_the_module_is_small():
    assert (STATIC / "router_map.js").stat().st_size <= 36 * 1024


def other(**changes):
    """Return what is stored of a widget like this one, and not of itself."""
    return payload(router_map(), **changes) | {"model_id": "other"}


BROKEN = [
    ({"tokens": [[1, 2, 3]]}, "it has no tokens of two numbers"),
    ({"tokens": []}, "it has no tokens of two numbers"),
    ({"topics": [0]}, "it has 32 tokens and 1 topics"),
    ({"topics": [9] * COUNT}, "a topic is none of 1 to 4"),
    ({"run": 7}, "it has no run 7"),
    ({"steps": [0]}, "run balanced has no router of two experts or more"),
    ({"step": 9}, "it has 3 steps, and not number 9"),
    ({"k": 3}, "k is none of 1 and 2"),
    ({"capacity": 7}, "its capacity is none of 1, 1.25, 1.5, 2"),
    ({"own": [None, 1]}, "the token to follow is none"),
    ({"token": 99}, "the token to follow is none"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(other(**changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [router_map()], broken)
