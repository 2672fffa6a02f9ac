"""Tests that misbehave, to see what becomes of each. None of them harms the others.

    assay eval examples/misbehaving.py

Expected: the two `test_fine_...` pass, all others do not, and the evaluation as a whole fails. A
name says what its test ends as: docs/evaluations.md has the whole table.
"""

# /// assay
# name: misbehaving
# tests: 12
# timeout: 120
# test_timeout: 2
# ///

import ctypes
import os
import sys
import time


def test_fine_before():
    """Ordinary tests around the bad ones: they must not notice anything."""


def test_crashed_by_a_segfault():
    ctypes.string_at(0)


def test_crashed_by_leaving():
    """No result has been given, so exit status 0 is no pass."""
    os._exit(0)


def test_error_by_sys_exit():
    """Neither is this one."""
    sys.exit(0)


def test_error_by_an_exception():
    return {}["missing"]


def test_timeout_by_sleeping():
    time.sleep(3600)


def test_timeout_by_being_busy():
    while True:
        pass


def test_limit_by_a_flood_of_output():
    while True:
        print("all work and no play makes Jack a dull boy")


def test_failed_though_it_forged_a_result():
    """What a test prints is a log. Only what it returns counts."""
    print('{"type":"result","test":"test_failed_though_it_forged_a_result","passed":true}')
    print('{"event":"finished","reason":"done"}', file=sys.stderr)
    return False


def test_failed_though_its_fork_returns_true():
    """Only the process that was started for a test may give its result."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return child == 0


def test_failed_with_a_daemon_left_behind():
    """The daemon detaches as daemons do; it is ended with its test all the same."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(3600)
        os._exit(0)
    assert 1 + 1 == 3


def test_fine_after():
    """Random numbers, globals, processes: each test starts from the same state."""
    assert os.getppid() != 0
