#!/usr/bin/env bash
# Rebuild the static archives that the distribution ships without -fPIC, from its own source packages:
# abseil, protobuf-lite and re2, of exactly the versions whose headers are installed. gRPC, upb, c-ares, OpenSSL and
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

# What each was built from, and by which compiler; the last number is that of this recipe.
declare -A package=([abseil]=libabsl-dev [protobuf]=libprotobuf-dev [re2]=libre2-dev) wanted
missing=()
for name in "${!package[@]}"; do
    from=$(dpkg-query --show --showformat '${source:Package}=${source:Version}' "${package[$name]}" 2>/dev/null) ||
        unavailable "${package[$name]} is not installed"
    wanted[$name]="$from $(c++ -dumpfullversion) 1"
    [[ -f $folder/stamp.$name && $(<"$folder/stamp.$name") == "${wanted[$name]}" ]] || missing+=("$name")
done
((${#missing[@]})) || exit 0

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

echo "static_deps: fetching the sources of ${missing[*]}"
private_apt update || unavailable "cannot update the source lists"
cd "$folder"
rm -rf src && mkdir -p src lib
(cd src && for name in "${missing[@]}"; do
    from=${wanted[$name]%% *}
    # An exact version can have left the archive after a point release; a rebuild of the same upstream has the same ABI.
    private_apt source "$from" >/dev/null || private_apt source "${from%%=*}" >/dev/null
done) || unavailable "cannot fetch the sources"

launcher=$(command -v ccache || true)
cmake_build() { # NAME TARGET FLAGS...
    local name=$1 target=$2
    shift 2
    cmake -S src/"$name"-* -B "src/build-$name" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_STANDARD=17 \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DCMAKE_CXX_VISIBILITY_PRESET=hidden \
        -DCMAKE_CXX_FLAGS=-fno-gnu-unique ${launcher:+-DCMAKE_CXX_COMPILER_LAUNCHER=$launcher} "$@" &&
        cmake --build "src/build-$name" -j "$jobs" --target "$target"
}
build_abseil() { cmake_build abseil all; }
build_protobuf() {
    cmake_build protobuf libprotobuf-lite -Dprotobuf_BUILD_TESTS=OFF -Dprotobuf_BUILD_PROTOC_BINARIES=OFF \
        -Dprotobuf_WITH_ZLIB=OFF
}
# Debian leaves the tables of Unicode out of the source and makes them anew, from its package unicode-data.
build_re2() {
    make -C src/re2-* -j "$jobs" REBUILD_TABLES=1 CXX="${launcher:+$launcher }c++" \
        CXXFLAGS="-O3 -DNDEBUG -pthread -fPIC -fvisibility=hidden -fno-gnu-unique" obj/libre2.a &&
        mkdir -p src/build-re2 && cp src/re2-*/obj/libre2.a src/build-re2/
}

for name in "${missing[@]}"; do
    echo "static_deps: compiling $name"
    "build_$name" >"src/$name.log" 2>&1 ||
        { tail -n 30 "src/$name.log" >&2 && unavailable "$name did not compile; see $folder/src/$name.log"; }
    find "src/build-$name" -name '*.a' -exec cp {} lib/ \;
    echo "${wanted[$name]}" >"stamp.$name"
done

rm -rf src apt
touch "$folder/stamp"
echo "static_deps: $(find lib -name '*.a' | wc -l) archives in $folder/lib"
