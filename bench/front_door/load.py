"""Eight clients hammer a running lab's API: its times at the server's own wire, its errors and its lost updates.

    ground up --detach && python bench/front_door/load.py --instances 20 --seconds 20

``raw`` is a keep-alive client with requests signed beforehand: what the server takes. ``boto3`` is what a user waits
for.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

PATIENT = Config(retries={"max_attempts": 0}, max_pool_connections=1)


def signed(client: Any, operation: str, **parameters: Any) -> AWSPreparedRequest:
    """The request boto3 would send now, caught before it leaves."""
    caught: list[AWSPreparedRequest] = []

    def catch(request: AWSPreparedRequest, **_: Any) -> Any:
        caught.append(request)
        raise InterruptedError

    client.meta.events.register("before-send", catch)
    try:
        getattr(client, operation)(**parameters)
    except InterruptedError:
        pass
    finally:
        client.meta.events.unregister("before-send", catch)
    return caught[0]


def raw_milliseconds(request: AWSPreparedRequest, times: int) -> list[float]:
    where = urlsplit(request.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port)
    headers = {name: text.decode() if isinstance(text, bytes) else text for name, text in request.headers.items()}
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        connection.request(request.method, where.path or "/", request.body, headers)
        answer = connection.getresponse()
        answer.read()
        found.append((time.perf_counter() - begun) * 1000)
        assert answer.status == 200, answer.status
    connection.close()
    return found


def describes() -> dict[str, tuple[Any, str, dict[str, Any]]]:
    ec2, elb = boto3.client("ec2", config=PATIENT), boto3.client("elbv2", config=PATIENT)
    groups, metrics = boto3.client("autoscaling", config=PATIENT), boto3.client("cloudwatch", config=PATIENT)
    target_groups = elb.describe_target_groups()["TargetGroups"]
    found = {
        "DescribeInstances": (ec2, "describe_instances", {}),
        "DescribeInstanceStatus": (ec2, "describe_instance_status", {}),
        "DescribeSecurityGroups": (ec2, "describe_security_groups", {}),
        "DescribeSubnets": (ec2, "describe_subnets", {}),
        "DescribeLaunchTemplates": (ec2, "describe_launch_templates", {}),
        "DescribeTags": (ec2, "describe_tags", {}),
        "DescribeLoadBalancers": (elb, "describe_load_balancers", {}),
        "DescribeTargetGroups": (elb, "describe_target_groups", {}),
        "DescribeAutoScalingGroups": (groups, "describe_auto_scaling_groups", {}),
        "DescribeScalingActivities": (groups, "describe_scaling_activities", {}),
        "DescribeAlarms": (metrics, "describe_alarms", {}),
        "ListMetrics": (metrics, "list_metrics", {}),
        "GetCallerIdentity": (boto3.client("sts", config=PATIENT), "get_caller_identity", {}),
        "ListRoles": (boto3.client("iam", config=PATIENT), "list_roles", {}),
    }
    if target_groups:
        arn = target_groups[0]["TargetGroupArn"]
        found["DescribeTargetHealth"] = (elb, "describe_target_health", {"TargetGroupArn": arn})
    return found


def report_times(times: int) -> None:
    print(f"{'operation':28} {'raw median':>10} {'raw p95':>9} {'boto3 median':>13}   (ms, {times} requests each)")
    for name, (client, operation, parameters) in describes().items():
        raw = raw_milliseconds(signed(client, operation, **parameters), times)
        waited = []
        for _ in range(max(times // 4, 5)):
            begun = time.perf_counter()
            getattr(client, operation)(**parameters)
            waited.append((time.perf_counter() - begun) * 1000)
        p95 = statistics.quantiles(raw, n=20)[-1]
        print(f"{name:28} {statistics.median(raw):10.2f} {p95:9.2f} {statistics.median(waited):13.2f}")


def hammer(seconds: float, clients: int) -> None:
    """Each client describes, tags a security group with keys of its own, and puts metric data it can count."""
    until, errors, done = time.monotonic() + seconds, [], []
    vpc = boto3.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]

    def client_loop(number: int) -> None:
        ec2 = boto3.session.Session().client("ec2", config=PATIENT)
        metrics = boto3.session.Session().client("cloudwatch", config=PATIENT)
        calls: list[Callable[[int], object]] = [
            lambda n: ec2.describe_instances(),
            lambda n: ec2.describe_security_groups(),
            lambda n: ec2.create_tags(Resources=[vpc], Tags=[{"Key": f"c{number}", "Value": str(n)}]),
            lambda n: metrics.put_metric_data(
                Namespace="Bench", MetricData=[{"MetricName": f"c{number}", "Value": 1.0, "Unit": "Count"}]
            ),
        ]
        n = 0
        while time.monotonic() < until:
            for call in calls:
                try:
                    call(n)
                except Exception as error:
                    errors.append(repr(error)[:200])
            n += 1
        done.append((number, n))

    workers = [threading.Thread(target=client_loop, args=(number,)) for number in range(clients)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    requests = sum(n for _, n in done) * 4
    print(
        f"{clients} clients, {seconds:g} s: {requests} requests, "
        f"{requests / seconds:.0f} per second, {len(errors)} errors"
    )
    print("\n".join(sorted(set(errors))[:5]))
    tags = {t["Key"]: t["Value"] for t in boto3.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]}
    lost = [number for number, n in done if n and tags.get(f"c{number}") != str(n - 1)]
    counted = {number: _sum_of(f"c{number}") for number, _ in done}
    short = {number: (n, counted[number]) for number, n in done if counted[number] != n}
    print(f"lost tag updates: {lost or 'none'}; lost metric data: {short or 'none'}")


def _sum_of(metric: str) -> float:
    now = time.time()
    answer = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="Bench", MetricName=metric, StartTime=now - 600, EndTime=now + 60, Period=60, Statistics=["Sum"]
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--instances", type=int, default=0, help="launch this many first")
    given = parser.parse_args()
    if given.instances:
        ec2 = boto3.client("ec2")
        image = ec2.describe_images()["Images"][0]["ImageId"]
        made = ec2.run_instances(
            ImageId=image, MinCount=given.instances, MaxCount=given.instances, InstanceType="t3.nano"
        )
        ids = [instance["InstanceId"] for instance in made["Instances"]]
        ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig={"Delay": 1})
    report_times(given.times)
    if given.seconds:
        hammer(given.seconds, given.clients)


if __name__ == "__main__":
    main()
