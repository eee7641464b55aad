#!/bin/bash
# Stands before the compiler: our own crates are built with the coverage that the fuzzer is steered by, those of others without.
# So the build takes a third of the time, and what is steered by is our code.
case "${CARGO_PKG_NAME:-}" in
  # shellcheck disable=SC2086 # the flags are several words
  tidebook*) exec "$@" $FUZZ_COVERAGE ;;
  *) exec "$@" ;;
esac
