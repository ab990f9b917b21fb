# shellcheck shell=bash
#
# The install stage: all that needs the network of others (package archives, image registries). It knows nothing of the
# instance or the cluster, so that baking an image is running it earlier. Each step may be repeated at any time. Sourced.
#
# Sets: INSTALL  install.json of the node bundle, flattened (see lib/node/install.ts for each field)

declare -gA INSTALL=()
readonly INSTALLED=${DROWSE_VAR}/installed
# The kubelet runs what is in here, and nothing else may be.
readonly IMAGE_CREDENTIALS=${DROWSE_VAR}/image-credentials

# install_stage <profile: seat|pool|gpu> <digest of the node bundle>: does nothing on an image that carries this very install.
install_stage() {
  local profile=$1 digest=$2 installed=''
  [[ ! -e ${INSTALLED} ]] || read -r installed <"${INSTALLED}"
  if [[ ${installed} == "${profile} ${digest}" ]]; then
    info "this image carries the install of ${digest:0:12} already"
    return 0
  fi
  load_map INSTALL "${DROWSE_HOME}/install.json"
  prepare_system
  install_packages "${profile}"
  [[ ${profile} != gpu ]] || install_nvidia
  still_here
  install_image_credentials
  configure_runtime "${profile}"
  pull_images "${profile}"
  [[ ${profile} != seat ]] || install_etcd_tools
  write_file "${INSTALLED}" 644 <<<"${profile} ${digest}"
}

# still_here: the install is the longest that a node has to say nothing; whoever waits for it takes a node that says nothing for
# seven minutes for one that hangs (core/decisions/look-after.ts). While an image is baked nobody waits.
still_here() { [[ -z ${FACTS[instanceId]:-} ]] || phase runtime; }

# lay_out <folder> <folder>: copies files of the bundle, open to all as system files are: systemd complains of units that are not, and nothing in
# them is secret.
lay_out() { (umask 022 && cp --recursive --no-preserve=mode "$1/." "$2/"); }

# prepare_system: kernel modules, kernel settings, no swap.
prepare_system() {
  lay_out "${DROWSE_HOME}/files" ''
  # Package upgrades in the background restart services and reload systemd, which takes GPUs away from running containers
  # (nvidia-container-toolkit#48); nodes are replaced with newer images instead.
  systemctl disable --now apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service || warn 'no background upgrades to turn off'
  hold_snaps
  # It reads how long a shutdown may be put off, for which the kubelet asks it.
  systemctl kill --kill-whom main --signal HUP systemd-logind.service || warn 'logind does not read its files again'
  modprobe --all overlay br_netfilter
  sysctl --quiet --load /etc/sysctl.d/90-drowse.conf
  swapoff --all
  sed --in-place '/^[^#].*[[:space:]]swap[[:space:]]/s/^/# drowse: /' /etc/fstab
}

# hold_snaps: a refresh restarts the SSM agent, and with it whatever command it runs (aws-parallelcluster#7159). As with other packages, newer
# images and upgrades bring newer ones.
hold_snaps() {
  command -v snap >/dev/null || return 0
  timeout 120 snap refresh --hold >&2 || warn 'refreshes of snaps could not be held'
}

install_packages() {
  local packages=(
    "kubeadm=${INSTALL[kubernetes.version]}-*" "kubelet=${INSTALL[kubernetes.version]}-*"
    "kubectl=${INSTALL[kubernetes.version]}-*" "containerd.io=${INSTALL[containerd.version]}-*"
  )
  add_repository kubernetes
  add_repository containerd
  list_of INSTALL packages
  # A node that was killed while dpkg worked leaves it half done.
  dpkg --configure -a
  apt_get update || fatal packages-unavailable 'a package repository cannot be reached'
  apt_get install "${packages[@]}" "${LIST[@]}" || fatal packages-unavailable 'packages could not be installed'
  apt-mark hold kubeadm kubelet kubectl containerd.io
  # Enabled, or kubeadm complains at each boot; that only the node scripts start it, its drop-in's condition takes care of. HAProxy runs
  # where three seats need it.
  systemctl enable kubelet.service
  systemctl disable haproxy.service
  systemctl stop haproxy.service
}

# apt_get <command…>: non-interactive, patient with another apt, and with a repository that is down for some minutes.
apt_get() {
  local try
  for try in 1 2 3 4 5 6; do
    if DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --option DPkg::Lock::Timeout=300 --option Acquire::Retries=3 \
      --option APT::Update::Error-Mode=any --option Dpkg::Options::=--force-confold \
      --no-install-recommends --allow-downgrades --allow-change-held-packages "$@" >&2; then
      return 0
    fi
    warn "apt-get $1 failed (try ${try} of 6)"
    sleep 20
  done
  return 1
}

