"""Your provider's own list: any sensible shape is read, and every mistake is pointed at."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Policy, PolicyError
from pumpguard.money.prices import PACKAGED, PriceTable


def read(folder: Path, text: str, name: str = "rates.csv", **how: Any) -> PriceTable:
    path = folder / name
    path.write_text(text, "utf-8")
    return PriceTable.read(path, **how)


@pytest.mark.parametrize(
    "text",
    [
        "iso,price\nGB,0.05\nDE,0.11\n",
        "\ufeffCountry;Price (USD)\nUnited Kingdom;0,05\nGermany;0,11\n",
        "Dial code\tRate\n+44\t$ 0.05\n49\t$0.11\n",
        "Prefix|Cost\n4479|0.05 USD\n0049|USD 0.11\n",
        'Destination,Carrier,"Unit price"\n"UK","EE","0.04"\n"UK","O2","0.05"\nGERMANY,,0.11\n',
        "ISO,Currency,Price per SMS\r\ngb,USD,0.050\r\n\r\nde,usd,.11\r\n",
        "iso,price\rGB,0.05\r\rDE,0.11\r",  # as old spreadsheets on a Mac end lines
    ],
)
def test_csv_lists_of_many_shapes(tmp_path: Path, text: str) -> None:
    """By ISO code, name or calling code; any usual delimiter, decimal sign and way to say USD."""
    table = read(tmp_path, text)
    assert table.price("GB") == 0.05
    assert table.price("DE") == 0.11
    assert table.price("JE") == 0.05


@pytest.mark.parametrize(
    "data",
    [
        [{"iso": "GB", "price": 0.05}, {"iso": "DE", "price": "0.11"}],
        {"GB": 0.05, "DE": 0.11},
        {"GB": {"rate": 0.05}, "DE": {"rate": 0.11}},
        {"currency": "USD", "prices": [{"country": "Great Britain", "price": 0.05},
                                       {"country": "Germany", "price": 0.11}]},
    ],
)  # fmt: skip
def test_json_lists_of_many_shapes(tmp_path: Path, data: object) -> None:
    """A list of objects, alone or in an object, or a table by country."""
    table = read(tmp_path, json.dumps(data), "rates.json")
    assert (table.price("GB"), table.price("DE")) == (0.05, 0.11)


def test_nested_prices_per_carrier(tmp_path: Path) -> None:
    """A dotted field reaches through lists; the dearest carrier counts."""
    data = [
        {
            "country": "United Arab Emirates",
            "iso_country": "AE",
            "price_unit": "USD",
            "carriers": [
                {"carrier": "du", "prices": [{"current_price": "0.1"}, {"current_price": "0.09"}]},
                {"carrier": "Etisalat", "prices": [{"current_price": "0.13"}]},
            ],
        }
    ]
    how = {"price": "carriers.prices.current_price"}
    assert read(tmp_path, json.dumps(data), "rates.json", **how).price("AE") == 0.13
    data[0]["carriers"][1]["prices"] = [{"old": "0.13"}]  # type: ignore[index]
    with pytest.raises(PolicyError, match=r"rates.json\[0\].carriers\[1\].prices\[0\]: .*'current"):
        read(tmp_path, json.dumps(data), "rates.json", **how)


def test_other_currencies_need_a_rate(tmp_path: Path) -> None:
    """In the column's name, in a column of its own, or beside the amount."""
    for text in (
        "iso,Price (EUR)\nGB,0.10\n",
        "iso,price,currency\nGB,0.10,eur\n",
        "iso,p,rate\nGB,-,€0.10\n",
    ):
        with pytest.raises(PolicyError, match=r"rates.csv:2: expected USD, or a rate in rates.EUR"):
            read(tmp_path, text)
        assert read(tmp_path, text, rates={"EUR": 1.1}).price("GB") == pytest.approx(0.11)
    assert (
        read(tmp_path, "iso,price\nGB,10\n", in_currency="INR", rates={"INR": 0.01}).price("GB")
        == 0.1
    )


def test_what_a_list_leaves_out_is_dear(tmp_path: Path) -> None:
    """The dearest packaged price stands in."""
    table = read(
        tmp_path,
        "country,price\nGB,0.05\nGB,0.04\nGB,0.06\nInmarsat,3\n+870,4.5\n",
        ignore=["Inmarsat"],
    )
    assert table.price("GB") == 0.06
    assert table.price("PE") == max(PriceTable.load(name).price("PE") for name in PACKAGED)
    assert table.price(None) == 4.5


