# shellcheck shell=bash
# Read by every bash of a sandbox (BASH_ENV) where curl is played: and a sleep takes no time.
# shellcheck source=/dev/null
source /test-tools/fast-sleep.sh
# shellcheck source=/dev/null
source /test-tools/played.sh
curl() { played curl "$@"; }
