#include "cli/interrupts.h"

#include <gtest/gtest.h>

#include <csignal>

namespace assay::cli {
namespace {

TEST(InterruptsTest, ASignalIsReadInsteadOfEndingTheProcess) {
  Interrupts interrupts;
  EXPECT_EQ(interrupts.next(), std::nullopt);
  raise(SIGINT);
  EXPECT_EQ(interrupts.next(Duration(1000)), SIGINT);
  raise(SIGTERM);
  EXPECT_EQ(interrupts.next(Duration(1000)), SIGTERM);
  EXPECT_EQ(interrupts.next(), std::nullopt);
}

TEST(InterruptsTest, WhatWasNotAskedForDoesNotEndTheProcessLater) {
  {
    Interrupts interrupts;
    raise(SIGINT);
  }
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGINT), 0);
}

}  // namespace
}  // namespace assay::cli
