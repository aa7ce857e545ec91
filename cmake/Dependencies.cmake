# gRPC and protobuf as `stereo_convert::grpc`: static, position independent and hidden. On Linux from the distribution's
# archives where they can give that, else its shared libraries with a loud warning; on Windows and macOS from vcpkg
# (CMakePresets.json). xxHash is used as a header only.
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_package(Threads REQUIRED)

add_library(stereo_convert_grpc INTERFACE)
add_library(stereo_convert::grpc ALIAS stereo_convert_grpc)
target_link_libraries(stereo_convert_grpc INTERFACE Threads::Threads)

if(WIN32 OR APPLE)
  find_package(Protobuf CONFIG REQUIRED)
  find_package(gRPC CONFIG REQUIRED)
  find_package(OpenSSL REQUIRED)
  target_link_libraries(stereo_convert_grpc INTERFACE gRPC::grpc++ protobuf::libprotobuf-lite OpenSSL::SSL)
  return()
endif()

set(STEREO_CONVERT_DEPS_DIR ${PROJECT_SOURCE_DIR}/build/deps CACHE PATH "Where the rebuilt static archives are kept")
option(STEREO_CONVERT_STATIC_GRPC "Link gRPC statically, so that the bundle runs on other machines" ON)

# OpenSSL is for services on other machines; the host's own stays unseen, and ours is not seen by it.
set(system_archives grpc++ grpc gpr upb address_sorting cares z ssl crypto)

set(static_problem "STEREO_CONVERT_STATIC_GRPC is off")
if(STEREO_CONVERT_STATIC_GRPC)
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/cmake/static_deps.sh ${STEREO_CONVERT_DEPS_DIR}
    RESULT_VARIABLE status ERROR_VARIABLE static_problem)
  if(status EQUAL 0)
    set(static_problem "")
    foreach(name IN LISTS system_archives)
      find_library(ARCHIVE_${name} lib${name}.a)
      if(NOT ARCHIVE_${name})
        string(APPEND static_problem " lib${name}.a is not installed.")
      endif()
      list(APPEND archives ${ARCHIVE_${name}})
    endforeach()
  endif()
endif()

if(static_problem STREQUAL "")
  file(GLOB rebuilt ${STEREO_CONVERT_DEPS_DIR}/lib/*.a)
  target_link_libraries(stereo_convert_grpc INTERFACE
    -Wl,--start-group ${archives} ${rebuilt} -Wl,--end-group ${CMAKE_DL_LIBS} rt m)
else()
  message(WARNING "Linking gRPC and protobuf as shared libraries: ${static_problem}\n"
    "THIS BUNDLE WORKS ON THIS MACHINE ONLY, and may clash with a host that brings its own protobuf.")
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++ protobuf-lite libssl libcrypto)
  target_link_libraries(stereo_convert_grpc INTERFACE PkgConfig::GRPCPP rt)
endif()
