#!/bin/sh
# Prints where the tests put their temporary files: TMPDIR if that is set; else memory, if it has two gigabytes to spare and
# programs may be run from there. They write hundreds of thousands of small files, and a disk's journal takes half of their time.
set -eu
memory=/dev/shm
if [ -n "${TMPDIR:-}" ]; then
  printf '%s\n' "${TMPDIR}"
elif [ "$(df --output=avail "${memory}" 2>/dev/null | tail -n 1)" -ge 2000000 ] 2>/dev/null &&
  probe=$(mktemp "${memory}/drowse-probe-XXXXXX" 2>/dev/null); then
  trap 'rm -f "${probe}"' EXIT
  printf '#!/bin/sh\n' >"${probe}"
  chmod u+x "${probe}"
  if "${probe}" 2>/dev/null; then printf '%s\n' "${memory}"; else printf '/tmp\n'; fi
else
  printf '/tmp\n'
fi
