"""Launch templates that do not exist."""

from __future__ import annotations

from ..emulator import Response, ec2
from ..query import Parameters
from ..registry import patch


@patch(
    "ec2-missing-launch-templates",
    "DescribeLaunchTemplates answers what is left when one of the asked is missing, and DescribeLaunchTemplateVersions "
    "leaves out versions that are.",
    ("services.ec2._ACTION_MAP", "services.ec2._launch_templates"),
)
def miss_launch_templates() -> None:
    templates_any = ec2._ACTION_MAP["DescribeLaunchTemplates"]
    versions_any = ec2._ACTION_MAP["DescribeLaunchTemplateVersions"]

    def templates(parameters: Parameters) -> Response:
        names = [one["LaunchTemplateName"] for one in ec2._launch_templates.values()]
        for name in ec2._parse_member_list(parameters, "LaunchTemplateName"):
            if name not in names:
                return _missing("InvalidLaunchTemplateName.NotFoundException", name)
        for template_id in ec2._parse_member_list(parameters, "LaunchTemplateId"):
            if template_id not in ec2._launch_templates:
                return _missing("InvalidLaunchTemplateId.NotFound", template_id)
        answer: Response = templates_any(parameters)
        return answer

    def versions(parameters: Parameters) -> Response:
        name, template_id = ec2._p(parameters, "LaunchTemplateName"), ec2._p(parameters, "LaunchTemplateId")
        for one in ec2._launch_templates.values():
            if name == one["LaunchTemplateName"] or template_id == one["LaunchTemplateId"]:
                known = {str(version["VersionNumber"]) for version in one["Versions"]} | {"$Latest", "$Default"}
                for wanted in ec2._parse_member_list(parameters, "LaunchTemplateVersion"):
                    if wanted not in known:
                        return _missing("InvalidLaunchTemplateId.VersionNotFound", wanted)
        answer: Response = versions_any(parameters)
        return answer

    ec2._ACTION_MAP["DescribeLaunchTemplates"] = templates
    ec2._ACTION_MAP["DescribeLaunchTemplateVersions"] = versions


def _missing(code: str, what: str) -> Response:
    message = f"At least one of the launch templates specified in the request does not exist: {what}"
    answer: Response = ec2._error(code, message, 400)
    return answer
