from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.schema.units import BYTES, SECONDS, format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("24:00:00", 86_400),
        ("1-12:00:00", 129_600),
        ("0:00:30", 30),
        ("90min", 5_400),
        ("90 min", 5_400),
        ("1.5h", 5_400),
        ("2d", 172_800),
        ("30s", 30),
        ("0.5s", None),
        ("24:60:00", None),
        ("24:00", None),
        ("-5min", None),
        ("5", None),
        ("five minutes", None),
        ("", None),
        ("1e3s", None),
        ("٣min", None),
    ],
)
def test_durations_as_people_write_them(text: str, seconds: int | None) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("80GiB", 80 * 1024**3),
        ("80GB", 80 * 1000**3),
        ("80 GiB", 80 * 1024**3),
        ("1.5KiB", 1536),
        ("40960MiB", 40 * 1024**3),
        ("7B", 7),
        ("0.3KiB", None),
        ("80G", None),
        ("80gb", None),
        ("80", None),
        ("5e8", None),
        ("-1GiB", None),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int | None) -> None:
    assert parse_size(text) == size


@given(st.integers(0, 10**9))
def test_a_formatted_duration_reads_back(seconds: int) -> None:
    text = format_duration(seconds)
    if len(text) <= len("9999:00:00"):
        assert parse_duration(text) == seconds


@given(st.integers(0, 10**18))
def test_a_formatted_size_reads_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.integers(0, 10**6), st.sampled_from(sorted(SECONDS)))
def test_a_unit_multiplies_exactly(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == number * SECONDS[unit]


@given(st.integers(0, 10**6), st.integers(0, 999), st.sampled_from(sorted(BYTES)))
def test_a_fraction_of_a_unit_is_exact_or_refused(whole: int, thousandths: int, unit: str) -> None:
    exact, rest = divmod((whole * 1000 + thousandths) * BYTES[unit], 1000)
    assert parse_size(f"{whole}.{thousandths:03}{unit}") == (None if rest else exact)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    duration, size = parse_duration(text), parse_size(text)
    assert duration is None or duration >= 0
    assert size is None or size >= 0
