"""STS's GetCallerIdentity: the lab knows its principals, moto does not."""

from __future__ import annotations

from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.identity.authoriser import Authoriser


class CallerIdentity:
    def __init__(self, authoriser: Authoriser) -> None:
        self._authoriser = authoriser

    def get_caller_identity(self, call: Call, params: Params) -> Result:
        principal = self._authoriser.principal(call.access_key_id)
        assert principal is not None  # the front door lets no unknown key in
        return {"UserId": principal.user_id, "Account": call.account_id, "Arn": principal.arn}
