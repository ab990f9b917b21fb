"""Waiting for a stack."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from .. import clock
from ..emulator import Response, cloudformation
from ..registry import patch

#: Real seconds for which an answer is held back at most: whoever asks every five seconds notices nothing else.
_HELD_AT_MOST = 4.0
#: Real seconds between two looks.
_LOOK = 0.05
#: A form with one stack's name: what is asked without one is a list, and no wait.
_ABOUT_ONE_STACK = re.compile(rb"^(?=.*\bAction=DescribeStacks(&|$))(?=.*\bStackName=[^&])")
_UNDER_WAY = re.compile(rb"<StackStatus>(?!REVIEW_)\w+_IN_PROGRESS</StackStatus>")


@patch(
    "cfn-stack-waits",
    "The CDK CLI looks every 5 s whether a stack is done, and here most take less than one: DescribeStacks of a stack "
    "that is under way answers once that is over, or after 4 s.",
    ("services.cloudformation.handle_request",),
)
def answer_when_done() -> None:
    inner = cloudformation.handle_request

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Response:
        answer: Response = await inner(method, path, headers, body, query)
        if _ABOUT_ONE_STACK.search(body):
            until = clock.now() + _HELD_AT_MOST
            while _UNDER_WAY.search(answer[2]) and clock.now() < until:
                await asyncio.sleep(_LOOK)
                answer = await inner(method, path, headers, body, query)
        return answer

    cloudformation.handle_request = handle
