"""Price lists: data, each price with its source and date. A price that is not known says why, and is never guessed."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from groundschool.errors import UsageError

PRICED_REGION = "eu-north-1"
"""The only region whose prices come with the package."""

NOT_PRICES = ("region", "recorded", "baseline")
INSTANCE_HOUR = "instance_hour"


@dataclass(frozen=True)
class Price:
    """USD per unit in ``tiers`` of (from how many units on, price); no tiers: not known, and ``why_not`` says why.

    ``source``: D documented by AWS, O observed by third parties, I inferred, API the Price List API; with the region
    when it is another one's.
    """

    tiers: tuple[tuple[float, float], ...]
    source: str
    recorded: date
    why_not: str = ""

    def amount(self, quantity: float) -> float | None:
        """USD for so many units of one month; None when the price is not known."""
        if not self.tiers:
            return None
        ends = [*(begin for begin, _ in self.tiers[1:]), math.inf]
        return sum(
            (min(quantity, end) - begin) * usd
            for (begin, usd), end in zip(self.tiers, ends, strict=True)
            if quantity > begin
        )

    def per_unit(self, quantity: float) -> float | None:
        """The mean over ``quantity``; for nothing, the first tier's price."""
        amount = self.amount(quantity)
        if amount is None:
            return None
        return amount / quantity if quantity and len(self.tiers) > 1 else self.tiers[0][1]


@dataclass(frozen=True)
class PriceList:
    """Prices by name (``lcu_hour``, ``instance_hour/t3.micro``). ``origin`` tells a user where they are from."""

    region: str
    recorded: date
    origin: str
    prices: Mapping[str, Price]
    baselines: Mapping[str, float]
    """Share of a vCPU that an instance type earns, by type."""

    def price(self, name: str) -> Price:
        return self.prices.get(name) or Price((), "-", self.recorded, f"no price is recorded for {name}")

    def instance_types(self) -> list[str]:
        return [name.partition("/")[2] for name in self.prices if name.startswith(f"{INSTANCE_HOUR}/")]


def refreshed_file(region: str, folder: Path) -> Path:
    """Where a refreshed list of the region is kept."""
    return folder / f"{region}.json"


def price_list(region: str, folder: Path | None = None) -> PriceList:
    """The refreshed list in ``folder`` if there is one, else the packaged one. Raises UsageError."""
    if folder is not None and (file := refreshed_file(region, folder)).exists():
        return _refreshed(file)
    if region != PRICED_REGION:
        raise UsageError(
            f"No prices are recorded for {region}, only for {PRICED_REGION}. With AWS credentials: "
            f"ground cost --refresh --region {region}. Without: https://calculator.aws"
        )
    return parse(packaged(), "packaged with ground")


@cache
def packaged() -> dict[str, Any]:
    """The document that comes with the package."""
    data = files("groundschool.workshop").joinpath("cost_prices_eu_north_1.toml").read_text(encoding="utf-8")
    return tomllib.loads(data)


def parse(document: Mapping[str, Any], origin: str) -> PriceList:
    """A price list of a TOML or JSON document; raises KeyError, TypeError or ValueError when it is none."""
    recorded = _date(document["recorded"])
    prices: dict[str, Price] = {}
    for name, entry in document.items():
        if name == INSTANCE_HOUR:
            prices |= {f"{name}/{each}": _price(one, recorded) for each, one in entry.items()}
        elif name not in NOT_PRICES:
            prices[name] = _price(entry, recorded)
    return PriceList(document["region"], recorded, origin, prices, document["baseline"])


def _refreshed(file: Path) -> PriceList:
    try:
        return parse(json.loads(file.read_text(encoding="utf-8")), f"refreshed, in {file}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{file} is not a price list ({error!r}). Remove it, or write it anew with: ground cost --refresh"
        ) from None


def _price(entry: Mapping[str, Any], recorded: date) -> Price:
    when = _date(entry.get("recorded", recorded))
    if "why_not" in entry:
        return Price((), "-", when, entry["why_not"])
    tiers = entry.get("tiers") or [[0, entry["price"]]]
    return Price(tuple((float(begin), float(usd)) for begin, usd in tiers), entry["source"], when)


def _date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
