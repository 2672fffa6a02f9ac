"""What tidy lets pass, each with its reason. An entry that is no longer needed is itself a violation: take it out.

Keep these lists short: a rule with many exceptions is the wrong rule."""

# Files whose idea is larger than an ordinary file: up to 700 lines.
HEARTS = {
    "broker/core/state.cc": "apply(record): the only writer of durable state, all records in one place",
    "broker/journal/journal.cc": "append, rotate, compact: one state, one order of writes",
    "broker/journal/record_codec.cc": "every field of every record, one beside the other, as they lie on the disk",
    "sdk/client/session.cc": "the client's whole dialogue as one state machine",
    "sdk/worker/session.cc": "the worker's whole dialogue as one state machine",
    "sdk/include/assay/message.h": "every message of the protocol",
    "sdk/wire/fields.h": "every field of every message, one beside the other, so that none is forgotten",
    "sdk/evaluation/config_document.cc": "every key of the evaluation document and its check",
    "workers/eval/evaluator.cc": "one evaluation's whole life: plan, pods, grading, outcome",
    "workers/eval/executor/kubernetes/kubernetes_pod.cc": "one pod's whole life as one state machine",
    "workers/eval/harness/session.cc": "the harness's whole dialogue as one state machine",
}

# Files of any length.
ANY_LENGTH = {
    "workers/eval/runner/runner.py": "one file by design: it is what is copied beside the subject, wherever it runs",
}

# To be shortened: the lines they may have until then. They may not grow.
FILES_TO_BE_SHORTENED = {
    # 2026-11-23
    "broker/journal/inspection.cc": 413,
    "broker/journal/repair.cc": 303,
    "broker/history/projection.cc": 357,
    "workers/eval/executor/local/local_pod.cc": 338,
}
# (path, function's first words): lines now
FUNCTIONS_TO_BE_SHORTENED = {
}

# Waiting by the clock in a test: only to look again for a condition that has a deadline.
SLEEPS = {
    "tests/conformance/executor_test.cc": "looks again every 1 ms for a child's exec; CTest's timeout is the deadline",
    "tests/runner/fake_harness.py": "looks again every 5 ms for a file, for at most PATIENCE_SECONDS",
    "tests/conformance/executor_test.cc": "looks again every 1 ms until a child it forked has become another program",
    "tests/support/process.cc": "looks again every 5 ms for a program's end or word; its callers have deadlines",
}

# `new` or `delete` by hand.
NAKED_NEW = {
    "workers/eval/relay/relay.cc": "libmicrohttpd keeps a request's state behind a void pointer",
    "tests/unit/eval/relay_test.cc": "the same, in the test's own server",
}

# A header of ours may include a library's heavy header.
HEAVY_HEADERS = {
    "tests/support/kube_server.h": "tests script the statuses of a cluster's objects as JSON",
    "cli/option_builders.h": "what the files that declare options share; no others include it",
    "tests/unit/sdk/raw_payload.h": "builds payloads that our own encoder cannot be made to write",
}
