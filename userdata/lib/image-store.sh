# shellcheck shell=bash
#
# The images that Kubernetes and the platform run, kept in the bucket, so that instances of later wakes need no registry for them
# (registry.py gives them to containerd; docs/adr/a-wake-asks-no-registry.md). Content lies under its digest; the list says which
# digest an image's tag had when it was fetched from its registry. Nothing here is needed for a cluster to work. Sourced.
#
# Needs: common.sh, aws.sh, stale.sh, flux-store.sh

readonly IMAGE_FOLDER=images/sha256
readonly IMAGE_LIST=images/list.json
# In the archive of the tree: what the platform runs, by the deployment (lib/platform/images.ts).
readonly PLATFORM_IMAGES=platform/bootstrap/images.txt
# Larger ones are left to their registry: they would cost more than they save, and S3 takes 5 GB in one request.
readonly IMAGE_LIMIT=$((4 * 1024 * 1024 * 1024))
# On the disk: in memory there is no room for layers.
readonly IMAGE_SCRATCH=${DROWSE_VAR}/image-scratch
# For one file from a registry, or to the bucket.
readonly IMAGE_SECONDS=900
# Architectures as bash and as images call them.
declare -rA MACHINES=([x86_64]=amd64 [aarch64]=arm64)
# Digests of the content in the bucket.
declare -gA STORED=()

# keep_images: brings the bucket to what the cluster runs, image by image. Everything by what is, so that it may be cut off at any
# time, and two seats that both do it only do it twice.
keep_images() {
  local image images=() digests=() digest
  wanted_images >"${SCRATCH}/wanted" || return 1
  look_into_bucket || return 1
  settle_images || return 1
  mapfile -t images < <(jq --raw-output '.missing[]' "${SCRATCH}/settled.json")
  for image in "${images[@]}"; do
    keep_image "${image}" || info "${image} is not in the bucket yet"
  done
  # Only now, as new images may use what the old ones leave behind.
  settle_images || return 1
  mapfile -t digests < <(jq --raw-output '.unused[]' "${SCRATCH}/settled.json")
  for digest in "${digests[@]}"; do
    aws_call s3 "$(s3_url "$(key_of_digest "${digest}")")" --request DELETE || return 1
  done
}

# wanted_images: prints them, one a line. What is in ECR stays there: it is of AWS, as the bucket is, and asks for credentials.
wanted_images() {
  local archive=${SCRATCH}/tree.tar.gz
  read_deployed || return 1
  s3_get "platform/${deployed_tree}.tar.gz" "${archive}" || return 1
  is_tree "${deployed_tree}" "${archive}" || return 1
  tar --extract --gzip --to-stdout --file "${archive}" "${PLATFORM_IMAGES}" >"${SCRATCH}/platform-images" || return 1
  kubeadm config images list --kubernetes-version "v${NODE[kubernetes.version]}" >"${SCRATCH}/kubernetes-images" || return 1
  jq --raw-output '.images[][]' "${DROWSE_HOME}/install.json" >"${SCRATCH}/node-images" || return 1
  # Which they are, the version of Flux decides.
  cluster_kubectl --namespace flux-system get pods --output json >"${SCRATCH}/pods.json" || return 1
  jq --raw-output '.items[].spec.containers[]?.image' "${SCRATCH}/pods.json" >"${SCRATCH}/flux-images" || return 1
  sort --unique "${SCRATCH}"/{platform,kubernetes,node,flux}-images | sed '/\.dkr\.ecr\./d'
}

# look_into_bucket: the file `list` is the list, empty if there is none; `stored` has the digest of all content, one a line, as has STORED.
look_into_bucket() {
  local key
  list_bucket >"${SCRATCH}/keys" || return 1
  printf '{"images":{}}\n' >"${SCRATCH}/list"
  : >"${SCRATCH}/stored"
  while read -r key; do
    case ${key} in
      "${IMAGE_LIST}") s3_get "${IMAGE_LIST}" "${SCRATCH}/list" || return 1 ;;
      "${IMAGE_FOLDER}"/*) note_stored "sha256:${key##*/}" ;;
    esac
  done <"${SCRATCH}/keys"
}
note_stored() {
  STORED["$1"]=yes
  printf '%s\n' "$1" >>"${SCRATCH}/stored"
}

