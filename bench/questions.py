"""One function a question. Each returns its figures, and beside every absolute one the limit of the same run."""

import time

from rig import answer, first_line, rate, stop

BODY, RESULT = 256, 64
PRODUCERS = 2


def figure(name, value, unit, limit=None, **settings):
    """`limit`: the name of the figure that this one is compared with."""
    return {"name": name, "value": value, "unit": unit, "settings": {**settings, **({"limit": limit} if limit else {})}}


def collected(rig, flags, tasks, message, window, keys=None):
    """Tasks from producers through the broker to a worker and their results back: rate, CPU, batch on the disk."""
    load = {"group": 256, "message": message, "window": window, **(keys or {})}
    with rig.broker(*flags) as broker:
        worker = broker.worker(**(keys or {}))
        broker.producers(PRODUCERS, tasks=5_000, **load)  # warm
        flushes, size, cpu = (broker.metric("assay_journal_flush_seconds_count"), broker.metric("assay_journal_bytes"),
                              broker.cpu_seconds())
        answers = broker.producers(PRODUCERS, tasks=tasks // PRODUCERS, **load)
        flushes = broker.metric("assay_journal_flush_seconds_count") - flushes
        size = broker.metric("assay_journal_bytes") - size
        cpu = broker.cpu_seconds() - cpu
        stop(worker)
    return {"rate": rate(answers), "cpu_us": cpu / tasks * 1e6, "flushes": flushes, "bytes": size, "tasks": tasks}


def durable(rig, name, message, tasks, window, flags=(), keys=None):
    before = rig.disk_limit(65536, 0.5)
    got = collected(rig, flags, tasks, message, window, keys)
    batch_bytes, batch_tasks = got["bytes"] / got["flushes"], got["tasks"] / got["flushes"]
    after = rig.disk_limit(batch_bytes)
    suffix = name.removeprefix("durable_throughput")
    settings = {"message": message, "window": PRODUCERS * window, "body_bytes": BODY, "result_bytes": RESULT}
    return [
        figure("disk_limit_throughput" + suffix, after["batches_per_second"] * batch_tasks, "tasks/s",
               batch_bytes=round(batch_bytes), tasks_per_flush=round(batch_tasks, 1),
               flush_p50_us=before["flush_p50_us"]),
        figure(name, got["rate"], "tasks/s", "disk_limit_throughput" + suffix, **settings),
        figure("broker_cpu_per_task" + suffix, got["cpu_us"], "us"),
    ]


def ask_durable(rig):
    return durable(rig, "durable_throughput", message=256, tasks=600_000, window=4096)


def ask_durable_alone(rig):
    return durable(rig, "durable_throughput_one_a_message", message=1, tasks=300_000, window=2048)


def ask_durable_curve(rig):
    """The same with every byte encrypted."""
    known = rig.folder / "known"
    known.mkdir()
    for name in ("broker", "load"):
        rig.run_lines("assay", "--json", "keygen", name, "--dir", rig.folder)
    (rig.folder / "load.pub").rename(known / "load.pub")
    return durable(rig, "durable_throughput_curve", message=256, tasks=400_000, window=4096,
                   flags=("--broker-key", rig.folder / "broker.key", "--known-keys", known),
                   keys={"key": rig.folder / "load.key", "server_key": rig.folder / "broker.pub"})


def zmq_limit(rig, tasks, message, window, **extra):
    options = [word for name, value in extra.items() for word in ("--" + name.replace("_", "-"), value)]
    broker = rig.start("bench_zmq_limit", "--role", "broker", *options)
    try:
        bound = first_line(broker)
        worker = rig.start("bench_zmq_limit", "--role", "worker", "--workers", bound["workers"])
        try:
            time.sleep(0.3)  # until the worker is known
            load = ["bench_zmq_limit", "--role", "producer", "--clients", bound["clients"], "--tasks", tasks]
            if message is None:
                return [rig.run(*load, "--one-by-one")]
            started = [rig.start(*load, "--message", message, "--window", window) for _ in range(PRODUCERS)]
            return [answer(process) for process in started]
        finally:
            worker.kill()
            worker.wait()
    finally:
        broker.kill()
        broker.wait()


def memory(rig, suffix, message, tasks, window):
    limit = rate(zmq_limit(rig, tasks // PRODUCERS, message, window))
    got = collected(rig, ("--durable", "false"), tasks, message, window)
    settings = {"message": message, "window": PRODUCERS * window, "body_bytes": BODY, "result_bytes": RESULT}
    return [
        figure("zmq_limit_throughput" + suffix, limit, "tasks/s", message=message),
        figure("memory_throughput" + suffix, got["rate"], "tasks/s", "zmq_limit_throughput" + suffix, **settings),
        figure("memory_broker_cpu_per_task" + suffix, got["cpu_us"], "us"),
    ]


def ask_memory(rig):
    return memory(rig, "", message=256, tasks=600_000, window=4096)


def ask_memory_alone(rig):
    return memory(rig, "_one_a_message", message=1, tasks=300_000, window=2048)


def round_trips(rig, flags, tasks):
    with rig.broker(*flags) as broker:
        worker = broker.worker(slots=1)
        broker.producers(1, mode="one_by_one", tasks=200)
        (got,) = broker.producers(1, mode="one_by_one", tasks=tasks)
        stop(worker)
    return got


def ask_round_trip(rig):
    (limit,) = zmq_limit(rig, 5_000, None, None, spin_us=50)
    (asleep,) = zmq_limit(rig, 5_000, None, None)
    disk = rig.disk_limit(4096)
    durable_trip, memory_trip = round_trips(rig, (), 3_000), round_trips(rig, ("--durable", "false"), 5_000)
    return [
        figure("zmq_limit_roundtrip_p50", limit["p50"], "us", spin_us=50),
        figure("zmq_limit_roundtrip_p99", limit["p99"], "us", spin_us=50),
        figure("zmq_limit_roundtrip_asleep_p50", asleep["p50"], "us"),
        figure("disk_limit_flush_p50", disk["flush_p50_us"], "us", batch_bytes=4096),
        figure("roundtrip_p50", durable_trip["p50"], "us", "zmq_limit_roundtrip_p50+disk_limit_flush_p50"),
        figure("roundtrip_p99", durable_trip["p99"], "us"),
        figure("memory_roundtrip_p50", memory_trip["p50"], "us", "zmq_limit_roundtrip_p50"),
        figure("memory_roundtrip_p99", memory_trip["p99"], "us"),
    ]


def ask_million(rig):
    """A million queued: how fast they came, what they weigh, how long a restart takes, and work on top of them."""
    tasks = 1_000_000
    with rig.broker("--queue-tasks-max", 4 * tasks) as broker:
        empty = broker.rss_bytes()
        flushes, size = broker.metric("assay_journal_flush_seconds_count"), broker.metric("assay_journal_bytes")
        answers = broker.producers(PRODUCERS, mode="enqueue", tasks=tasks // PRODUCERS, window=8192, owners=100,
                                   priorities=10)
        flushes = broker.metric("assay_journal_flush_seconds_count") - flushes
        size = broker.metric("assay_journal_bytes") - size
        resident = broker.rss_bytes()
        disk = rig.disk_limit(size / flushes)
        broker.kill()
        begin = time.monotonic()
        broker.start()
        broker.wait_until_ready()
        recovery = time.monotonic() - begin
        recovered = broker.metric("assay_queue_depth")
        recovered_rss = broker.rss_bytes()
        if recovered != tasks:
            raise RuntimeError(f"expected {tasks} tasks after the restart, found {recovered}")
        churn = broker.worker()
        ended, begin = broker.metric("assay_tasks_total"), time.monotonic()
        replaced = broker.producers(PRODUCERS, mode="enqueue", tasks=200_000, window=8192, owners=100, priorities=10)
        time.sleep(max(0.0, 3 - (time.monotonic() - begin)))
        ended, seconds = broker.metric("assay_tasks_total") - ended, time.monotonic() - begin
        stop(churn)
    return [
        figure("enqueue_disk_limit_throughput", disk["batches_per_second"] * tasks / flushes, "tasks/s",
               batch_bytes=round(size / flushes)),
        figure("enqueue_throughput", rate(answers), "tasks/s", "enqueue_disk_limit_throughput", message=256,
               body_bytes=BODY),
        figure("bytes_per_queued_task", (resident - empty) / tasks, "bytes", tasks=tasks, body_bytes=BODY,
               resident_bytes=resident),
        figure("recovered_bytes_per_queued_task", (recovered_rss - empty) / tasks, "bytes"),
        figure("recovery_seconds_per_million", recovery * 1e6 / tasks, "s", journal_bytes=int(size)),
        figure("backlog_throughput", ended / seconds, "tasks/s", "durable_throughput", backlog=tasks, owners=100,
               priorities=10, submitted_meanwhile=sum(a["tasks"] for a in replaced)),
    ]


def ask_idle_workers(rig):
    count, processes = 10_000, 4
    with rig.broker() as broker:
        empty = broker.rss_bytes()
        crowd = [rig.start("bench_idle_workers", "--endpoint", broker.endpoints["workers"], "--name", f"idle{i}",
                           "--count", count // processes) for i in range(processes)]
        try:
            beats = [first_line(process)["beat_every_ms"] for process in crowd]
            time.sleep(2)  # the rush of greetings is over
            if broker.metric("assay_workers") != count:
                raise RuntimeError(f"expected {count} workers, found {broker.metric('assay_workers')}")
            cpu, begin = broker.cpu_seconds(), time.monotonic()
            time.sleep(10)
            share = (broker.cpu_seconds() - cpu) / (time.monotonic() - begin)
            resident = broker.rss_bytes()
            if broker.metric("assay_workers") != count:
                raise RuntimeError("workers were lost while they were idle")
        finally:
            for process in crowd:
                process.kill()
                process.wait()
    return [
        figure("idle_workers_10k_rss", resident / 2**20, "MiB", workers=count, empty_mib=round(empty / 2**20, 1)),
        figure("idle_workers_10k_cpu", share * 100, "% of a core", workers=count, beat_every_ms=max(beats)),
    ]


def ask_fairness(rig):
    """100 owners of weights 1 to 4, all with work waiting: the share that each received against what it deserves."""
    owners, tasks, counted = 100, 100_000, 20_000
    weights = {f"owner-{i}": 1 + i % 4 for i in range(owners)}
    config = rig.folder / "fairness.yaml"
    rules = "".join(f"  {owner}: {{weight: {weight}}}\n" for owner, weight in weights.items())
    config.write_text("owner_rules:\n" + rules, encoding="utf-8")
    with rig.broker("--config", config) as broker:
        broker.producers(1, mode="enqueue", tasks=tasks, owners=owners, priorities=1)
        worker = broker.worker(count_owners=counted)
        while broker.metric("assay_tasks_total") < counted:
            time.sleep(0.05)
        received = stop(worker)["owners"]
    total, total_weight = sum(received.values()), sum(weights.values())
    errors = [abs(received.get(owner, 0) / total / (weight / total_weight) - 1) for owner, weight in weights.items()]
    return [
        figure("fairness_error", 100 * max(errors), "%", owners=owners, weights="1 to 4", tasks=total),
        figure("fairness_error_mean", 100 * sum(errors) / owners, "%"),
    ]


def ask_journal(rig):
    """The journal by itself, beside the disk: see bench/journal_throughput.cc."""
    return rig.run_lines("bench_journal", rig.folder / "journal")


def ask_artifacts(rig):
    """Artifacts beside the same bytes written and read bare: see bench/artifact_throughput.cc."""
    folder = rig.folder / "artifacts"
    folder.mkdir(parents=True, exist_ok=True)
    return rig.run_lines("bench_artifacts", folder)


QUESTIONS = {
    "durable": ask_durable,
    "durable_alone": ask_durable_alone,
    "durable_curve": ask_durable_curve,
    "memory": ask_memory,
    "memory_alone": ask_memory_alone,
    "roundtrip": ask_round_trip,
    "million": ask_million,
    "idle_workers": ask_idle_workers,
    "fairness": ask_fairness,
    "journal": ask_journal,
    "artifacts": ask_artifacts,
}