def test_a_list_is_named_dated_and_sourced(tmp_path: Path) -> None:
    """By its file, unless you know better."""
    table = read(tmp_path, "iso,price\nGB,1\n")
    assert (table.name, table.source) == ("rates", str(tmp_path / "rates.csv"))
    assert table.date >= "2026"
    said = read(tmp_path, "iso,price\nGB,1\n", name="acme", date="2025-12-31", source="contract 7")
    assert (said.name, said.date, said.source) == ("acme", "2025-12-31", "contract 7")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("iso,price\nGB,0.05\nXX,0.1\n", "rates.csv:3: expected an ISO region"),
        ("iso,price\nGB,0.05\nAtlantis,0.1\n", "rates.csv:3: .*'Atlantis'"),
        ("iso,price\nGB,free\n", "rates.csv:2: expected a price"),
        ("iso,price\nGB,0\n", "rates.csv:2: expected a price above 0"),
        ("iso,price\nGB,-0.1\n", "rates.csv:2: expected a price"),
        ("iso,price\nGB,790\n", "rates.csv:2: .*at most 100 USD"),
        ("iso,price\nGB,\n", "rates.csv:2: expected a price"),
        ("iso,price\nGB,0.05,EE\n", "rates.csv:2: expected 2 columns.*got 3"),
        ("iso,price\nGB,0.05\nDE,0;1\n", "rates.csv:3: "),
        ('iso,price\nGB,"0,05"\nDE,0.11\n', "rates.csv:3: expected one decimal sign.*'0.11'"),
        ('iso,price\nGB,"1,234"\n', "rates.csv:2: expected one decimal sign"),
        ("iso,price\nGB,12.34.56\n", "rates.csv:2: expected a price"),
        ("iso,price,currency\nGB,$0.05,EUR\n", "rates.csv:2: expected one currency"),
        ("iso,old price,new price\nGB,1,2\n", "rates.csv:1: expected one column for the price"),
        ("iso,price USD or EUR\nGB,1\n", "rates.csv:1: expected one currency in the name"),
        ("iso,iso,price\nGB,GB,2\n", "rates.csv:1: expected every column"),
        ("where,price\nGB,2\n", "rates.csv:1: expected a column named one of iso,"),
        ("iso,how much\nGB,2\n", "rates.csv:1: expected a column with one of"),
        ('iso,price\n"a\nb",2\nGB,x\n', "rates.csv:4: expected a price"),
        ('iso,price\n"GB,2\n', "rates.csv:2: expected CSV"),
        ("iso,price\n", "rates.csv: expected at least one price"),
        ("", "rates.csv:1: "),
    ],
)  # fmt: skip
def test_mistakes_are_pointed_at(tmp_path: Path, text: str, message: str) -> None:
    """The line, what was expected there, and what stands there."""
    with pytest.raises(PolicyError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"iso": "GB", "price": 1}, {"iso": "GB"}]', r"rates.json\[1\]: expected a column with"),
        ('[{"iso": "GB", "price": null}]', r"rates.json\[0\].price: expected a price"),
        ('[{"iso": "GB", "price": true}]', r"rates.json\[0\].price: expected a price"),
        ('[{"iso": "GB", "price": NaN}]', "rates.json: expected JSON .*NaN"),
        ('{"GB": 0.05, "GB": 0.06}', "rates.json: expected JSON .*'GB' occurs twice"),
        ('{"GB": 0.05,\n "DE" 1}', "rates.json:2: expected JSON"),
        ('{"ZZ": 0.05}', "rates.json: ZZ.price: expected an ISO region"),
        ('{"currency": "EUR", "at": [{"iso": "GB", "price": 1}]}', r"at\[0\].price: expected USD"),
        ('[{"iso": ["GB", "FR"], "price": 1}]', r"rates.json\[0\]: expected a column named one of"),
        ('[{"iso": true, "price": 1}]', r"rates.json\[0\].iso: expected text"),
        ("[7]", r"rates.json\[0\]: expected an object"),
        ("7", "rates.json: expected a list"),
        ("[" * 100_000, "rates.json: expected JSON"),
    ],
)  # fmt: skip
def test_mistakes_in_json_are_pointed_at(tmp_path: Path, text: str, message: str) -> None:
    """The path into the document."""
    with pytest.raises(PolicyError, match=message):
        read(tmp_path, text, "rates.json")


