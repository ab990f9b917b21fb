# shellcheck shell=bash
# As fast-sleep.sh, where something real is waited for: a sleep takes a fraction of its time and counts as what it asked for.
sleep() {
  command -p sleep 0.2
}
