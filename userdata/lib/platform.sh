# shellcheck shell=bash
#
# What a seat does for the platform: it puts Flux into the cluster, makes the Secrets that are not in Git, says which cluster
# this is, asks for a reconcile and believes only what was seen after it. Everything may be run again at any time. Sourced.
#
# Needs: common.sh, aws.sh, node.sh, command.sh, stale.sh, flux-store.sh

# Server-side, so that what Flux or a person adds to the same objects stays.
readonly APPLY=(apply --server-side --force-conflicts --field-manager drowse)
readonly LAYERS=kustomizations.kustomize.toolkit.fluxcd.io
# What drain-nodes.sh leaves on the nodes that it cordons; a cordon without it is somebody else's.
readonly CORDON_MARK=drowse.dev/cordoned-by

# Each step has a bound of its own, and all of them together that of the command: a script that Run Command cuts off could not
# say what it was waiting for.
patience_ends=0
stamp=''
missing_needs='[]'
charts_changed=false
: "${FAILURE_DETAILS:=}"

# platform_begin <seconds>: how long everything that follows may wait.
platform_begin() {
  local bound
  whole_number bound "$1"
  patience_ends=$((SECONDS + bound))
}

# within <seconds> <interval> <predicate…>: as wait_until, but what it means that time is up is the caller's to say.
within() {
  local bound interval waited=0 started=${SECONDS}
  whole_number bound "$1"
  whole_number interval "$2"
  shift 2
  ((bound <= patience_ends - started)) || bound=$((patience_ends - started))
  until "$@"; do
    ((waited < bound)) || return 1
    sleep "${interval}"
    waited=$((waited + interval > SECONDS - started ? waited + interval : SECONDS - started))
  done
}

flux_kubectl() { cluster_kubectl --namespace flux-system "$@"; }

# take_deployed: what a deploy says that is to be applied, checked by the digest that it gave: the files flux.yaml and cluster.json.
take_deployed() {
  within 30 5 read_deployed ||
    fatal platform-missing "the parameter /drowse/${NODE[cluster]}/platform does not say what to apply (${AWS_ERROR})"
  within 60 5 bring_tree "${deployed_tree}" ||
    fatal platform-missing "the bucket does not give platform/${deployed_tree}.tar.gz with that digest (${AWS_ERROR})"
  tar --extract --gzip --to-stdout --file "${FLUX_STORE}/${TREE_FOLDER}/${deployed_tree}.tar.gz" platform/bootstrap/flux.yaml \
    >"${SCRATCH}/flux.yaml" || fatal platform-missing "platform/${deployed_tree}.tar.gz has no platform/bootstrap/flux.yaml"
  jq --compact-output .cluster "${SCRATCH}/deployed.json" >"${SCRATCH}/cluster.json"
}

# apply_bootstrap <flux.yaml or cluster.json>: `applied` has the names of its objects afterwards.
apply_bootstrap() {
  # Definitions of Flux that are only just there take some seconds until objects of their kind can be made.
  within 60 5 try_apply "${SCRATCH}/$1" || api_or_fatal platform-not-applied "the API does not take $1; the log has its words"
}
try_apply() { cluster_kubectl "${APPLY[@]}" --filename "$1" --output name >"${SCRATCH}/applied"; }

# require_answer: an API that went away is waited for by the workflow, and is what is wrong, whatever else seems to be.
require_answer() { cluster_kubectl get --raw /readyz >/dev/null || fatal api-not-ready 'the API server of this seat stopped answering'; }
api_or_fatal() {
  require_answer
  fatal "$@"
}

# install_flux: the Job of the bootstrap manifests installs Flux, and is complete when Flux runs. One of the same content is
# there already at all but the first time.
install_flux() {
  local name job=''
  apply_bootstrap flux.yaml
  while read -r name; do
    [[ ${name} != job.batch/flux-installer-* ]] || job=${name}
  done <"${SCRATCH}/applied"
  [[ -n ${job} ]] || fatal platform-missing 'flux.yaml of the tree has no Job flux-installer'
  if flux_job_ended "${job}" && [[ ${job_end} == Failed ]]; then
    # It would stay what it is for ever: a Job of that name runs only once.
    info "${job} failed earlier and is made again"
    flux_kubectl delete "${job}" --timeout 25s || true
    within 60 5 try_apply "${SCRATCH}/flux.yaml" || api_or_fatal platform-not-applied "${job} cannot be made again"
  fi
  within 300 3 flux_job_ended "${job}" || job_end='not complete'
  [[ ${job_end} == Complete ]] || api_or_fatal flux-not-installed "${job} is ${job_end,,}: $(last_words "${job}")"
}

