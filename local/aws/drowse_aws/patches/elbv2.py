"""Network load balancers: the door to the API server."""

from __future__ import annotations

from collections.abc import Callable

from .. import clock, durations, faults, hardware
from ..emulator import Record, Response, alb, ec2, region
from ..query import Parameters, nested, xml
from ..registry import patch
from ..templates import made

_NEEDS = ("services.alb._ACTION_MAP", "services.alb._lbs", "services.alb._tgs", "services.alb._listeners")


def _error(code: str, message: str) -> Response:
    answer: Response = alb._error(code, message)
    return answer


def _refusal(action: str) -> Response | None:
    refused = faults.FAULTS.balancer(action)
    return None if refused is None else _error(*refused)


def _by_name(name: str) -> Record | None:
    return next((one for one in alb._lbs.values() if one["LoadBalancerName"] == name), None)


@patch(
    "elbv2-network-load-balancers",
    "A network load balancer gets the ARN of an application one, is active at once, belongs to an invented VPC, and a "
    "repeated CreateLoadBalancer with the same settings is refused.",
    (*_NEEDS, "services.alb._xml", "services.alb._lb_xml"),
)
def create_slowly() -> None:
    inner: Callable[[Parameters], Response] = alb._ACTION_MAP["CreateLoadBalancer"]

    def create(parameters: Parameters) -> Response:
        refused = _refusal("CreateLoadBalancer")
        if refused is not None:
            return refused
        asked = nested(parameters)
        mapped = [each.get("SubnetId") for each in asked.get("SubnetMappings") or []]
        subnets = sorted(filter(None, [*(asked.get("Subnets") or []), *mapped]))
        settings = {
            "Type": asked.get("Type", "application"),
            "Scheme": asked.get("Scheme", "internet-facing"),
            "Subnets": subnets,
            "SecurityGroups": sorted(asked.get("SecurityGroups") or []),
        }
        existing = _by_name(str(asked.get("Name")))
        if existing is not None:
            same = {k: sorted(existing[k]) if isinstance(existing[k], list) else existing[k] for k in settings}
            if same != settings:
                message = "A load balancer with the same name exists, but with different settings"
                return _error("DuplicateLoadBalancerName", message)
            shown: Response = alb._xml(
                200, "CreateLoadBalancer", f"<LoadBalancers>{alb._lb_xml(existing)}</LoadBalancers>"
            )
            return shown
        unknown = [one for one in subnets if one not in ec2._subnets]
        if unknown:
            return _error("SubnetNotFound", f"The subnet ID '{unknown[0]}' does not exist")
        response = inner(parameters)
        one = _by_name(str(asked.get("Name")))
        if response[0] != 200 or one is None:
            return response
        one.update(settings)
        if subnets:
            one["VpcId"] = ec2._subnets[subnets[0]]["VpcId"]
        if one["Type"] == "network":
            _become_network(one)
        answer: Response = alb._xml(200, "CreateLoadBalancer", f"<LoadBalancers>{alb._lb_xml(one)}</LoadBalancers>")
        return answer

    alb._ACTION_MAP["CreateLoadBalancer"] = create


def _become_network(one: Record) -> None:
    old = one["LoadBalancerArn"]
    new = old.replace(":loadbalancer/app/", ":loadbalancer/net/")
    one["LoadBalancerArn"] = new
    # Network: name-id.elb.region.amazonaws.com; application: name-id.region.elb.amazonaws.com.
    one["DNSName"] = f"{one['DNSName'].split('.')[0]}.elb.{region()}.amazonaws.com"
    for store in (alb._lbs, alb._tags, alb._lb_attrs):
        store[new] = store.pop(old)
    one["State"] = "provisioning"

    def activate() -> None:
        if alb._lbs.get(new) is one:
            one["State"] = "active"

    clock.CLOCK.after(durations.LOAD_BALANCER_PROVISIONING, activate)


@patch(
    "elbv2-missing-load-balancers",
    "DescribeLoadBalancers and DescribeListeners answer what is left when one of the asked is missing, rather than "
    "LoadBalancerNotFound.",
    _NEEDS,
)
def miss_load_balancers() -> None:
    describe_any: Callable[[Parameters], Response] = alb._ACTION_MAP["DescribeLoadBalancers"]
    listeners_any: Callable[[Parameters], Response] = alb._ACTION_MAP["DescribeListeners"]

    def describe(parameters: Parameters) -> Response:
        asked = nested(parameters)
        for name in asked.get("Names") or []:
            if _by_name(name) is None:
                return _error("LoadBalancerNotFound", f"Load balancers '[{name}]' not found")
        return _existing(asked.get("LoadBalancerArns") or []) or describe_any(parameters)

    def listeners(parameters: Parameters) -> Response:
        asked = nested(parameters)
        arn = asked.get("LoadBalancerArn")
        for one in asked.get("ListenerArns") or []:
            if one not in alb._listeners:
                return _error("ListenerNotFound", f"Listeners '[{one}]' not found")
        return _existing([arn] if arn else []) or listeners_any(parameters)

    alb._ACTION_MAP["DescribeLoadBalancers"] = describe
    alb._ACTION_MAP["DescribeListeners"] = listeners


def _existing(arns: list[str]) -> Response | None:
    for arn in arns:
        if arn not in alb._lbs:
            return _error("LoadBalancerNotFound", f"Load balancers '[{arn}]' not found")
    return None