# add_repository <key in install.json>: of the file with its signing keys apt gets the pinned one, and no other.
add_repository() {
  local prefix=$1.repository
  local name=${INSTALL["${prefix}.name"]} expected=${INSTALL["${prefix}.keyFingerprint"]}
  local keyring=/etc/apt/keyrings/drowse-${name}.gpg
  mkdir -p "${SCRATCH}/keys"
  curl --silent --show-error --fail --location --retry 6 --retry-all-errors --max-time 60 \
    --output "${SCRATCH}/keys/${name}" "${INSTALL["${prefix}.keyUrl"]}" ||
    fatal packages-unavailable "the key of the ${name} packages cannot be fetched"
  pin_key "${SCRATCH}/keys/${name}" "${expected}" "${SCRATCH}/keys/${name}.gpg"
  install -D --mode 644 "${SCRATCH}/keys/${name}.gpg" "${keyring}"
  write_file "/etc/apt/sources.list.d/drowse-${name}.list" 644 <<<"deb [signed-by=${keyring}] ${INSTALL["${prefix}.source"]}"
}

# pin_key <file> <fingerprint> <keyring>: makes a keyring of the one key with that fingerprint. apt trusts every key of its keyring, so whatever else
# is in the file stays out. Nor does another key count that carries the pinned one as its subkey: gpg exports that one by the same name.
pin_key() {
  local home=${SCRATCH}/gpg lines record validity fingerprint kind='' keys=()
  rm -rf "${home}"
  mkdir -p "${home}"
  # Public keys need no agent, which may not be installed, and would stay behind if it were.
  local gpg=(gpg --no-autostart --batch --quiet --homedir "${home}" --no-default-keyring --keyring "${home}/keys.gpg" --no-auto-check-trustdb)
  "${gpg[@]}" --import "$1" >&2 || fatal digest-mismatch "there is no key in ${1##*/}"
  "${gpg[@]}" --export-options export-minimal --export "$2" >"$3"
  [[ -s $3 ]] || fatal digest-mismatch "the key $2 is not in ${1##*/}"
  lines=$("${gpg[@]}" --with-colons --show-keys "$3") || fatal digest-mismatch "the key $2 of ${1##*/} cannot be read"
  # Each key is a pub or a sub record with its validity, and an fpr record behind it with its fingerprint.
  while IFS=: read -r record validity _ _ _ _ _ _ _ fingerprint _; do
    case ${kind}:${record} in
      pub:fpr) keys+=("${fingerprint}") ;;
      *:pub) [[ ${validity} != [er] ]] || fatal signing-key-expired "the key $2 has expired or was revoked" ;;
    esac
    kind=${record}
  done <<<"${lines}"
  [[ ${keys[*]} == "$2" ]] || fatal digest-mismatch "the key $2 is not a primary key of ${1##*/}"
  rm -rf "${home}"
}

# install_nvidia: only what the image lacks; the deep learning images bring the driver and the toolkit along.
install_nvidia() {
  if ! command -v nvidia-smi >/dev/null; then
    still_here
    list_of INSTALL nvidiaDriverPackages
    apt_get install "${LIST[@]}" || fatal packages-unavailable 'the NVIDIA driver could not be installed'
  fi
  if ! command -v nvidia-container-runtime >/dev/null; then
    add_repository nvidiaToolkit
    apt_get update || fatal packages-unavailable 'the NVIDIA repository cannot be reached'
    # All four by version: apt does not follow exact dependencies to anything but its newest candidate.
    local version=${INSTALL[nvidiaToolkit.version]}
    apt_get install "nvidia-container-toolkit=${version}-*" "nvidia-container-toolkit-base=${version}-*" \
      "libnvidia-container-tools=${version}-*" "libnvidia-container1=${version}-*" ||
      fatal packages-unavailable 'the NVIDIA toolkit could not be installed'
  fi
}

