#!/usr/bin/env bash
# Run the headless host on a plugin that watches itself: address and undefined behaviour, then data races; then, where
# valgrind is installed, a load probe under it. Host and tests are those of build/python; the watched plugins have
# folders of their own in build/sanitize, or where STEREO_CONVERT_SANITIZE_DIR says. Exits 1 when one of them found
# something. From nothing it takes ten minutes on two idle cores.
#
#   sanitize.sh [address|thread|valgrind]...     all three by default
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
output=${STEREO_CONVERT_SANITIZE_DIR:-$root/build/sanitize}
python=$root/.venv/bin/python
failed=()

build() { # NAME -fsanitize-VALUE
    local folder=$output/$1
    mkdir -p "$folder"
    cmake -S . -B "$folder/cmake" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 \
        -DPython_EXECUTABLE="$python" -DSTEREO_CONVERT_SANITIZE="$2" -DSTEREO_CONVERT_BUNDLE_DIR="$folder" \
        -DOFX_HOST_OUTPUT_DIR="$folder/python" \
        >"$folder/configure.log" 2>&1 || { tail -n 20 "$folder/configure.log" >&2; exit 1; }
    cmake --build "$folder/cmake" -j "${STEREO_CONVERT_JOBS:-2}" --target StereoConvert -- --quiet
}

# The watching libraries must be in the process before Python; the service is started without them by the plugin itself.
# Under them a child is forked where Python would vfork; there gRPC starts its threads anew, which ends a child that
# libtsan watches before it is what it was to become: fork support is off.
watched() { # NAME LIBRARY... -- PYTEST-ARGUMENT...
    local folder=$output/$1 libraries=""
    shift
    while [[ $1 != -- ]]; do
        libraries+="$(realpath "$(c++ -print-file-name="$1")") "
        shift
    done
    shift
    rm -f "$folder"/report.*
    local status=0
    STEREO_CONVERT_BUNDLE=$folder/StereoConvert.ofx.bundle OMP_NUM_THREADS=1 OFX_HOST_BUILD_DIR=$root/build/python \
        GRPC_ENABLE_FORK_SUPPORT=0 LD_PRELOAD=$libraries PYTHONPATH=$root \
        ASAN_OPTIONS=detect_leaks=0:halt_on_error=0:log_path=$folder/report:use_sigaltstack=0 \
        UBSAN_OPTIONS=print_stacktrace=1:log_path=$folder/report \
        TSAN_OPTIONS=log_path=$folder/report:exitcode=0 \
        "$python" -m pytest -q -p no:cacheprovider "$@" || status=$?
    return $status
}

# What runs plugin and host in this process; tests that start hosts of their own, or count bytes of memory, are others'.
quick=(tests/ofx_plugin/test_render.py tests/ofx_plugin/test_transport.py tests/ofx_plugin/test_contract.py
    tests/ofx_plugin/test_panel.py tests/ofx_plugin/test_preview.py tests/ofx_plugin/test_failures.py
    tests/ofx_plugin/test_log.py tests/ofx_plugin/test_tls.py tests/ofx_plugin/test_warm_up.py
    tests/ofx_plugin/test_resolve_pages.py
    --deselect tests/ofx_plugin/test_warm_up.py::test_a_process_ends_in_the_middle_of_a_warm_up
    --deselect tests/ofx_plugin/test_failures.py::test_a_host_without_memory_left_is_told_and_lives)

for tool in "${@:-address thread valgrind}"; do
    for name in $tool; do
        echo "sanitize: $name"
        case $name in
        address)
            build address address,undefined
            watched address libasan.so libubsan.so libstdc++.so.6 -- "${quick[@]}" || failed+=("$name")
            ! cat "$output"/address/report.* 2>/dev/null || failed+=("$name")
            ;;
        thread)
            build thread thread
            # No chunks: gRPC itself gets none through under this sanitizer (thread_probe.py).
            watched thread libtsan.so libstdc++.so.6 -- tests/ofx_plugin/test_{render,transport,preview,warm_up}.py \
                --deselect tests/ofx_plugin/test_warm_up.py::test_a_process_ends_in_the_middle_of_a_warm_up \
                --deselect tests/ofx_plugin/test_transport.py::test_frames_travel_as_chunks_where_no_memory_is_shared \
                --deselect tests/ofx_plugin/test_transport.py::test_small_cache_costs_time_but_no_frame \
                --deselect tests/ofx_plugin/test_transport.py::test_memory_is_used_only_when_both_nonces_agree ||
                failed+=("$name")
            "$python" -m tests.ofx_host.thread_reports "$output"/thread/StereoConvert.ofx.bundle/Contents/*/*.ofx \
                $(find "$output/thread" -name 'report.*') || failed+=("$name")
            ;;
        valgrind)
            command -v valgrind >/dev/null || { echo "sanitize: no valgrind here"; continue; }
            binary=$(echo build/StereoConvert.ofx.bundle/Contents/*/StereoConvert.ofx)
            STEREO_CONVERT_RUNTIME_DIR=$(mktemp -d) STEREO_CONVERT_SERVICE=/bin/false \
                valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
                --errors-for-leak-kinds=definite build/python/load_probe "$binary" || failed+=("$name")
            ;;
        esac
    done
done
((${#failed[@]} == 0)) || { echo "sanitize: found something: ${failed[*]}" >&2; exit 1; }
echo "sanitize: nothing found"
