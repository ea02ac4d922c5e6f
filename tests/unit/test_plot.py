"""Figures: what they say, what they draw, and that both are the same each time."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from qkv.plot import Figure, alt_text, bars, curves, english, heatmap
from qkv.plot.style import LINES

SVG = "{http://www.w3.org/2000/svg}"


def drawn(figure: Figure) -> ET.Element:
    return ET.fromstring(figure.svg)


def texts(figure: Figure) -> list[str]:
    return [t.text or "" for t in drawn(figure).iter(f"{SVG}text")]


def weights(**changes: object) -> Figure:
    parts = {
        "matrix": torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]),
        "rows": ["칠", "삼"],
        "columns": ["seven", "three", "<eos>"],
        "title": "Weights",
        "axes": ("output token", "input token"),
    }
    parts |= changes
    return heatmap(parts.pop("matrix"), **parts)


def lengths(**changes: object) -> Figure:
    parts = {
        "series": {"GRU": ([1, 10, 20], [1.0, 0.5, 0.0])},
        "xlabel": "digits",
        "ylabel": "exact match",
        "title": "By length",
    }
    parts |= changes
    return curves(parts.pop("series"), **parts)


EVERY_KIND = [
    weights(),
    lengths(marks={"chance": 0.1}, shaded=(1, 20, "trained")),
    bars({"GRU": (880, 820, 920), "attention": 430}, ylabel="steps", title="Steps"),
]
every_kind = pytest.mark.parametrize("figure", EVERY_KIND, ids=["map", "lines", "bars"])


# -------------------------------------------------------------------------- all figures


@every_kind
def test_a_figure_shows_itself_and_its_words(figure: Figure) -> None:
    assert repr(figure) == figure.alt
    assert figure._repr_mimebundle_() == {
        "image/svg+xml": figure.svg,
        "text/plain": figure.alt,
    }


@every_kind
def test_the_words_are_in_the_drawing_for_screen_readers(figure: Figure) -> None:
    root = drawn(figure)
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == title.get("id")
    assert root.get("aria-describedby") == desc.get("id")
    assert desc.text == figure.alt


@every_kind
def test_text_is_text_in_the_pages_own_colour(figure: Figure) -> None:
    assert "currentColor" in figure.svg
    assert "#010203" not in figure.svg
    labels = drawn(figure).findall(f".//{SVG}text[@fill='currentColor']")
    assert len(labels) > 3
    assert drawn(figure).get("color") is None, "a dark page could not change it"


@every_kind
def test_every_reference_is_met(figure: Figure) -> None:
    ids = [e.get("id") for e in drawn(figure).iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    used = {part.split(")")[0] for part in figure.svg.split("url(#")[1:]}
    used |= {part.split('"')[0] for part in figure.svg.split('href="#')[1:]}
    assert used <= set(ids)


@every_kind
def test_a_figure_is_small(figure: Figure) -> None:
    assert len(figure.svg.encode()) < 13_000


def test_the_bytes_are_the_same_in_another_process() -> None:
    code = (
        "from qkv.plot import curves; print(curves({'GRU': ([1, 10, 20], "
        "[1.0, 0.5, 0.0])}, xlabel='digits', ylabel='exact match', title='By length')"
        ".svg)"
    )
    run = [sys.executable, "-c", code]
    svg = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert svg == lengths().svg + "\n"


def test_korean_and_markup_stand_in_it_as_text() -> None:
    figure = weights(columns=["<script>", "&", "셋"], title="칠 < 삼")
    assert {"<script>", "&", "셋", "칠", "칠 < 삼"} <= set(texts(figure))
    assert "<script>" not in figure.svg


def test_two_figures_of_one_page_share_no_id() -> None:
    found = [
        {e.get("id") for e in drawn(figure).iter() if e.get("id")}
        for figure in (weights(), weights(title="Other"), *EVERY_KIND[1:])
    ]
    assert sum(map(len, found)) == len(set().union(*found))


def luminance(colour: str) -> float:
    share = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("colour", LINES)
def test_lines_stand_out_on_light_and_on_dark(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 3
    assert (luminance(colour) + 0.05) / (luminance("#131416") + 0.05) >= 3


def test_another_language_is_another_catalogue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its order of words is its own, and so is what follows a number, if anything."""
    korean = {
        "HEAT_MAP_WITH_VALUES": "열지도 {title}: {row_axis} {rows}행, {column_axis} "
        "{columns}열, {low}에서 {high}까지",
        "PEAKS": "행의 최댓값: {peaks}",
        "PEAK": "{rows}의 {column} {value}",
        "SPREAD": "한 행은 열 {spread}개에 퍼진다",
        "RANGE": "{low}~{high}",
    }
    monkeypatch.setattr(alt_text, "told", SimpleNamespace(**vars(english) | korean))
    assert weights().alt == (
        "열지도 Weights: output token 2행, input token 3열, 0.10에서 0.80까지. 행의 "
        "최댓값: 칠의 seven 0.70; 삼의 three 0.80. 한 행은 열 1.9~2.2개에 퍼진다."
    )


