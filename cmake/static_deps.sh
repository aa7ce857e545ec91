#!/usr/bin/env bash
# Rebuild the static archives that the distribution ships without -fPIC, from its own source packages:
# abseil and protobuf-lite, of exactly the versions whose headers are installed. gRPC, upb, c-ares and
# zlib are already position independent.
#
#   static_deps.sh FOLDER      leaves FOLDER/lib/*.a; a second run does nothing
#
# Exits 3 when this machine has no Debian-like package sources, so that CMake can fall back to shared libraries.
set -euo pipefail

folder=${1:?usage: static_deps.sh FOLDER}
jobs=${STEREO_CONVERT_JOBS:-2}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

unavailable() {
    echo "static_deps: $*" >&2
    exit 3
}

command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || unavailable "no apt-get here"
command -v dpkg-source >/dev/null || unavailable "dpkg-source is missing; install dpkg-dev"

source_of() { # PACKAGE: name=version of the source package it was built from
    dpkg-query --show --showformat '${source:Package}=${source:Version}' "$1" 2>/dev/null
}
abseil=$(source_of libabsl-dev) || unavailable "libabsl-dev is not installed"
protobuf=$(source_of libprotobuf-dev) || unavailable "libprotobuf-dev is not installed"

wanted="$abseil $protobuf $(c++ -dumpfullversion) 1" # the last number is this recipe's
[[ -f $folder/stamp && $(<"$folder/stamp") == "$wanted" ]] && exit 0

# A private copy of the system's sources with deb-src in place of deb: the system's own lists stay as they are.
apt=$folder/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources.list.d"
: >"$apt/sources.list"
shopt -s nullglob
for list in /etc/apt/sources.list /etc/apt/sources.list.d/{debian,ubuntu}*; do
    [[ -f $list ]] || continue
    case $list in
    *.sources) sed -E 's/^Types:.*/Types: deb-src/' "$list" >"$apt/sources.list.d/$(basename "$list")" ;;
    *) sed -nE 's/^deb(-src)?( .*)/deb-src\2/p' "$list" >>"$apt/sources.list" ;;
    esac
done
private_apt() {
    apt-get -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/sources.list.d" \
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" -qq "$@"
}

echo "static_deps: fetching the sources of $abseil and $protobuf"
private_apt update || unavailable "cannot update the source lists"
cd "$folder"
rm -rf src lib && mkdir -p src lib
(cd src && for package in "$abseil" "$protobuf"; do
    # An exact version can have left the archive after a point release; a rebuild of the same upstream has the same ABI.
    private_apt source "$package" >/dev/null || private_apt source "${package%%=*}" >/dev/null
done) || unavailable "cannot fetch the sources"

build() { # NAME SOURCE TARGET FLAGS...
    local name=$1 source=$2 target=$3
    shift 3
    echo "static_deps: compiling $name"
    cmake -S "$source" -B "src/build-$name" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_STANDARD=17 \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DCMAKE_CXX_VISIBILITY_PRESET=hidden \
        -DCMAKE_CXX_FLAGS=-fno-gnu-unique "$@" >"src/$name.log" 2>&1 &&
        cmake --build "src/build-$name" -j "$jobs" --target "$target" >>"src/$name.log" 2>&1 ||
        { tail -n 30 "src/$name.log" >&2 && unavailable "$name did not compile; see $folder/src/$name.log"; }
    find "src/build-$name" -name '*.a' -exec cp {} lib/ \;
}
launcher=$(command -v ccache || true)
cached=(${launcher:+-DCMAKE_CXX_COMPILER_LAUNCHER=$launcher})
build abseil src/abseil-* all "${cached[@]}"
build protobuf src/protobuf-* libprotobuf-lite -Dprotobuf_BUILD_TESTS=OFF -Dprotobuf_BUILD_PROTOC_BINARIES=OFF \
    -Dprotobuf_WITH_ZLIB=OFF "${cached[@]}"

rm -rf src apt
echo "$wanted" >"$folder/stamp"
echo "static_deps: $(find lib -name '*.a' | wc -l) archives in $folder/lib"
