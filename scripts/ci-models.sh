#!/usr/bin/env bash
# Lays down models/minilm, which is too large to be committed: made once for each manifest (about a minute), then kept outside
# the checkout, in ${XDG_CACHE_HOME:-~/.cache}/sluice-ci. Its tests prove every byte of it.
set -euo pipefail
cd "$(dirname "$0")/.."

manifest=scripts/models/minilm/manifest.json
kept="${XDG_CACHE_HOME:-$HOME/.cache}/sluice-ci/minilm-$(sha256sum "$manifest" | cut -c1-16)"
if [ ! -d "$kept" ]; then
  npm run -s models -- minilm
  rm -rf "$kept.new"
  mkdir -p "$(dirname "$kept")"
  cp -R models/minilm/1.0.0 "$kept.new"
  mv "$kept.new" "$kept"
fi
rm -rf models/minilm
mkdir -p models/minilm
cp -R "$kept" models/minilm/1.0.0
