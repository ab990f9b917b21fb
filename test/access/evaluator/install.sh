#!/usr/bin/env bash
#
# Installs the evaluator of IAM policies beside its lock file. Does nothing if it is there. Reads no variable.
set -o errexit -o nounset -o pipefail

main() {
  cd "${BASH_SOURCE[0]%/*}"
  if [[ node_modules/.package-lock.json -nt package-lock.json ]]; then return 0; fi
  npm ci --no-audit --no-fund --no-progress --loglevel=error
  touch node_modules/.package-lock.json
}

main "$@"
