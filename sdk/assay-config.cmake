# find_package(assay) gives the target assay::assay.
include(CMakeFindDependencyMacro)
find_dependency(cppzmq)
include(${CMAKE_CURRENT_LIST_DIR}/assay-targets.cmake)
