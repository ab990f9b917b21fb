"""Branches: Parallel states, Map items, and what becomes of them when an execution or a sibling ends."""

from __future__ import annotations

import contextvars
import copy
import json
import threading
import time
from typing import Any

from ..emulator import Record, stepfunctions
from ..registry import patch

#: Real seconds between two looks, during a wait, whether it still has a reason.
_LOOK_EVERY = 0.2


class Stopped(SystemExit):
    """This branch has no reason to go on. A SystemExit, since that is what ends a thread without a word."""


class Branch:
    """A line of execution: the main one, a branch of a Parallel state or an item of a Map."""

    def __init__(self, execution: Record, parent: Branch | None) -> None:
        self._execution = execution
        self._parent = parent
        self.over = False

    def check(self) -> None:
        """Raise Stopped once the execution is over, or a sibling of this branch or of one above it has failed."""
        branch: Branch | None = self
        while branch is not None:
            if branch.over:
                raise Stopped
            branch = branch._parent
        if self._execution["status"] != "RUNNING":
            raise Stopped


_current: contextvars.ContextVar[Branch | None] = contextvars.ContextVar("drowse_branch", default=None)


@patch(
    "stepfunctions-stop",
    "A stopped or timed-out execution goes on with its retries, waits and branches, and can end as FAILED after all.",
    (
        "services.stepfunctions._run_execution",
        "services.stepfunctions._scaled_sleep",
        "services.stepfunctions._fail_execution",
    ),
)
def stop_when_over() -> None:
    inner_run, inner_fail = stepfunctions._run_execution, stepfunctions._fail_execution

    def run(arn: str) -> None:
        execution = stepfunctions._executions.get(arn)
        _current.set(Branch(execution, None) if execution else None)
        inner_run(arn)

    def fail(execution: Record, error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            inner_fail(execution, error, cause)

    def sleep(seconds: float) -> None:
        until = time.monotonic() + seconds * stepfunctions._SFN_WAIT_SCALE
        branch = _current.get()
        while True:
            if branch is not None:
                branch.check()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _LOOK_EVERY))

    stepfunctions._run_execution = run
    stepfunctions._fail_execution = fail
    stepfunctions._scaled_sleep = sleep


@patch(
    "stepfunctions-branches",
    "The branches of a Parallel state share one context object (and so one task token), leave no StateEntered and "
    "StateExited events, and ignore that the execution was stopped.",
    ("services.stepfunctions._run_sub_machine",),
)
def run_branches_apart() -> None:
    states = stepfunctions
    simple = {"Pass": "_execute_pass", "Choice": "_execute_choice", "Wait": "_execute_wait"}
    nesting = {"Task": "_execute_task", "Parallel": "_execute_parallel", "Map": "_execute_map"}

    def run(machine: Record, start_at: str, data: Any, execution: Record, context: Record) -> Any:
        branch = Branch(execution, _current.get())
        reset = _current.set(branch)
        own = {**context}
        name: str | None = start_at
        value = copy.deepcopy(data)
        try:
            while name:
                branch.check()
                state = machine.get(name)
                if not state:
                    raise states._ExecutionError("States.Runtime", f"State '{name}' not found")
                kind = state.get("Type")
                own["State"] = {"Name": name, "EnteredTime": states.now_iso(), "RetryCount": 0}
                entered = {"name": name, "input": json.dumps(value)}
                states._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
                if kind == "Fail":
                    raise states._ExecutionError(*states._fail_state_error(state, value, own))
                left, following = name, None
                if kind == "Succeed":
                    value = states._apply_output_path(state, states._apply_input_path(state, value, own), own)
                elif kind in nesting:
                    value, following = getattr(states, nesting[kind])(state, value, execution, own)
                elif kind in simple:
                    value, following = getattr(states, simple[kind])(state, value, own)
                else:
                    raise states._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
                exited = {"name": left, "output": json.dumps(value)}
                states._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
                name = following
            return value
        finally:
            _current.reset(reset)

    stepfunctions._run_sub_machine = run


@patch(
    "stepfunctions-parallel-failure",
    "A Parallel state with a failed branch waits for the others to finish; AWS stops them and fails it at once.",
    ("services.stepfunctions._run_parallel_branches", "services.stepfunctions._run_sub_machine"),
)
def fail_with_first_branch() -> None:
    states = stepfunctions

    def run(state: Record, raw: Any, execution: Record, context: Any) -> Any:
        effective = states._apply_parameters(state, states._apply_input_path(state, raw, context), context)
        branches = state.get("Branches", [])
        results: list[Any] = [None] * len(branches)
        errors: list[Exception] = []
        settled = threading.Semaphore(0)
        together = Branch(execution, _current.get())

        def branch(number: int, machine: Record) -> None:
            _current.set(together)
            try:
                results[number] = states._run_sub_machine(
                    machine.get("States", {}), machine.get("StartAt"), effective, execution, context
                )
            except Stopped:
                pass
            except Exception as error:  # noqa: BLE001 (raised again by the Parallel state itself)
                errors.append(error)
            finally:
                settled.release()

        for number, machine in enumerate(branches):
            target = contextvars.copy_context().run
            threading.Thread(target=target, args=(branch, number, machine), daemon=True).start()
        for _ in branches:
            settled.acquire()
            if errors:
                together.over = True
                first = errors[0]
                known = isinstance(first, states._ExecutionError)
                raise first if known else states._ExecutionError("States.BranchFailed", str(first))
        if together._parent is not None:
            together._parent.check()
        result = states._apply_result_selector(state, results)
        output = states._apply_output_path(state, states._apply_result_path(state, raw, result), context)
        return output, states._next_or_end(state)

    states._run_parallel_branches = run