# ----------------------------------------------------------------------------- heat map


def test_a_heat_map_says_where_each_row_peaks_and_how_spread_it_is() -> None:
    assert weights().alt == (
        "Heat map: Weights. 2 rows (output token) by 3 columns (input token), values "
        "0.10 to 0.80. Largest in row 칠: seven (0.70); 삼: three (0.80). A row is "
        "spread over 1.9 to 2.2 columns."
    )


def test_neighbours_with_one_peak_are_said_together() -> None:
    figure = weights(matrix=torch.tensor([[0.7, 0.2, 0.1], [0.8, 0.1, 0.1]]))
    assert "Largest in row 칠 삼: seven (0.70 to 0.80)." in figure.alt


def test_columns_of_one_name_are_not_taken_for_one() -> None:
    figure = weights(columns=["a", "a", "b"])
    assert "칠: a (0.70); 삼: a (0.80)" in figure.alt


def test_the_number_is_printed_where_a_cell_has_room() -> None:
    assert {"0.70", "0.20"} <= set(texts(weights()))
    wide = torch.full((2, 40), 1 / 40)
    figure = weights(matrix=wide, columns=[str(n) for n in range(40)])
    assert "0.03" not in texts(figure)


def test_the_outlined_truth_is_counted_and_framed() -> None:
    truth = torch.tensor([[True, False, False], [True, False, False]])
    figure = weights(outline=truth)
    assert "in the outlined truth in 1 of 2 rows that have one" in figure.alt
    frames = [e for e in drawn(figure).iter() if e.get("stroke") == "#ffd60a"]
    assert len(frames) == 1
    # the two cells make one region: 2 + 1 + 2 + 1 sides, not twice four
    assert frames[0].get("d").count("M") == 6


def test_masked_cells_are_hatched_and_left_out() -> None:
    mask = torch.tensor([[False, True, True], [True, True, True]])
    figure = weights(mask=mask)
    assert "Largest in row 칠 삼: three (0.20 to 0.80)" in figure.alt
    assert "1 cell masked (hatched)" in figure.alt
    assert "url(#h" in figure.svg
    assert "0.70" not in texts(figure)


def test_what_is_no_number_has_marks_of_its_own() -> None:
    nan, inf = torch.nan, torch.inf
    figure = weights(matrix=torch.tensor([[nan, inf, 1.0], [-inf, 2.0, 3.0]]))
    assert {"NaN", "+∞", "−∞"} <= set(texts(figure))
    assert "1 cell not a number, 1 cell +∞, 1 cell −∞" in figure.alt
    assert "values 1 to 3" in figure.alt


def test_a_row_with_nothing_in_it_peaks_nowhere() -> None:
    mask = torch.tensor([[False] * 3, [True] * 3])
    assert "Largest in row 칠: nowhere; 삼: three" in weights(mask=mask).alt
    assert "values" not in weights(mask=torch.zeros(2, 3, dtype=torch.bool)).alt


def test_negative_values_get_a_scale_around_zero() -> None:
    figure = weights(matrix=torch.tensor([[-1.0, 0.0, 0.5], [0.0, 0.0, 0.25]]))
    assert {"1", "0.50", "0", "−0.50", "−1"} <= set(texts(figure))
    assert "spread" not in figure.alt


def test_the_scale_can_be_given() -> None:
    assert "4" in texts(weights(limits=(0, 4)))


def test_a_space_is_drawn_as_a_sign() -> None:
    assert "␣" in texts(weights(columns=["a", " ", "b"]))


def test_tensors_with_gradients_and_lists_are_drawn_alike() -> None:
    values = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]
    wanted = weights(matrix=torch.tensor(values)).svg
    assert weights(matrix=torch.tensor(values, requires_grad=True)).svg == wanted
    assert weights(matrix=torch.tensor(values).double()).alt == weights().alt
    assert weights(matrix=np.array(values, dtype=np.float32)).svg == wanted


def test_labels_and_marks_must_fit() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\), but there are 1 row label"):
        weights(rows=["a"])
    with pytest.raises(ValueError, match=r"mask has shape \(1, 3\), the matrix \(2, 3"):
        heatmap(
            [[0.5, 0.2, 0.3], [0.1, 0.2, 0.7]],
            rows="ab",
            columns="xyz",
            title="",
            mask=torch.ones(1, 3, dtype=torch.bool),
        )
    with pytest.raises(ValueError, match="no cells"):
        weights(matrix=torch.zeros(0, 3), rows=[])


# ----------------------------------------------------------------------- lines and bars


def test_a_line_says_where_it_starts_ends_peaks_and_crosses() -> None:
    figure = lengths(marks={"chance": 0.1}, shaded=(1, 20, "trained lengths"))
    assert figure.alt == (
        "Line chart: By length. exact match against digits (1 to 20). GRU: from 1 at 1 "
        "to 0 at 20, half-way (0.50) near 10, meets chance near 18. Marked: chance "
        "0.10. Shaded: trained lengths, 1 to 20."
    )
    assert {"chance", "GRU", "trained lengths", "digits"} <= set(texts(figure))


