#!/bin/sh
# Installs what is missing on Debian: Verilator and a C++ compiler; with `test`, also Icarus Verilog, Yosys, IceStorm, Slurm, GNU
# parallel, Chromium with what drives it, and the environment of the FPGA tools.
set -eu
cd "$(dirname "$0")/.."

sudo=""
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then sudo="sudo"; fi

missing=""
command -v verilator >/dev/null || missing="$missing verilator"
command -v c++ >/dev/null || missing="$missing g++"
command -v make >/dev/null || missing="$missing make"
if [ "${1:-}" = test ]; then
    command -v iverilog >/dev/null || missing="$missing iverilog"
    command -v yosys >/dev/null || missing="$missing yosys"
    command -v icebox_vlog >/dev/null || missing="$missing fpga-icestorm"
    # sbatch, and the daemons that tests start themselves
    daemons=""
    for daemon in slurmctld slurmd munged; do [ -x /usr/sbin/$daemon ] || daemons=" slurm-wlm munge"; done
    missing="$missing$daemons"
    command -v parallel >/dev/null || missing="$missing parallel"
    python3 -c "import venv, ensurepip" 2>/dev/null || missing="$missing python3-venv"
    command -v chromium >/dev/null || missing="$missing chromium"
    command -v npm >/dev/null || missing="$missing nodejs npm"
fi
[ -f /usr/include/zlib.h ] || missing="$missing zlib1g-dev"

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null; then
        echo "missing:$missing; install them with your package manager" >&2
        exit 3
    fi
    echo "installing:$missing"
    $sudo apt-get update -qq
    # packages start their daemons as services unless this says no
    policy=/usr/sbin/policy-rc.d
    if [ -n "${daemons:-}" ] && [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
        $sudo chmod +x $policy
        trap '$sudo rm -f $policy' EXIT
    fi
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
if [ "${1:-}" = test ]; then
    [ -d tests/browser/node_modules/playwright-core ] || (cd tests/browser && npm ci --silent --no-audit --no-fund)
    tools/setup_fpga.sh
fi