# flux_job_ended <job>: sets job_end to Complete or Failed.
flux_job_ended() {
  flux_kubectl get "$1" --output json >"${SCRATCH}/job.json" || return 1
  job_end=$(jq --raw-output '[.status.conditions[]? | select(.status == "True") | .type | select(. == "Complete" or . == "Failed")][0] // ""' \
    "${SCRATCH}/job.json")
  [[ -n ${job_end} ]]
}

# last_words <job>: in one line why it is not complete: what the Job says of itself, what its last attempt ended with (logs may
# not be readable: the node may be without a serving certificate), else what pods of Flux wait for.
last_words() {
  flux_kubectl get "$1" --output json >"${SCRATCH}/job.json" || true
  flux_kubectl get pods --output json >"${SCRATCH}/pods.json" || return 0
  jq --raw-output --arg job "${1##*/}" --slurpfile jobs "${SCRATCH}/job.json" \
    'def lines: [splits("\n+") | select(test("\\S"))];
    def waiting: .status | (.containerStatuses[]?.state.waiting // empty | "\(.reason): \(.message // "")"),
      (.conditions[]? | select(.type == "PodScheduled" and .status != "True") | "\(.reason): \(.message // "")");
    [$jobs[].status.conditions[]? | select(.type == "Failed" and .status == "True") | "\(.reason): \(.message // "")"] as $failed
    | [.items[] | select(.metadata.labels["batch.kubernetes.io/job-name"] == $job)] as $attempts
    | [$attempts | sort_by(.metadata.creationTimestamp) | reverse[] | .status.containerStatuses[]?
      | (.state.terminated, .lastState.terminated) | .message // empty | lines[-5:]] as $ends
    | [.items[] | waiting] as $waiting
    | $failed[:1] + ($ends[0] // $waiting) | join(" / ") | .[:600]' "${SCRATCH}/pods.json" || true
}

# make_secrets: values go from file to file in memory, and reach kubectl as a file: none is an argument or a line of a log.
make_secrets() {
  # What an editor or a form left around a token, blanks or an end of line (CR too), would be part of it. Keys keep theirs.
  local trim='gsub("^\\s+|\\s+$"; "")'
  secret_of_parameter cloudflare-token cert-manager cloudflare-api-token "${trim} | {\"api-token\": .}"
  secret_of_parameter git-credentials flux-system git-credentials \
    "fromjson | if type == \"object\" and all(.[]; type == \"string\") then . else error end
    | with_entries(if .key == \"username\" or .key == \"password\" then .value |= ${trim} else . end)"
  make_grafana_password
}

# secret_of_parameter <parameter> <namespace> <name> <jq program from text to keys and values>: a parameter that is not there
# makes no Secret.
secret_of_parameter() {
  within 30 5 read_secret "$1" || fatal secret-not-made "the parameter $1 cannot be read (${AWS_ERROR})"
  if [[ ${AWS_ERROR} == ParameterNotFound ]]; then
    warn "there is no parameter /drowse/${NODE[cluster]}/$1, so $2/$3 is not made"
    return 0
  fi
  apply_secret "$2" "$3" "$4" || api_or_fatal secret-not-made "$2/$3 cannot be made of the parameter $1"
}
read_secret() { parameter_get "$1" "${SCRATCH}/secret" || [[ ${AWS_ERROR} == ParameterNotFound ]]; }

# make_grafana_password: once; whoever changed it keeps his.
make_grafana_password() {
  local existing password
  existing=$(cluster_kubectl --namespace monitoring get secret grafana-admin --ignore-not-found --output name) ||
    api_or_fatal secret-not-made 'the Secrets of monitoring cannot be read'
  [[ -z ${existing} ]] || return 0
  password=$(openssl rand -base64 24)
  password=${password//+/-}
  printf '%s' "${password//\//_}" >"${SCRATCH}/secret"
  apply_secret monitoring grafana-admin '{"admin-user": "admin", "admin-password": .}' ||
    api_or_fatal secret-not-made 'monitoring/grafana-admin cannot be made'
}

# apply_secret <namespace> <name> <jq program>: of the text in the file `secret`, which goes.
apply_secret() {
  local applied=0
  # jq shows what it cannot read in its complaints.
  jq --raw-input --slurp --compact-output --arg namespace "$1" --arg name "$2" \
    "{apiVersion: \"v1\", kind: \"Secret\", metadata: {\$namespace, \$name}, data: ($3 | map_values(@base64))}" \
    "${SCRATCH}/secret" >"${SCRATCH}/secret.json" 2>/dev/null &&
    cluster_kubectl "${APPLY[@]}" --filename "${SCRATCH}/secret.json" || applied=1
  rm -f "${SCRATCH}/secret" "${SCRATCH}/secret.json" "${AWS_ANSWER}"
  return "${applied}"
}

# reconcile <JSON list of Kustomizations, empty for all> [JSON list of needs]: asks source, root and all layers in this order
# for a reconcile, and waits for the named layers, but for those that need what is not there (label drowse.dev/needs) and those
# that depend on them. What each of them says counts only once its status names our request: everything older is from before a
# sleep (docs/adr/readiness-after-a-wake.md).
reconcile() {
  local source
  missing_needs=${2:-[]}
  stamp=$(date --utc +%Y-%m-%dT%H:%M:%S.%NZ)
  source=$(jq --raw-output '.items[] | select(.kind == "Kustomization") | .spec.sourceRef.kind' "${SCRATCH}/cluster.json")
  if [[ ${source} == ExternalArtifact ]]; then
    within 60 5 offer_tree || api_or_fatal platform-not-applied "the tree cannot be given to Flux ${AWS_ERROR:+(${AWS_ERROR})}"
  else
    request "${source}.source.toolkit.fluxcd.io/platform"
    within 90 1 parts_ready '["source"]' "${source}.source.toolkit.fluxcd.io/platform" || not_ready
  fi
  request "${LAYERS}/platform"
  # With three seats Flux may be on another one, whose timer brings it the tree within a minute.
  within 180 1 parts_ready '["platform"]' "${LAYERS}/platform" || not_ready
  request --selector drowse.dev/layer "${LAYERS}"
  within 480 3 layers_ready "$1" || not_ready
}

# layers_ready <JSON list of names>: and each pinned source has what it is pinned to. Where the tree has just changed a pin, that
# source is let go here, not a minute later, and the layers are asked once more when its chart is there: what they said before
# was of releases of the old one.
layers_ready() {
  local ready=false
  ! parts_ready "$1" --selector drowse.dev/layer "${LAYERS}" || ready=true
  settle_sources || return 1
  [[ ${ready} == true ]] || return 1
  if jq --exit-status '.pending != []' "${SCRATCH}/sources-settled.json" >/dev/null; then
    jq --compact-output '{done: false, parts: [.pending[] | . + {done: false, blocked: false}]}' \
      "${SCRATCH}/sources-settled.json" >"${SCRATCH}/parts.json"
    charts_changed=true
    return 1
  fi
  [[ ${charts_changed} == true ]] || return 0
  charts_changed=false
  stamp=$(date --utc +%Y-%m-%dT%H:%M:%S.%NZ)
  request --selector drowse.dev/layer "${LAYERS}"
  return 1
}

# request <resources…>. The manager's name is the one of Flux' documentation: its controllers take back what `kubectl` itself
# wrote to objects that they own, and so might the request be gone before it is read.
request() {
  rm -f "${SCRATCH}/parts.json"
  within 30 2 flux_kubectl annotate --overwrite --field-manager flux-client-side-apply "$@" "reconcile.fluxcd.io/requestedAt=${stamp}" ||
    api_or_fatal platform-not-applied "a reconcile of $* cannot be asked for"
}

# parts_ready <JSON list of names, empty for all> <resources…>: parts.json says whether all are done, and of each whether it is,
# and what it says.
parts_ready() {
  flux_kubectl get "${@:2}" --output json >"${SCRATCH}/answer.json" || return 1
  jq --compact-output --arg stamp "${stamp}" --argjson names "$1" --argjson missing "${missing_needs}" \
    'def needs_missing: .metadata.labels["drowse.dev/needs"] // "" | IN($missing[]);
    if has("items") then .items else [.metadata.name = $names[0]] end
    | . as $all
    # As many rounds as there could be steps from one to the next.
    | (reduce $all[] as $_ ([]; . as $left
      | [$all[] | select(needs_missing or any(.spec.dependsOn[]?.name; IN($left[]))) | .metadata.name])) as $left
    | map(([.status.conditions[]? | select(.type == "Ready")][0] // {}) as $ready
      | (.status.lastHandledReconcileAt == $stamp) as $handled
      | (.spec.suspend == true) as $suspended
      | (.metadata.name | IN($left[])) as $leftOut
      | {name: .metadata.name, $suspended, $leftOut,
        done: ($suspended or $leftOut or ($handled and .status.observedGeneration == .metadata.generation and $ready.status == "True")),
        blocked: ($handled and $ready.reason == "DependencyNotReady"),
        message: ((if $handled then "" else "not reconciled since it was asked to; what it said before: " end) + ($ready.message // "nothing"))})
    | if $names == [] then . else . as $all | $names | map(. as $name | [$all[] | select(.name == $name)][0] // {name: $name}) end
    | if . == [] then [{name: "platform", message: "no Kustomization carries the label drowse.dev/layer"}] else . end
    | map(.message = (.message // "there is no such Kustomization")[:300])
    | {done: all(.[]; .done), parts: .}' \
    "${SCRATCH}/answer.json" >"${SCRATCH}/parts.json" || return 1
  [[ $(<"${SCRATCH}/parts.json") == '{"done":true,'* ]]
}

# not_ready: names what is not ready: first what holds up the others.
not_ready() {
  require_answer
  [[ -e ${SCRATCH}/parts.json ]] || fatal platform-not-ready 'the API does not say what became of the request'
  FAILURE_DETAILS=$(jq --compact-output '{failed: [.parts | map(select(.done | not)) | sort_by(.blocked)[] | {name, message}]}' "${SCRATCH}/parts.json")
  fatal platform-not-ready "$(jq --raw-output '.parts | (map(select(.done | not)) | sort_by(.blocked) | map(.name)) as $failed
    | "\($failed | length) of \(length) are not ready: \($failed | join(", "))"' "${SCRATCH}/parts.json")"
}

# platform_result: the result line of a command whose parts are all ready, or left out.
platform_result() {
  jq --compact-output --arg at "$(utc_now)" '.parts | {ok: true, ready: map(select(.suspended or .leftOut | not) | .name),
    leftOut: map(select(.leftOut) | .name), $at}' "${SCRATCH}/parts.json" >&3
}

# uncordon_drained: takes back what drain-nodes.sh did to nodes that outlived the sleep, or a sleep that failed halfway.
uncordon_drained() {
  within 60 5 try_uncordon || api_or_fatal nodes-not-uncordoned 'a node that was drained for a sleep cannot be given back'
}
try_uncordon() {
  local nodes=() name failed=0
  cluster_kubectl get nodes --output json >"${SCRATCH}/nodes.json" || return 1
  mapfile -t nodes < <(jq --raw-output --arg mark "${CORDON_MARK}" \
    '.items[] | select(.metadata.annotations[$mark] == "drain-nodes") | .metadata.name' "${SCRATCH}/nodes.json")
  for name in "${nodes[@]}"; do
    # In one request, so that a crash leaves no cordon without its mark.
    cluster_kubectl patch node "${name}" --type merge \
      --patch "{\"metadata\":{\"annotations\":{\"${CORDON_MARK}\":null}},\"spec\":{\"unschedulable\":null}}" || failed=1
  done
  return "${failed}"
}
