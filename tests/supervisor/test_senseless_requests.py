"""Every operation that the lab itself answers, asked without sense: an error of AWS or an answer, never a failure."""

from __future__ import annotations

import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import Session

from tests.lab_under_test import LabUnderTest
from tests.supervisor.senseless import senseless

SEEDS = 6
NAMED_BY_CLIENT = Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=20)


def test_no_request_makes_the_lab_fail(lab: LabUnderTest) -> None:
    listed = urllib3.request("GET", f"{lab.environment['AWS_ENDPOINT_URL']}/_ground/operations").json()
    asked, failed = 0, []
    for service, operations in listed.items():
        client = lab.client(service, config=NAMED_BY_CLIENT)
        model = Session().get_service_model(service)
        for name in (name for name, kind in operations.items() if kind == "alive"):
            for seed in range(SEEDS):
                params = senseless(model.operation_model(name), seed)
                asked += 1
                try:
                    client._make_api_call(name, params)
                except ParamValidationError:
                    asked -= 1
                except ClientError as error:
                    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                    if status >= 500 and error.response["Error"]["Code"] != "InsufficientInstanceCapacity":
                        failed.append((service, name, seed, error.response["Error"]["Message"], params))
    assert asked > 300
    assert failed == [], "\n".join(map(str, failed))
    assert lab.status()["lab"]["troubles"] == {}