# install_image_credentials: the kubelet gets AWS's provider of credentials for images of ECR. Its unit takes further flags from this file
# only. A node that need not have it does not wait for its server.
install_image_credentials() {
  local file=${SCRATCH}/image-credentials config=${DROWSE_ETC}/kubernetes/image-credentials.yaml flags=''
  if fetch_image_credentials "${file}"; then
    sha256sum --status --check <<<"${INSTALL[imageCredentials.sha256]}  ${file}" ||
      fatal digest-mismatch 'the credential provider for images of ECR is not the pinned one'
    install -D --mode 755 "${file}" "${IMAGE_CREDENTIALS}/ecr-credential-provider"
    rm -f "${file}"
    # The credentials are made of the node's role and last twelve hours.
    write_file "${config}" 644 <<YAML
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    matchImages: ['${INSTALL[imageCredentials.images]}']
    defaultCacheDuration: 12h
YAML
    flags="--image-credential-provider-bin-dir=${IMAGE_CREDENTIALS} --image-credential-provider-config=${config}"
  else
    [[ ${INSTALL[imageCredentials.required]} != true ]] ||
      fatal packages-unavailable 'the credential provider for images of ECR cannot be fetched'
    warn 'the credential provider for images of ECR cannot be fetched: this node pulls none from there'
  fi
  write_file /etc/default/kubelet 644 <<<"KUBELET_EXTRA_ARGS=${flags}"
}
fetch_image_credentials() {
  local retries=(--retry 6 --retry-all-errors --max-time 300)
  [[ ${INSTALL[imageCredentials.required]} == true ]] || retries=(--retry 1 --retry-all-errors --max-time 60)
  curl --silent --show-error --fail --location "${retries[@]}" --output "$1" "${INSTALL[imageCredentials.url]}"
}

# configure_runtime <profile>: containerd with our configuration, whatever an image had there before.
configure_runtime() {
  rm -f /etc/containerd/conf.d/*nvidia*.toml
  [[ $1 != gpu ]] || lay_out "${DROWSE_HOME}/gpu-files" ''
  systemctl daemon-reload
  systemctl enable containerd.service
  systemctl restart containerd.service
  wait_until 'the container runtime' runtime-not-ready 60 2 runtime_answers
  check_runtime "$1"
}

runtime_answers() { crictl --timeout 5s info >"${SCRATCH}/cri.json" 2>/dev/null; }

# check_runtime <profile>: what the running containerd made of its files; the kubelet would fail later and less clearly.
check_runtime() {
  local runtimes=(runc) runtime
  [[ $1 != gpu ]] || runtimes+=(nvidia)
  # The last one is what a pod without a RuntimeClass gets.
  jq --exit-status --arg runtime "${runtimes[-1]}" '.config.containerd.defaultRuntimeName == $runtime' "${SCRATCH}/cri.json" >/dev/null ||
    fatal runtime-misconfigured "containerd runs pods by another runtime than ${runtimes[-1]}"
  for runtime in "${runtimes[@]}"; do
    jq --exit-status --arg runtime "${runtime}" '.config.containerd.runtimes[$runtime] |
      .runtimeType == "io.containerd.runc.v2" and .options.SystemdCgroup == true' "${SCRATCH}/cri.json" >/dev/null ||
      fatal runtime-misconfigured "containerd does not run ${runtime} with systemd's control groups"
  done
}

# pull_images <profile>: kubeadm's own for the role, and those that the platform needs on each node of the role.
pull_images() {
  local images=() image
  mapfile -t images < <(kubeadm config images list --kubernetes-version "v${INSTALL[kubernetes.version]}")
  ((${#images[@]} > 0)) || fatal images-unavailable 'kubeadm names no images'
  list_of INSTALL "images.$1"
  for image in "${images[@]}" "${LIST[@]}"; do
    case $1:${image} in
      # Worker nodes run neither the control plane nor, as a rule, DNS.
      pool:*/kube-apiserver:* | pool:*/kube-controller-manager:* | pool:*/kube-scheduler:* | pool:*/etcd:*) continue ;;
      gpu:*/kube-apiserver:* | gpu:*/kube-controller-manager:* | gpu:*/kube-scheduler:* | gpu:*/etcd:*) continue ;;
    esac
    wait_until "image ${image}" images-unavailable 300 15 crictl --timeout 10m pull "${image}" >&2
  done
}

# install_etcd_tools: etcdctl and etcdutl out of the very image that etcd runs from, so that they are never of another version.
install_etcd_tools() {
  local root=${DROWSE_RUN}/etcd-image image
  image=$(crictl images --output json | jq --raw-output '[.images[].repoTags[] | select(contains("/etcd:"))] | sort | last')
  mkdir -p "${root}"
  ctr --namespace k8s.io images unmount --rm "${root}" >/dev/null 2>&1 || true
  ctr --namespace k8s.io images mount "${image}" "${root}" >/dev/null
  install --mode 755 "${root}/usr/local/bin/etcdctl" "${root}/usr/local/bin/etcdutl" /usr/local/bin/
  ctr --namespace k8s.io images unmount --rm "${root}" >/dev/null
}
