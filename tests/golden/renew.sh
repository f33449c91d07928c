#!/bin/sh
# Writes the golden file anew. Results have changed: change kPhysicsVersion (sim/culture/culture.h) first, say
# why in the commit, and look at the voltages in the difference to see how far they moved.
set -eu
cd "$(dirname "$0")/../.."
file=tests/data/golden/culture.json
bazel run "$@" //tests/golden:print_golden > "$file.tmp"
mv "$file.tmp" "$file"
git --no-pager diff --stat -- "$file"
