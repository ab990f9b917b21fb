#!/usr/bin/env bash
#
# Makes Flux apply the platform again, and waits for it within one Run Command's patience; the workflow asks again while it is
# told PlatformNotReady. Where Flux itself is not there yet, its manifests and the network plugin's come from the bucket first.
# No options.
#
# Result: {ok, ready: [kustomization], at}. Errors: ApiNotReady, PlatformMissing, PlatformNotReady (with failed: [{name, message}]).
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/common.sh
source "${HERE}/../lib/common.sh"
# shellcheck source=../lib/aws.sh
source "${HERE}/../lib/aws.sh"
# shellcheck source=../lib/node.sh
source "${HERE}/../lib/node.sh"
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/stale.sh
source "${HERE}/../lib/stale.sh"

readonly BOOTSTRAP=platform/bootstrap.yaml
readonly WAIT_SECONDS=240

main() {
  command_begin reconcile-platform -- "$@"
  local requested
  require_api
  if ! cluster_kubectl get customresourcedefinition kustomizations.kustomize.toolkit.fluxcd.io >/dev/null 2>&1; then
    install_flux
  fi
  if ! platform_ready; then
    requested=$(utc_now)
    cluster_kubectl annotate --all --all-namespaces --overwrite "reconcile.fluxcd.io/requestedAt=${requested}" \
      buckets.source.toolkit.fluxcd.io,gitrepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io || true
    wait_for_platform || not_ready
  fi
  jq '[.items[].metadata.name] | sort' "${DROWSE_RUN}/kustomizations.json" >"${DROWSE_RUN}/ready.json"
  jq --null-input --compact-output --slurpfile ready "${DROWSE_RUN}/ready.json" --arg at "$(utc_now)" '{ok: true, ready: $ready[0], $at}' >&3
}

install_flux() {
  s3_get "${BOOTSTRAP}" "${DROWSE_RUN}/bootstrap.yaml" || fatal platform-missing "the bucket has no ${BOOTSTRAP} (${AWS_ERROR})"
  # Twice: the second time its definitions exist, and what is of their kind can be made.
  cluster_kubectl apply --server-side --force-conflicts --filename "${DROWSE_RUN}/bootstrap.yaml" || {
    sleep 5
    cluster_kubectl apply --server-side --force-conflicts --filename "${DROWSE_RUN}/bootstrap.yaml" ||
      fatal platform-missing 'the manifests that start the platform cannot be applied'
  }
}

# platform_ready: every Kustomization has applied its newest generation and says so; none at all is not ready.
platform_ready() {
  cluster_kubectl get kustomizations.kustomize.toolkit.fluxcd.io --all-namespaces --output json >"${DROWSE_RUN}/kustomizations.json" || return 1
  jq --exit-status '(.items | length > 0) and all(.items[]; .metadata.generation == .status.observedGeneration
    and any(.status.conditions[]?; .type == "Ready" and .status == "True"))' "${DROWSE_RUN}/kustomizations.json" >/dev/null
}

wait_for_platform() {
  local waited
  for ((waited = 0; waited < WAIT_SECONDS; waited += 5)); do
    ! platform_ready || return 0
    sleep 5
  done
  return 1
}

not_ready() {
  FAILURE_DETAILS=$(jq --compact-output '{failed: [.items[]
    | select(all(.status.conditions[]?; .type != "Ready" or .status != "True"))
    | {name: .metadata.name, message: ([.status.conditions[]? | select(.type == "Ready") | .message][0] // "not reconciled yet")[:300]}]}' \
    "${DROWSE_RUN}/kustomizations.json")
  fatal platform-not-ready "not every part of the platform is ready after ${WAIT_SECONDS} s"
}

main "$@"
