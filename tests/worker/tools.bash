# What it takes to build a Worker beside cargo, in pinned versions; sourced by the scripts of this
# folder.
#
#   install_tools        brings what is missing into target/worker-tools and node_modules
#   build_worker FOLDER  builds the crate of that folder into its folder `build`
#   check_deploy FOLDER  the same as wrangler does it, with all that can be checked without an account

set -euo pipefail

worker_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$worker_tests/../.." && pwd)
tools=${CARGO_TARGET_DIR:-$repository/target}/worker-tools

install_tools() {
  command -v node >/dev/null && command -v npm >/dev/null || {
    echo "Workers are tested in the runtime's npm package: install Node 20 or newer, with npm." >&2
    exit 1
  }
  local installed=$worker_tests/node_modules/.installed-from
  if ! cmp -s "$worker_tests/package-lock.json" "$installed"; then
    # esbuild's own install script only replaces a launcher by the program that it would start.
    npm ci --prefix "$worker_tests" --ignore-scripts --no-audit --no-fund
    cp "$worker_tests/package-lock.json" "$installed"
  fi
  install_program worker-build "$(locked_version worker)" --locked
  # Its own lock file names a package that was withdrawn.
  install_program wasm-bindgen-cli "$(locked_version wasm-bindgen)"
}

# The version of a package in the workspace's lock file.
locked_version() {
  sed -n "/^name = \"$1\"\$/{n;s/^version = \"\(.*\)\"\$/\1/p}" "$repository/Cargo.lock"
}

# The tools have versions of the libraries that they work with.
install_program() {
  local name=$1 version=$2
  shift 2
  local stamp=$tools/$name-$version
  [ -e "$stamp" ] && return
  # Without optimisation: it takes longer to build it than it is ever used.
  CARGO_TARGET_DIR=$tools/build cargo install "$name" --version "$version" --debug --root "$tools" "$@"
  rm -f "$tools/$name"-[0-9]*
  touch "$stamp"
}

build_worker() {
  with_tools worker-build --profile worker "$1"
}

check_deploy() {
  local log
  log=$(mktemp)
  (cd "$1" && CI=true with_tools "$worker_tests/wrangler" deploy --dry-run) 2>&1 | tee "$log"
  # It goes on with settings that it does not know.
  if grep -q WARNING "$log"; then
    echo "wrangler has something to say against $1/wrangler.jsonc." >&2
    return 1
  fi
  rm "$log"
}

# Runs a command that builds a Worker, with the tools in the places where it looks for them.
with_tools() {
  local modules=$worker_tests/node_modules
  PATH=$tools/bin:$PATH \
    WASM_BINDGEN_BIN=$tools/bin/wasm-bindgen \
    WASM_OPT_BIN=$modules/.bin/wasm-opt \
    ESBUILD_BIN=$modules/.bin/esbuild \
    "$repository/tests/wasm32" "$@"
}
