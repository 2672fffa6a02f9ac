"""What each figure should reach, and the table. A goal speaks of the value, or of its share of the limit."""

import operator

AT_LEAST, AT_MOST = operator.ge, operator.le

# name: (compare, value, what is compared)
VALUE_GOALS = {
    "durable_throughput": (AT_LEAST, 150_000),
    "durable_throughput_one_a_message": (AT_LEAST, 80_000),
    "durable_throughput_curve": (AT_LEAST, 100_000),
    "enqueue_throughput": (AT_LEAST, 300_000),
    "bytes_per_queued_task": (AT_MOST, 128),
    "recovery_seconds_per_million": (AT_MOST, 1.0),
    "idle_workers_10k_rss": (AT_MOST, 400),
    "idle_workers_10k_cpu": (AT_MOST, 5),
    "fairness_error": (AT_MOST, 2),
}
RATIO_GOALS = {
    "durable_throughput": (AT_LEAST, 0.35),
    "memory_throughput": (AT_LEAST, 0.50),
    "backlog_throughput": (AT_LEAST, 0.70),
    "roundtrip_p50": (AT_MOST, 1.5),
    "memory_roundtrip_p50": (AT_MOST, 1.3),
}
SIGNS = {AT_LEAST: ">=", AT_MOST: "<="}


def ratio(figure, values):
    """The figure over its limit; None where it has none, or the limit was not measured in this run."""
    names = figure["settings"].get("limit", "").split("+")
    if not all(name in values for name in names):
        return None
    return figure["value"] / sum(values[name] for name in names)


def verdicts(figure, share):
    for goals, value, form in ((VALUE_GOALS, figure["value"], "{:,}"), (RATIO_GOALS, share, "{:.0%} of the limit")):
        if figure["name"] in goals and value is not None:
            compare, wanted = goals[figure["name"]]
            yield ("met" if compare(value, wanted) else "MISSED", f"{SIGNS[compare]} {form.format(wanted)}")


def table(figures):
    values = {figure["name"]: figure["value"] for figure in figures}
    rows = [("figure", "value", "unit", "of limit", "goal", "")]
    for figure in figures:
        share = ratio(figure, values)
        found = list(verdicts(figure, share))
        value = figure["value"]
        rows.append((figure["name"], f"{value:,.0f}" if value >= 1000 else f"{value:.4g}", figure["unit"],
                     "" if share is None else f"{share:.0%}", "; ".join(goal for _, goal in found),
                     "; ".join(verdict for verdict, _ in found)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) if i in (1, 3) else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)
