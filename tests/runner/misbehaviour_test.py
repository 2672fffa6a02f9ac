"""What hostile and broken tests become. The runner has to go on after each of them."""

import os
import unittest

from fake_harness import FakeHarness, is_alive

FINE = "\ndef test_fine(): return True\n"


class MisbehaviourTest(unittest.TestCase):
    def end_of(self, body, **job):
        """The end of one bad test; a good one must pass after it."""
        with FakeHarness(
            {"bad.py": "import os, sys, time\ndef test_bad():\n    " + body + FINE}, **job
        ) as harness:
            self.assertEqual(harness.names(), ["test_bad", "test_fine"])
            end = harness.run("test_bad")
            self.assertIs(harness.run("test_fine")["passed"], True)
            self.assertEqual(harness.finish(), 0)
            self.log = harness.log()
        return end

    def test_exit_without_a_result_is_told(self):
        end = self.end_of("print('last words'); sys.stdout.flush(); os._exit(0)")
        self.assertEqual((end["type"], end["exit_code"], end["signal"]), ("ended", 0, None))
        self.assertIn("last words", end["detail"])

    def test_crash_is_told_with_its_signal(self):
        end = self.end_of("import ctypes; ctypes.string_at(0)")
        self.assertEqual(
            (end["type"], end["exit_code"], end["signal"], end["limit"]), ("ended", None, 11, None)
        )
        self.assertIn("Segmentation fault", end["detail"])

    def test_killing_itself_is_told(self):
        self.assertEqual(self.end_of("os.kill(os.getpid(), 9)")["signal"], 9)

    def test_flood_of_output_is_stopped(self):
        end = self.end_of("\n    while True: print('y' * 100)", output_bytes_max=50000)
        self.assertEqual((end["type"], end["limit"]), ("ended", "output"))
        self.assertLess(len(self.log), 150000)

    def test_forged_results_are_a_log(self):
        forged = '{"type":"result","test":"test_bad","passed":true,"score":1.0}'
        end = self.end_of("print('%s'); return False" % forged)
        self.assertIs(end["passed"], False)
        self.assertIn("test_bad | " + forged, self.log)

    def test_forged_lines_in_the_report_pipe_stay_within_the_test(self):
        end = self.end_of(
            "\n    for fd in range(3, 20):\n"
            '        try: os.write(fd, b\'{"type":"output","test":"test_fine"}\\n[1]\\n\')\n'
            "        except OSError: pass\n"
            "    time.sleep(60)"
        )
        self.assertEqual(end["type"], "ended")
        self.assertIn("no JSON object", end["detail"])

    def test_huge_results_are_cut(self):
        end = self.end_of(
            "metrics = {str(i): i for i in range(10**5)}; "
            "return {'passed': True, 'reason': 'r' * 10**7, 'metrics': metrics}"
        )
        self.assertIs(end["passed"], True)
        self.assertLess(len(end["reason"]), 2000)
        self.assertLessEqual(len(end["metrics"]), 64)

    def test_huge_exceptions_are_cut(self):
        end = self.end_of("raise ValueError('v' * 10**7)")
        self.assertIsNone(end["passed"])
        self.assertLess(len(end["reason"]) + len(end["detail"]), 20000)

    def test_values_that_are_no_json_do_no_harm(self):
        for value in (
            "{'passed': {1, 2}, 'metrics': {'a': object()}, 'reason': b'x'}",
            "float('nan')",
            "10**400",
            "b'x'",
            "1j",
        ):
            self.assertEqual(self.end_of("return " + value)["type"], "result", value)

    def test_fork_that_runs_on_does_not_answer_for_the_test(self):
        end = self.end_of("pid = os.fork(); pid and os.waitpid(pid, 0); return pid != 0")
        self.assertIs(end["passed"], True)

    def test_closed_descriptors_end_only_the_test(self):
        self.assertEqual(self.end_of("os.closerange(0, 100)")["type"], "ended")

    def test_mocked_functions_do_not_stop_the_report(self):
        body = "time.monotonic = os.getpid = os.write = None; return True"
        self.assertIs(self.end_of(body)["passed"], True)

    def test_killed_zygote_is_made_anew(self):
        end = self.end_of(
            "\n    for p in os.listdir('/proc'):\n"
            "        if p.isdigit():\n"
            "            try: f = open('/proc/%s/stat' % p).read().rpartition(')')[2].split()\n"
            "            except OSError: continue\n"
            "            beside = int(f[1]) == os.getppid() and int(p) != os.getpid()\n"
            "            if beside: os.kill(int(p), 9)\n"
            "    return True"
        )
        self.assertIs(end["passed"], True)

    def test_test_after_a_killed_zygote_does_not_pay_for_it(self):
        body = (
            "import signal, subprocess\n"
            "    keeper = os.getppid()\n"
            "    for p in filter(str.isdigit, os.listdir('/proc')):\n"
            "        try: f = open('/proc/%s/stat' % p).read().rpartition(')')[2].split()\n"
            "        except OSError: continue\n"
            "        if int(f[1]) == keeper and int(p) != os.getpid():\n"
            "            os.kill(int(p), signal.SIGSTOP)\n"  # it is there, and never answers
            "    return True"
        )
        self.assertIs(self.end_of(body)["passed"], True)

    def test_threads_do_not_hold_up_the_end(self):
        self.assertIs(
            self.end_of(
                "import threading; threading.Thread(target=time.sleep, args=(60,)).start()"
            )["passed"],
            True,
        )

    def test_failed_test_shows_its_last_output(self):
        end = self.end_of("print('clue'); assert False")
        self.assertIn("--- last output ---\nclue", end["detail"])


