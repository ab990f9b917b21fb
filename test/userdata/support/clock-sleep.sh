# shellcheck shell=bash
# As fast-sleep.sh, where all that goes by the shell's clock is to see that time has passed.
sleep() {
  SECONDS=$((SECONDS + ${SLEEP_FACTOR:-50} * $1))
}
