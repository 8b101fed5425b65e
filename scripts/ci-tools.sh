#!/usr/bin/env bash
# Installs the external tools that tests and gates run, beside what `npm ci` gives. Safe to run again: what is there stays.
#   usage: scripts/ci-tools.sh [trivy] [packages] [vegeta] [oasdiff] [otelcol]      without a name: all
# Built programs are kept outside the checkout, in ${XDG_CACHE_HOME:-~/.cache}/sluice-ci/bin: put that folder on the PATH.
set -euo pipefail

trivy_version=v0.74.0
collector_version=v0.165.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/sluice-ci"
mkdir -p "$cache/bin"

install_packages() {
  local wanted=(haproxy chromium fonts-dejavu-core docker.io prometheus buildah podman runc bubblewrap mmdebstrap docker-registry) missing=() name
  for name in "${wanted[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    return
  fi
  echo "ci-tools: installing ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# Trivy has no package in Debian: built from its Go module (about 8 minutes on 2 cores), once for each version.
install_trivy() {
  local built="$cache/trivy-$trivy_version"
  if [ ! -x "$built" ]; then
    echo "ci-tools: building trivy $trivy_version" >&2
    local out
    out="$(mktemp -d "$cache/build.XXXXXX")"
    GOBIN="$out" GOFLAGS=-trimpath GOEXPERIMENT=jsonv2 CGO_ENABLED=0 nice -n 10 go install \
      -ldflags "-s -w -X github.com/aquasecurity/trivy/pkg/version/app.ver=${trivy_version#v}" \
      "github.com/aquasecurity/trivy/cmd/trivy@$trivy_version"
    mv "$out/trivy" "$built"
    rmdir "$out"
  fi
  ln -sf "../trivy-$trivy_version" "$cache/bin/trivy"
}

# A program of one Go module, once for each version: install_go name module version.
install_go() {
  local built="$cache/$1-$3"
  if [ ! -x "$built" ]; then
    echo "ci-tools: building $1 $3" >&2
    local out
    out="$(mktemp -d "$cache/build.XXXXXX")"
    GOBIN="$out" GOFLAGS=-trimpath CGO_ENABLED=0 nice -n 10 go install "$2@$3"
    mv "$out"/* "$built"
    rmdir "$out"
  fi
  ln -sf "../$1-$3" "$cache/bin/$1"
}

# A second load driver: the own one is checked against it.
install_vegeta() { install_go vegeta github.com/tsenart/vegeta/v12 v12.13.0; }

# Finds breaking changes between two OpenAPI documents.
install_oasdiff() { install_go oasdiff github.com/oasdiff/oasdiff v1.36.0; }

# The OpenTelemetry Collector with what tests need of it (about 2 minutes), assembled by its own builder.
install_otelcol() {
  local built="$cache/otelcol-$collector_version" out
  if [ ! -x "$built" ]; then
    install_go builder go.opentelemetry.io/collector/cmd/builder "$collector_version"
    echo "ci-tools: building otelcol $collector_version" >&2
    out="$(mktemp -d "$cache/build.XXXXXX")"
    sed "s/VERSION/$collector_version/" "$(dirname "$0")/otelcol.yaml" >"$out/otelcol.yaml"
    (cd "$out" && GOFLAGS=-trimpath CGO_ENABLED=0 nice -n 10 "$cache/bin/builder" --config otelcol.yaml >&2)
    mv "$out/build/otelcol" "$built"
    rm -r "$out"
  fi
  ln -sf "../otelcol-$collector_version" "$cache/bin/otelcol"
}

for name in "${@:-all}"; do
  case "$name" in
    # One line each: in a list joined by && a failure inside would not end the script.
    all)
      install_packages
      install_trivy
      install_vegeta
      install_oasdiff
      install_otelcol
      ;;
    packages) install_packages ;;
    trivy) install_trivy ;;
    vegeta) install_vegeta ;;
    oasdiff) install_oasdiff ;;
    otelcol) install_otelcol ;;
    *)
      echo "Cannot install $name: known are trivy, packages, vegeta, oasdiff, otelcol" >&2
      exit 2
      ;;
  esac
done
