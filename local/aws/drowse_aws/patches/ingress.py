"""The ingress' place in ministack."""

from __future__ import annotations

import os

from ..nodes import ingress
from ..registry import patch


@patch(
    "node-ingress",
    "An Elastic IP leads nowhere: nobody can see from outside whether the app answers.",
    ("services.ec2._addresses", "core.lambda_runtime.Worker"),
)
def serve_ingress() -> None:
    where, authority = ingress.start()
    # Lambdas inherit these; DROWSE_INGRESS is what probe-app asks instead of the Elastic IP.
    os.environ.update(DROWSE_INGRESS=where, NODE_EXTRA_CA_CERTS=authority)
