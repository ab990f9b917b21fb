#!/usr/bin/env bash
#
# Installs what the node tests need on Debian 12 or Ubuntu 24.04; quick, and without root, if all is there. Reads no variable.
set -o errexit -o nounset -o pipefail

# What each is for: see README.md beside this file.
readonly PACKAGES=(age curl e2fsprogs gnupg haproxy iproute2 jq openssl python3 python3-cryptography python3-venv python3-yaml shellcheck shfmt systemd util-linux)

main() {
  local missing=() package
  for package in "${PACKAGES[@]}"; do
    [[ $(dpkg-query --show --showformat '${db:Status-Status}' "${package}" 2>/dev/null) == installed ]] || missing+=("${package}")
  done
  ((${#missing[@]} > 0)) || return 0
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  printf 'The node tests need: %s\n' "${missing[*]}"
  "${as_root[@]}" apt-get update --quiet
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install --quiet --yes --no-install-recommends "${missing[@]}"
}

main "$@"
