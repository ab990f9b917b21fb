"""CloudFormation types that are only names here: the template deploys, nothing is behind them."""

from __future__ import annotations

#: Type → why a name is enough. Anything that a workflow reads or that a check relies on is a real record instead.
STUBS: dict[str, str] = {
    "AWS::AutoScaling::WarmPool": "instances here start at once or as slowly as asked; nothing to keep warm",
    "AWS::Budgets::Budget": "nothing costs money here",
    "AWS::CE::AnomalyMonitor": "nothing costs money here",
    "AWS::CE::AnomalySubscription": "nothing costs money here",
    "AWS::DLM::LifecyclePolicy": "its schedule makes snapshots over days, a run lasts minutes",
    "AWS::EC2::FlowLog": "no packet flows here",
    "AWS::IAM::ServiceLinkedRole": "services act here without their own roles",
    "AWS::ResourceGroups::Group": "a saved search of the console",
}
