"""The report's page in a real Chromium: it asks for nothing, its table sorts and filters, also with 50,000 tests.

Needs Debian's chromium and chromium-driver: `apt-get install chromium chromium-driver`. Without them it says so and
skips (exit status 77)."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

from sample_results import document, write

BIN = Path(os.environ.get("ASSAY_BIN", "build/dev/bin"))
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Browser:
    """WebDriver (https://www.w3.org/TR/webdriver2/), as little of it as is needed."""

    def __init__(self, folder):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.base = "http://127.0.0.1:" + line.rstrip().rstrip(".").split()[-1]
                break
        options = {"args": [*FLAGS, f"--user-data-dir={folder}/profile"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = self.call("/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def call(self, path, body):
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, path):
        self.call(f"/session/{self.session}/url", {"url": f"file://{path}"})

    def run(self, script, *arguments):
        return self.call(f"/session/{self.session}/execute/async", {
            "script": "const done = arguments[arguments.length - 1];"
                      "const wait = () => new Promise((go) => setTimeout(() => requestAnimationFrame(go), 150));"
                      f"(async () => {{ {script} }})().then(done, (error) => done('error: ' + error));",
            "args": list(arguments)})

    def complaints(self):
        return self.call(f"/session/{self.session}/se/log", {"type": "browser"})

    def close(self):
        # The driver alone would leave the browser behind.
        session = urllib.request.Request(f"{self.base}/session/{self.session}", method="DELETE")
        urllib.request.urlopen(session, timeout=60).close()
        self.driver.terminate()
        self.driver.wait()


ROWS = """[...document.querySelectorAll('.row')].filter((row) => row.style.display !== 'none')
  .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))"""


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.browser = Browser(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def page(self, *documents):
        folder = tempfile.mkdtemp(dir=self.folder)
        paths = [write(f"{folder}/{number}.json", one) for number, one in enumerate(documents)]
        body = write(f"{folder}/body.json", {"formats": ["html"]})
        made = subprocess.run([BIN / "make_report", folder, body, *paths], capture_output=True, text=True, check=True)
        self.browser.open(json.loads(made.stdout)["files"][0]["path"])

    def test_sorts_and_filters_and_opens_a_test(self):
        self.page(document("one", 60, random.Random(3), 0.6), document("two", 40, random.Random(4), 0.6))
        self.assertEqual(self.browser.run("return document.getElementById('count').textContent"), "100 tests")
        names = self.browser.run(f"""document.querySelector('[data-key=name]').click(); await wait();
          return {ROWS}.map((row) => row.querySelector('.t').firstChild.data)""")
        self.assertEqual(names, sorted(names))
        self.assertGreater(len(names), 10)
        times = self.browser.run(f"""document.querySelector('[data-key=seconds]').click(); await wait();
          const data = JSON.parse(document.getElementById('data').textContent);
          return {ROWS}.map((row) => data.seconds[row.index])""")
        self.assertEqual(times, sorted(times, reverse=True))
        outcomes = self.browser.run(f"""document.querySelector('[data-outcome=failed]').click(); await wait();
          return {ROWS}.map((row) => row.querySelector('.badge').textContent)""")
        self.assertEqual(set(outcomes), {"failed"})
        found = self.browser.run(f"""document.querySelector('[data-outcome=failed]').click();
          const find = document.getElementById('find'); find.value = 'two bias';
          find.dispatchEvent(new Event('input')); await wait();
          return {ROWS}.map((row) => row.querySelector('.t').title + ' ' + row.querySelector('.r').textContent)""")
        self.assertGreater(len(found), 0)
        self.assertTrue(all("bias" in one and "two" in one for one in found), found)
        self.assertIn(self.browser.run(f"""{ROWS}[0].click(); await wait();
          return document.getElementById('one').open && document.querySelector('#one-body h3').textContent"""),
                      [one.split()[0] for one in found])
        self.assertEqual(self.browser.complaints(), [])

    def test_fifty_thousand_tests_have_few_rows_and_all_are_found(self):
        self.page(document("big", 50_000, random.Random(5)))
        rows = self.browser.run("return document.querySelectorAll('.row').length")
        self.assertLess(rows, 60)
        last = self.browser.run(f"""document.querySelector('[data-key=name]').click(); await wait();
          const scroller = document.getElementById('scroller'); scroller.scrollTop = scroller.scrollHeight;
          await wait(); return Number({ROWS}.at(-1).getAttribute('aria-rowindex'))""")
        self.assertEqual(last, 50_001)
        count = self.browser.run("""const find = document.getElementById('find'); find.value = '_49999';
          find.dispatchEvent(new Event('input')); await wait(); await wait();
          return document.getElementById('count').textContent""")
        self.assertEqual(count, "1 of 50,000")

    def test_hostile_content_does_nothing(self):
        evil = "</script><script>document.title='owned'</script><img src=http://127.0.0.1:1/x onerror=owned=1>"
        hostile = document(evil, 5, random.Random(6), 0.0, log=evil, reason=evil)
        for test in hostile["tests"]:
            test.update(name=evil, reason=evil, detail=evil)
        self.page(hostile)
        self.assertEqual(self.browser.run("""return [document.title, typeof owned,
          performance.getEntriesByType('resource').length, document.querySelectorAll('img').length]"""),
                         ["Evaluation report", "undefined", 0, 0])
        self.assertEqual(self.browser.complaints(), [])


if __name__ == "__main__":
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print("skipped: apt-get install chromium chromium-driver")
        sys.exit(77)
    unittest.main()
