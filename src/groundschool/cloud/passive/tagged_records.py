"""The tags of everything that moto remembers, by ARN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.backends import get_backend

from groundschool.cloud.passive.application import Passive
from groundschool.cloud.tagging.tagged_resource import TaggedResource


class TaggedRecords:
    """Of any region; a source of :class:`~groundschool.cloud.tagging.operations.TaggingOperations`.

    IAM is not among them. AWS: its resources are of no region, and the tagging API of a region has none of them.
    """

    def __init__(self, passive: Passive, account_id: str) -> None:
        self._passive = passive
        self._account_id = account_id

    def __call__(self, region: str) -> list[TaggedResource]:
        with self._passive.lock:
            return [each for each in self._all(region) if each.tags]

    def _all(self, region: str) -> Iterator[TaggedResource]:
        for service in ("acm", "ec2", "elbv2", "ssm"):
            for each in self._backend(service, region).iter_tagged_resources():
                yield TaggedResource(each.arn, dict(each.tags))
        yield from self._forgotten_of_ec2(region)
        yield from self._forgotten_of_elbv2(region)
        yield from self._buckets(region)

    def _forgotten_of_ec2(self, region: str) -> Iterator[TaggedResource]:
        """What moto's own list of taggable resources leaves out."""
        ec2 = self._backend("ec2", region)
        groups = [group for of_vpc in ec2.groups.values() for group in of_vpc.values()]
        identifiers = {
            "key-pair": [pair.id for pair in ec2.key_pairs.values()],
            "launch-template": list(ec2.launch_templates),
            "security-group-rule": [
                rule.id for group in groups for rule in (*group.ingress_rules, *group.egress_rules)
            ],
        }
        for kind, found in identifiers.items():
            for identifier in found:
                arn = f"arn:aws:ec2:{region}:{self._account_id}:{kind}/{identifier}"
                yield TaggedResource(arn, dict(ec2.tags.get(identifier, {})))

    def _forgotten_of_elbv2(self, region: str) -> Iterator[TaggedResource]:
        """Listeners and their rules."""
        elbv2 = self._backend("elbv2", region)
        for balancer in elbv2.load_balancers.values():
            for listener in balancer.listeners.values():
                for arn in (listener.arn, *(rule.arn for rule in listener.rules.values() if not rule.is_default)):
                    yield TaggedResource(arn, elbv2.tagging_service.get_tag_dict_for_resource(arn))

    def _buckets(self, region: str) -> Iterator[TaggedResource]:
        """moto keeps the buckets of all regions in one place."""
        s3 = self._backend("s3", "aws")
        for bucket in s3.buckets.values():
            if bucket.region_name == region:
                yield TaggedResource(bucket.arn, s3.tagger.get_tag_dict_for_resource(bucket.arn))

    def _backend(self, service: str, region: str) -> Any:
        return get_backend(service)[self._account_id][region]
