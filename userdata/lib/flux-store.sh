# shellcheck shell=bash
#
# What Flux has fetched outlives the seat that it ran on: its artifacts (charts, repositories' indexes, the tree) are kept in the
# bucket, and every seat that boots has them before Flux starts; source-controller checks each by the digest that etcd holds. What
# is pinned and fetched is not asked for again (sources.jq). So a wake needs neither a chart repository nor a registry
# (docs/adr/a-wake-asks-no-registry.md). Nothing here is needed for a cluster to work: without it Flux fetches anew. Sourced.
#
# Needs: common.sh, aws.sh, node.sh, stale.sh

# Mounted into source-controller (platform/flux/patches), which runs as nobody.
readonly FLUX_STORE=${DROWSE_VAR}/flux
readonly FLUX_USER=65534:65534
readonly FLUX_ARCHIVE=flux/artifacts.tar.gz
# The names of the artifacts that the archive in the bucket holds: they carry digests or versions, and their content never changes.
readonly FLUX_ARCHIVED=${DROWSE_VAR}/flux-archived
# Every source that the platform pins by version.
readonly PINNED_SOURCES=helmrepositories.source.toolkit.fluxcd.io,helmcharts.source.toolkit.fluxcd.io,ocirepositories.source.toolkit.fluxcd.io
readonly PINNED_LABEL=drowse.dev/pinned=true
# Where the tree lies in the store: under the path by which source-controller serves it.
readonly TREE_FOLDER=externalartifact/flux-system/platform
readonly TREE_SOURCE=externalartifacts.source.toolkit.fluxcd.io
# What source-controller serves its store under, for the other controllers beside it (platform/flux/patches).
readonly STORE_URL=http://localhost:9090

deployed_tree=''

# bring_artifacts_back: before the kubelet starts. What cannot be had is fetched again by Flux, and is no reason not to boot.
bring_artifacts_back() {
  local archive=${SCRATCH}/artifacts.tar.gz
  # A reboot: this seat's own are newer.
  [[ ! -d ${FLUX_STORE} ]] || return 0
  rm -rf "${FLUX_STORE}.new"
  mkdir -p "${FLUX_STORE}.new"
  if ! s3_get "${FLUX_ARCHIVE}" "${archive}"; then
    info "the bucket gives no artifacts of Flux (${AWS_ERROR}): it fetches them anew"
  elif ! tar --extract --gzip --no-same-owner --file "${archive}" --directory "${FLUX_STORE}.new"; then
    warn 'the artifacts of Flux cannot be unpacked: it fetches them anew'
    rm -rf "${FLUX_STORE}.new"
    mkdir -p "${FLUX_STORE}.new"
  fi
  rm -f "${archive}"
  chown --recursive "${FLUX_USER}" "${FLUX_STORE}.new"
  artifact_names "${FLUX_STORE}.new" >"${FLUX_ARCHIVED}"
  mv "${FLUX_STORE}.new" "${FLUX_STORE}"
}

# artifact_names <folder>: what is whole in it; source-controller renames a file to its name last.
artifact_names() { [[ ! -d $1 ]] || (cd "$1" && find . -type f ! -name '*.lock' ! -name '*.tmp*' -printf '%P\n' | sort); }

# flux_is_here: source-controller runs on this seat, so that its store is the one that counts.
flux_is_here() {
  local pods
  pods=$(cluster_kubectl --namespace flux-system get pods --selector app=source-controller \
    --field-selector "spec.nodeName=${FACTS[instanceId]},status.phase=Running" --output name) || return 1
  [[ -n ${pods} ]]
}

# keep_artifacts: the bucket's archive holds what the store does.
keep_artifacts() {
  local archive=${SCRATCH}/artifacts.tar.gz names
  names=$(artifact_names "${FLUX_STORE}") || return 1
  [[ ! -e ${FLUX_ARCHIVED} || ${names} != "$(<"${FLUX_ARCHIVED}")" ]] || return 0
  # Removed meanwhile: the next look has the names that are there.
  tar --create --gzip --file "${archive}" --directory "${FLUX_STORE}" --verbatim-files-from --files-from - <<<"${names}" || return 1
  s3_put "${archive}" "${FLUX_ARCHIVE}" || return 1
  write_file "${FLUX_ARCHIVED}" 600 <<<"${names}"
  info 'the artifacts of Flux are in the bucket'
}

