# shellcheck shell=bash
# Read by every bash of a sandbox (BASH_ENV): a sleep takes no time, and a bounded wait believes that fifty times
# (SLEEP_FACTOR) as much has passed as it asked for (the variables are those of wait_until, which calls it).
sleep() {
  if [[ -v waited ]]; then
    waited=$((waited + ${SLEEP_FACTOR:-50} * ${interval:-5}))
  fi
}
