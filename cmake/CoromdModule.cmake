# SPDX-License-Identifier: LGPL-3.0-or-later

# What every target of the project is compiled with; not part of what is exported.
add_library(coromd_build_flags INTERFACE)
target_compile_options(coromd_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -fvisibility=hidden
  $<$<BOOL:${COROMD_WERROR}>:-Werror>)
target_compile_definitions(coromd_build_flags INTERFACE $<$<BOOL:${COROMD_FAULT_POINTS}>:COROMD_FAULT_POINTS>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105651: warns of std::string's own operator+ when it optimises.
  target_compile_options(coromd_build_flags INTERFACE -Wno-restrict)
endif()
if(COROMD_SANITIZE)
  target_compile_options(coromd_build_flags INTERFACE
    -fsanitize=${COROMD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(coromd_build_flags INTERFACE -fsanitize=${COROMD_SANITIZE})
  # Asio uses fences, which GCC's ThreadSanitizer does not model and warns about.
  if(COROMD_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(coromd_build_flags INTERFACE -Wno-tsan)
  endif()
endif()

# coromd_module(NAME SOURCES file... [DEPENDS target...] [PRIVATE target...])
#
# One library per module. Its public headers are those of include/, and it sees only the headers
# of the modules it depends on: an include from a higher floor does not compile.
function(coromd_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;PRIVATE")
  set(target coromd_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(coromd::${name} ALIAS ${target})
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PUBLIC ${arg_DEPENDS}
    PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:coromd_build_flags>)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  set_property(GLOBAL APPEND PROPERTY COROMD_MODULES ${target})
  set_property(GLOBAL APPEND PROPERTY COROMD_INCLUDE_DIRS ${CMAKE_CURRENT_SOURCE_DIR}/include)
endfunction()
