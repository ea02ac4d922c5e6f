"""Series whose best forecast is known, real ones, and a reader's own files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import torch

import qkv.data.series
from qkv.data import (
    Asked,
    Motifs,
    RandomWalk,
    Seasons,
    Series,
    Windows,
    co2,
    google,
    psi_weights,
    read_series,
)

PACKAGE = Path(qkv.data.series.__file__).parent


def error(given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return (given - wanted).square().mean(0)


def cut(series: torch.Tensor, length: int, horizon: int):
    both = series.unfold(0, length + horizon, 1)
    return both[:, :length], both[:, length:]


# parts and batches


def test_parts_are_all_of_it_in_the_order_of_time():
    series = Series(torch.arange(101.0), "a count")
    parts = torch.cat([series.train, series.validation, series.test])
    assert torch.equal(parts, series.values)
    assert (len(series.train), len(series.validation)) == (60, 15)
    assert series.test[0] == series.test_start == 75


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"values": torch.tensor([1.0, torch.nan, 3.0])}, r"values\[1\] is nan, but a"),
        ({"dates": ("2024-01-01",)}, "there are 1 dates for 3 numbers; give one for"),
        ({"parts": (2, 1)}, r"3 numbers in parts of \(2, 1\) leave 0 to test"),
        ({"values": torch.ones(2)}, r"parts of \(1, 1\) leave 0 to test"),
        ({"values": torch.ones(20, 2)}, r"shape \(20, 2\), but a series has the axis"),
        ({"values": torch.tensor(1.0)}, r"shape \(\), but a series has the axis of"),
        ({"parts": (0, 1)}, r"parts is \(0, 1\), but both must be at least"),
        ({"parts": (1, 1, 1)}, r"parts is \(1, 1, 1\), but is two numbers"),
    ],
)
def test_what_is_no_series_is_refused(as_readers_run_it, change, said):
    with pytest.raises(ValueError, match=said):
        Series(**{"values": torch.ones(3)} | change)


def test_parts_are_whole_numbers(as_readers_run_it):
    with pytest.raises(
        TypeError, match=r"parts is \(2\.5, 3\), but both must be whole"
    ):
        Series(torch.ones(20), parts=(2.5, 3))
    settled = Series(torch.ones(20), parts=(torch.tensor(7), torch.tensor(5)))
    assert "7 to train on, 5 to validate" in repr(settled)


def test_windows_have_two_axes(as_readers_run_it):
    two = torch.ones(5, 3)
    for past, future in [(two[:, 0], two), (two, two[:, 0]), (two, two[0, 0])]:
        with pytest.raises(ValueError, match="but its axes are a window and its value"):
            Windows(past, future)


def test_whole_numbers_are_no_series(as_readers_run_it):
    with pytest.raises(TypeError, match=r"holds torch.int64, but .* values\.float"):
        Series(torch.arange(20))


def test_windows_are_asked_and_judged_by_their_squared_error(as_readers_run_it):
    windows = Windows(torch.ones(5, 3), torch.zeros(5, 2))
    assert isinstance(windows, Asked)
    assert windows.loss(torch.full((5, 2), 3.0), windows.target) == 9
    said = r"forecast has shape \(5, 1\), but the target \(5, 2\); give one"
    with pytest.raises(ValueError, match=said):
        windows.loss(torch.ones(5, 1), windows.target)
    with pytest.raises(
        ValueError, match="window = 5 and future has window = 4; give o"
    ):
        Windows(torch.ones(5, 3), torch.ones(4, 2))


def test_a_pass_draws_every_window_once_with_its_own_future():
    past = torch.arange(11.0)[:, None]
    batches = Windows(past, past + 0.5).batches(batch_size=4, seed=0)
    one_pass = [next(batches) for _ in range(3)]
    drawn = torch.cat([batch.past for batch in one_pass])
    assert not torch.equal(drawn, past)
    assert torch.equal(drawn.sort(0).values, past)
    assert all(torch.equal(b.past + 0.5, b.future) for b in one_pass)


# known floors


def test_psi_weights_are_what_a_single_surprise_does():
    phi, horizon = [0.5, 0.3, -0.4], 9
    values = [0.0, 0.0, 1.0]
    for _ in range(horizon - 1):
        values.append(sum(f * values[-n] for n, f in enumerate(phi, start=1)))
    torch.testing.assert_close(psi_weights(phi, horizon), torch.tensor(values[2:]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_oracle_reaches_the_floor_of_the_seasons(seed):
    seasons = Seasons(seed)
    past, future = cut(seasons.test, 72, 12)
    reached = error(seasons.oracle(past, 12), future) / seasons.floor(12)
    assert reached.min() > 0.9
    assert reached.max() < 1.1


def test_the_floor_grows_with_the_surprises():
    torch.testing.assert_close(Seasons(0, sigma=3.0).floor(5), 9 * Seasons(0).floor(5))
    assert Seasons(0).floor(12).mean().item() == pytest.approx(3.901, abs=1e-3)


def test_the_series_is_its_seasons_and_an_autoregression():
    seasons = Seasons(0)
    rest = seasons.values.double() - seasons.seasonal(torch.arange(len(seasons)))
    surprises = rest[2:] - 1.2 * rest[1:-1] + 0.4 * rest[:-2]
    assert surprises.std().item() == pytest.approx(1, abs=0.03)
    together = torch.stack([surprises[:-1], surprises[1:]])
    assert torch.corrcoef(together)[0, 1].abs() < 0.04


def test_the_oracle_reads_windows_from_anywhere():
    seasons = Seasons(1)
    at = torch.tensor([700, 3, 40])
    past = torch.stack([seasons.values[n : n + 5] for n in at.tolist()])
    one_by_one = [
        seasons.oracle(row[None], 4, start=n)
        for row, n in zip(past, at.tolist(), strict=True)
    ]
    assert torch.equal(seasons.oracle(past, 4, start=at), torch.cat(one_by_one))


def test_the_oracle_knows_whether_windows_are_its_own():
    seasons = Seasons(0)
    past, _ = cut(seasons.test, 72, 12)
    for wrong in (past / 2, past[1:], past[:, -1:]):
        with pytest.raises(ValueError, match="the series has others there; give windo"):
            seasons.oracle(wrong, 12)
    with pytest.raises(ValueError, match="begin at 7990, but the series has others"):
        seasons.oracle(past[:1], 12, start=7990)


def test_the_oracle_says_what_it_cannot_read(as_readers_run_it):
    seasons = Seasons(0)
    past, _ = cut(seasons.test, 72, 12)
    for drawn in (seasons, RandomWalk(0)):
        with pytest.raises(ValueError, match="its axes are to be 'window length'"):
            drawn.oracle(past[0], 12)
        with pytest.raises(ValueError, match="past has window = 0"):
            drawn.oracle(past[:0], 12)
    first = torch.tensor(seasons.test_start)
    assert torch.equal(seasons.oracle(past, 3, start=first), seasons.oracle(past, 3))
    with pytest.raises(ValueError, match=r"start has shape \(2,\), but past has w"):
        seasons.oracle(past[:3], 12, start=torch.tensor([0, 1]))
    wrong = past.clone()
    wrong[:, -2] += 1  # which it reads too
    with pytest.raises(ValueError, match="the series has others there"):
        seasons.oracle(wrong, 12)


def test_a_seed_decides_a_series():
    assert torch.equal(Seasons(3).values, Seasons(3).values)
    assert not torch.equal(Seasons(3).values, Seasons(4).values)
    assert torch.equal(RandomWalk(3).values, RandomWalk(3).values)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_last_value_reaches_the_floor_of_a_random_walk(seed):
    walk = RandomWalk(seed, sigma=2.0)
    past, future = cut(walk.values, 1, 3)
    assert torch.equal(walk.oracle(past, 3), past.expand(-1, 3))
    reached = error(walk.oracle(past, 3), future) / walk.floor(3)
    assert walk.floor(3).tolist() == [4, 8, 12]
    assert (reached - 1).abs().max() < 0.1


def test_without_surprises_there_is_no_floor():
    for kind in (Seasons, RandomWalk):
        with pytest.raises(ValueError, match="sigma must be positive, not 0"):
            kind(0, sigma=0.0)


# motifs


def test_an_echo_is_the_same_place_of_an_earlier_play():
    played = Motifs(motifs=3, length=5, plays=6).sample(4, seed=0)
    motif, place = played.motif, played.place
    play = torch.arange(30) // 5
    for series, query, key in [(0, 17, 6), (1, 28, 4), (2, 9, 9), (3, 22, 13)]:
        asked = query + 1
        expected = (
            motif[series, key] == motif[series, asked]
            and place[key] == place[asked]
            and play[key] < play[asked]
        )
        assert played.echoes[series, query, key] == expected
    assert played.echoes.any()


def test_an_echo_is_nearly_the_value_that_is_asked():
    played = Motifs(noise=0.01).sample(50, seed=1)
    series, query, key = played.echoes.nonzero().unbind(-1)
    asked, echo = played.values[series, query + 1], played.values[series, key]
    assert (asked - echo).abs().max() < 0.1
    assert (key <= query).all(), "an echo lies in the future"


def test_what_is_scored_is_a_repeat_or_new():
    played = Motifs().sample(300, seed=0)
    assert not (played.repeat & played.new).any()
    scored = played.repeat | played.new
    assert torch.equal(scored[0], (torch.arange(1, 72) % 8) >= 3)
    share = played.repeat.sum() / scored.sum()
    assert share.item() == pytest.approx(0.675, abs=0.02)


def test_no_motif_is_known_before_it_is_played():
    played = Motifs().sample(300, seed=0)
    error = (played.oracle - played.target).square()
    assert error[played.repeat].mean() < 0.03
    assert error[played.new].mean() > 0.95
    noise = played.noise**2
    assert error[played.repeat].mean() > noise, "the noise can't be foretold"


def test_the_oracle_is_bayes_rule_done_place_by_place():
    """On a series of two plays: the second is the first again, or new."""
    motifs = Motifs(motifs=2, length=4, plays=2, noise=0.3)
    played = motifs.sample(7, seed=0)
    first, second = played.values[:, :4].double(), played.values[:, 4:].double()
    variance = 0.09
    for place in range(4):
        mean, spread = first / (1 + variance), variance / (1 + variance) + variance
        again = torch.distributions.Normal(mean, spread**0.5).log_prob(second)
        new = torch.distributions.Normal(0.0, (1 + variance) ** 0.5).log_prob(second)
        odds = torch.stack([x[:, :place].sum(1) for x in (again, new)]).softmax(0)
        expected = (odds[0] * mean[:, place]).float()
        torch.testing.assert_close(played.oracle[:, 3 + place], expected)


def test_what_oracle_and_echoes_know_is_no_input():
    played = next(Motifs().batches(batch_size=5, seed=0))
    assert isinstance(played, Asked)
    [values] = played.inputs
    assert torch.equal(values[:, 1:], played.target[:, :-1])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"length": 3}, "length must be at least 4, not 3"),
        ({"noise": 0.0}, r"noise must be positive, not 0\.0"),
        ({"plays": 0}, "plays must be at least 1, not 0"),
    ],
)
def test_motifs_without_anything_to_foretell_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Motifs(**wrong)


def test_motifs_say_how_many_they_are():
    assert "Three" not in repr(Motifs(motifs=2))
    assert "9 plays of 2 motifs of 8 values" in repr(Motifs(motifs=2))


# real ones


def test_the_price_is_matplotlibs():
    price = google()
    assert (len(price), price.dates[-1]) == (1047, "2008-10-14")
    assert price.values[-1].item() == pytest.approx(362.71)


def test_the_air_is_as_it_was_measured():
    air, text = co2(), (PACKAGE / "co2.csv").read_text("utf-8")
    rows = [line.split(",") for line in text.splitlines() if line[:1].isdecimal()]
    gaps = [n for n, (_, value) in enumerate(rows) if not value]
    assert (len(rows), len(gaps)) == (2284, 59)
    for n, (day, value) in enumerate(rows):
        assert air.dates[n] == day
        if value:
            assert air.values[n].item() == pytest.approx(float(value))
    assert gaps[-1] < air.test_start
    assert len(rows) - 1 - gaps[-1] == 856
    assert "Public domain" in text
    assert "Keeling" in text


# a reader's own


def written(folder: Path, *rows: str, name: str = "own.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(rows) + "\n", "utf-8")
    return file


NUMBERS = [f"{n * 0.5}" for n in range(21)]
DAYS = [f"2024-03-{day:02}" for day in range(1, 22)]
MONTHS = [
    f"{year}-{month:02},1" for year in range(2024, 2031) for month in range(1, 13)
]
TABLE = [f"{day},{n},{-2 * n}" for n, day in enumerate(DAYS)]


def test_one_column_without_a_name_is_read(tmp_path):
    [(name, series)] = read_series(written(tmp_path, *NUMBERS)).items()
    assert (name, series.name, series.dates) == ("column 1", "column 1", ())
    assert series.values.tolist() == [float(n) for n in NUMBERS]


@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
def test_columns_with_dates_and_names_are_read(tmp_path, separator):
    rows = [row.replace(",", separator) for row in ["날짜,기온,눈", *TABLE]]
    series = read_series(written(tmp_path, *rows))
    assert list(series) == ["기온", "눈"]
    assert series["눈"].values.tolist() == [-2.0 * n for n in range(21)]
    assert series["기온"].dates == tuple(DAYS)


@pytest.mark.parametrize(
    "shown",
    ["2024/03/{:02}", "2024.03.{:02}", "2024. 3. {}.", "2024-03-{:02}T12:00:00"],
)
def test_dates_are_read_as_they_are_written_here(tmp_path, shown):
    days = [shown.format(day) for day in range(1, 22)]
    rows = [f"{day},{n}" for n, day in enumerate(days)]
    [series] = read_series(written(tmp_path, "day,n", *rows)).values()
    assert series.dates == tuple(days)


@pytest.mark.parametrize(
    "shown",
    ["2024-07-01T00:{:02}:00.000Z", "2024/07/01 00:{:02}:00.5", "2024.07.01 00:{:02}"],
)
def test_times_with_fractions_of_a_second_are_read(tmp_path, shown):
    times = [shown.format(minute) for minute in range(21)]
    rows = [f"{time},{n}" for n, time in enumerate(times)]
    [series] = read_series(written(tmp_path, *rows)).values()
    assert series.dates == tuple(times)


def test_a_clock_that_is_changed_is_no_gap(tmp_path):
    """In New York 2024-03-10 has no hour from 2 to 3, and 2024-11-03 has 1 twice."""
    zone = ZoneInfo("America/New_York")
    for day in (datetime(2024, 3, 10, tzinfo=UTC), datetime(2024, 11, 3, tzinfo=UTC)):
        hours = [day + timedelta(hours=n) for n in range(24)]
        rows = [f"{hour.astimezone(zone).isoformat()},1" for hour in hours]
        assert len({row[19:25] for row in rows}) == 2
        assert len(read_series(written(tmp_path, *rows))["column 2"]) == 24
        gap = rows[:12] + rows[14:]
        with pytest.raises(ValueError, match="rows are missing, 2 or so"):
            read_series(written(tmp_path, *gap))


@pytest.mark.parametrize("shown", ["2024{:02}{:02}", "{:04}.{:02}"])
def test_dates_written_as_numbers_are_dates_where_they_rise(tmp_path, shown):
    if shown.startswith("2024"):
        dates = [shown.format(1, d) for d in range(10, 32)]
        dates += [shown.format(2, d) for d in range(1, 10)]
    else:
        dates = [shown.format(y, m) for y in (2022, 2023) for m in range(1, 13)]
    rows = [f"{day},{n}" for n, day in enumerate(dates)]
    [series] = read_series(written(tmp_path, "when,n", *rows)).values()
    assert series.dates == tuple(dates)
    assert len(read_series(written(tmp_path, "a,b", *reversed(rows)))) == 2
    assert len(read_series(written(tmp_path, *dates))) == 1
    with pytest.raises(ValueError, match="rows are missing"):
        read_series(written(tmp_path, *rows[:12], *rows[16:]))


def test_no_row_of_numbers_is_lost_as_names(tmp_path):
    for first in ("2024-02-29,x,1", "2024-02-29,1,x"):
        with pytest.raises(ValueError, match=r"line 1, .*: 'x' is no number"):
            read_series(written(tmp_path, first, *TABLE))


@pytest.mark.parametrize("first", ["NA,1", "NA,", ",", "-,nan"])
def test_a_gap_in_the_first_row_is_no_name(tmp_path, first):
    file = written(tmp_path, first, *["1,2"] * 20)
    with pytest.raises(ValueError, match=r"line 1, column 'column 1': there is no num"):
        read_series(file)


def test_names_may_be_years(tmp_path):
    rows = ["date,2020,2021", *TABLE]
    assert list(read_series(written(tmp_path, *rows))) == ["2020", "2021"]
    assert list(read_series(written(tmp_path, "n,2021", *["1,2"] * 20))) == [
        "n",
        "2021",
    ]


def test_months_are_no_gaps(tmp_path):
    months = [f"{y}-{m:02}-01,{m}" for y in (2022, 2023) for m in range(1, 13)]
    assert len(read_series(written(tmp_path, *months))["column 2"]) == 24


def test_months_and_years_are_dates(tmp_path):
    months = [f"{y}-{m:02}" for y in (2022, 2023) for m in range(1, 13)]
    years = [f"{year}" for year in range(1990, 2014)]
    for dates in (months, [m.replace("-", "/") for m in months], years):
        rows = [f"{day},{n}" for n, day in enumerate(dates)]
        [series] = read_series(written(tmp_path, "when,n", *rows)).values()
        assert series.dates == tuple(dates)


def test_numbers_like_years_that_do_not_count_on_are_numbers(tmp_path):
    rows = [f"{2000 + n % 5},{n}" for n in range(20)]
    assert len(read_series(written(tmp_path, *rows))) == 2
    assert len(read_series(written(tmp_path, *[f"{1990 + n}" for n in range(20)]))) == 1


def test_weekends_are_no_gaps(tmp_path):
    days = [n for n in range(1, 31) if n % 7 not in (6, 0)]
    rows = [f"2024-07-{day:02},{day}" for day in days]
    assert len(read_series(written(tmp_path, *rows))["column 2"]) == len(days)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_any_system_is_read(tmp_path, end):
    file = tmp_path / "own.csv"
    text = end.join(["# from the balcony", "  # north", "기온", "", *NUMBERS]) + end
    file.write_bytes(text.encode("utf-8-sig"))
    assert len(read_series(file)["기온"]) == 21


def test_a_gap_is_refused_or_filled_by_a_straight_line(tmp_path):
    for missing in ("", "NA", "nan", "-", "NULL"):
        rows = ["t,n", *[f"{n},{3.0 * n}" for n in range(21)]]
        rows[6] = rows[7] = f"5,{missing}"
        file = written(tmp_path, *rows)
        said = rf"line 7, column 'n': there is no number \('{missing}'\).*fill=True"
        with pytest.raises(ValueError, match=said):
            read_series(file)
        filled = read_series(file, fill=True)["n"].values
        torch.testing.assert_close(filled, 3 * torch.arange(21.0))


def test_a_gap_at_an_end_has_nothing_to_be_filled_from(tmp_path):
    for line in (2, 22):
        rows = ["n,m", *[f"{n},1" for n in NUMBERS]]
        rows[line - 1] = ",1"
        said = rf"line {line}, column 'n': a gap at the beginning or the end"
        with pytest.raises(ValueError, match=said):
            read_series(written(tmp_path, *rows), fill=True)


def test_a_file_without_a_number_in_a_column_is_not_filled(tmp_path):
    rows = ["n,m", *[f"{n}," for n in NUMBERS]]
    with pytest.raises(ValueError, match="column 'm': a gap at the beginning"):
        read_series(written(tmp_path, *rows), fill=True)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (NUMBERS[:7], r"has 7 rows of numbers, but a series needs 20 or more"),
        ([], "has 0 rows of numbers, but a series needs 20"),
        (["a,b"], "has 0 rows of numbers"),
        ([*TABLE, "2024-03-22,5"], "line 22 has 2 columns, but the first row 3; give"),
        (
            ["n", *NUMBERS, "warm"],
            "line 23, column 'n': 'warm' is no number; leave out",
        ),
        (["n", *NUMBERS, "inf"], "line 23, column 'n': 'inf' is no number"),
        (["n", *NUMBERS, "\N{MINUS SIGN}5"], "with the hyphen of the keyboard: -5"),
        (["n", *NUMBERS, "10%"], "without the sign: 10"),
        (["n", *NUMBERS, "1e400"], "'1e400' is no number; numbers go to 3.4e"),
        (["n", *NUMBERS, "1e39"], "line 23, column 'n': '1e39' is no number; numbers"),
        (["a|b", *["0|0"] * 20], "separate columns by commas, semicolons or tabs"),
        (["t,n", *["01/02/2024,5"] * 20], "'01/02/2024' is .* dates as 2024-07-01"),
        ([*NUMBERS, '"' + "1" * 140_000 + '"'], "line 22 is no row .* field limit"),
        (["n", *NUMBERS, "1_000"], "column 'n': '1_000' is no number"),
        (["n;m", *["1;2"] * 20, "3,5;2"], r"'3,5' is no number; .* point: 3\.5"),
        (["n;m", *["1;2"] * 20, '1;"-1,234.5"'], r"without commas: -1234\.5"),
        (["n;m", *["1;2"] * 20, "1,234,567;2"], "without commas: 1234567"),
        (["n,n", *["1,2"] * 20], "'n' is the name of more than one; give each its own"),
        (DAYS, "has dates, but no column of numbers beside them"),
        ([*TABLE, TABLE[3]], "line 22: 2024-03-04 follows 2024-03-21; sort the rows"),
        ([*TABLE, TABLE[-1]], "2024-03-21 follows 2024-03-21; sort the rows by time"),
        ([*TABLE, "2024-03-25,1,2"], r"1 days apart elsewhere: rows are missing, 3 or"),
        (["2024-01,1", *MONTHS[2:]], r"2024-03 follows 2024-01, but .* missing, 1 or"),
        (
            [*MONTHS[:73:3], "2030-10,1"],
            r"2030-10 follows 2030-01, but .* missing, 2 or",
        ),
        (["2024-01-01,1", *["2024-01-02,1"] * 20], "2024-01-02 follows 2024-01-02; so"),
        ([*TABLE, "soon,1,2"], "line 22: 'soon' is no date, but the rows before begin"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, rows, said):
    file = written(tmp_path, *rows)
    with pytest.raises(ValueError, match=said) as raised:
        read_series(file)
    assert str(file) in str(raised.value)


def test_a_table_of_another_encoding_is_refused(tmp_path):
    file = tmp_path / "own.csv"
    for encoding in ("cp949", "utf-16"):
        file.write_bytes("\n".join(["기온", *NUMBERS]).encode(encoding))
        with pytest.raises(ValueError, match=r"line 1 is not UTF-8; save the file in"):
            read_series(file)


def test_a_folder_and_no_file_are_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="a series is read from a file"):
        read_series(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read_series(tmp_path / "none.csv")