# read_deployed: what a deploy says that seats apply, from a parameter that no node can write: deployed.json has {tree, cluster},
# and deployed_tree is the tree's SHA-256. Fails with AWS_ERROR set.
read_deployed() {
  parameter_get platform "${SCRATCH}/deployed.json" || return 1
  deployed_tree=$(jq --raw-output --exit-status 'select(.cluster.kind == "List" and all(.cluster.items[]; .kind | type == "string")) | .tree
    | select(type == "string" and test("\\A[0-9a-f]{64}\\z"))' "${SCRATCH}/deployed.json" 2>/dev/null) && return 0
  AWS_ERROR=NotADeployment
  return 1
}

# bring_tree <SHA-256>: the store has the archive of the tree that has this digest, and no other of the tree.
bring_tree() {
  local folder=${FLUX_STORE}/${TREE_FOLDER} archive=${SCRATCH}/tree.tar.gz
  ! is_tree "$1" "${folder}/$1.tar.gz" || return 0
  s3_get "platform/$1.tar.gz" "${archive}" || return 1
  is_tree "$1" "${archive}" || {
    AWS_ERROR=DigestMismatch
    return 1
  }
  mkdir -p "${folder}"
  mv -f "${archive}" "${folder}/$1.tar.gz.tmp"
  chmod 644 "${folder}/$1.tar.gz.tmp"
  chown --recursive "${FLUX_USER}" "${FLUX_STORE}"
  find "${folder}" -type f ! -name "$1.tar.gz.tmp" -delete
  mv -f "${folder}/$1.tar.gz.tmp" "${folder}/$1.tar.gz"
}
is_tree() { [[ -e $2 ]] && sha256sum --check --status <<<"$1  $2"; }

# offer_tree: Flux gets told of the tree that a deploy names; each of its controllers checks the digest before it unpacks anything.
# Nothing to do where the tree comes from Git.
offer_tree() {
  local told at path size
  told=$(cluster_kubectl --namespace flux-system get "${TREE_SOURCE}" platform --ignore-not-found \
    --output 'jsonpath={.kind} {.status.artifact.digest}') || return 1
  [[ -n ${told} ]] || return 0
  [[ -n ${deployed_tree} ]] || read_deployed || return 1
  bring_tree "${deployed_tree}" || return 1
  [[ ${told} != "ExternalArtifact sha256:${deployed_tree}" ]] || return 0
  at=$(date --utc +%Y-%m-%dT%H:%M:%SZ)
  path=${TREE_FOLDER}/${deployed_tree}.tar.gz
  size=$(stat --format %s "${FLUX_STORE}/${path}") || return 1
  jq --null-input --compact-output --arg digest "sha256:${deployed_tree}" --arg path "${path}" --arg url "${STORE_URL}/${path}" \
    --arg at "${at}" --arg size "${size}" \
    '{status: {artifact: {$path, $url, $digest, revision: $digest, lastUpdateTime: $at, size: ($size | tonumber)},
      conditions: [{type: "Ready", status: "True", reason: "Succeeded", message: "stored tree \($digest)", lastTransitionTime: $at}]}}' \
    >"${SCRATCH}/tree-status.json" || return 1
  cluster_kubectl --namespace flux-system patch "${TREE_SOURCE}" platform --subresource status --type merge --field-manager drowse \
    --patch-file "${SCRATCH}/tree-status.json"
}

# settle_sources: sources whose pinned content is here are not asked for again; those whose pin changed, or whose content is lost,
# are. Everything by what is, so that it may be done at any time and by any seat; only the one with Flux knows its store.
# sources-settled.json says afterwards what has not got what it is pinned to (`pending`).
settle_sources() {
  local resource name change failed=0
  cluster_kubectl --namespace flux-system get "${PINNED_SOURCES}" --selector "${PINNED_LABEL}" --output json >"${SCRATCH}/sources.json" ||
    return 1
  artifact_names "${FLUX_STORE}" >"${SCRATCH}/artifacts" || return 1
  jq --compact-output --rawfile names "${SCRATCH}/artifacts" --from-file "${DROWSE_HOME}/lib/sources.jq" "${SCRATCH}/sources.json" \
    >"${SCRATCH}/sources-settled.json" || return 1
  while IFS=$'\t' read -r resource name change; do
    cluster_kubectl --namespace flux-system patch "${resource}" "${name}" --type merge --field-manager drowse --patch "${change}" || failed=1
  done < <(jq --raw-output '.changes[] | "\(.resource)\t\(.name)\t\(.patch)"' "${SCRATCH}/sources-settled.json")
  return "${failed}"
}
