"""moto as a WSGI application under one lock, with every failure turned into an AWS error."""

from __future__ import annotations

import io
import logging
import os
from threading import RLock
from typing import Any

from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.utils import camelcase_to_underscores, get_service_model, method_names_from_class
from moto.ec2.responses import EC2Response
from moto.elbv2.responses import ELBV2Response
from moto.iam.responses import IamResponse
from moto.moto_server.werkzeug_app import create_backend_app
from moto.ssm.responses import SimpleSystemManagerResponse
from moto.sts.responses import TokenResponse
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from groundschool.cloud.aws_error import AwsError

log = logging.getLogger(__name__)

_RESPONSES: dict[str, Any] = {
    "acm": AWSCertificateManagerResponse,
    "ec2": EC2Response,
    "elbv2": ELBV2Response,
    "iam": IamResponse,
    "ssm": SimpleSystemManagerResponse,
    "sts": TokenResponse,
}

EC2_PASSIVE = frozenset(
    """
    AssociateRouteTable AttachInternetGateway AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress
    CreateDefaultSubnet CreateDefaultVpc CreateInternetGateway CreateKeyPair CreateRoute CreateRouteTable
    CreateSecurityGroup CreateSubnet CreateVpc DeleteInternetGateway DeleteKeyPair DeleteLaunchTemplate DeleteRoute
    DeleteRouteTable DeleteSecurityGroup DeleteSnapshot DeleteSubnet DeleteVpc DeregisterImage
    DescribeAccountAttributes DescribeAvailabilityZones DescribeImages DescribeInstanceTypeOfferings
    DescribeInstanceTypes DescribeInternetGateways DescribeKeyPairs DescribeLaunchTemplateVersions
    DescribeLaunchTemplates DescribeNetworkAcls DescribeRegions DescribeRouteTables DescribeSecurityGroupRules
    DescribeSecurityGroups DescribeSnapshots DescribeSubnets DescribeVpcAttribute DescribeVpcs DetachInternetGateway
    DisassociateRouteTable GetLaunchTemplateData ImportKeyPair ModifyLaunchTemplate ModifySecurityGroupRules
    ModifySubnetAttribute ModifyVpcAttribute ReplaceRoute RevokeSecurityGroupEgress RevokeSecurityGroupIngress
    UpdateSecurityGroupRuleDescriptionsEgress UpdateSecurityGroupRuleDescriptionsIngress
    """.split()
)
"""What moto may answer of EC2: records only. Anything that touches an instance is the lab's own, or not supported."""


class Passive:
    """moto's services of one lab.

    moto is not thread-safe: :attr:`lock`, the lab's one lock, is held while it answers and while its backends are read.
    """

    def __init__(self, lock: RLock) -> None:
        # AWS's own managed policies (AmazonSSMManagedInstanceCore, ...) exist in every account.
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
        self.lock = lock
        self._applications: dict[str, Any] = {}

    @property
    def services(self) -> tuple[str, ...]:
        return (*_RESPONSES, "s3")

    def operations(self, service: str) -> frozenset[str]:
        """The operations of a service that moto answers; for S3, which moto routes by path, all that AWS has."""
        names = frozenset(get_service_model(service).operation_names)
        if service == "s3":
            return names
        implemented = method_names_from_class(_RESPONSES[service])
        known = frozenset(name for name in names if camelcase_to_underscores(name) in implemented)
        return known & EC2_PASSIVE if service == "ec2" else known

    def answer(self, service: str, request: Request) -> Response:
        """Raises AwsError when moto cannot answer (NotImplemented) or fails (InternalFailure, logged)."""
        environ = dict(request.environ)
        environ["wsgi.input"] = io.BytesIO(request.get_data())
        environ["CONTENT_LENGTH"] = str(len(request.get_data()))
        with self.lock:
            try:
                body, status, headers = run_wsgi_app(self._application(service), environ, buffered=True)
            except NotImplementedError as error:
                raise AwsError("NotImplemented", f"The lab does not support this use of {service}: {error}") from error
            except (LookupError, AttributeError) as error:
                # Some of moto's operations look a name up without asking whether it is there.
                log.warning("moto could not answer a request for %s", service, exc_info=True)
                code = {"ec2": "InvalidParameterValue", "ssm": "ValidationException"}.get(service, "ValidationError")
                raise AwsError(code, "A parameter names something that does not exist in this lab") from error
            except Exception as error:
                log.exception("moto failed to answer a request for %s", service)
                raise AwsError("InternalFailure", f"The lab failed to answer ({type(error).__name__}).", 500) from error
        answer = b"".join(body)
        if service != "s3" and int(status.split()[0]) >= 400 and not answer.lstrip().startswith((b"<", b"{")):
            # moto's router has no error of AWS for a request it cannot read at all.
            raise AwsError("MalformedQueryString", f"The lab cannot read this request for {service}")
        # A list, because of a bare body werkzeug would measure the length: the answer to a HEAD has none.
        return Response([answer], status=status, headers=headers)

    def _application(self, service: str) -> Any:
        if service not in self._applications:
            self._applications[service] = create_backend_app(service)
        return self._applications[service]
