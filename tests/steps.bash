# Named steps with a heading, a time each and a summary; sourced by `.ci/run` and `tests/full`.
#
#   step NAME COMMAND...   runs the command; the script ends with the first that fails, named
#   summary                is printed when the script ends, however it ends
#
# Commands are run as they stand, not in a condition, so that `set -e` holds inside functions too.

set -euo pipefail

step_names=()
step_seconds=()
step_running=
step_started=

step() {
  step_running=$1
  step_started=$SECONDS
  shift
  printf '\n==== %s\n' "$step_running"
  "$@"
  step_names+=("$step_running")
  step_seconds+=($((SECONDS - step_started)))
  step_running=
}

summary() {
  local status=$? i
  printf '\n==== Time\n'
  for i in "${!step_names[@]}"; do
    printf '%6d s  %s\n' "${step_seconds[i]}" "${step_names[i]}"
  done
  if [ -n "$step_running" ]; then
    printf '%6d s  %s: FAILED\n' $((SECONDS - step_started)) "$step_running"
  fi
  printf '%6d s  in all\n' "$SECONDS"
  if [ -n "$step_running" ]; then
    printf '\nFAILED: %s (status %d)\n' "$step_running" "$status" >&2
  elif [ "$status" -eq 0 ]; then
    printf '\nAll steps passed.\n'
  fi
  return "$status"
}

trap summary EXIT
# A signal ends the script by way of the summary, so that an interrupted step is named.
trap 'exit 130' INT
trap 'exit 143' TERM
