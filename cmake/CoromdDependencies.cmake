# SPDX-License-Identifier: LGPL-3.0-or-later
# What coromd is built on. Used by the build and, installed, by find_package(coromd).

include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(fmt)
find_dependency(spdlog)
find_dependency(nlohmann_json)
find_dependency(tomlplusplus)
find_dependency(muparser)
find_dependency(SQLiteCpp)

# Asio and xxHash come without CMake packages.
find_path(COROMD_ASIO_INCLUDE_DIR asio/awaitable.hpp REQUIRED)
find_path(COROMD_XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
mark_as_advanced(COROMD_ASIO_INCLUDE_DIR COROMD_XXHASH_INCLUDE_DIR)

if(NOT TARGET coromd::asio)
  add_library(coromd::asio INTERFACE IMPORTED)
  target_include_directories(coromd::asio INTERFACE "${COROMD_ASIO_INCLUDE_DIR}")
  # clang needs to be told that it has coroutines; GCC finds out by itself.
  target_compile_definitions(coromd::asio INTERFACE
    ASIO_STANDALONE ASIO_NO_DEPRECATED
    $<$<CXX_COMPILER_ID:Clang>:ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE>)
  # GCC 12 takes the frames that Asio allocates for its coroutines for mismatched new and delete.
  target_compile_options(coromd::asio INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
  target_link_libraries(coromd::asio INTERFACE Threads::Threads)
endif()
if(NOT TARGET coromd::xxhash)
  add_library(coromd::xxhash INTERFACE IMPORTED)
  target_include_directories(coromd::xxhash INTERFACE "${COROMD_XXHASH_INCLUDE_DIR}")
endif()
