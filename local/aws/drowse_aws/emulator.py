"""ministack's modules under one roof.

ministack has no type information and the patches lean on private names, so each module is ``Any`` here and nowhere
else. Importing this module reads ministack's environment variables: the launcher sets them first.
"""

from __future__ import annotations

from typing import Any

from ministack import app as _app
from ministack.core import iam_actions as _iam_actions
from ministack.core import iam_evaluator as _iam_evaluator
from ministack.core import lambda_runtime as _lambda_runtime
from ministack.core import responses as _responses
from ministack.core import router as _router
from ministack.services import alb as _alb
from ministack.services import apigateway as _apigateway
from ministack.services import autoscaling as _autoscaling
from ministack.services import cloudformation as _cloudformation
from ministack.services import cloudtrail as _cloudtrail
from ministack.services import cloudwatch as _cloudwatch
from ministack.services import cloudwatch_logs as _logs
from ministack.services import ec2 as _ec2
from ministack.services import eventbridge as _eventbridge
from ministack.services import iam as _iam
from ministack.services import lambda_svc as _lambda_svc
from ministack.services import s3 as _s3
from ministack.services import ssm as _ssm
from ministack.services import stepfunctions as _stepfunctions
from ministack.services import sts as _sts
from ministack.services import tagging as _tagging
from ministack.services.cloudformation import custom_resource as _custom_resource
from ministack.services.cloudformation import provisioners as _provisioners

app: Any = _app
iam_actions: Any = _iam_actions
iam_evaluator: Any = _iam_evaluator
lambda_runtime: Any = _lambda_runtime
responses: Any = _responses
router: Any = _router
alb: Any = _alb
apigateway: Any = _apigateway
autoscaling: Any = _autoscaling
cloudformation: Any = _cloudformation
cloudtrail: Any = _cloudtrail
cloudwatch: Any = _cloudwatch
logs: Any = _logs
ec2: Any = _ec2
eventbridge: Any = _eventbridge
iam: Any = _iam
lambda_svc: Any = _lambda_svc
s3: Any = _s3
ssm: Any = _ssm
stepfunctions: Any = _stepfunctions
sts: Any = _sts
tagging: Any = _tagging
custom_resource: Any = _custom_resource
provisioners: Any = _provisioners

#: An answer of a service: status, headers, body.
Response = tuple[int, dict[str, str], bytes]
#: A record of a service's store.
Record = dict[str, Any]


def account() -> str:
    """The account of the call being served."""
    return str(responses.get_account_id())


def region() -> str:
    """The region of the call being served."""
    return str(responses.get_region())


def new_hex(length: int = 17) -> str:
    """Random lower-case hexadecimal digits, as in resource IDs."""
    return str(responses.new_uuid()).replace("-", "")[:length]


def new_uuid() -> str:
    """A random UUID."""
    return str(responses.new_uuid())