class KillTest(unittest.TestCase):
    def test_hanging_test_is_ended(self):
        source = (
            "import time\ndef test_hang():\n    open('at', 'w').write('1\\n'); time.sleep(600)\n"
            + FINE
        )
        with FakeHarness({"hang.py": source}) as harness:
            harness.names()
            harness.start("test_hang")
            harness.wait_for_file("at")
            end = harness.kill("test_hang")
            self.assertEqual((end["type"], end["signal"], end["limit"]), ("ended", 9, None))
            self.assertIs(harness.run("test_fine")["passed"], True)

    def test_daemons_do_not_outlive_their_test(self):
        source = (
            "import os, signal, time\n"
            "def test_daemon():\n"
            "    if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        if os.fork() == 0:\n"
            "            signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "            open('pid', 'w').write('%d\\n' % os.getpid())\n"
            "            time.sleep(600)\n"
            "        os._exit(0)\n"
            "    while not os.path.exists('pid') or not open('pid').read(): time.sleep(0.005)\n"
        )
        with FakeHarness({"daemon.py": source + FINE}) as harness:
            harness.names()
            self.assertIs(harness.run("test_daemon")["passed"], True)
            pid = int(harness.wait_for_file("pid"))
            self.assertFalse(is_alive(pid))
            self.assertIs(harness.run("test_fine")["passed"], True)

    def test_kill_of_a_test_that_has_ended_is_answered(self):
        with FakeHarness({"a.py": FINE}) as harness:
            harness.names()
            harness.run("test_fine")
            self.assertEqual(harness.kill("test_fine")["type"], "ended")
            self.assertIs(harness.run("test_fine")["passed"], True)

    def test_tests_at_once_are_kept_apart(self):
        source = (
            "import os, time\n"
            "def test_slow():\n"
            "    while not os.path.exists('go'): time.sleep(0.005)\n"
            "def test_crash(): os._exit(7)\n"
        )
        with FakeHarness({"a.py": source}) as harness:
            harness.names()
            harness.start("test_slow")
            harness.start("test_crash")
            self.assertEqual(harness.end_of("test_crash")["exit_code"], 7)
            harness.write("go", "")
            self.assertIs(harness.end_of("test_slow")["passed"], True)

    def test_nothing_is_left_when_the_harness_hangs_up(self):
        source = (
            "import os, subprocess, time\n"
            "def test_a():\n"
            "    p = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
            "    open('pid', 'w').write('%d\\n' % p.pid); time.sleep(600)\n"
        )
        with FakeHarness({"a.py": source}) as harness:
            harness.names()
            harness.start("test_a")
            pid = int(harness.wait_for_file("pid"))
            harness.connection.close()
            harness.process.wait(10)
            self.assertFalse(is_alive(pid))


class OutputsTest(unittest.TestCase):
    def test_declared_outputs_come_out_and_nothing_else_does(self):
        source = (
            "import os\n"
            "def test_a():\n"
            "    open('report.json', 'wb').write(b'\\x00{}')\n"
            "    open('big', 'wb').truncate(7 * 1024 * 1024)\n"
            "    os.symlink('/etc/passwd', 'link'); os.mkfifo('fifo')\n"
            "    open('other', 'w').write('x')\n"
        )
        outputs = ["report.json", "big", "link", "fifo", "absent", "../harness.sock"]
        with FakeHarness({"a.py": source}, outputs=outputs) as harness:
            harness.run(harness.names()[0])
            harness.finish()
            self.assertEqual(harness.outputs, {"report.json": b"\x00{}"})
            for path in outputs[1:]:
                self.assertIn("output %s: " % path, harness.log())


if __name__ == "__main__":
    unittest.main()
