"""A runner of a few lines that speaks the protocol. Its tests are Python texts in job.config."""
import json
import os
import signal
import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[sys.argv.index("--socket") + 1])
lines = connection.makefile("rw")


def say(**line):
    lines.write(json.dumps(line) + "\n")
    lines.flush()


job = json.loads(lines.readline())["job"]
tests = job["config"]
if "load" in tests:
    exec(tests.pop("load"))
say(type="loaded", tests=[{"name": name, "streams": False} for name in tests])
running = {}


def ended(number, frame):
    for name, child in list(running.items()):
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            del running[name]
            code = os.waitstatus_to_exitcode(status)
            if code == 0:
                say(type="result", test=name, passed=True)
            else:
                say(type="ended", test=name, exit_code=max(code, 0), signal=-code if code < 0 else None)


signal.signal(signal.SIGCHLD, ended)
while True:
    command = json.loads(lines.readline() or '{"type": "finish"}')
    if command["type"] == "run":
        name = command["test"]
        if tests[name].startswith("#here"):
            exec(tests[name], {"say": say, "job": job})
            continue
        # Its end must not be told before it is known.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            try:
                exec(tests[name], {"say": say, "job": job})
                sys.stdout.flush()
                os._exit(0)
            except BaseException as error:
                print(repr(error), flush=True)
                os._exit(1)
        running[name] = child
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    elif command["type"] == "kill":
        os.kill(running[command["test"]], signal.SIGKILL)
    elif command["type"] == "finish":
        for path in job["outputs"]:
            import base64
            with open(path, "rb") as file:
                say(type="output", path=path, content_base64=base64.b64encode(file.read()).decode())
        sys.exit(0)
