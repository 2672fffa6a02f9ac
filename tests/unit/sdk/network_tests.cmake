# Clients, workers and subscribers: dialogues without sockets, then sockets against a scripted broker.
assay_library(fake_broker SOURCES ${CMAKE_SOURCE_DIR}/tests/support/fake_broker.cc
  LINK assay_client assay_worker cppzmq)
assay_test(unit_sdk_client LABEL unit
  SOURCES client_session_test.cc client_test.cc contact_test.cc
  LINK fake_broker)
assay_test(unit_sdk_worker LABEL unit
  SOURCES progress_buffer_test.cc worker_drain_test.cc worker_session_test.cc worker_test.cc
  LINK fake_broker)
assay_test(unit_sdk_progress LABEL unit
  SOURCES sequence_test.cc subscriber_test.cc
  LINK assay_progress fake_broker)
set_property(TEST unit_sdk_client unit_sdk_worker unit_sdk_progress APPEND PROPERTY ENVIRONMENT
  "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan_suppressions.txt")
