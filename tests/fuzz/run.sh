#!/usr/bin/env bash
# Run each coverage fuzzer for a while, one at a time: of the plugin's readers (clang's libFuzzer, compiled here) and of
# the service's (atheris, the extra [fuzz]). Corpora grow in build/fuzz/corpus; what was found lies in build/fuzz/found.
#
#   run.sh SECONDS [TARGET]...     all targets by default
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD work=${STEREO_CONVERT_FUZZ_DIR:-$PWD/build/fuzz} python=$PWD/.venv/bin/python
seconds=${1:?"usage: run.sh SECONDS [TARGET]..."}
shift
plugin=(window_answer session_answer saved_params)
service=(window share settings settings_text pixels job token listen redaction)
(($#)) || set -- "${plugin[@]}" "${service[@]}"
failed=()

command -v clang++ >/dev/null || { echo "fuzz: clang++ is missing; run: apt-get install clang" >&2; exit 1; }
if ! "$python" -c 'import atheris' 2>/dev/null; then
    echo "fuzz: installing the extra [fuzz] into .venv"
    "$python" -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["fuzz"])' |
        xargs "$python" -m pip install -qq --disable-pip-version-check
fi

mkdir -p "$work/found"
"$python" -m tests.fuzz.seeds "$work/seeds"

build() { # TARGET
    [[ -e $work/cmake/build.ninja ]] || cmake -S . -B "$work/cmake" -G Ninja -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DSTEREO_CONVERT_FUZZ=ON \
        -DSTEREO_CONVERT_BUNDLE_DIR="$work/bundle" -DOFX_HOST_OUTPUT_DIR="$work/python" \
        >"$work/configure.log" 2>&1 || { tail -n 20 "$work/configure.log" >&2; exit 1; }
    cmake --build "$work/cmake" -j "${STEREO_CONVERT_JOBS:-2}" --target "fuzz_$1" -- --quiet
}

for target in "$@"; do
    mkdir -p "$work/corpus/$target"
    command=("$python" -m tests.fuzz.service_fuzzer "$target")
    if [[ " ${plugin[*]} " == *" $target "* ]]; then
        build "$target"
        command=("$work/cmake/tests/fuzz/fuzz_$target")
    fi
    if PYTHONPATH=$root OMP_NUM_THREADS=1 "${command[@]}" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=4096 \
        -print_final_stats=1 -artifact_prefix="$work/found/$target-" "$work/corpus/$target" "$work/seeds/$target" \
        >"$work/$target.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log")
        coverage=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\).*/\1 edges, \2 features/p' "$work/$target.log" | tail -n 1)
        echo "$target: $runs runs in $seconds s, $coverage; nothing found"
    else
        failed+=("$target")
        tail -n 30 "$work/$target.log" >&2
    fi
done
((${#failed[@]} == 0)) || { echo "fuzz: found something: ${failed[*]}; see $work/found" >&2; exit 1; }
