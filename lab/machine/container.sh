#!/usr/bin/env bash
#
# PID 1 of a machine until systemd takes over: its network, its root, its devices. Called by start.sh in fresh namespaces.
#
#   container.sh ROOM FOLDER
#
#   ROOM    process ID of the room
#   FOLDER  machine.env, written by the embedded AWS (see drowse_aws/machines/machine.py): LAYERS, HOST, ADDRESS, PREFIX,
#           ROUTER, RESOLVER, MAC, LINK, SETTINGS, PODS;
#           disk/ is the root disk's upper layer, containerd/ and kubelet/ are the parts of it that overlays can't lie on;
#           pid and console.log are written here
set -o errexit -o nounset -o pipefail

readonly ROOM=$1
readonly FOLDER=$2
readonly ROOT=${FOLDER}/root

main() {
  local pid
  # shellcheck source=/dev/null
  source "${FOLDER}/machine.env"
  # This /proc is the outer one, so this is our ID out there.
  read -r pid _ </proc/self/stat
  mount --make-rprivate /
  join_network
  mount_root
  mount_devices
  mount_groups
  hide_settings_of_the_host
  [[ -z ${PODS} ]] || install -D --mode 644 "${FOLDER}/pods.conflist" "${ROOT}/etc/cni/net.d/10-lab.conflist"
  hostname "${HOST}"
  printf '%s\n' "${HOST}" >"${ROOT}/etc/hostname"
  printf 'nameserver %s\n' "${RESOLVER}" >"${ROOT}/etc/resolv.conf"
  printf '%s\n' "${pid}" >"${FOLDER}/pid"
  mkdir -p "${ROOT}/.outside"
  cd "${ROOT}"
  pivot_root . .outside
  cd /
  exec <"/dev/null" >/dev/console 2>&1
  umount --lazy /.outside
  rmdir /.outside
  start_systemd
}

# One end of a cable in our namespace, the other on the bridge of the room.
join_network() {
  local room=(nsenter --net="/proc/${ROOM}/ns/net")
  "${room[@]}" ip link delete "${LINK}" 2>/dev/null || true
  "${room[@]}" ip link add "${LINK}" type veth peer name ens5 address "${MAC}" netns 1
  "${room[@]}" ip link set "${LINK}" master lab0 up
  ip link set lo up
  ip link set ens5 up
  ip address add "${ADDRESS}/${PREFIX}" dev ens5
  ip route add default via "${ROUTER}"
  [[ -z ${PODS} ]] || "${room[@]}" ip route replace "${PODS}" via "${ADDRESS}" dev lab0
}

mount_root() {
  mkdir -p "${FOLDER}"/{root,disk,work,containerd,kubelet}
  mount -t overlay overlay -o "lowerdir=${LAYERS},upperdir=${FOLDER}/disk,workdir=${FOLDER}/work" "${ROOT}"
  mount -t proc proc "${ROOT}/proc"
  mount -t sysfs sysfs "${ROOT}/sys"
  mount -t tmpfs -o mode=755 run "${ROOT}/run"
  local folder
  for folder in containerd kubelet; do
    mkdir -p "${ROOT}/var/lib/${folder}"
    mount --bind "${FOLDER}/${folder}" "${ROOT}/var/lib/${folder}"
  done
}

mount_devices() {
  local dev=${ROOT}/dev device
  mount -t tmpfs -o mode=755 dev "${dev}"
  for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 kmsg:1:11; do
    IFS=: read -r name major minor <<<"${device}"
    mknod --mode 666 "${dev}/${name}" c "${major}" "${minor}"
  done
  mkdir -p "${dev}/pts" "${dev}/shm" "${dev}/mqueue" "${dev}/disk/by-id"
  mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "${dev}/pts"
  ln -s pts/ptmx "${dev}/ptmx"
  ln -s /proc/self/fd "${dev}/fd"
  mount -t tmpfs shm "${dev}/shm"
  mount -t mqueue mqueue "${dev}/mqueue"
  : >>"${FOLDER}/console.log"
  : >"${dev}/console"
  mount --bind "${FOLDER}/console.log" "${dev}/console"
  # Volumes that were attached before this boot: NAME MAJOR MINOR.
  [[ ! -e ${FOLDER}/volumes ]] || while read -r name major minor; do
    mknod "${dev}/disk/by-id/${name}" b "${major}" "${minor}"
  done <"${FOLDER}/volumes"
}

mount_groups() {
  local groups=${ROOT}/sys/fs/cgroup controller
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    mount -t cgroup2 cgroup2 "${groups}"
    return 0
  fi
  mount -t tmpfs -o mode=755 cgroup "${groups}"
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
    [[ -e /sys/fs/cgroup/${controller}/cgroup.procs ]] || continue
    mkdir "${groups}/${controller}"
    mount -t cgroup -o "${controller}" cgroup "${groups}/${controller}"
  done
  mkdir "${groups}/systemd" "${groups}/unified"
  mount -t cgroup -o none,name=systemd cgroup "${groups}/systemd"
  mount -t cgroup2 cgroup2 "${groups}/unified"
  # The kubelet refuses version 1 unless it is told. The node scripts set KUBELET_EXTRA_ARGS, so it is not told there.
  install -D --mode 644 /dev/stdin "${ROOT}/etc/systemd/system/kubelet.service.d/30-lab.conf" <<'UNIT'
[Service]
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml --fail-cgroupv1=false"
UNIT
}

# Settings of the whole machine are not a node's: it sees those that it wants, and may write them, without anybody noticing. The
# settings of its network are its own.
hide_settings_of_the_host() {
  local setting value file
  while IFS='= ' read -r setting value; do
    [[ ${setting} != net.* && -e /proc/sys/${setting//.//} ]] || continue
    file=${FOLDER}/settings/${setting}
    mkdir -p "${FOLDER}/settings"
    printf '%s\n' "${value}" >"${file}"
    mount --bind "${file}" "${ROOT}/proc/sys/${setting//.//}"
  done < <(grep --extended-regexp '^[a-z]' "${SETTINGS}")
}

start_systemd() {
  local arguments=(systemd.log_target=journal)
  [[ ! -d /sys/fs/cgroup/systemd ]] || arguments+=(systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1)
  exec env --ignore-environment container=drowse-lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin \
    /sbin/init "${arguments[@]}"
}

main
