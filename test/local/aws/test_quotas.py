"""Service Quotas."""

from __future__ import annotations

import botocore.exceptions
import pytest
from conftest import Emulator


@pytest.mark.covers("service-quotas")
def test_the_quotas_of_vcpus_are_known_and_no_others(aws: Emulator) -> None:
    quotas = aws.client("service-quotas")
    for code in ("L-1216C47A", "L-34B43A08", "L-DB2E81BA", "L-3819A6DF"):
        quota = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
        assert (quota["QuotaCode"], quota["Value"] > 0) == (code, True)
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchResourceException"):
        quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")
