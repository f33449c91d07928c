#!/usr/bin/env bash
# Installs what livnd needs to be built, tested and tried on Debian 12: system packages with apt, and a
# Python environment in .venv. demo, test and bench all begin here. Running it again costs a second.
#
#   tools/setup.sh            everything
#   tools/setup.sh --rl       also .venv-rl and .venv-rllib, with the reinforcement-learning tools that
#                             ./test rl runs
#   tools/setup.sh --bench-rl  also .venv-rl and .venv-peers, with what ./bench rl measures with
#   tools/setup.sh --formats  also .venv-formats, with what ./test formats opens converted recordings with
#   tools/setup.sh --livn     also .venv-livn, with what ./test livn runs livn's own tests with
#   tools/setup.sh --fleet    also MPICH, SLURM and .venv-fleet with Ray, for ./test fleet
#   tools/setup.sh --build    only what building the server takes: no tests, no Python environment
#   tools/setup.sh --container  also what builds and runs containers, for ./test container
#   tools/setup.sh --wheel    also what makes an empty Debian, for ./test wheel
#   tools/setup.sh --fuzz     also Clang and its libFuzzer, for ./test fuzz
#   tools/setup.sh --check    change nothing; say what is missing, exit 1 if anything is
#
# All output goes to standard error. Set-up needs root (or sudo without a password) only when system
# packages are missing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

packages=(
  # the build
  bazel-bootstrap bazel-platforms bazel-rules-proto bazel-skylib g++
  # libraries
  libabsl-dev libeigen3-dev libgrpc++-dev libhdf5-dev libhwy-dev libpagmo-dev libprotobuf-dev
  librandom123-dev libssl-dev libxxhash-dev libyaml-cpp-dev nlohmann-json3-dev prometheus-cpp-dev
  protobuf-compiler protobuf-compiler-grpc zlib1g-dev
)
other_packages=(
  # tests and checks
  clang-format cmake git libbenchmark-dev libgmock-dev libgtest-dev openssl pkg-config systemd
  # Python
  ca-certificates python3 python3-venv
)
container_packages=(buildah mmdebstrap podman runc)
wheel_packages=(mmdebstrap)
fleet_packages=(mpich munge slurm-wlm)
fuzz_packages=(clang-14 libclang-rt-14-dev)

say() { echo "setup: $*" >&2; }

# quietly WHAT COMMAND...: runs a command with its output in a log that is shown only if it fails, and a
# line now and then so that nobody wonders whether it still runs.
quietly() {
  local what=$1 log start=$SECONDS pid rc=0 next=15
  shift
  log=$(mktemp)
  say "$what ..."
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - start >= next)); then
      say "  $((SECONDS - start)) s: $(tail -n 1 "$log" | cut -c 1-80)"
      next=$((next + 15))
    fi
  done
  wait "$pid" || rc=$?
  if ((rc != 0)); then
    tail -n 25 "$log" >&2
    say "$what: failed after $((SECONDS - start)) s (exit status $rc)"
    rm -f "$log"
    return "$rc"
  fi
  rm -f "$log"
}

missing_packages() {
  local name
  for name in "${packages[@]}"; do
    if [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) != "ii "* ]]; then
      echo "$name"
    fi
  done
}

install_packages() {
  local -a missing as_root=() apt
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
  if (($(id -u) != 0)); then
    if ! sudo -n true 2>/dev/null; then
      say "these Debian packages are missing, and installing them needs root. Please run"
      say "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
      say "and start this command again."
      exit 1
    fi
    as_root=(sudo -n)
  fi
  quietly "reading the package lists" "${as_root[@]}" "${apt[@]}" update
  quietly "installing ${#missing[@]} Debian packages (a few minutes on a new machine)" \
    "${as_root[@]}" "${apt[@]}" install --no-install-recommends "${missing[@]}"
}

# Debian's own Python where it can make environments, otherwise the first python3 on the path that can.
find_python() {
  local python
  for python in /usr/bin/python3 python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  say "no Python 3.10 or newer with the venv module; on Debian: apt-get install python3-venv"
  exit 1
}

# What an environment was made from; when this changes, it is brought up to date.
environment_key() { # PYTHON REQUIREMENTS
  { echo "$root"; "$1" --version; cat "$2"; } | sha256sum | cut -d ' ' -f 1
}

make_environment() { # FOLDER REQUIREMENTS HOW_LONG
  local folder=$1 requirements=$2 how_long=$3 python key packages_dir
  python=$(find_python)
  key=$(environment_key "$python" "$requirements")
  if [[ -x $folder/bin/python && $(cat "$folder/livnd-setup" 2>/dev/null) == "$key" ]]; then
    return
  fi
  # Where a link to another checkout's environment stands, this one gets its own; clearing what the link
  # leads to would take it from the other.
  [[ ! -L $folder ]] || rm "$folder"
  rm -f "$folder/livnd-setup"
  quietly "making a Python environment in $folder" "$python" -m venv --clear "$folder"
  quietly "installing Python packages ($how_long)" \
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
  # The client is used from the checkout, not from an installed copy.
  packages_dir=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  echo "$root/clients/python" >"$packages_dir/livnd-checkout.pth"
  echo "$key" >"$folder/livnd-setup"
}

check() {
  local -a missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]})); then
    say "missing Debian packages: ${missing[*]}"
    exit 1
  fi
  if [[ $(cat .venv/livnd-setup 2>/dev/null) != "$(environment_key "$(find_python)" tools/requirements.txt)" ]]; then
    say ".venv is missing or out of date"
    exit 1
  fi
}

case ${1:-} in
  '' | --rl | --bench-rl | --formats | --livn) packages+=("${other_packages[@]}") ;;
  --build) ;;
  --container) packages+=("${other_packages[@]}" "${container_packages[@]}") ;;
  --wheel) packages+=("${other_packages[@]}" "${wheel_packages[@]}") ;;
  --fleet) packages+=("${other_packages[@]}" "${fleet_packages[@]}") ;;
  --fuzz) packages+=("${other_packages[@]}" "${fuzz_packages[@]}") ;;
  --check)
    packages+=("${other_packages[@]}")
    check
    exit
    ;;
  *)
    sed -n '2,19s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

# Two commands may start at once in one checkout; the second waits for the first.
exec 9<"$root/tools/setup.sh"
flock 9
install_packages
if [[ ${1:-} == --build ]]; then exit; fi
make_environment .venv tools/requirements.txt "a minute or two"
if [[ ${1:-} == --rl ]]; then
  make_environment .venv-rl tools/requirements-rl.txt "some gigabytes: ten minutes or more"
  make_environment .venv-rllib tools/requirements-rllib.txt "some gigabytes: ten minutes or more"
elif [[ ${1:-} == --bench-rl ]]; then
  make_environment .venv-rl tools/requirements-rl.txt "some gigabytes: ten minutes or more"
  make_environment .venv-peers tools/requirements-peers.txt "a gigabyte: some minutes"
elif [[ ${1:-} == --formats ]]; then
  make_environment .venv-formats tools/requirements-formats.txt "a minute or two"
elif [[ ${1:-} == --livn ]]; then
  make_environment .venv-livn tools/requirements-livn.txt "a minute or two"
elif [[ ${1:-} == --fleet ]]; then
  make_environment .venv-fleet tools/requirements-fleet.txt "a minute or two"
fi
