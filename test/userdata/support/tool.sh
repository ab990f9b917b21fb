#!/bin/sh
#
# Stands on a node's PATH under the name of each command that the node scripts use. It runs the fake of that name if there is
# one, else the real command, and counts. With KILL_AFTER=n it kills the whole process group (script included) with SIGKILL
# as soon as n commands have come to their end, which is what a crash after any of them looks like.
#
#   /test/calls  what fakes were called with
#   /test/ticks  one byte for each command that ended
#
# With STEP=port it tells the test, at that port, of each command that ended, and waits until it may go on.
name=${0##*/}
# A script that is run by its name stays on this PATH.
[ "${name}" != bash ] || exec /bin/bash "$@"
fake=/test-tools/fakes/${name}
[ ! -e /test/world/no-chance ] || [ ! -x "/test-tools/fakes-kill/${name}" ] || fake=/test-tools/fakes-kill/${name}
[ ! -e /test/world/real-etcd ] || [ ! -x "/test-tools/fakes-etcd/${name}" ] || fake=/test-tools/fakes-etcd/${name}
[ ! -e /test/world/fake-disk ] || [ ! -x "/test-tools/fakes-disk/${name}" ] || fake=/test-tools/fakes-disk/${name}
# For fakes that run one of our scripts.
export TOOLS_PATH="${PATH}"
PATH=/usr/bin:/usr/sbin:/bin:/sbin
if [ -x "${fake}" ]; then
  case ${name} in
    age | age-keygen | curl | head | journalctl | mountpoint | sleep | timeout) ;;
    *) printf '%s\n' "${name} $*" >>/test/calls ;;
  esac
  [ -n "${KILL_AFTER}${STEP}" ] || exec "${fake}" "$@"
  "${fake}" "$@"
else
  [ -n "${KILL_AFTER}${STEP}" ] || exec "${name}" "$@"
  command "${name}" "$@"
fi
code=$?
if [ -n "${KILL_AFTER}" ]; then
  printf . >>/test/ticks
  read -r ticks </test/ticks
  [ "${#ticks}" -lt "${KILL_AFTER}" ] || kill -KILL 0
elif [ -n "${STEP}" ]; then
  bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "%s\n" "$2" >&3 && read -r _ <&3' step "${STEP}" "${name}"
fi
exit "${code}"
