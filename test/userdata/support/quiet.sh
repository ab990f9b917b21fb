# shellcheck shell=bash
# Read by every bash of a quiet run (BASH_ENV): curl is played, and a sleep takes no time.
# shellcheck source=/dev/null
source /test-tools/fast-sleep.sh
# shellcheck source=/dev/null
source /test-tools/played.sh
curl() { played curl "$@"; }
