"""CreateLaunchTemplate and CreateLaunchTemplateVersion, in boto3's shapes; what describes them is moto's."""

from __future__ import annotations

from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.ec2.supported_parameters import refuse_what_would_be_ignored
from groundschool.cloud.ec2.tag_specification import tags_for
from groundschool.cloud.passive.launch_template_records import LaunchTemplateRecords, TemplateRecord


class LaunchTemplateOperations:
    def __init__(self, records: LaunchTemplateRecords) -> None:
        self._records = records

    def create_launch_template(self, call: Call, params: Params) -> Result:
        data = params["LaunchTemplateData"]
        refuse_what_would_be_ignored(data)
        tags = tags_for("launch-template", params)
        made = self._records.create(params["LaunchTemplateName"], params.get("VersionDescription"), data, tags)
        return {"LaunchTemplate": _template_document(call, made)}

    def create_launch_template_version(self, call: Call, params: Params) -> Result:
        """AWS: with ``SourceVersion`` the new version is the source, overwritten by what is given."""
        template_id, name = params.get("LaunchTemplateId"), params.get("LaunchTemplateName")
        if bool(template_id) == bool(name):
            raise AwsError(
                "InvalidParameterCombination", "Specify either a launch template ID or a launch template name, not both"
            )
        given = params["LaunchTemplateData"]
        refuse_what_would_be_ignored(given)
        source = params.get("SourceVersion")
        data = {**(self._records.find(template_id, name, source).data if source else {}), **given}
        made = self._records.add_version(template_id, name, params.get("VersionDescription"), data)
        return {"LaunchTemplateVersion": _version_document(call, made)}


def _template_document(call: Call, record: TemplateRecord) -> dict[str, Any]:
    return {
        "LaunchTemplateId": record.template_id,
        "LaunchTemplateName": record.name,
        "CreateTime": record.created_at,
        "CreatedBy": f"arn:aws:iam::{call.account_id}:root",
        "DefaultVersionNumber": record.default_version,
        "LatestVersionNumber": record.latest_version,
        "Tags": [{"Key": key, "Value": value} for key, value in record.tags],
    }


def _version_document(call: Call, record: TemplateRecord) -> dict[str, Any]:
    return {
        "LaunchTemplateId": record.template_id,
        "LaunchTemplateName": record.name,
        "VersionNumber": record.version,
        "VersionDescription": record.description,
        "CreateTime": record.created_at,
        "CreatedBy": f"arn:aws:iam::{call.account_id}:root",
        "DefaultVersion": record.version == record.default_version,
        "LaunchTemplateData": record.data,
    }
