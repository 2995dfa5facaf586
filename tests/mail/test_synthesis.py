"""The list as a whole: distinct addresses for every pattern, any slice anywhere, true shares, coherent people."""

from __future__ import annotations

import re
import threading
from collections import Counter
from itertools import pairwise, product

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.mail import synthesis as module
from engine.mail.names import COHORTS, Gender, load
from engine.mail.pattern import PLACEHOLDERS, parse
from engine.mail.providers import DEFAULT_PROVIDERS
from engine.mail.synthesis import COLUMNS, Synthesis, synthesis
from tests.mail.recipes import TWO, recipe, recipes

ADDRESS = re.compile(r"(?=.{1,64}@)[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@[a-z.]+")

slow_data = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def emails(made: Synthesis, count: int, seed: int = 1) -> list[str]:
    found: list[str] = made.rows(count, seed, 0, count)["email"].to_pylist()
    return found


def assert_distinct(found: list[str], count: int) -> None:
    assert len(found) == len(set(found)) == count
    assert all(ADDRESS.fullmatch(address) for address in found)


@slow_data
@given(recipes(), st.integers(1, 20_000), st.integers(-(2**63), 2**63 - 1))
def test_every_pattern_gives_distinct_valid_addresses(wanted, count, seed):
    made = synthesis(wanted)
    count = min(count, made.capacity)
    assert_distinct(emails(made, count, seed), count)


