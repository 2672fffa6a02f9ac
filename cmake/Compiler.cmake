# One language, one set of warnings, and the build types beside CMake's own.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Dev: quick to compile, quick enough to run, asserts on, line numbers in traces.
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1 -fno-omit-frame-pointer")
# Release keeps our asserts (they do not rest on NDEBUG) and line numbers.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -fno-omit-frame-pointer")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Dev)
endif()

# A designated initializer that leaves a field at its default says just that.
add_compile_options(-Wall -Wextra -Wno-missing-field-initializers)
add_compile_options(-Wpedantic -Wshadow -Wnon-virtual-dtor -Wconversion -Werror)
add_compile_options(-fstack-protector-strong)
add_compile_definitions(MSGPACK_NO_BOOST SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)
add_compile_definitions(ASSAY_VERSION="${PROJECT_VERSION}")

set(ASSAY_SANITIZE "" CACHE STRING "sanitizers for -fsanitize=, for example address,undefined")
if(ASSAY_SANITIZE)
  add_compile_options(-fsanitize=${ASSAY_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ASSAY_SANITIZE})
endif()
option(ASSAY_FUZZ "build the libFuzzer targets in tests/fuzz" OFF)

# A compiler cache makes a second clone or a second preset quick. It is never required.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${CCACHE_PROGRAM})
endif()
