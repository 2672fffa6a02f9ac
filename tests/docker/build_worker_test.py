"""assay-build on a real Docker engine and a real registry: DOCKER_HOST and TESTBED_REGISTRY say where."""

import os
import sys
import time
import unittest
from pathlib import Path

import setting
from setting import REGISTRY, Door, Setting, digest_of, left_on_engine

RUN = f"{os.getpid()}-{int(time.time())}"  # names of this run's own, so that no earlier result counts


# Stages of a build, and what it says when it is there.
STAGES = (("building", "now-it-is-slow"), ("pushing", "trying again in"), ("testing", "running the image"))


def request(name, dockerfile, **more):
    return {"version": 1, "tags": [f"{REGISTRY}/test/{name}:{RUN}"], "dockerfile_text": dockerfile, **more}


class BuildWorker(unittest.TestCase):
    def setUp(self):
        self.setting = Setting()

    def tearDown(self):
        self.setting.stop_worker()
        outcome = self._outcome.result
        failed = any(test is self for test, _ in outcome.errors + outcome.failures)
        folder = self.setting.folder / "worker/work"
        left = list(folder.iterdir()) if folder.exists() else []
        self.setting.end(failed)
        if not failed:
            self.assertEqual(left_on_engine(), [])
            self.assertEqual(left, [])

    def succeeded(self, task):
        document, answer = self.setting.result(task)
        self.assertEqual(document.get("status"), "completed", document or answer)
        return document

    def failed(self, task):
        document, answer = self.setting.result(task)
        self.assertEqual(answer["state"], "failed", answer)
        return document, answer

    def test_a_folder_is_built_pushed_and_tested(self):
        self.setting.start_worker()
        image = f"{REGISTRY}/test/echo:{RUN}"
        done = self.setting.assay(
            "build", setting.SOURCE / "examples/image", "--tag", image, "--build-arg", f"GREETING={RUN} ", "--health",
            "/health", "--inference", "/v1/completions", "--inference-body", '{"prompt": "hi"}', "--inference-field",
            f"/choices/0/text={RUN} hi", check=0)
        self.assertIn("Step 4/", done.stdout)
        self.assertIn(digest_of(f"test/echo:{RUN}"), done.stdout)
        self.assertIn("answer  passed", done.stdout)

    def test_the_same_is_not_built_twice(self):
        self.setting.start_worker()
        wanted = request("same", f"FROM debian:bookworm-slim\nRUN echo {RUN} > /same\n")
        first = self.succeeded(self.setting.submit(wanted))
        second = self.succeeded(self.setting.submit(wanted))
        self.assertTrue(second["reused"])
        self.assertEqual(second["digest"], first["digest"])
        self.assertEqual(second["digest"], digest_of(f"test/same:{RUN}"))

    def test_a_failing_step_is_told_with_its_last_lines(self):
        self.setting.start_worker()
        _, answer = self.failed(self.setting.submit(request(
            "fails", "FROM debian:bookworm-slim\nRUN echo the disk is on fire; exit 7\n")))
        self.assertIn("RUN echo the disk is on fire; exit 7", answer["reason"])
        self.assertIn("non-zero code: 7", answer["reason"])
        self.assertIn("last lines: the disk is on fire", answer["reason"])

    def test_a_registry_that_was_down_gets_its_image_when_it_comes_back(self):
        door = Door()
        door.close()
        self.setting.start_worker()
        wanted = request("late", f"FROM debian:bookworm-slim\nRUN echo {RUN} > /late\n")
        wanted["tags"] = [f"{door.address}/test/late:{RUN}"]
        task = self.setting.submit(wanted)
        self.setting.wait_for_text(task, "trying again in")
        door.open()
        document = self.succeeded(task)
        self.assertEqual(document["digest"], digest_of(f"test/late:{RUN}"))
        self.assertEqual(document["log"].count("Successfully built"), 1)
        door.close()

    def test_a_health_check_that_never_answers_fails_with_the_log(self):
        self.setting.start_worker()
        document, answer = self.failed(self.setting.submit(request(
            "silent", f'FROM debian:bookworm-slim\nRUN echo {RUN}\nCMD echo I listen to nobody; sleep 1000\n',
            validate={"health": {"path": "/health", "timeout": "3s"}})))
        self.assertIn("the health check never passed", answer["reason"])
        self.assertIs(document["health_check_passed"], False)
        self.assertIn("I listen to nobody", document["container_log"])

    def test_a_worker_killed_in_any_stage_leaves_nothing_and_the_next_finishes(self):
        for stage, text in STAGES:
            with self.subTest(stage):
                door = Door()
                if stage == "pushing":
                    door.close()
                self.setting.start_worker()
                wanted = request(f"killed-{stage}", f"FROM debian:bookworm-slim\nRUN echo {RUN} > /one\n"
                                 "RUN echo now-it-is-slow; sleep 4\nCMD sleep 4\n", validate={})
                wanted["tags"] = [f"{door.address}/test/killed-{stage}:{RUN}"]
                task = self.setting.submit(wanted)
                self.setting.wait_for_text(task, text)
                self.setting.kill_worker()
                if stage == "pushing":
                    door.open()
                self.setting.start_worker()
                document = self.succeeded(task)
                self.assertEqual(document["digest"], digest_of(f"test/killed-{stage}:{RUN}"))
                # The step before the one that was killed was not run again; after the build nothing was.
                if stage == "building":
                    self.assertGreaterEqual(document["steps_cached"], 1)
                else:
                    self.assertTrue(document["reused"] or document["steps_cached"] == document["steps"] - 1, document)
                self.assertEqual(left_on_engine(), [])
                self.setting.stop_worker()
                door.close()

    def test_a_cancel_in_any_stage_ends_it_and_leaves_nothing(self):
        self.setting.start_worker()
        for stage, text in STAGES:
            with self.subTest(stage):
                door = Door()
                if stage == "pushing":
                    door.close()
                wanted = request(f"cancel-{stage}", f"FROM debian:bookworm-slim\nRUN echo {RUN} > /one\n"
                                 "RUN echo now-it-is-slow; sleep 4\nCMD sleep 1000\n",
                                 validate={"health": {"path": "/"}})
                wanted["tags"] = [f"{door.address}/test/cancel-{stage}:{RUN}"]
                task = self.setting.submit(wanted)
                self.setting.wait_for_text(task, text)
                self.setting.assay("cancel", task, check=0)
                document, answer = self.setting.result(task)
                self.assertEqual(answer["state"], "cancelled", answer)
                deadline = time.monotonic() + 30
                while left_on_engine() and time.monotonic() < deadline:
                    pass  # the engine removes a step's container when it has noticed
                self.assertEqual(left_on_engine(), [])
                if stage != "pushing":
                    door.close()

    def test_four_at_once(self):
        self.setting.start_worker()
        tasks = [self.setting.submit(request(f"four-{i}", f"FROM debian:bookworm-slim\nRUN echo {RUN} {i} > /i\n"))
                 for i in range(4)]
        digests = {self.succeeded(task)["digest"] for task in tasks}
        self.assertEqual(digests, {digest_of(f"test/four-{i}:{RUN}") for i in range(4)})
        self.assertEqual(len(digests), 4)

    def test_a_large_layer_takes_no_memory_of_the_worker(self):
        worker = self.setting.start_worker()
        self.succeeded(self.setting.submit(request("warm", f"FROM debian:bookworm-slim\nRUN echo {RUN} warm\n")))
        before = resident(worker.pid)
        context = self.setting.folder / "context"
        context.mkdir()
        (context / "Dockerfile").write_text("FROM debian:bookworm-slim\nCOPY large /large\n")
        with open(context / "large", "wb") as large:
            for _ in range(500):
                large.write(os.urandom(1 << 20))
        self.setting.assay("build", context, "--tag", f"{REGISTRY}/test/large:{RUN}", "--artifacts",
                           self.setting.folder / "artifacts", check=0)
        peak = peak_resident(worker.pid)
        print(f"a layer of 500 MiB: the worker's memory went from {before >> 20} to at most {peak >> 20} MiB")
        self.assertLess(peak - before, 64 << 20)

    def test_a_commit_is_fetched_built_and_named_in_the_image(self):
        root = self.setting.folder / "git"
        (root / "a").mkdir(parents=True)
        (root / "a/Dockerfile").write_text(f"FROM debian:bookworm-slim\nCOPY . /src\nRUN ls -A /src && echo {RUN}\n")
        (root / "a/kept").write_text("x")
        run = setting.subprocess.run
        git = ["git", "-C", root / "a", "-c", "user.name=a", "-c", "user.email=a@b"]
        run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
        run([*git, "add", "--all"], check=True)
        run([*git, "commit", "--quiet", "-m", "x"], check=True)
        commit = run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        server = setting.subprocess.Popen([sys.executable, "-B", setting.SOURCE / "tests/support/git_server.py", root],
                                          stdout=setting.subprocess.PIPE, text=True)
        self.setting.processes.append(server)
        port = server.stdout.readline().strip()
        server.stdout.close()
        self.setting.start_worker(config="git_protocols: [http]\n")
        done = self.setting.assay("build", f"http://127.0.0.1:{port}/a/.git", "--ref", "main", "--tag",
                                  f"{REGISTRY}/test/git:{RUN}", check=0)
        self.assertIn(f"commit  {commit}", done.stdout)
        self.assertIn("kept", done.stdout)
        image = setting.engine("GET", f"/images/{REGISTRY}/test/git:{RUN}/json")
        self.assertEqual(image["Config"]["Labels"]["org.opencontainers.image.revision"], commit)

    def test_a_platform_that_the_engine_cannot_build_is_refused(self):
        self.setting.start_worker()
        _, answer = self.failed(self.setting.submit({
            **request("foreign", f"FROM debian:bookworm-slim\nRUN echo {RUN}\n"), "platforms": ["linux/arm64"]}))
        self.assertIn("linux/arm64", answer["reason"])
        self.assertIn("engine for linux/amd64", answer["reason"])

    def test_without_an_engine_it_takes_nothing_and_begins_when_one_comes(self):
        place = self.setting.folder / "engine.sock"
        self.setting.start_worker("--docker-host", f"unix://{place}")
        log = self.setting.folder / "worker.log"
        until(lambda: "no_engine" in log.read_text())
        task = self.setting.submit(request("waits", f"FROM debian:bookworm-slim\nRUN echo {RUN} waits\n"))
        self.assertIn('"state":"queued"', self.setting.assay("--json", "status", task, check=0).stdout.replace(" ", ""))
        place.symlink_to(setting.ENGINE.removeprefix("unix://"))
        self.succeeded(task)

    def test_hostile_requests_are_refused_and_nothing_is_run(self):
        self.setting.start_worker()
        good = request("hostile", "FROM debian:bookworm-slim\n")
        images = len(setting.engine("GET", "/images/json?all=1"))
        hostile = [
            {**good, "tags": ["-x"]}, {**good, "tags": [f"{REGISTRY}/a;touch /tmp/x:v1"]},
            {**good, "tags": [f"{REGISTRY}/../a:v1"]},
            {**good, "dockerfile_text": "", "source": {"git": "file:///etc"}},
            {**good, "source": {"git": "ext::sh -c id"}}, {**good, "source": {"git": "--upload-pack=id"}},
            {**good, "source": {"git": "https://h/x", "ref": "--output=/tmp/x"}},
            {**good, "source": {"git": "https://h/x", "ref": "a..b"}}, {**good, "subdirectory": "../.."},
            {**good, "dockerfile_text": "", "source": {"archive": "AAAA"}, "dockerfile": "/etc/passwd"},
            {**good, "args": {f"A{i}": "x" for i in range(5000)}}, {**good, "platforms": ["plan9/mips"]},
            {**good, "unknown": 1}, {**good, "dockerfile_text": "", "source": {"archive": "AAAA"}},
        ]
        for body in hostile:
            _, answer = self.failed(self.setting.submit(body))
            self.assertTrue(answer["reason"], body)
        self.assertEqual(len(setting.engine("GET", "/images/json?all=1")), images)


def until(condition):
    deadline = time.monotonic() + setting.PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it never came true")


def memory(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) << 10
    return 0


def resident(pid):
    return memory(pid, "VmRSS:")


def peak_resident(pid):
    return memory(pid, "VmHWM:")


if __name__ == "__main__":
    if not setting.ENGINE or not REGISTRY:
        print("skipped: all of it; DOCKER_HOST and TESTBED_REGISTRY do not say where an engine and a registry are")
        sys.exit(77)
    unittest.main(verbosity=2)
