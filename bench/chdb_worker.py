# A process of its own for ClickHouse as a library (chdb), so that its CPU time is nobody else's. Argument: threads. Takes lines of JSON
# {"statement", "repeat"} and answers each with {"wallSeconds", "cpuSeconds", "rows"} of one repetition, or {"error"}.

import json
import sys
import time

from chdb import session

connection = session.Session()
connection.query(f"SET max_threads = {int(sys.argv[1])}")
connection.query("SET session_timezone = 'UTC'")
print(json.dumps({"ready": True}), flush=True)


def measure(statement, repeat):
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeat):
        answer = connection.query(statement, "JSONCompact")
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    return {"wallSeconds": wall / repeat, "cpuSeconds": used / repeat, "rows": json.loads(answer.bytes())["rows"]}


for line in sys.stdin:
    request = json.loads(line)
    try:
        print(json.dumps(measure(request["statement"], request["repeat"])), flush=True)
    except Exception as error:  # whatever the library raises is the query's fault, and the next one may go well
        print(json.dumps({"error": str(error)}), flush=True)