# list_bucket: prints the keys of all that the bucket has of images, one a line. S3 tells at most 1,000 at once.
list_bucket() {
  local last='' found
  while true; do
    # Its parameters in order, as the signature wants them.
    aws_call s3 "$(s3_url '')?list-type=2&prefix=images%2F${last:+&start-after=${last//'/'/%2F}}" || return 1
    found=$(python "${DROWSE_HOME}/lib/data.py" rows "${AWS_ANSWER}" Contents Key) || return 1
    [[ -n ${found} ]] || return 0
    found=${found//$'\x1f'/}
    printf '%s\n' "${found}"
    last=${found##*$'\n'}
  done
}

key_of_digest() { printf '%s/%s' "${IMAGE_FOLDER}" "${1#sha256:}"; }

put_image_list() { s3_put "${SCRATCH}/list" "${IMAGE_LIST}" --header 'Content-Type: application/json'; }

# settle_images: settled.json says what images.jq makes of the list; if it wants another list, the bucket has that afterwards.
settle_images() {
  jq --compact-output --rawfile wanted "${SCRATCH}/wanted" --rawfile stored "${SCRATCH}/stored" \
    --from-file "${DROWSE_HOME}/lib/images.jq" "${SCRATCH}/list" >"${SCRATCH}/settled.json" || return 1
  jq --exit-status --slurpfile list "${SCRATCH}/list" '.list != $list[0]' "${SCRATCH}/settled.json" >/dev/null || return 0
  jq --compact-output .list "${SCRATCH}/settled.json" >"${SCRATCH}/list" || return 1
  put_image_list
}

# keep_image <image>: its content for this machine's architecture goes from its registry into the bucket, then it is on the list.
keep_image() {
  local image=$1 digest type file
  rm -rf "${IMAGE_SCRATCH}"
  mkdir -p "${IMAGE_SCRATCH}"
  describe_image "${image}" || return 1
  while IFS=$'\t' read -r digest type; do
    file=${IMAGE_SCRATCH}/${digest#sha256:}
    if [[ -z ${STORED["${digest}"]+there} ]]; then
      [[ -e ${file} ]] || from_registry fetch-blob "${image}" "${digest}" >"${file}" || return 1
      [[ $(digest_of "${file}") == "${digest}" ]] || return 1
      s3_put "${file}" "$(key_of_digest "${digest}")" --header "Content-Type: ${type}" --max-time "${IMAGE_SECONDS}" || return 1
      note_stored "${digest}"
    fi
    rm -f "${file}"
  done < <(jq --raw-output '.blobs[] | "\(.digest)\t\(.mediaType)"' "${SCRATCH}/image")
  rm -rf "${IMAGE_SCRATCH}"
  jq --compact-output --arg image "${image}" --slurpfile new "${SCRATCH}/image" \
    '.images[$image] = ($new[0] | .blobs |= map(.digest))' "${SCRATCH}/list" >"${SCRATCH}/list.new" || return 1
  mv -f "${SCRATCH}/list.new" "${SCRATCH}/list"
  put_image_list || return 1
  info "${image} is on the list of the bucket's images"
}

# describe_image <image>: the file `image` is what becomes of it on the list, with the media type of all content; without any where that is
# too large. Manifests lie below IMAGE_SCRATCH afterwards, named after their digests.
describe_image() {
  local top manifest child repository=${1%%@*}
  [[ ${repository##*/} != *:* ]] || repository=${repository%:*}
  top=$(fetch_manifest "$1") || return 1
  manifest=${top}
  child=$(jq --raw-output --arg machine "${MACHINES[${HOSTTYPE}]}" \
    'first(.manifests[]? | select(.platform.os == "linux" and .platform.architecture == $machine)).digest // ""' "${IMAGE_SCRATCH}/${top}") || return 1
  [[ -z ${child} ]] || manifest=$(fetch_manifest "${repository}@${child}") || return 1
  jq --null-input --compact-output --slurpfile top "${IMAGE_SCRATCH}/${top}" --slurpfile manifest "${IMAGE_SCRATCH}/${manifest}" \
    --arg digest "sha256:${top}" --arg child "sha256:${manifest}" --argjson size "$(stat --format %s "${IMAGE_SCRATCH}/${top}")" --argjson limit "${IMAGE_LIMIT}" \
    'def format: .mediaType // "application/vnd.oci.image.\(if has("manifests") then "index" else "manifest" end).v1+json";
    ($top[0] | format) as $mediaType
    | [{$digest, $mediaType}, {digest: $child, mediaType: ($manifest[0] | format)}, ($manifest[0] | .config, .layers[])] as $content
    | if ([$manifest[0].layers[].size] | add) > $limit then {blobs: []}
      else {$digest, $mediaType, $size, blobs: ($content | map({digest, mediaType}) | unique_by(.digest))} end' \
    >"${SCRATCH}/image"
}

# fetch_manifest <image>: prints its digest, without the algorithm.
fetch_manifest() {
  local digest
  from_registry fetch-object "$1" >"${IMAGE_SCRATCH}/fetched" || return 1
  digest=$(digest_of "${IMAGE_SCRATCH}/fetched") || return 1
  mv -f "${IMAGE_SCRATCH}/fetched" "${IMAGE_SCRATCH}/${digest#sha256:}"
  printf '%s' "${digest#sha256:}"
}

# from_registry <command of ctr content> <image> [digest]: without credentials, and past the registry on this node.
from_registry() { timeout "${IMAGE_SECONDS}" ctr content "$@"; }

digest_of() {
  local digest
  digest=$(sha256sum "$1") || return 1
  printf 'sha256:%s' "${digest%% *}"
}
