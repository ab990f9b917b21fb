#!/usr/bin/env bash
#
# Tells CloudWatch that this seat's API server answers (namespace drowse, metric ApiReady), and nothing if it does not: an alarm of the
# cluster knows from EC2 that the seat runs and misses the rest. Run by drowse-heartbeat.timer; reads nothing but
# /etc/drowse/node.json.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=lib/common.sh
source "${HERE}/lib/common.sh"
# shellcheck source=lib/aws.sh
source "${HERE}/lib/aws.sh"
# shellcheck source=lib/node.sh
source "${HERE}/lib/node.sh"

main() {
  trap close_scratch EXIT
  open_scratch
  load_node_data
  kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --request-timeout 10s get --raw /readyz >/dev/null ||
    fatal api-not-ready 'the API server of this seat does not answer'
  aws_call monitoring "https://monitoring.${NODE[region]}.${NODE[domain]}/" \
    --data-urlencode Action=PutMetricData --data-urlencode Version=2010-08-01 --data-urlencode Namespace=drowse \
    --data-urlencode MetricData.member.1.MetricName=ApiReady --data-urlencode MetricData.member.1.Value=1 \
    --data-urlencode MetricData.member.1.Dimensions.member.1.Name=Cluster \
    --data-urlencode "MetricData.member.1.Dimensions.member.1.Value=${NODE[cluster]}" \
    --data-urlencode MetricData.member.1.Dimensions.member.2.Name=Seat \
    --data-urlencode "MetricData.member.1.Dimensions.member.2.Value=${NODE[seat.index]}" ||
    fatal metric-not-taken "CloudWatch takes no metric (${AWS_ERROR})"
}

main "$@"
