"""Every environment variable that the embedded AWS reads, in one place."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping


class SettingError(Exception):
    """An environment variable has a value that cannot be used; the message names it and what is allowed."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of one run. Each field names its variable, default and meaning."""

    #: DROWSE_SPEEDUP (1): divides every simulated duration: boots, load balancers, commands, capacity retries.
    #: Lifecycle hook heartbeats and Lambda time-outs stay in real seconds.
    speedup: float = 1.0
    #: DROWSE_NODE ("node"): the Node.js binary that runs nodejs Lambdas; give Lambda's own major version.
    node: str = "node"
    #: DROWSE_NODE_PATH (""): folders where a Lambda finds modules that AWS's runtime carries (the AWS SDK v3).
    node_path: str = ""
    #: DROWSE_TMPDIR (a new folder, deleted at exit): where Lambda code and everything temporary is written. A
    #: given folder is left to the caller, who can so also clean up after a SIGKILL.
    tmpdir: str = ""
    #: DROWSE_ACCOUNT (123456789012): the account that answers when the access key is not itself 12 digits.
    account: str = "123456789012"
    #: AWS_REGION / AWS_DEFAULT_REGION (us-east-1): the region of calls that carry none.
    region: str = "us-east-1"
    #: DROWSE_LOG_LEVEL (WARNING): of the emulator's own log on stderr.
    log_level: str = "WARNING"
    #: DROWSE_WARM_LAMBDAS (8): processes of Lambdas kept warm in all. A Node.js process starts in 0.1 to 0.2 s of one
    #: core's time and takes some 35 MB of its own; a workflow calls two dozen functions, one or two at a time. More
    #: make a machine with memory to spare quicker.
    warm_lambdas: int = 8
    #: DROWSE_AUTH (false): true enforces IAM on every call, as ministack's AUTH does.
    auth: bool = False
    #: DROWSE_WITHOUT (""): patches to leave out, separated by commas; for tests that show that each is needed.
    without: tuple[str, ...] = ()
    #: SFN_WAIT_SCALE (1): factor for Step Functions' Wait and Retry intervals; not for TimeoutSeconds, Lambda time
    #: or Scheduler. Also changeable while it runs: POST /_ministack/config {"stepfunctions._SFN_WAIT_SCALE": 0.01}.
    wait_scale: float = 1.0

    #: DROWSE_NODES (played): `real` makes each instance a container of systemd; needs root and DROWSE_LAB.
    nodes: str = "played"
    #: DROWSE_LAB (""): the lab's cache, from which real instances start (lab/cache).
    lab: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check the variables. Raises SettingError."""
        level = environ.get("DROWSE_LOG_LEVEL", cls.log_level).upper()
        if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise SettingError(f"DROWSE_LOG_LEVEL is '{level}'; allowed: DEBUG, INFO, WARNING, ERROR")
        account = environ.get("DROWSE_ACCOUNT", cls.account)
        if not (account.isdigit() and len(account) == 12):
            raise SettingError(f"DROWSE_ACCOUNT is '{account}'; an AWS account has 12 digits")
        nodes = environ.get("DROWSE_NODES") or cls.nodes
        if nodes not in ("played", "real"):
            raise SettingError(f"DROWSE_NODES is '{nodes}'; allowed: played, real")
        if nodes == "real" and not environ.get("DROWSE_LAB"):
            raise SettingError("DROWSE_NODES is 'real', which needs DROWSE_LAB: the folder that lab/cache fills")
        return cls(
            nodes=nodes,
            lab=environ.get("DROWSE_LAB", cls.lab),
            speedup=_number(environ, "DROWSE_SPEEDUP", cls.speedup, above=0.0),
            node=environ.get("DROWSE_NODE") or cls.node,
            node_path=environ.get("DROWSE_NODE_PATH", cls.node_path),
            tmpdir=environ.get("DROWSE_TMPDIR", cls.tmpdir),
            account=account,
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or cls.region,
            log_level=level,
            warm_lambdas=int(_number(environ, "DROWSE_WARM_LAMBDAS", cls.warm_lambdas, above=0)),
            auth=environ.get("DROWSE_AUTH", "false").lower() == "true",
            without=tuple(filter(None, environ.get("DROWSE_WITHOUT", "").split(","))),
            wait_scale=_number(environ, "SFN_WAIT_SCALE", cls.wait_scale, above=-1e-9),
        )

    def ministack_environment(self, port: int, tmpdir: str) -> dict[str, str]:
        """The whole environment for the emulator: nothing of the caller's but the path and the locale."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        return {
            **inherited,
            "TMPDIR": tmpdir,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_REGION": self.region,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AUTH": "true" if self.auth else "false",
            "LAMBDA_EXECUTOR": "local",
            "LOG_LEVEL": self.log_level,
            "SFN_WAIT_SCALE": str(self.wait_scale),
            # Listeners that drowse has no use for; both would bind further ports.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # ministack sweeps containers of a Docker daemon that it finds; there is none in this address.
            "DOCKER_HOST": f"unix://{tmpdir}/no-docker.sock",
        }


def _number(environ: Mapping[str, str], name: str, default: float, above: float) -> float:
    text = environ.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value <= above:
        raise SettingError(f"{name} is '{text}'; it must be a number greater than {max(above, 0):g}")
    return value


_current = Settings()


def current() -> Settings:
    """The settings of this process."""
    return _current


def use(settings: Settings) -> None:
    """Make these the settings of this process; called once, by the launcher."""
    global _current
    _current = settings
