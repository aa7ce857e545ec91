# Compiles proto/ into the static library `stereo_convert_proto`. The files ask for LITE_RUNTIME, so nothing is
# registered in a descriptor pool that a host or another plugin might share.
find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

set(proto_root ${PROJECT_SOURCE_DIR}/proto)
set(stub_root ${PROJECT_BINARY_DIR}/proto)
set(stubs)
file(GLOB proto_files CONFIGURE_DEPENDS ${proto_root}/stereoconvert/v1/*.proto)
foreach(proto IN LISTS proto_files)
  file(RELATIVE_PATH name ${proto_root} ${proto})
  string(REPLACE ".proto" "" name ${name})
  set(generated ${stub_root}/${name}.pb.cc)
  set(grpc_out)
  file(STRINGS ${proto} service REGEX "^service ")
  if(service)
    list(APPEND generated ${stub_root}/${name}.grpc.pb.cc)
    set(grpc_out --grpc_out=${stub_root} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
  endif()
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${stub_root}
    COMMAND ${PROTOC} -I ${proto_root} --cpp_out=${stub_root} ${grpc_out} ${proto}
    DEPENDS ${proto_files}
    COMMENT "Compiling ${name}.proto" VERBATIM)
  list(APPEND stubs ${generated})
endforeach()

add_library(stereo_convert_proto STATIC ${stubs})
target_include_directories(stereo_convert_proto SYSTEM PUBLIC ${stub_root})
target_compile_definitions(stereo_convert_proto PUBLIC GRPC_USE_PROTO_LITE)
target_compile_options(stereo_convert_proto PRIVATE -w) # generated, not ours to tidy
target_link_libraries(stereo_convert_proto PUBLIC stereo_convert::grpc)
