"""The IAM action and resource of an S3 request, read from its method, path and sub-resource."""

from __future__ import annotations

from werkzeug.wrappers import Request

_OF_OBJECT = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
    "POST": "PutObject",
}
_OF_BUCKET = {
    "GET": "ListBucket",
    "HEAD": "ListBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
    "POST": "DeleteObject",
}


def s3_action(request: Request) -> tuple[str, str]:
    """``(operation, resource ARN)``, as IAM names them (AWS: service authorization reference, Amazon S3)."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    if not bucket:
        return "ListAllMyBuckets", "*"
    if key:
        return _OF_OBJECT.get(request.method, "GetObject"), f"arn:aws:s3:::{bucket}/{key}"
    if request.method == "GET" and (sub_resource := next(iter(request.args), "")) and "-" not in sub_resource:
        names = {"versioning": "GetBucketVersioning", "policy": "GetBucketPolicy", "location": "GetBucketLocation"}
        return names.get(sub_resource, "ListBucket"), f"arn:aws:s3:::{bucket}"
    return _OF_BUCKET.get(request.method, "ListBucket"), f"arn:aws:s3:::{bucket}"
