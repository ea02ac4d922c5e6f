"""ForecastPad: its JavaScript forecasts as qkv.series; its words; in Chromium."""

import json

import pytest
import torch

from qkv.data import Motifs, RandomWalk, Seasons, Series, co2
from qkv.series import trace_lookup
from qkv.widgets import ForecastPad
from qkv.widgets.forecast_pad.forecast_pad import (
    FORECASTERS,
    LEAKS,
    _short,
    forecasts,
    shuffled,
    smoothed,
)
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

FOLDER = (ROOT / "src/qkv/widgets/forecast_pad").as_uri()


def asked(expression, cases):
    """Return what a JavaScript expression of the modules gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as m from "{FOLDER}/forecasting.js";
        import * as say from "{FOLDER}/saying.js";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


def pad(**options):
    """Return the pad of the chapter."""
    series = {
        "seasons": Seasons(0),
        "random walk": RandomWalk(0),
        "motifs": Motifs(plays=36).sample(1, seed=0),
        "CO₂": co2().values[::4],
    }
    settings = {
        "length": {"seasons": 12, "motifs": 4, "CO₂": 13},
        "season": {"motifs": 8, "CO₂": 13},
    }
    return ForecastPad(series, **settings | options)


@pytest.fixture(scope="module")
def whole():
    return pad()


# ------------------------------------------------------------ JavaScript = Python

SUBSETS = [[], *([leak] for leak in LEAKS), list(LEAKS)]
SETTINGS = [(1, 1, 0.3), (3, 13, 0.02), (13, 5, 1.1), (32, 24, 40.0)]


@pytest.fixture(scope="module")
def both(whole):
    """Return what JavaScript and Python forecast of each series, however it is set."""
    cases = [
        {
            "values": sample["values"],
            "settings": {"length": a, "season": b, "bandwidth": h, "leaks": leaks},
        }
        for sample in whole.samples
        for a, b, h in SETTINGS
        for leaks in SUBSETS
    ]
    shown = """(() => {
        const s = m.scored(c.values, c.settings);
        const t = s.tests[s.tests.length >> 1];
        return {train: s.train, tests: s.tests, fit: s.fit, t,
            made: s.scores.map(({forecasts}) => forecasts), mse: s.scores.map(({mse}) => mse),
            looks: m.forecast(s, c.settings, "look-up", t)};
    })()"""  # noqa: E501
    return [
        (case, made, forecasts(double(case["values"]), **case["settings"]))
        for case, made in zip(cases, asked(shown, cases), strict=True)
    ]


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def close(given, wanted):
    torch.testing.assert_close(double(given), wanted, rtol=1e-6, atol=1e-6)


def test_windows_are_split_as_in_python(both):
    assert len(both) == 80
    for _, made, python in both:
        assert made["train"] == python.train.tolist()
        assert made["tests"] == python.tests.tolist()
        assert len(made["tests"]) >= 80


def test_every_forecast_is_pythons(both):
    for _, made, python in both:
        for given, name in zip(made["made"], FORECASTERS, strict=True):
            close(given, python.made[name])


def test_every_error_is_pythons(both):
    for _, made, python in both:
        wanted = [python.errors[name] for name in FORECASTERS]
        close(made["mse"], double(wanted))


def test_a_look_up_looks_where_python_looks(both):
    for case, made, python in both:
        if case["settings"]["leaks"]:
            continue
        values, t = python.values, made["t"]
        length, first = case["settings"]["length"], python.train[0].item()
        key = torch.stack([values[s - length : s] for s in range(first, t)])
        trace = trace_lookup(
            values[None, t - length : t],
            key,
            values[first:t, None],
            bandwidth=case["settings"]["bandwidth"],
        )
        reads = made["looks"]["reads"]
        assert [read["place"] for read in reads] == list(range(first, t))
        close([read["weight"] for read in reads], trace.weights[0])
        close([made["looks"]["forecast"]], trace.forecast[0])


def test_leaks_are_pythons():
    values = torch.randn(47, dtype=torch.float64, generator=torch.manual_seed(0))
    [made] = asked("m.smoothed(c)", [values.tolist()])
    close(made, smoothed(values))
    assert asked("m.shuffle(c)", [1, 6, 288]) == [shuffled(n) for n in (1, 6, 288)]
    assert sorted(shuffled(288)) == list(range(288))


def test_a_leak_is_one(whole):
    """What is read holds the answer, or what is trained on comes later."""
    values = double(whole.samples[0]["values"])
    settings = {"length": 12, "season": 24, "bandwidth": 1.0}
    honest = forecasts(values, **settings)
    assert honest.train.max() < honest.tests.min()
    mixed = forecasts(values, **settings, leaks=["shuffled"])
    assert mixed.train.max() > mixed.tests.min()
    assert set(mixed.train.tolist()).isdisjoint(mixed.tests.tolist())
    late = forecasts(values, **settings, leaks=["shifted"])
    assert late.errors["naive"] == 0
    moved = values.clone()
    moved[-1] += 1  # the last answer
    for leaks, told in [([], False), (["smoothed"], True), (["shifted"], True)]:
        one, other = (forecasts(v, **settings, leaks=leaks) for v in (values, moved))
        seen = (one.made["ridge"][-1] - other.made["ridge"][-1]).abs() > 1e-3
        assert seen == told, leaks


def test_below_the_floor_is_more_than_chance():
    cases = [[[1, 1, 1], [2, 2, 2]], [[0, 3, 0, 3], [2, 2, 2, 2]], [[1, 1], [1, 1]]]
    assert asked("m.below(...c)", cases) == [True, False, False]


def test_cholesky_solves():
    a = torch.randn(32, 40, dtype=torch.float64, generator=torch.manual_seed(1))
    square, b = a @ a.mT, a[:, 0]
    [x] = asked("m.solve(c.a, c.b)", [{"a": square.tolist(), "b": b.tolist()}])
    torch.testing.assert_close(double(x), torch.linalg.solve(square, b))


@pytest.mark.parametrize(
    ("mse", "text"),
    [
        (0, "0"),
        (1e-9, "<0.0001"),
        (0.0123, "0.012"),
        (0.2, "0.20"),
        (1.345, "1.34"),
        (12.98, "13.0"),
        (1234, "1234"),
        (1.2e6, "1.2e+6"),
    ],
)
def test_an_error_is_short(mse, text):
    assert asked("say.size(c)", [mse]) == [text]


# ------------------------------------------------------------ Python's words


class TestWords:
    def test_it_opens_with_the_first_series(self, whole):
        assert (whole.length, whole.season, whole.forecaster) == (12, 24, "look-up")
        assert whole.place == 299
        assert [s["name"] for s in whole.samples][1:] == [
            *("random walk", "motifs", "CO₂")
        ]
        assert repr(whole).startswith(
            "Forecasts of seasons, 300 values, one step ahead from windows of 12: the "
            "mean squared error over 92 test windows is naive "
        )

    def test_honest_forecasts_are_not_below_the_floor(self, whole):
        """What the widget is for: without a leak none, with one of these ridge."""
        for sample in whole.samples:
            if not sample["best"]:
                continue
            settings = {k: sample[k] for k in ("length", "season", "bandwidth")}
            ways = [([], False), (["shuffled"], False), (["smoothed"], True)]
            for leaks, falls in ways:
                made = forecasts(double(sample["values"]), **settings, leaks=leaks)
                best = double(sample["best"])[made.tests]
                floor = (best - made.values[made.tests]).square().mean()
                fallen = min(made.errors.values()) < 0.95 * floor
                assert fallen == falls, (sample["name"], leaks)

    def test_the_floor_is_the_oracles_on_the_windows_that_are_scored(self):
        seasons = Seasons(3)
        one = ForecastPad(seasons, last=200)
        sample = one.samples[0]
        assert one.samples[0]["name"] == "two seasons and an AR(2)"
        close(sample["values"], seasons.values[-200:].double())
        past = seasons.values[-202:].unfold(0, 2, 1)[:-1]
        wanted = seasons.oracle(past, 1, start=len(seasons) - 202)
        close(sample["best"], wanted[:, 0].double())
        walk = RandomWalk(1)
        one = ForecastPad(walk)
        close(one.samples[0]["best"], walk.values[-301:-1].double())
        assert one._forecasts([]).errors["naive"] == one._floor(one._forecasts([]))
        played = Motifs(plays=20).sample(2, seed=0)
        sample = ForecastPad(played, last=100).samples[0]
        close(sample["values"], played.values[0, -100:].double())
        close(sample["best"], played.oracle[0, -100:].double())

    def test_it_follows_its_traits(self):
        one = pad()
        one.leaks = ["shifted"]
        assert "with leaks (shifted) is naive 0," in repr(one)
        one.leaks, one.drawn = [], [0.0, 1.0] * 150
        assert "Forecasts of seasons, changed, 300 values" in repr(one)
        assert repr(one).endswith("the floor is unknown.")

    def test_another_series_is_shown_as_it_opens(self):
        one = pad(last=40 * 2)
        one.drawn, one.place, one.length = [0.0, 1.0] * 40, 50, 3
        for chosen, sample in [*enumerate(one.samples)][::-1]:
            one.chosen = chosen
            settings = {k: getattr(one, k) for k in ("length", "season", "bandwidth")}
            assert settings == {k: sample[k] for k in settings}
            assert (one.drawn, one.place) == ([], len(sample["values"]) - 1)
            assert repr(one).startswith(f"Forecasts of {sample['name']}, 80 values")

    def test_an_error_that_is_no_number_has_none(self):
        said = [_short(mse) for mse in (float("nan"), float("inf"), 0.0, 1e-9, 0.25)]
        assert said == ["–", "–", "0", "<0.0001", "0.25"]

    def test_a_plain_tensor_may_have_a_floor_and_a_season(self):
        t = torch.arange(120.0)
        one = ForecastPad(t.sin(), season=6, floor=0.5, length=3)
        assert (one.season, one.length) == (6, 3)
        assert repr(one).endswith("the floor is 0.5.")
        best = ForecastPad(t.sin(), floor=t.sin() + 0.1)
        assert repr(best).endswith("the floor is 0.01.")

    def test_its_state_is_the_same_each_time(self):
        assert state_of(pad()) == state_of(pad())
        data, _ = pad()._repr_mimebundle_()
        assert data["text/plain"] == pad().alt
        assert data["text/html"] == pad().fallback()
        assert len(json.dumps(state_of(pad()))) < 30_000

    def test_the_fallback_has_the_errors_with_each_leak(self):
        text = pad().fallback()
        assert text.count('<th scope="row">') == 5
        assert text.count('<th scope="col">') == 4
        assert "<td>0</td>" in text

    def test_markup_is_a_name(self):
        one = ForecastPad({EVIL: torch.arange(50.0)})
        assert harm(one.fallback()) == []
        assert "&lt;img/src=" in one.fallback()


T = torch.arange(60.0)


class TestRefused:
    @pytest.mark.parametrize(
        ("series", "options", "words"),
        [
            (T[:39], {}, "the series has 39 values, but the pad needs 40"),
            ({"rain": T[:9]}, {}, "the series 'rain' has 9 values"),
            (T.view(2, 30), {}, r"has shape \(2, 30\), but the pad shows one value"),
            (T[0], {}, r"has shape \(\), but the pad"),
            (T.where(T != 50, torch.nan), {}, "has nan at 50 of the values shown"),
            (T / 0, {}, "has nan at 0 of the values shown"),
            ({}, {}, "there is no series; give one, or several by name"),
            (T, {"length": 16}, "length is 16, but of 60 values the pad takes 15"),
            (T, {"season": 0}, "season must be at least 1, not 0"),
            (T, {"bandwidth": 0.0}, "bandwidth is 0.0, but must be above 0"),
            (T, {"floor": -1.0}, "floor is -1.0, but an error is 0 or more"),
            (T, {"floor": T[1:]}, r"floor has shape \(59,\), but the pad shows 60"),
            (T, {"forecaster": "oracle"}, "forecaster is 'oracle', but a Forecast"),
            (T, {"leaks": ["drip"]}, "leaks is 'drip', but a ForecastPad has"),
            (T, {"last": 39}, "last is 39, but the pad shows 40 to 600"),
            (T, {"season": {"rain": 3}}, "a name in season is 'rain', but the pad has"),
        ],
    )
    def test_what_does_not_fit(self, series, options, words):
        with pytest.raises(ValueError, match=words):
            ForecastPad(series, **options)

    def test_a_list_is_no_tensor(self):
        with pytest.raises(TypeError, match="series is of type list"):
            ForecastPad([1.0] * 50)

    @pytest.mark.parametrize(
        ("trait", "value"),
        [
            *(("chosen", 4), ("drawn", [1.0]), ("drawn", [float("nan")] * 300)),
            *(("place", 300), ("place", -1)),
            *(("length", 33), ("season", 61), ("bandwidth", -1.0)),
            *(("leaks", ["drip"]), ("forecaster", "oracle")),
        ],
    )
    def test_a_trait_that_does_not_fit(self, whole, trait, value):
        before = state_of(whole)
        with pytest.raises(ValueError, match=trait.removesuffix("s")):
            setattr(whole, trait, value)
        assert state_of(whole) == before

    def test_a_series_of_the_book_says_so_itself(self):
        with pytest.raises(ValueError, match=r"values\[0\] is nan"):
            ForecastPad(Series(T * torch.nan))


# ------------------------------------------------------------ in Chromium


def say(page):
    return page.locator(".qkv-say").inner_text()


def verdict(page):
    return page.locator(".qkv-verdict").inner_text()


def errors(page):
    """Return the first column of the table, by forecaster."""
    rows = page.locator(".qkv-scores tbody tr").all()
    return {
        r.locator("th").inner_text(): r.locator("td").first.inner_text() for r in rows
    }


def drawn(page):
    return page.evaluate("model.get('drawn')")


def leak(page, name):
    return page.locator(f"[data-act={name}]")


def forecaster(page, name):
    return page.locator(f"[data-forecaster='{name}']")


class TestSteps:
    def test_it_opens_with_a_look_up(self, show, whole):
        page = show(whole)
        assert say(page).startswith("Look-up: 0.")
        assert "of the weight on places" in say(page)
        assert page.locator(".qkv-say").get_attribute("aria-live") == "polite"
        assert page.locator(".qkv-count").inner_text() == "92 / 92"
        assert page.locator(".qkv-arc").count() > 1
        assert "ridge has the lowest error" in verdict(page)
        assert errors(page)["ridge"] == "1.34"
        assert errors(page)["floor"] == "1.07"

    def test_stepping_by_keyboard(self, show, whole):
        page = show(whole)
        page.locator("[data-act=back]").focus()
        last = say(page)
        page.keyboard.press("ArrowLeft")
        assert page.locator(".qkv-count").inner_text() == "91 / 92"
        assert say(page) != last
        page.keyboard.press("Home")
        assert page.locator(".qkv-count").inner_text() == "1 / 92"
        page.keyboard.press("End")
        assert say(page) == last

    def test_each_forecaster_says_what_it_reads(self, show, whole):
        page = show(whole)
        forecaster(page, "naive").click()
        assert "the last value, that of place 298, comes again" in say(page)
        assert page.locator(".qkv-arc").count() == 1
        forecaster(page, "seasonal naive").click()
        assert "the value 24 places back, that of place 275" in say(page)
        forecaster(page, "ridge").click()
        assert "with the same weights at every place" in say(page)
        assert page.locator(".qkv-bar-of").count() == 12
        assert page.locator("[aria-pressed=true]").last.inner_text() == "ridge"

    def test_leaks_fall_through_the_floor(self, show, whole):
        page = show(whole)
        before = errors(page)
        leak(page, "smoothed").check()
        assert "So ridge falls to 0.12, through the floor of 1.07" in verdict(page)
        assert page.locator(".qkv-fallen").all_inner_texts() == ["0.12"]
        assert page.locator(".qkv-was").count() == 4
        leak(page, "smoothed").uncheck()
        assert errors(page) == before
        leak(page, "shifted").check()
        assert "its last value is the answer" in verdict(page)
        assert errors(page)["naive"] == "0"
        leak(page, "shifted").uncheck()
        page.get_by_role("button", name="CO₂").click()
        leak(page, "shuffled").check()
        assert "The error of ridge falls from 0.43 to 0.29" in verdict(page)
        assert page.locator(".qkv-tested").count() == 96

    def test_motifs_are_looked_up(self, show, whole):
        page = show(whole)
        page.get_by_role("button", name="motifs").click()
        assert "look-up has the lowest error" in verdict(page)
        assert "on places 135 and 247" in say(page)
        motif = Motifs(plays=36).sample(1, seed=0).motif[0]
        assert motif[135] == motif[247] == motif[287]
        assert page.locator(".qkv-found").count() > 1

    def test_sliders_change_window_season_and_bandwidth(self, show, whole):
        page = live(show, whole)
        one = page.locator("#live2")
        sliders = one.locator(".qkv-settings input")
        sliders.nth(0).focus()
        page.keyboard.press("ArrowRight")
        sliders.nth(1).focus()
        page.keyboard.press("ArrowLeft")
        sliders.nth(2).focus()
        page.keyboard.press("Home")
        state = "['length', 'season', 'bandwidth'].map((k) => model.get(k))"
        length, season, bandwidth = page.evaluate(state)
        assert (length, season) == (13, 23)
        assert 0 < bandwidth < 0.1

    def test_a_pad_in_jupyterlab_follows_its_kernel(self, show, whole):
        page = live(show, whole)
        page.evaluate("model.set('leaks', ['shifted'])")
        text = page.locator("#live2 .qkv-verdict").inner_text()
        assert "one place too late" in text


class TestDrawing:
    def test_a_press_forecasts_there(self, show, whole):
        page = show(whole)
        box = page.locator(".qkv-plot").first.bounding_box()
        page.mouse.click(box["x"] + box["width"] * 0.802, box["y"] + 60)
        forecaster(page, "naive").click()
        assert "that of place 239, comes again" in say(page)

    def test_a_pointer_draws_and_the_series_comes_back(self, show, whole):
        page = live(show, whole)
        one = page.locator("#live2")
        one.locator("[data-act=draw]").click()
        plot = one.locator(".qkv-plot").first
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 60, y, steps=4)
        page.mouse.up()
        values, before = drawn(page), whole.samples[0]["values"]
        moved = [
            i for i, (a, b) in enumerate(zip(values, before, strict=True)) if a != b
        ]
        assert moved
        assert moved[-1] - moved[0] < 40
        assert len({values[i] for i in moved}) <= 3  # a level line
        text = one.locator(".qkv-verdict").inner_text()
        assert "not known, since you have changed the series" in text
        assert one.locator(".qkv-floor td").first.inner_text() == "–"
        one.get_by_role("button", name="seasons").click()
        assert drawn(page) == []
        assert one.locator(".qkv-floor td").first.inner_text() == "1.07"

    def test_points_move_by_keyboard_alone(self, show, whole):
        page = live(show, whole)
        one = page.locator("#live2")
        one.locator("[data-act=draw]").focus()
        page.keyboard.press("Space")
        handle = one.get_by_role("slider", name="A point of the series")
        handle.focus()
        assert handle.get_attribute("aria-valuetext").startswith("place 298: ")
        said = one.locator(".qkv-say").inner_text()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("PageUp")
        page.keyboard.press("ArrowUp")
        values, before = drawn(page), whole.samples[0]["values"]
        assert values[297] > before[297]
        assert values[:297] == before[:297]
        assert one.locator(".qkv-say").inner_text() != said
        assert one.locator(".qkv-count").inner_text() == "92 / 92"  # no step
        page.keyboard.press("Home")
        assert handle.get_attribute("aria-valuetext").startswith("place 0: ")

    def test_a_flat_line_is_drawn_on(self, show, whole):
        page = live(show, whole)
        one = page.locator("#live2")
        one.locator("[data-act=flat]").click()
        assert len(set(drawn(page))) == 1
        assert one.locator("[data-act=draw]").get_attribute("aria-pressed") == "true"
        assert errors(one)["naive"] == "0"
        assert (
            "naive has the lowest error, 0" in one.locator(".qkv-verdict").inner_text()
        )


def pressed_through(page):
    """Press everything in turn, and yield in between."""
    for i in range(4):
        page.locator(f"[data-series='{i}']").click()
        for name in FORECASTERS:
            forecaster(page, name).click()
            yield
        for name in LEAKS:
            leak(page, name).check()
            yield
            leak(page, name).uncheck()
        page.locator("[data-act=flat]").click()
        yield


@pytest.mark.parametrize("width", [736, 1000])
def test_no_state_moves_the_page(show, whole, width):
    page = show(whole, width=f"{width}px")
    high = set()
    for _ in pressed_through(page):
        high.add(page.evaluate("document.querySelector('.qkv-w').offsetHeight"))
    assert len(high) == 1
    assert high.pop() <= 700


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, whole, theme):
    page = show(whole, theme=theme)
    assert barriers(page) == []
    leak(page, "smoothed").check()
    leak(page, "shuffled").check()
    page.locator("[data-act=draw]").click()
    forecaster(page, "ridge").click()
    assert barriers(page) == []


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path, whole):
    path = tmp_path / "page.html"
    long = ForecastPad({EVIL: 1e-9 * T.cos(), "b": 1e9 + 1e7 * T.sin()})
    path.write_text(page_of(whole, long), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        page.get_by_role("button", name="draw on it").first.click()
        for name in ("smoothed", "shifted", "shuffled"):
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            assert too_small(page) == []
            for box in leak(page, name).all():
                box.check()
        page.locator("[data-series='1']").last.click()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate(HARM) == []
        assert page.seen.errors == []
        assert page.seen.foreign == []


def test_on_paper_it_stands_with_each_leak(show, whole):
    page = show(whole, query="?print")
    assert page.locator("button, input, [role=slider]").count() == 0
    captions = page.locator(".qkv-print > figure > figcaption").all_inner_texts()
    assert captions == [
        "Forecast by look-up",
        "Leak: smoothed inputs",
        "Leak: window one too late",
        "Leak: shuffled split",
    ]
    verdicts = page.locator(".qkv-print .qkv-verdict").all_inner_texts()
    assert "ridge falls to 0.12" in verdicts[1]
    settings = page.locator(".qkv-print .qkv-input").all_inner_texts()
    assert settings[3] == "Window 12, season 24, bandwidth 1.2; leaks: smoothed"


def other(whole, **changes):
    """Return what is stored of a widget like this one, and not of itself."""
    return payload(whole, **changes) | {"model_id": "other"}


BROKEN = [
    ({"samples": []}, "it holds no series"),
    ({"chosen": 7}, "it has 4 series, and not number 7"),
    ({"drawn": [1, 2]}, "what is drawn has 2 values, and the series 300"),
    ({"drawn": ["nan"] * 300}, "a value of the series is no number"),
    ({"forecaster": "oracle"}, "its forecaster is oracle, and none of naive"),
    ({"leaks": ["drip"]}, "a leak of it is drip, and none of smoothed"),
    ({"length": 33}, "its length is 33, and not from 1 to 32"),
    ({"season": 0}, "its season is 0, and not from 1 to 60"),
    ({"bandwidth": 0}, "its bandwidth is not above 0"),
]


def test_a_broken_state_says_what_is_wrong(show, whole):
    broken = [(other(whole, **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [whole], broken)
