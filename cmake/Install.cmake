# `cmake --install build/cmake --prefix FOLDER` puts the bundle and the launcher of the service into a host's folder of
# plugins; `cpack` makes an archive of the bundle alone. `make install` gives FOLDER its usual value.
install(DIRECTORY ${bundle} DESTINATION . COMPONENT bundle USE_SOURCE_PERMISSIONS)
install(PROGRAMS ${STEREO_CONVERT_BUNDLE_DIR}/stereo-convert-service DESTINATION . COMPONENT launcher)

set(CPACK_PACKAGE_NAME StereoConvert)
set(CPACK_PACKAGE_VENDOR "the Stereo Convert authors")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_FILE_NAME StereoConvert-${PROJECT_VERSION}-${bundle_arch})
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR TGZ)
if(WIN32)
  set(CPACK_GENERATOR ZIP)
endif()
# The launcher starts the service of this checkout, so it stays here.
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL bundle)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
include(CPack)
