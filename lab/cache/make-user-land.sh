#!/usr/bin/env bash
#
# The root file system that machines start from: Debian with what a cloud image has (systemd, curl, Python, a first-boot
# service), the packages that the node scripts take from the distribution's own archive, and nothing of Kubernetes.
#
#   make-user-land.sh FOLDER AUTHORITY MIRROR PACKAGE…
#
#   FOLDER     is made
#   AUTHORITY  certificate that machines trust
#   MIRROR     Debian's archive; empty: debootstrap's default
#   PACKAGE    of the node bundle's install.json, from the distribution's archive
set -o errexit -o nounset -o pipefail

readonly SUITE=trixie
HERE=$(dirname "$(readlink -f "$0")")
readonly HERE
# What Ubuntu's cloud image carries of what the node scripts use, and what packages of Kubernetes and containerd need.
readonly PACKAGES=(
  apt ca-certificates curl dbus e2fsprogs ethtool gpg hostname iproute2 iptables kmod libseccomp2 nftables openssl procps
  python3 systemd systemd-sysv udev
  # These two become parts of images and packages, see below.
  busybox-static runc
)
# Devices, clock, kernel and network are those of the machine around, or set by the lab.
readonly MASKED=(
  apt-daily-upgrade.timer apt-daily.timer chrony.service console-getty.service dev-hugepages.mount dev-mqueue.mount
  dpkg-db-backup.timer e2scrub_all.timer fstrim.timer getty.target logrotate.timer sys-fs-fuse-connections.mount
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-binfmt.service
  systemd-modules-load.service systemd-networkd-wait-online.service systemd-networkd.service systemd-pcrmachine.service
  systemd-random-seed.service systemd-resolved.service systemd-sysctl.service systemd-timesyncd.service
  systemd-tpm2-setup-early.service systemd-tpm2-setup.service systemd-udev-settle.service systemd-udev-trigger.service
  systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
)

main() {
  local root=$1 authority=$2 mirror=$3
  debootstrap --variant=minbase "${SUITE}" "${root}" ${mirror:+"${mirror}"}
  inside "${root}" apt-get update --quiet
  inside "${root}" apt-get install --quiet --yes --no-install-recommends "${PACKAGES[@]}" "${@:4}"
  # The package containerd.io brings its own runc, which is this one.
  cp "${root}/usr/sbin/runc" "${root}/usr/local/lib/runc"
  chroot "${root}" dpkg --purge runc >/dev/null
  rm -rf "${root}"/var/cache/apt/archives/*.deb "${root}"/var/lib/apt/lists/*
  # A machine reaches no archive but those of the lab.
  rm -f "${root}"/etc/apt/sources.list "${root}"/etc/apt/sources.list.d/*
  install -D --mode 644 "${authority}" "${root}/usr/local/share/ca-certificates/drowse-lab.crt"
  chroot "${root}" update-ca-certificates >/dev/null
  cp --recursive --no-preserve=ownership "${HERE}/user-land/." "${root}/"
  suit_the_host "${root}"
  chroot "${root}" systemctl mask "${MASKED[@]}" 2>/dev/null
  chroot "${root}" systemctl disable haproxy.service 2>/dev/null
  chroot "${root}" systemctl enable lab-user-data.service lab-sysctl.service 2>/dev/null
  printf '127.0.0.1 localhost\n' >"${root}/etc/hosts"
  : >"${root}/etc/machine-id"
  rm -f "${root}/etc/resolv.conf" "${root}/etc/hostname"
}

# inside <root> <command…>: as a package's scripts want it, and with nothing started.
inside() {
  DEBIAN_FRONTEND=noninteractive chroot "$@"
}

# What a host may lack that a virtual machine has.
suit_the_host() {
  local root=$1 capabilities
  if [[ ! -e /sys/fs/cgroup/cgroup.controllers ]]; then
    # kubeadm refuses control groups of version 1 unless it is told; the kubelet, too (lab/machine/container.sh).
    install -D --mode 755 "${HERE}/legacy-kubeadm.sh" "${root}/usr/local/bin/kubeadm"
  fi
  capabilities=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
  if ((!(0x${capabilities} >> 24 & 1))); then
    # Without CAP_SYS_RESOURCE no process may be made less likely to be killed when memory runs out.
    install -D --mode 644 /dev/stdin "${root}/etc/containerd/conf.d/99-lab.toml" <<'TOML'
version = 4
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
TOML
  fi
}

main "$@"
