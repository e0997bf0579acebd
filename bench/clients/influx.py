"""Usage: python influx.py URL

Writes with InfluxData's own client: 1,000 points in batches, gzipped, and one with every type and escape.
"""

import sys

from influxdb_client import InfluxDBClient, Point, WriteOptions
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision

at = 1772355600000
with InfluxDBClient(sys.argv[1], token="any", org="any", enable_gzip=True) as client:
    with client.write_api(WriteOptions(batch_size=100)) as batches:
        for i in range(1000):
            batches.write("any", record=Point("python_batched").field("n", i).time(at + i, WritePrecision.MS))
    with client.write_api(SYNCHRONOUS) as writes:
        writes.write("any", record=(
            Point("python types").tag("room", "a b,c=d").field("celsius", 21.5).field("count", 9007199254740991)
            .field("open", True).field("note", 'say "hi" \\ bye').time(at, WritePrecision.MS)
        ))
