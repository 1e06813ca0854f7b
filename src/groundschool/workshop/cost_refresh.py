"""Prices from AWS's Price List API (``pricing:GetProducts``), for any region.

What is asked for, and how a product looks, follows AWS's own example of GetProducts in botocore and what other public
tools filter by. It was never run against the real API: where a filter finds nothing, or too much, the error names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundschool.errors import PriceError
from groundschool.workshop.cost_prices import INSTANCE_HOUR, packaged, refreshed_file

if TYPE_CHECKING:
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_pricing.type_defs import FilterTypeDef

ENDPOINT_REGION = "us-east-1"
"""The API has endpoints in us-east-1, eu-central-1 and ap-south-1 (botocore), and answers for every region."""

PREFIX = re.compile(r"(?:[A-Z]{3}\d-|EU-)?")
"""Of a usage type: ``EUN1-`` for Stockholm, ``EU-`` for Ireland, nothing for N. Virginia."""


@dataclass(frozen=True)
class Product:
    """How one price is found. ``usage_type`` is without the region's prefix; ``per`` units make one of ours."""

    name: str
    service: str
    usage_type: str
    unit: str
    filters: tuple[tuple[str, str], ...] = ()
    region_field: str = "regionCode"
    per: float = 1.0

    def says(self, region: str) -> str:
        """For an error: what was asked for."""
        asked = [f"{self.region_field}={region}", *(f"{field}={value}" for field, value in self.filters)]
        return f"{self.name} ({self.service}, {', '.join(asked)}, usagetype={self.usage_type})"


ON_DEMAND_LINUX = (
    ("operatingSystem", "Linux"),
    ("tenancy", "Shared"),
    ("preInstalledSw", "NA"),
    ("capacitystatus", "Used"),
)
APPLICATION = (("productFamily", "Load Balancer-Application"),)
PER_REQUEST = "Amazon DynamoDB PayPerRequest Throughput"

PRODUCTS = (
    Product("surplus_vcpu_hour", "AmazonEC2", "CPUCredits:t3", "vCPU-Hours", (("operatingSystem", "Linux"),)),
    Product("gp3_gb_month", "AmazonEC2", "EBS:VolumeUsage.gp3", "GB-Mo", (("volumeApiName", "gp3"),)),
    Product("snapshot_gb_month", "AmazonEC2", "EBS:SnapshotUsage", "GB-Mo", (("productFamily", "Storage Snapshot"),)),
    Product("public_ipv4_hour", "AmazonVPC", "PublicIPv4:InUseAddress", "Hrs"),
    Product("load_balancer_hour", "AWSELB", "LoadBalancerUsage", "Hrs", APPLICATION),
    Product("lcu_hour", "AWSELB", "LCUUsage", "LCU-Hrs", APPLICATION),
    Product(
        "dynamodb_million_wru",
        "AmazonDynamoDB",
        "WriteRequestUnits",
        "WriteRequestUnits",
        (("productFamily", PER_REQUEST), ("group", "DDB-WriteUnits")),
        per=1e6,
    ),
    Product(
        "dynamodb_million_rru",
        "AmazonDynamoDB",
        "ReadRequestUnits",
        "ReadRequestUnits",
        (("productFamily", PER_REQUEST), ("group", "DDB-ReadUnits")),
        per=1e6,
    ),
    Product(
        "dynamodb_gb_month",
        "AmazonDynamoDB",
        "TimedStorage-ByteHrs",
        "GB-Mo",
        (("productFamily", "Database Storage"),),
    ),
    Product("metric_month", "AmazonCloudWatch", "CW:MetricMonitorUsage", "Metrics", (("productFamily", "Metric"),)),
    Product("alarm_month", "AmazonCloudWatch", "CW:AlarmMonitorUsage", "Alarms", (("productFamily", "Alarm"),)),
    Product(
        "transfer_out_gb",
        "AWSDataTransfer",
        "DataTransfer-Out-Bytes",
        "GB",
        (("toLocation", "External"),),
        region_field="fromRegionCode",
    ),
)


def instance_product(instance_type: str) -> Product:
    """An hour of an instance type, on demand, Linux, shared tenancy."""
    filters = (("instanceType", instance_type), *ON_DEMAND_LINUX)
    return Product(f"{INSTANCE_HOUR}/{instance_type}", "AmazonEC2", f"BoxUsage:{instance_type}", "Hrs", filters)


def refresh(client: PricingClient, region: str, folder: Path, today: date) -> Path:
    """Asks for every price that a bill needs and writes them to ``folder``; returns the file.

    All or nothing: raises PriceError, or botocore's ClientError, before anything is written.
    """
    document: dict[str, Any] = {
        "region": region,
        "recorded": today.isoformat(),
        "baseline": packaged()["baseline"],
        INSTANCE_HOUR: {},
    }
    for instance_type in packaged()[INSTANCE_HOUR]:
        document[INSTANCE_HOUR][instance_type] = _entry(client, region, instance_product(instance_type))
    for product in PRODUCTS:
        document[product.name] = _entry(client, region, product)
    return _write(document, region, folder)


def _entry(client: PricingClient, region: str, product: Product) -> dict[str, Any]:
    filters: list[FilterTypeDef] = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in ((product.region_field, region), *product.filters)
    ]
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=product.service, Filters=filters, FormatVersion="aws_v1"
    )
    offers = [json.loads(text) for page in pages for text in page["PriceList"]]
    try:
        return {"tiers": tiers_of(product, region, offers), "source": "API"}
    except (KeyError, TypeError, AttributeError) as error:
        says = product.says(region)
        raise PriceError(f"The Price List API answered in another shape for {says}: {error!r}") from None


def tiers_of(product: Product, region: str, offers: list[Mapping[str, Any]]) -> list[list[float]]:
    """Pure: the one on-demand price among ``offers``, by tier, per our unit. Raises PriceError."""
    says = product.says(region)
    found = [offer for offer in offers if PREFIX.sub("", _usage_type(offer), count=1) == product.usage_type]
    if len(found) != 1:
        seen = ", ".join(sorted(map(_usage_type, found or offers))[:5]) or "nothing"
        raise PriceError(
            f"The Price List API has {len(found)} products, not one, for {says}; it answered: {seen}. "
            "Nothing was written"
        )
    terms = list(found[0].get("terms", {}).get("OnDemand", {}).values())
    if len(terms) != 1:
        raise PriceError(f"The Price List API has {len(terms)} on-demand terms, not one, for {says}")
    tiers = [_tier(product, says, one) for one in terms[0]["priceDimensions"].values()]
    tiers.sort()
    if not tiers or tiers[0][0] != 0:
        raise PriceError(f"The Price List API has no price from the first unit on for {says}")
    return tiers


def _tier(product: Product, says: str, dimension: Mapping[str, Any]) -> list[float]:
    unit, prices = dimension["unit"], dimension["pricePerUnit"]
    if unit.lower() != product.unit.lower():
        raise PriceError(f"The Price List API counts in {unit}, not {product.unit}, for {says}. Nothing was written")
    if "USD" not in prices:
        raise PriceError(f"The Price List API answers in {', '.join(prices)}, not USD, for {says}")
    return [float(dimension["beginRange"]) / product.per, float(prices["USD"]) * product.per]


def _usage_type(offer: Mapping[str, Any]) -> str:
    return str(offer["product"]["attributes"].get("usagetype", ""))


def _write(document: Mapping[str, Any], region: str, folder: Path) -> Path:
    """Readers see the old list or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    file = refreshed_file(region, folder)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=1), encoding="utf-8")
    partial.replace(file)
    return file
