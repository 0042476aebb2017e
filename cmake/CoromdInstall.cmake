# SPDX-License-Identifier: LGPL-3.0-or-later
include(CMakePackageConfigHelpers)

get_property(modules GLOBAL PROPERTY COROMD_MODULES)
get_property(include_dirs GLOBAL PROPERTY COROMD_INCLUDE_DIRS)

# coromd::coromd is all of it.
add_library(coromd INTERFACE)
add_library(coromd::coromd ALIAS coromd)
target_link_libraries(coromd INTERFACE ${modules})

install(TARGETS coromd ${modules} EXPORT coromd-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(dir IN LISTS include_dirs)
  install(DIRECTORY ${dir}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()
install(EXPORT coromd-targets NAMESPACE coromd:: FILE coromd-targets.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/coromd)

configure_package_config_file(cmake/coromd-config.cmake.in coromd-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/coromd)
write_basic_package_version_file(coromd-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/coromd-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/coromd-config-version.cmake
  cmake/CoromdDependencies.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/coromd)
