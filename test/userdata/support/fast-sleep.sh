# shellcheck shell=bash
# Read by every bash of a sandbox (BASH_ENV): a sleep takes no time, and a bounded wait believes that twenty times as much
# has passed as it asked for (the variables are those of wait_until, which calls it).
sleep() {
  if [[ -v waited ]]; then
    waited=$((waited + 19 * ${interval:-5}))
  fi
}