def test_a_peak_or_a_dip_between_the_ends_is_said() -> None:
    peak = lengths(series={"a": ([1, 2, 3], [0.1, 0.9, 0.2])}).alt
    assert "from 0.10 at 1 to 0.20 at 3, highest 0.90 at 2, half-way" in peak
    dip = lengths(series={"a": ([1, 2, 3], [0.9, 0.1, 0.8])}).alt
    assert "from 0.90 at 1 to 0.80 at 3, lowest 0.10 at 2, half-way" in dip
    assert "half-way" not in lengths(series={"a": ([1, 2], [0.5, 0.5])}).alt


def test_a_question_as_a_title_ends_as_one() -> None:
    assert "Line chart: How far? exact match against" in lengths(title="How far?").alt


def test_colour_is_not_the_only_cue() -> None:
    two = {"a": ([1, 2, 3], [1, 2, 3]), "b": ([1, 2, 3], [3, 2, 1])}
    root = drawn(lengths(series=two))
    dashes = {
        e.get("stroke"): e.get("stroke-dasharray")
        for e in root.iter(f"{SVG}path")
        if e.get("stroke") in LINES and e.get("stroke-width") == "1.8"
    }
    assert len(dashes) == len(set(dashes.values())) == 2


def test_a_spread_is_a_band() -> None:
    x, y = [1, 2, 3], [0.2, 0.4, 0.9]
    band = lengths(series={"a": (x, y, [v - 0.1 for v in y], [v + 0.1 for v in y])})
    assert "0.2" in {e.get("fill-opacity") for e in drawn(band).iter()}


def test_labels_that_would_overlap_are_left_out() -> None:
    sizes = {"rows": range(500, 590), "columns": range(100, 148)}
    shown = texts(weights(matrix=torch.rand(90, 48), **sizes))
    said = [int(text) for text in shown if text.isdigit()]
    rows = sorted(number for number in said if number >= 500)
    columns = sorted(number for number in said if 100 <= number < 500)
    assert rows == list(range(500, 590, rows[1] - 500))
    assert columns == list(range(100, 148, columns[1] - 100))
    assert len(rows) < 90
    assert len(columns) < 48


def test_a_logarithmic_axis_of_many_decades_has_ticks() -> None:
    figure = lengths(series={"a": ([1, 2, 3], [1e-8, 1e-3, 1.0])}, log_y=True)
    assert {"10⁻⁸", "10⁻⁴", "0.001", "1"} <= set(texts(figure))


def test_logarithmic_axes_have_plain_numbers() -> None:
    figure = lengths(series={"a": ([8, 64, 128], [1, 10, 100])}, log_x=True, log_y=True)
    assert {"1", "10", "100", "20", "50"} <= set(texts(figure))


def test_the_ticks_of_a_logarithmic_x_stand_at_the_points_while_they_are_few() -> None:
    def ticks(*many: list[int]) -> set[str]:
        series = {f"line {i}": (x, [0.25] * len(x)) for i, x in enumerate(many)}
        shown = texts(lengths(series=series, log_x=True))
        return {text for text in shown if text.isdigit()}

    assert ticks([16, 64, 1024]) == {"16", "64", "1024"}
    assert ticks([512, 1024], [2048, 4096]) == {"512", "1024", "2048", "4096"}
    assert {"10", "20", "50", "100"} <= ticks(list(range(8, 129)))
    assert ticks([1, 2, 3, 1000]) >= {"1", "10", "100", "1000"}  # 2 would hide 3


def test_gaps_and_tensors_in_a_series() -> None:
    y = torch.tensor([0.5, torch.nan, 1.0], requires_grad=True)
    figure = lengths(series={"a": (range(3), y)})
    assert "a: from 0.50 at 0 to 1 at 2" in figure.alt
    assert "no finite value" in lengths(series={"a": ([1], [torch.nan])}).alt


def test_a_series_must_be_whole() -> None:
    with pytest.raises(ValueError, match=r"series 'a' must be \(x, y\) or"):
        lengths(series={"a": ([1, 2], [1])})
    with pytest.raises(ValueError, match=r"lengths \[1, 1, 1\]"):
        lengths(series={"a": ([1], [1], [1])})
    with pytest.raises(ValueError, match="'a' has no points"):
        lengths(series={"a": ([], [])})
    with pytest.raises(ValueError, match="at least one line"):
        lengths(series={})


def test_bars_print_their_values_and_say_which_is_largest() -> None:
    figure = EVERY_KIND[2]
    assert {"880", "430", "GRU", "attention"} <= set(texts(figure))
    assert figure.alt == (
        "Bar chart: Steps. steps: GRU 880 (820 to 920, largest); attention 430 "
        "(smallest)."
    )
    with pytest.raises(ValueError, match="at least one value"):
        bars({}, ylabel="steps", title="None")


def test_bars_of_nothing_and_below_zero() -> None:
    figure = bars({"a": 0.0, "b": -1.5}, ylabel="gain", title="Gains")
    assert "a 0 (largest); b −1.50 (smallest)" in figure.alt
    assert "−1.50" in texts(figure)
