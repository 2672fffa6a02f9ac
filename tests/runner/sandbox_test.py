"""What needs a pid namespace of its own: the runner under bubblewrap, as locally executed."""

import shutil
import subprocess
import unittest

from fake_harness import SOURCE, FakeHarness
from notebook_test import notebook

BUBBLEWRAP = (
    "bwrap --unshare-all --die-with-parent --new-session --ro-bind / / --dev /dev --proc /proc "
    "--tmpfs /tmp --bind FOLDER FOLDER --setenv HOME /tmp"
).split() + ["--ro-bind", SOURCE, SOURCE]  # the tree itself may lie in /tmp


def sandbox_works():
    if not shutil.which("bwrap"):
        return False
    words = [word for word in BUBBLEWRAP if word != "FOLDER"]
    words.remove("--bind")
    return subprocess.run(words + ["true"], stderr=subprocess.DEVNULL).returncode == 0


@unittest.skipUnless(sandbox_works(), "no bubblewrap, or no namespaces, here")
class SandboxTest(unittest.TestCase):
    def test_process_that_forks_faster_than_it_can_be_found_is_ended(self):
        source = (
            "import os\n"
            "def test_runaway():\n"
            "    for _ in range(30):\n"
            "        if os.fork() == 0:\n"
            "            os.setsid()\n"
            "            while os.fork() == 0: pass\n"  # each is gone before anyone has seen it
            "            os._exit(0)\n"
            "def test_fine():\n"
            "    import time\n"
            "    before = {p for p in os.listdir('/proc') if p.isdigit()}\n"
            "    time.sleep(0.05)\n"
            "    after = {p for p in os.listdir('/proc') if p.isdigit()}\n"
            "    assert after <= before, 'something still forks'\n"  # what was killed may be leaving still
        )
        with FakeHarness({"a.py": source}, sandbox=BUBBLEWRAP) as harness:
            self.assertEqual(harness.names(), ["test_runaway", "test_fine"])
            self.assertIs(harness.run("test_runaway")["passed"], True)
            self.assertIs(harness.run("test_fine")["passed"], True)
            self.assertEqual(harness.finish(), 0)

    def test_killing_all_that_it_can_ends_only_the_test(self):
        source = "import os\ndef test_all(): os.kill(-1, 15)\n"
        with FakeHarness({"a.py": source}, sandbox=BUBBLEWRAP) as harness:
            harness.names()
            self.assertIs(harness.run("test_all")["passed"], True)
            self.assertIs(harness.run("test_all")["passed"], True)

    def test_notebook_runs_without_a_network(self):
        with FakeHarness({"a.ipynb": notebook("6 * 7")}, mode="notebook", sandbox=BUBBLEWRAP) as h:
            h.names()
            self.assertIs(h.run("a.ipynb")["passed"], True)
            h.finish()
            self.assertIn(b'"42"', h.outputs["executed.ipynb"])


if __name__ == "__main__":
    unittest.main()