def test_settings_are_checked(tmp_path: Path) -> None:
    """As a policy's are."""
    for how, path in (
        ({"colour": "red"}, "prices.colour"),
        ({"rates": {"EUR": 0.0}}, "prices.rates.EUR"),
        ({"date": "yesterday"}, "prices.date"),
        ({"region": "land"}, "rates.csv:1"),
        ({"decimal": ";"}, "prices.decimal"),
    ):
        with pytest.raises(PolicyError, match=path):
            read(tmp_path, "iso,price\nGB,1\n", **how)
    with pytest.raises(PolicyError, match="a readable file"):
        PriceTable.read(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"iso,price\nGB,1\n\xe9,1\n")
    with pytest.raises(PolicyError, match=r"latin\.csv:3: expected UTF-8"):
        PriceTable.read(tmp_path / "latin.csv")


def test_a_policy_names_a_list(tmp_path: Path) -> None:
    """By path or with how to read it; from a TOML file, relative to that file."""
    (tmp_path / "rates.csv").write_text("land,price\nGB,0.5\n")
    (tmp_path / "plain.csv").write_text("iso,price\nGB,0.25\n")
    file = tmp_path / "policy.toml"
    file.write_text(
        'send = "/s"\nprices = {path = "rates.csv", region = "land", date = "2026-01-01"}\n'
    )
    assert Policy.from_toml(file).price_table.price("GB") == 0.5
    assert Policy.from_toml(file).price_table.date == "2026-01-01"
    file.write_text('send = "/s"\nprices = "plain.csv"\nprice_overrides = {DE = 1.5}\n')
    table = Policy.from_toml(str(file)).price_table
    assert (table.price("GB"), table.price("DE")) == (0.25, 1.5)
    assert Policy(send="/s", prices=str(tmp_path / "plain.csv")).price_table.price("GB") == 0.25
    with pytest.raises(PolicyError, match=r"prices\.path"):
        Policy(send="/s", prices={"region": "land"})


WRITTEN = st.sampled_from([("{:.4f}", "."), ("{:,.4f}", "."), ("{:.5f}", ","), ("{:_.4f}", ",")])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["GB", "United States", "+49", "fr", "1246", "Côte d'Ivoire", "Korea"]),
        st.integers(1, 99_000),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip
MEANT = {
    "United States": "US",
    "+49": "DE",
    "fr": "FR",
    "1246": "BB",
    "Côte d'Ivoire": "CI",
    "Korea": "KR",
}


@given(
    ROWS,
    st.sampled_from(",;\t|"),
    WRITTEN,
    st.sampled_from(["{}", "$ {}", "{} USD"]),
    st.booleans(),
)
def test_what_is_written_is_read(
    rows: list[tuple[str, int]], delimiter: str, form: tuple[str, str], money: str, swapped: bool
) -> None:
    """Whatever the delimiter, the decimal sign and the thousands: the dearest row of each place."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["price", "country"] if swapped else ["country", "price"])
    for place, mills in rows:
        number = form[0].format(mills / 1000)
        if form[1] == ",":
            number = number.replace(".", ",").replace("_", " ")
        cells = [place, money.format(number)]
        writer.writerow(cells[::-1] if swapped else cells)
    with tempfile.TemporaryDirectory() as folder:
        table = read(Path(folder), text.getvalue())
    for place, _ in rows:
        dearest = max(mills for other, mills in rows if other == place) / 1000
        assert table.price(MEANT.get(place, place)) == pytest.approx(dearest)


TEXT = st.text(st.sampled_from(list('iso,price\n"GBDE;0.15€ $+[]{}:\t')), max_size=60)


@given(st.one_of(st.binary(max_size=80), TEXT.map(str.encode)), st.sampled_from(["csv", "json"]))
def test_any_file_is_read_or_refused(content: bytes, kind: str) -> None:
    """Nothing but a `PolicyError` comes of nonsense, and no price of 0."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rates.{kind}"
        path.write_bytes((b"iso,price\n" if kind == "csv" else b"") + content)
        try:
            table = PriceTable.read(path)
        except PolicyError:
            return
    assert all(price > 0 for price in table.usd.values())