@patch(
    "elbv2-delete-load-balancer",
    "DeleteLoadBalancer leaves its listeners, and its target groups in use.",
    (*_NEEDS, "services.alb._rules"),
)
def delete_completely() -> None:
    inner: Callable[[Parameters], Response] = alb._ACTION_MAP["DeleteLoadBalancer"]

    def delete(parameters: Parameters) -> Response:
        arn = nested(parameters).get("LoadBalancerArn")
        for listener_arn, listener in list(alb._listeners.items()):
            if listener["LoadBalancerArn"] == arn:
                alb._ACTION_MAP["DeleteListener"]({"ListenerArn": listener_arn})
        for group in alb._tgs.values():
            group["LoadBalancerArns"] = [one for one in group["LoadBalancerArns"] if one != arn]
        return inner(parameters)

    alb._ACTION_MAP["DeleteLoadBalancer"] = delete


@patch(
    "elbv2-listeners",
    "A second listener on the same port is accepted, an unknown target group too, and a network load balancer's "
    "listener gets the ARN of an application one.",
    (*_NEEDS, "services.alb._listener_xml"),
)
def check_listeners() -> None:
    inner: Callable[[Parameters], Response] = alb._ACTION_MAP["CreateListener"]

    def create(parameters: Parameters) -> Response:
        refused = _refusal("CreateListener")
        if refused is not None:
            return refused
        asked = nested(parameters)
        for one in alb._listeners.values():
            if one["LoadBalancerArn"] == asked.get("LoadBalancerArn") and str(one["Port"]) == str(asked.get("Port")):
                return _error("DuplicateListener", "A listener already exists on this port for this load balancer")
        for action in asked.get("DefaultActions") or []:
            arn = action.get("TargetGroupArn")
            if arn and arn not in alb._tgs:
                return _error("TargetGroupNotFound", f"Target groups '[{arn}]' not found")
        response = inner(parameters)
        network = ":loadbalancer/net/" in str(asked.get("LoadBalancerArn"))
        return _rename_listener(made(response, "ListenerArn", "")) if network and response[0] == 200 else response

    alb._ACTION_MAP["CreateListener"] = create


def _rename_listener(old: str) -> Response:
    new = old.replace(":listener/app/", ":listener/net/")
    listener = alb._listeners.pop(old)
    listener["ListenerArn"] = new
    alb._listeners[new] = listener
    for store in (alb._listener_attrs, alb._tags):
        store[new] = store.pop(old, [])
    for rule in alb._rules.values():
        if rule.get("ListenerArn") == old:
            rule["ListenerArn"] = new
    answer: Response = alb._xml(200, "CreateListener", f"<Listeners>{alb._listener_xml(listener)}</Listeners>")
    return answer


@patch(
    "elbv2-target-health",
    "Every registered target is healthy at once, whether something answers there or not.",
    (*_NEEDS, "services.alb._targets"),
)
def check_targets() -> None:
    register_any: Callable[[Parameters], Response] = alb._ACTION_MAP["RegisterTargets"]

    def register(parameters: Parameters) -> Response:
        response = register_any(parameters)
        for target in alb._targets.get(nested(parameters).get("TargetGroupArn")) or []:
            target.setdefault("_since", clock.now())
        return response

    alb._ACTION_MAP["RegisterTargets"] = register
    alb._ACTION_MAP["DescribeTargetHealth"] = _target_health


def _target_health(parameters: Parameters) -> Response:
    asked = nested(parameters)
    group = alb._tgs.get(asked.get("TargetGroupArn"))
    if group is None:
        return _error("TargetGroupNotFound", f"Target groups '[{asked.get('TargetGroupArn')}]' not found")
    wanted = [str(target.get("Id")) for target in asked.get("Targets") or []]
    shown = []
    for target in alb._targets.get(group["TargetGroupArn"]) or []:
        if wanted and target["Id"] not in wanted:
            continue
        port = target.get("Port") or group["Port"]
        shown.append(
            {
                "Target": {"Id": target["Id"], "Port": port},
                "HealthCheckPort": port,
                "TargetHealth": _health(group, target),
            }
        )
    answer: Response = alb._xml(200, "DescribeTargetHealth", xml({"TargetHealthDescriptions": shown}))
    return answer


def _health(group: Record, target: Record) -> Record:
    if not group["LoadBalancerArns"]:
        reason = "Target group is not configured to receive traffic from the load balancer"
        return {"State": "unused", "Reason": "Target.NotInUse", "Description": reason}
    if clock.now() - target.get("_since", 0.0) < clock.scaled(durations.TARGET_FIRST_CHECKS):
        return {
            "State": "initial",
            "Reason": "Elb.InitialHealthChecking",
            "Description": "Initial health checks in progress",
        }
    if hardware.current().api_answers(str(target["Id"]), str(group["VpcId"])):
        return {"State": "healthy"}
    return {"State": "unhealthy", "Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"}


@patch(
    "elbv2-delete-target-group",
    "A target group is deleted while a listener uses it.",
    _NEEDS,
)
def keep_used_groups() -> None:
    inner: Callable[[Parameters], Response] = alb._ACTION_MAP["DeleteTargetGroup"]

    def delete(parameters: Parameters) -> Response:
        group = alb._tgs.get(nested(parameters).get("TargetGroupArn"))
        if group is not None and group["LoadBalancerArns"]:
            return _error(
                "ResourceInUse", f"Target group '{group['TargetGroupArn']}' is currently in use by a listener"
            )
        return inner(parameters)

    alb._ACTION_MAP["DeleteTargetGroup"] = delete