@slow_data
@given(recipes(suffix=False, countries=("JP",)), st.integers(0, 2**32))
def test_without_suffix_a_space_is_used_to_its_last_address(wanted, seed):
    made = synthesis(wanted)
    for count in {made.capacity, made.capacity - 1, made.capacity * 9 // 10} - {0}:
        if count <= 60_000:
            assert_distinct(emails(made, count, seed), count)


@settings(slow_data, max_examples=25)
@given(recipes(), st.integers(1, 3000), st.integers(0, 99), st.data())
def test_slices_are_what_the_whole_has_there(wanted, count, seed, data):
    made = synthesis(wanted)
    count = min(count, made.capacity)
    whole = made.rows(count, seed, 0, count).to_pylist()
    cuts = sorted({0, count, *data.draw(st.lists(st.integers(0, count), max_size=4))})
    parts = [made.rows(count, seed, start, stop) for start, stop in pairwise(cuts)]
    assert [row for part in parts for row in part.to_pylist()] == whole


@pytest.mark.parametrize(
    "pattern",
    [
        "{firstname}{lastname}",
        "{lastname}{firstname}",
        "{f}{lastname}",
        "{f}{l}",
        "{firstname}{l}",
        "{first3}{last3}",
        "{f}{first3}{lastname}{birthyear}",
        "{firstname}{lastname}{firstname}",
        "{firstname}{f}{lastname}",
        "{firstname}x{lastname}",
        "{number}{yy}1",
        "{yy}{birthyear}",
        "{lastname}-{lastname}",
        "hello",
        "1984",
        "a+{firstname}.{lastname}0",
    ],
)
@pytest.mark.parametrize("suffix", [True, False])
def test_distinct_for_several_countries_that_share_names(pattern, suffix):
    made = synthesis(recipe(pattern, countries=("US", "GB", "DE"), suffix=suffix))
    count = min(made.capacity, 100_000)
    assert_distinct(emails(made, count), count)


def test_a_space_without_suffix_is_every_pair_of_names():
    names = load("JP")
    firsts = {text for listed in names.first.values() for text in listed.spelled.to_pylist()}
    lasts = set(names.last[Gender.MALE].spelled.to_pylist())
    made = synthesis(recipe(suffix=False))
    expected = {f"{first}.{last}@{domain}" for first, last, (domain, _) in product(firsts, lasts, TWO)}
    assert made.capacity == len(expected)
    assert set(emails(made, made.capacity)) == expected


def test_a_space_of_initials_is_every_pair_of_initials():
    made = synthesis(recipe("{f}{l}", countries=("PL", "UA"), suffix=False))
    pairs = set()
    for country in map(load, ("PL", "UA")):
        for gender in Gender:
            firsts, lasts = ({text[0] for text in part[gender].spelled.to_pylist()} for part in (country.first, country.last))
            pairs |= set(product(firsts, lasts))
    assert {address[:2] for address in emails(made, made.capacity)} == {first + last for first, last in pairs}
    assert made.capacity == 2 * len(pairs)


def test_more_than_there_are_is_an_error():
    made = synthesis(recipe("hello", suffix=False))
    with pytest.raises(ValueError, match="fewer distinct addresses"):
        made.rows(made.capacity + 1, 1, 0, 1)


@pytest.mark.parametrize(("pattern", "capacity"), [("x" * 62, 220), ("x" * 64, 2), ("x" * 61 + "{number}", 1800)])
def test_little_room_for_digits(pattern, capacity):
    made = synthesis(recipe(pattern))
    assert made.capacity == capacity
    assert_distinct(emails(made, capacity), capacity)


def test_long_text_leaves_room_for_short_names_only():
    found = emails(synthesis(recipe("x" * 50 + "{firstname}", countries=("US",))), 20_000)
    assert_distinct(found, 20_000)


@pytest.mark.parametrize("pattern", ["x" * 65, "x" * 62 + "{firstname}.{lastname}"])
def test_a_pattern_that_fits_no_address_is_an_error(pattern):
    with pytest.raises(ValueError, match="more than 64 characters before the @"):
        Synthesis(recipe(pattern))


def test_a_long_domain_shortens_the_local_part():
    domain = ".".join(["d" * 60] * 4) + ".example"[:4]
    found = emails(synthesis(recipe(countries=("US",), providers=((domain, 1.0),))), 1000)
    assert len(set(found)) == 1000
    assert max(map(len, found)) <= 254


def test_digits_only_where_the_plain_address_is_taken():
    found = [address.split("@") for address in emails(synthesis(recipe(countries=("JP",))), 50_000)]
    plain = {(local, domain) for local, domain in found if local[-1].isalpha()}
    assert all((local.rstrip("0123456789"), domain) in plain for local, domain in found)


def test_another_seed_gives_other_addresses():
    made = synthesis(recipe(countries=("US",)))
    assert len(set(emails(made, 500, 1)) & set(emails(made, 500, 2))) < 50
    assert emails(made, 500, 1) == emails(made, 500, 1)


@pytest.fixture(scope="module")
def americans() -> pa.Table:
    made = synthesis(recipe(countries=("US",), providers=DEFAULT_PROVIDERS))
    return made.rows(300_000, 5, 0, 300_000)


def test_providers_get_their_shares_exactly(americans):
    counts = Counter(americans["provider"].to_pylist())
    for domain, weight in DEFAULT_PROVIDERS:
        assert abs(counts[domain] - 3000 * weight) <= 1


def test_first_names_are_as_common_as_their_bearers(americans):
    counts = Counter(americans["first_name"].to_pylist())
    births = [COHORTS.of(year) for year in range(1961, 2009)]
    expected: Counter[str] = Counter()
    for names in load("US").first.values():
        shares = (names.weights / names.weights.sum(axis=0))[:, births].mean(axis=1) / 2
        expected.update(dict(zip(names.shown.to_pylist(), shares.tolist(), strict=True)))
    for name, share in expected.most_common(100):
        assert counts[name] / 300_000 == pytest.approx(share, rel=0.05)


def test_surnames_are_as_common_as_in_the_census(americans):
    counts = Counter(americans["last_name"].to_pylist())
    names = load("US").last[Gender.MALE]
    shares = names.weights[:, 0] / names.weights.sum()
    for place in range(30):
        assert counts[names.shown[place].as_py()] / 300_000 == pytest.approx(shares[place], rel=0.1)


def test_ages_and_genders_are_even(americans):
    ages = Counter(americans["age"].to_pylist())
    assert set(ages) == set(range(18, 66))
    assert all(count == pytest.approx(300_000 / 48, rel=0.06) for count in ages.values())
    assert Counter(americans["gender"].to_pylist())["female"] == pytest.approx(150_000, rel=0.01)


def test_first_names_suit_the_age(americans):
    ages = americans.group_by("first_name").aggregate([("age", "mean")])
    mean = dict(zip(ages["first_name"].to_pylist(), ages["age_mean"].to_pylist(), strict=True))
    assert mean["Linda"] > 50 > mean["Jennifer"] > 40 > mean["Ashley"] > 28 > mean["Madison"]


def test_columns(americans):
    assert tuple(americans.column_names) == COLUMNS
    row = americans.slice(0, 1).to_pylist()[0]
    assert row["email"].startswith(f"{row['first_name']}.{row['last_name']}".lower())
    assert row["email"].endswith("@" + row["provider"])
    assert row["synthetic"] is True


@pytest.mark.parametrize("pattern", ["{firstname}.{lastname}", "{f}{lastname}", "{lastname}", "{f}{l}", "{number}"])
@pytest.mark.parametrize("countries", [("DE",), ("PL",), ("US", "JP", "PL", "RU"), ("US", "GB", "AU")])
def test_people_are_coherent(pattern, countries):
    rows = synthesis(recipe(pattern, countries=countries)).rows(4000, 3, 0, 4000).to_pylist()
    known = {
        (code, gender, part): set(getattr(load(code), part)[gender].shown.to_pylist())
        for code in countries
        for gender in Gender
        for part in ("first", "last")
    }
    for row in rows:
        assert row["first_name"] in known[row["country"], Gender(row["gender"]), "first"]
        assert row["last_name"] in known[row["country"], Gender(row["gender"]), "last"]
        assert 18 <= row["age"] <= 65


@pytest.mark.parametrize("pattern", ["{firstname}.{lastname}", "{f}{l}", "{lastname}"])
def test_countries_get_equal_shares(pattern):
    rows = synthesis(recipe(pattern, countries=("US", "GB", "FR", "RU"))).rows(40_000, 3, 0, 40_000)
    counts = Counter(rows["country"].to_pylist())
    assert all(count == pytest.approx(10_000, rel=0.05) for count in counts.values())


@pytest.mark.parametrize("countries", [("US",), ("JP",), ("US", "DE")])
@pytest.mark.parametrize("pattern", ["{f}.{lastname}{birthyear}", "{firstname}{birthyear}", "{birthyear}{l}", "{yy}.{birthyear}"])
def test_a_birth_year_in_the_address_agrees_with_the_age(pattern, countries):
    rows = synthesis(recipe(pattern, countries=countries)).rows(3000, 3, 0, 3000).to_pylist()
    for row in rows:
        assert str(2026 - row["age"]) in row["email"]


def test_a_birth_year_as_suffix_agrees_with_the_age():
    rows = synthesis(recipe(countries=("US",), suffix=True)).rows(200_000, 3, 0, 200_000).to_pylist()
    years = [(row, match[1]) for row in rows if (match := re.search(r"[a-z]((?:19|20)\d\d)@", row["email"]))]
    assert len(years) > 1000
    assert all(int(year) == 2026 - row["age"] for row, year in years)


def test_names_in_an_address_are_those_of_the_person():
    rows = synthesis(recipe("{f}_{last3}", countries=("GB",))).rows(3000, 3, 0, 3000).to_pylist()
    for row in rows:
        first, last = re.match(r"(.)_([a-z]{2,3})", row["email"]).groups()  # type: ignore[union-attr]
        assert row["first_name"].lower().startswith(first)
        assert row["last_name"].lower().replace("'", "").startswith(last)


@pytest.mark.parametrize("gender", Gender)
def test_one_gender_only(gender):
    rows = synthesis(recipe(genders=(gender,), countries=("UA",))).rows(500, 1, 0, 500)
    assert set(rows["gender"].to_pylist()) == {gender.value}


def test_every_placeholder_renders_as_its_description_says():
    for name, placeholder in PLACEHOLDERS.items():
        local = emails(synthesis(recipe(f"-{{{name}}}-", countries=("US",), suffix=False)), 5)[0].split("@")[0][1:-1]
        assert parse(f"{{{name}}}").placeholders == (placeholder,)
        assert placeholder.width is None or len(local) == placeholder.width or local.isalpha()


def test_popular_names_come_first_in_a_scarce_space():
    made = synthesis(recipe(countries=("DE",), suffix=False, providers=(("one.example", 1.0),)))
    local = {address.split("@")[0] for address in emails(made, made.capacity // 50)}
    assert "peter.mueller" in local
    assert len({name for name in local if name.endswith(".mueller")}) > 20 * len({n for n in local if n.endswith(".arnold")})


def test_the_same_rows_in_every_thread():
    wanted = recipe("{firstname}{lastname}", countries=("SE",))
    module._made.cache_clear()
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(emails(synthesis(wanted), 2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(one == found[0] for one in found)


def test_ten_million_from_anywhere():
    made = synthesis(recipe(countries=("US",), providers=DEFAULT_PROVIDERS))
    parts = [made.rows(10_000_000, 9, start, start + 20_000) for start in range(0, 10_000_000, 1_000_000)]
    found = [address for part in parts for address in part["email"].to_pylist()]
    assert_distinct(found, 200_000)


def test_no_rows():
    rows = synthesis(recipe()).rows(10, 1, 5, 5)
    assert rows.num_rows == 0
    assert tuple(rows.column_names) == COLUMNS
