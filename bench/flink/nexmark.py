"""Runs the Nexmark queries on Apache Flink SQL: one process, local, mini-batches on, results thrown away.

Arguments: a folder with person.csv, auction.csv and bid.csv, the parallelism, and names of queries. Prints a line of JSON for each
query with the wall and CPU seconds from the submission to the end of the job. The CPU is that of the Java process, in which all of
Flink runs here; it is warmed up by the first query, which runs twice and counts once.
"""

import json
import os
import sys
import time

from pyflink.table import EnvironmentSettings, TableEnvironment

SOURCES = {
    "person": "id BIGINT, name STRING, email_address STRING, city STRING, state STRING, date_time TIMESTAMP(3)",
    "auction": "id BIGINT, item_name STRING, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMP(3), expires TIMESTAMP(3), "
    "seller BIGINT, category BIGINT",
    "bid": "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time TIMESTAMP(3)",
}

TUMBLE = "TABLE(TUMBLE(TABLE {}, DESCRIPTOR(date_time), INTERVAL '10' SECOND))"
HOP = "TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))"

# By the beginning of the names in queries.mjs: the columns of the result and the query.
QUERIES = {
    "q0": ("auction BIGINT, bidder BIGINT, price BIGINT, t TIMESTAMP(3)", "SELECT auction, bidder, price, date_time FROM bid"),
    "q1": ("auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), t TIMESTAMP(3)", "SELECT auction, bidder, 0.908 * price, date_time FROM bid"),
    "q2": ("auction BIGINT, price BIGINT", "SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0"),
    "q3": (
        "name STRING, city STRING, state STRING, id BIGINT",
        "SELECT p.name, p.city, p.state, a.id FROM auction a JOIN person p ON a.seller = p.id "
        "WHERE a.category = 10 AND p.state IN ('or', 'id', 'ca')",
    ),
    "q4": (
        "category BIGINT, price BIGINT",
        "SELECT category, AVG(final) FROM (SELECT MAX(b.price) AS final, a.category FROM auction a JOIN bid b ON a.id = b.auction "
        "WHERE b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id, a.category) q GROUP BY category",
    ),
    "q5": (
        "auction BIGINT, num BIGINT",
        f"SELECT n.auction, n.num FROM (SELECT auction, COUNT(*) AS num, window_start, window_end FROM {HOP} "
        f"GROUP BY auction, window_start, window_end) n JOIN (SELECT MAX(num) AS most, window_start, window_end FROM ("
        f"SELECT COUNT(*) AS num, window_start, window_end FROM {HOP} GROUP BY auction, window_start, window_end) c "
        f"GROUP BY window_start, window_end) m ON n.window_start = m.window_start AND n.window_end = m.window_end AND n.num >= m.most",
    ),
    "q7": (
        "auction BIGINT, price BIGINT, bidder BIGINT, ends TIMESTAMP(3)",
        f"SELECT b.auction, b.price, b.bidder, b.window_end FROM {TUMBLE.format('bid')} b JOIN (SELECT MAX(price) AS most, window_start, window_end "
        f"FROM {TUMBLE.format('bid')} GROUP BY window_start, window_end) m ON b.window_start = m.window_start AND b.window_end = m.window_end "
        f"AND b.price = m.most",
    ),
    "q8": (
        "id BIGINT, name STRING, starts TIMESTAMP(3)",
        f"SELECT p.id, p.name, p.window_start FROM (SELECT id, name, window_start, window_end FROM {TUMBLE.format('person')} "
        f"GROUP BY id, name, window_start, window_end) p JOIN (SELECT seller, window_start, window_end FROM {TUMBLE.format('auction')} "
        f"GROUP BY seller, window_start, window_end) a ON p.id = a.seller AND p.window_start = a.window_start AND p.window_end = a.window_end",
    ),
    "q11": (
        "bidder BIGINT, bids BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3)",
        "SELECT bidder, COUNT(*), window_start, window_end FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(date_time), "
        "INTERVAL '10' SECOND)) GROUP BY bidder, window_start, window_end",
    ),
    "q12": (
        "bidder BIGINT, bids BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3)",
        f"SELECT bidder, COUNT(*), window_start, window_end FROM {TUMBLE.format('bid')} GROUP BY bidder, window_start, window_end",
    ),
    "rolling": (
        "t TIMESTAMP(3), bidder BIGINT, price BIGINT, total BIGINT, n BIGINT",
        "SELECT date_time, bidder, price, SUM(price) OVER w, COUNT(*) OVER w FROM bid WINDOW w AS (PARTITION BY bidder ORDER BY date_time "
        "RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW)",
    ),
}


def main():
    folder, parallelism, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    settings = tables.get_config()
    settings.set("parallelism.default", parallelism)
    settings.set("table.exec.mini-batch.enabled", "true")
    settings.set("table.exec.mini-batch.allow-latency", "2 s")
    settings.set("table.exec.mini-batch.size", "50000")
    settings.set("table.local-time-zone", "UTC")
    for name, columns in SOURCES.items():
        tables.execute_sql(
            f"CREATE TABLE {name} ({columns}, WATERMARK FOR date_time AS date_time - INTERVAL '5' SECOND) "
            f"WITH ('connector' = 'filesystem', 'path' = '{os.path.join(folder, name)}.csv', 'format' = 'csv')"
        )
    for i, name in enumerate(names):
        columns, query = QUERIES[name]
        tables.execute_sql(f"CREATE TABLE out_{name} ({columns}) WITH ('connector' = 'blackhole')")
        if i == 0:
            tables.execute_sql(f"INSERT INTO out_{name} {query}").wait()
        cpu, began = java_seconds(), time.monotonic()
        tables.execute_sql(f"INSERT INTO out_{name} {query}").wait()
        print(json.dumps({"name": name, "wallSeconds": time.monotonic() - began, "cpuSeconds": java_seconds() - cpu}), flush=True)


def java_seconds():
    """CPU seconds of the Java process that this one has started."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf8") as file:
                head, _, rest = file.read().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        if int(fields[1]) == os.getpid() and "java" in head:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
