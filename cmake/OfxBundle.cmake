# The plugin as BUNDLE_DIR/StereoConvert.ofx.bundle, laid out as the OpenFX standard asks, and the launcher of the
# service beside it.
set(STEREO_CONVERT_BUNDLE_DIR ${PROJECT_SOURCE_DIR}/build CACHE PATH "Folder that receives StereoConvert.ofx.bundle")
set(bundle ${STEREO_CONVERT_BUNDLE_DIR}/StereoConvert.ofx.bundle)
set(bundle_arch Linux-x86-64)
if(WIN32)
  set(bundle_arch Win64)
elseif(APPLE)
  set(bundle_arch MacOS)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(bundle_arch Linux-aarch64)
endif()

configure_file(ofx_plugin/version.h.in ${PROJECT_BINARY_DIR}/generated/version.h @ONLY)

set(platform posix)
if(WIN32)
  set(platform windows)
endif()

# What needs no gRPC, also for the Python module of the tests.
add_library(stereo_convert_units STATIC
  ofx_plugin/frame_arena.cpp
  ofx_plugin/frame_key.cpp
  ofx_plugin/frame_store.cpp
  ofx_plugin/params.cpp
  ofx_plugin/pixel_hash_avx2.cpp
  ofx_plugin/pixel_hash_baseline.cpp
  ofx_plugin/pixels.cpp
  ofx_plugin/settings.cpp
  ofx_plugin/shared_region.cpp
  ofx_plugin/platform/${platform}_files.cpp
  ofx_plugin/platform/${platform}_memory.cpp
  ofx_plugin/platform/${platform}_process.cpp)
target_include_directories(stereo_convert_units PUBLIC ofx_plugin ${PROJECT_BINARY_DIR}/generated)
target_include_directories(stereo_convert_units SYSTEM PUBLIC ${OPENFX_INCLUDE_DIR} ${XXHASH_INCLUDE_DIR})
target_compile_options(stereo_convert_units PUBLIC
  $<$<CXX_COMPILER_ID:MSVC>:/W4 /utf-8> $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>
  $<$<NOT:$<CXX_COMPILER_ID:MSVC>>:-Wall -Wextra>)
target_link_libraries(stereo_convert_units PUBLIC Threads::Threads
  $<$<PLATFORM_ID:Linux>:rt> $<$<PLATFORM_ID:Windows>:bcrypt> $<$<PLATFORM_ID:Windows>:shell32>)

add_library(StereoConvert MODULE
  ofx_plugin/clip_image.cpp
  ofx_plugin/describe.cpp
  ofx_plugin/environment.cpp
  ofx_plugin/frame_conversion.cpp
  ofx_plugin/frame_wire.cpp
  ofx_plugin/instance.cpp
  ofx_plugin/local_service.cpp
  ofx_plugin/log.cpp
  ofx_plugin/panel.cpp
  ofx_plugin/plugin_main.cpp
  ofx_plugin/regions.cpp
  ofx_plugin/render.cpp
  ofx_plugin/render_mode.cpp
  ofx_plugin/sequence_memory.cpp
  ofx_plugin/service_address.cpp
  ofx_plugin/service_client.cpp
  ofx_plugin/service_client_channel.cpp
  ofx_plugin/service_client_share.cpp
  ofx_plugin/service_client_summary.cpp
  ofx_plugin/service_client_tls.cpp
  ofx_plugin/service_client_window.cpp
  ofx_plugin/settings_wire.cpp
  ofx_plugin/status.cpp
  ofx_plugin/suites.cpp
  ofx_plugin/tls_diagnosis.cpp
  ofx_plugin/tls_files.cpp
  ofx_plugin/trace.cpp
  ofx_plugin/warm_up.cpp
  ofx_plugin/window_flights.cpp
  ofx_plugin/window_source.cpp)
target_link_libraries(StereoConvert PRIVATE stereo_convert_units stereo_convert_proto)
set_target_properties(StereoConvert PROPERTIES
  PREFIX "" SUFFIX .ofx
  LIBRARY_OUTPUT_DIRECTORY ${bundle}/Contents/${bundle_arch})
# A host or another plugin may bring its own gRPC, protobuf or C++ library: see nothing of theirs, show nothing of ours.
# On Linux the library stays mapped after dlclose because gRPC's threads may still run in it.
if(WIN32)
  target_sources(StereoConvert PRIVATE cmake/exports.def)
elseif(APPLE)
  set(exports ${PROJECT_SOURCE_DIR}/cmake/exports.txt)
  target_link_options(StereoConvert PRIVATE -Wl,-exported_symbols_list,${exports} -Wl,-dead_strip)
else()
  set(exports ${PROJECT_SOURCE_DIR}/cmake/exports.map)
  target_link_options(StereoConvert PRIVATE -Wl,--version-script=${exports}
    -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,--gc-sections -Wl,--as-needed $<$<CONFIG:Release>:-s>)
  if(NOT STEREO_CONVERT_SANITIZE)
    target_link_options(StereoConvert PRIVATE -Wl,-z,defs -static-libstdc++ -static-libgcc)
  endif()
endif()
set_target_properties(StereoConvert PROPERTIES LINK_DEPENDS "${exports}")

set(STEREO_CONVERT_SIGN "" CACHE STRING "Command that signs the finished bundle, which is added as its last argument")
if(STEREO_CONVERT_SIGN)
  separate_arguments(sign NATIVE_COMMAND "${STEREO_CONVERT_SIGN}")
  add_custom_command(TARGET StereoConvert POST_BUILD COMMAND ${sign} ${bundle} VERBATIM)
endif()

include(CheckSymbolExists)
check_symbol_exists(__GLIBC__ features.h has_glibc)
if(has_glibc AND static_problem STREQUAL "" AND NOT STEREO_CONVERT_SANITIZE)
  include(GlibcFloor)
  lower_glibc_floor(StereoConvert)
endif()

if(STEREO_CONVERT_SANITIZE STREQUAL "thread")
  target_sources(StereoConvert PRIVATE tests/ofx_host/thread_clocks.cpp)
  target_link_options(StereoConvert PRIVATE -Wl,--wrap=pthread_mutex_clocklock)
endif()

configure_file(ofx_plugin/resources/Info.plist.in ${bundle}/Contents/Info.plist @ONLY)
foreach(icon IN ITEMS org.stereoconvert.StereoConvert.png org.stereoconvert.StereoConvert.svg)
  configure_file(ofx_plugin/resources/${icon} ${bundle}/Contents/Resources/${icon} COPYONLY)
endforeach()
# The licences of what is linked statically travel with the binary.
foreach(package IN ITEMS libgrpc-dev libprotobuf-dev libabsl-dev libc-ares-dev libre2-dev libssl-dev zlib1g-dev
    libxxhash-dev libstdc++6)
  if(EXISTS /usr/share/doc/${package}/copyright)
    configure_file(/usr/share/doc/${package}/copyright ${bundle}/Contents/Resources/licences/${package}.txt COPYONLY)
  endif()
endforeach()
if(EXISTS ${PROJECT_SOURCE_DIR}/LICENSE)
  configure_file(LICENSE ${bundle}/Contents/Resources/licences/stereo-convert.txt COPYONLY)
endif()
configure_file(cmake/stereo-convert-service.in ${STEREO_CONVERT_BUNDLE_DIR}/stereo-convert-service
  @ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
add_custom_target(bundle DEPENDS StereoConvert)
