"""Prices from the Price List API, played by botocore's stubber with answers of its recorded shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from groundschool.errors import PriceError
from groundschool.workshop.cost import estimate, running
from groundschool.workshop.cost_prices import packaged, price_list
from groundschool.workshop.cost_refresh import PRODUCTS, Product, instance_product, refresh, tiers_of

TODAY = date(2026, 12, 1)
REGION = "eu-west-3"
WANTED = [*(instance_product(each) for each in packaged()["instance_hour"]), *PRODUCTS]


def offer(product: Product, *tiers: tuple[str, str], prefix: str = "EUW3-", unit: str | None = None) -> dict[str, Any]:
    """One product in the shape of botocore's own example of GetProducts (2017-10-15)."""
    sku = "WQGC34PB2AWS8R4U"
    dimensions = {
        f"{sku}.JRTCKXETXF.{number}": {
            "unit": unit or product.unit,
            "beginRange": begin,
            "endRange": tiers[number + 1][0] if number + 1 < len(tiers) else "Inf",
            "description": "a price",
            "appliesTo": [],
            "rateCode": f"{sku}.JRTCKXETXF.{number}",
            "pricePerUnit": {"USD": usd},
        }
        for number, (begin, usd) in enumerate(tiers)
    }
    term = {
        "priceDimensions": dimensions,
        "sku": sku,
        "effectiveDate": "2026-12-01T00:00:00Z",
        "offerTermCode": "JRTCKXETXF",
        "termAttributes": {},
    }
    attributes = {
        "servicecode": product.service,
        "usagetype": f"{prefix}{product.usage_type}",
        "location": "EU (Paris)",
    }
    return {
        "product": {"productFamily": "any", "attributes": attributes, "sku": sku},
        "serviceCode": product.service,
        "terms": {"OnDemand": {f"{sku}.JRTCKXETXF": term}},
        "version": "20261201000000",
        "publicationDate": "2026-12-01T00:00:00Z",
    }


class Aws:
    def __init__(self) -> None:
        self.client = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.stub = Stubber(self.client)

    def answers(self, product: Product, *offers: dict[str, Any]) -> None:
        expected = {
            "ServiceCode": product.service,
            "FormatVersion": "aws_v1",
            "Filters": [
                {"Type": "TERM_MATCH", "Field": field, "Value": value}
                for field, value in ((product.region_field, REGION), *product.filters)
            ],
        }
        answer = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in offers]}
        self.stub.add_response("get_products", answer, expected)


@pytest.fixture
def aws() -> Iterator[Aws]:
    made = Aws()
    with made.stub:
        yield made


def ordinary(product: Product) -> dict[str, Any]:
    if product.name == "dynamodb_gb_month":
        return offer(product, ("0", "0.0000000000"), ("25", "0.2970000000"))
    return offer(product, ("0", "0.0000007000" if product.per > 1 else "0.0118000000"))


def test_a_refreshed_region_can_be_billed_with_its_date(aws: Aws, tmp_path: Path) -> None:
    for product in WANTED:
        aws.answers(product, ordinary(product))
    file = refresh(aws.client, REGION, tmp_path / "prices", TODAY)
    aws.stub.assert_no_pending_responses()
    assert [each.name for each in file.parent.iterdir()] == [f"{REGION}.json"]
    prices = price_list(REGION, tmp_path / "prices")
    assert prices.recorded == TODAY
    assert prices.price("dynamodb_million_wru").amount(2) == pytest.approx(1.4)  # 0.0000007 a unit
    assert prices.price("dynamodb_gb_month").amount(26) == pytest.approx(0.297)  # the first 25 GB are free
    assert prices.price("transfer_out_gb").amount(10) == pytest.approx(0.118)
    bill = estimate(running(2), REGION, prices)
    assert {(line.source, line.recorded) for line in bill.lines} == {("API", TODAY)}
    assert bill.lines[0].amount == pytest.approx(2 * 0.0118)


LCU = next(product for product in PRODUCTS if product.name == "lcu_hour")


@pytest.mark.parametrize(
    ("usage_types", "found"),
    [
        pytest.param(["EUW3-LCUUsage", "EUW3-TS-LCUUsage"], True, id="others end alike"),
        pytest.param(["LCUUsage", "TS-LCUUsage"], True, id="N. Virginia has no prefix"),
        pytest.param(["EU-LCUUsage"], True, id="Ireland has a short one"),
        pytest.param(["EUW3-ReservedLCUUsage"], False, id="none"),
        pytest.param(["EUW3-LCUUsage", "LCUUsage"], False, id="two"),
        pytest.param([], False, id="nothing at all"),
    ],
)
def test_exactly_one_product_must_have_the_usage_type(usage_types: list[str], found: bool) -> None:
    offers = []
    for usage_type in usage_types:
        one = offer(LCU, ("0", "0.008"))
        one["product"]["attributes"]["usagetype"] = usage_type
        offers.append(one)
    if found:
        assert tiers_of(LCU, REGION, offers) == [[0.0, 0.008]]
        return
    with pytest.raises(PriceError, match=r"products, not one, for lcu_hour \(AWSELB, regionCode=eu-west-3, productF"):
        tiers_of(LCU, REGION, offers)


def changed(**fields: Any) -> dict[str, Any]:
    one = offer(LCU, ("0", "0.008"))
    [term] = one["terms"]["OnDemand"].values()
    [dimension] = term["priceDimensions"].values()
    dimension |= fields
    return one


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(changed(unit="Hrs"), "counts in Hrs, not LCU-Hrs, for lcu_hour", id="another unit"),
        pytest.param(changed(pricePerUnit={"CNY": "1"}), "in CNY, not USD", id="another currency"),
        pytest.param(changed(beginRange="10"), "no price from the first unit on", id="a tier is missing"),
        pytest.param(offer(LCU, ("0", "1")) | {"terms": {}}, "has 0 on-demand terms", id="no on-demand term"),
        pytest.param(changed(beginRange=None), "in another shape for lcu_hour", id="another shape"),
    ],
)
def test_an_answer_that_is_not_the_price_writes_nothing_and_names_the_filter(
    aws: Aws, tmp_path: Path, answer: dict[str, Any], words: str
) -> None:
    for product in WANTED:
        aws.answers(product, answer if product is LCU else ordinary(product))
        if product is LCU:
            break
    with pytest.raises(PriceError, match=words) as error:
        refresh(aws.client, REGION, tmp_path, TODAY)
    assert "productFamily=Load Balancer-Application" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_keeps_the_list_that_was_there(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / f"{REGION}.json").write_text("as it was")
    aws.stub.add_client_error("get_products", "AccessDeniedException", "not authorized")
    with pytest.raises(ClientError):
        refresh(aws.client, REGION, tmp_path, TODAY)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(f"{REGION}.json", "as it was")]


def test_products_come_in_pages(aws: Aws, tmp_path: Path) -> None:
    first = instance_product("t3.micro")
    filters = [{"Type": "TERM_MATCH", "Field": f, "Value": v} for f, v in (("regionCode", REGION), *first.filters)]
    asked = {"ServiceCode": "AmazonEC2", "FormatVersion": "aws_v1", "Filters": filters}
    aws.stub.add_response("get_products", {"PriceList": [], "NextToken": "more"}, asked)
    aws.stub.add_response("get_products", {"PriceList": [json.dumps(ordinary(first))]}, {**asked, "NextToken": "more"})
    for product in WANTED[1:]:
        aws.answers(product, ordinary(product))
    assert refresh(aws.client, REGION, tmp_path, TODAY).exists()
