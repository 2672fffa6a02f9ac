# The network side of libassay: sessions (pure dialogues), the sockets that carry them, and the one
# library that is installed.
assay_library(assay_keys SOURCES keys/key_file.cc LINK assay_wire)
target_link_libraries(assay_keys PRIVATE cppzmq)
assay_library(assay_client SOURCES
  client/client.cc client/session.cc
  transport/contact.cc transport/curve.cc transport/dealer.cc transport/handshake_watch.cc
  transport/plain_connection.cc
  LINK assay_wire assay_keys
)
target_link_libraries(assay_client PRIVATE cppzmq)

assay_library(assay_worker SOURCES
  worker/handlers.cc worker/progress_buffer.cc worker/session.cc worker/text.cc worker/wakeup.cc
  worker/worker.cc
  LINK assay_client
)

assay_library(assay_progress SOURCES
  progress/sequence.cc progress/subscriber.cc
  LINK assay_client
)
target_link_libraries(assay_progress PRIVATE cppzmq)

# What others link: one archive of all of it, with libzmq as its only dependency.
add_library(assay STATIC
  $<TARGET_OBJECTS:assay_wire> $<TARGET_OBJECTS:assay_keys>
  $<TARGET_OBJECTS:assay_client> $<TARGET_OBJECTS:assay_worker>
  $<TARGET_OBJECTS:assay_progress>)
add_library(assay::assay ALIAS assay)
set_target_properties(assay PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(assay INTERFACE cxx_std_20)
target_include_directories(assay INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(assay PRIVATE cppzmq)

include(CMakePackageConfigHelpers)
set(ASSAY_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/assay)
install(TARGETS assay EXPORT assay ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/assay DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  # Their code needs yaml-cpp, libarchive or libcrypto and is not in this archive.
  PATTERN evaluation.h EXCLUDE PATTERN pipeline.h EXCLUDE PATTERN artifacts.h EXCLUDE
  PATTERN build.h EXCLUDE)
install(EXPORT assay NAMESPACE assay:: FILE assay-targets.cmake DESTINATION ${ASSAY_PACKAGE_DIR})
write_basic_package_version_file(assay-config-version.cmake COMPATIBILITY SameMinorVersion)
# Relative to where the file lies, so that an installed tree may be moved.
file(RELATIVE_PATH ASSAY_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(assay.pc.in assay.pc @ONLY)
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/assay-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/assay-config-version.cmake DESTINATION ${ASSAY_PACKAGE_DIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/assay.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
