#!/usr/bin/env bash
# Print the oldest glibc that each binary loads with.
#
#   glibc_needed.sh FILE...
set -euo pipefail

for file in "$@"; do
    newest=$(readelf --version-info --wide "$file" | grep -oE 'Name: GLIBC_[0-9.]+' | sed 's/.*_//' | sort -V | tail -n 1)
    echo "$(basename "$file") needs glibc ${newest:-of any version}"
done
