"""Usage: python otlp.py URL

Sends three log records and two metrics with OpenTelemetry's own exporters, as gzipped protobuf.
"""

import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

url = sys.argv[1]
resource = Resource({"service.name": "python", "pid": 7})
at = 1772355600123000000

logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(url + "/v1/logs", compression=Compression.Gzip)))
logger = logs.get_logger("inventory", "1.2")
logger.emit(LogRecord(
    timestamp=at, severity_number=SeverityNumber.WARN, severity_text="WARN", body='stock is "low" \U0001f600',
    attributes={"item": 42, "ratio": 0.5, "tags": ["a", "b"]},
))
logger.emit(LogRecord(timestamp=at, body={"nested": {"list": [1, "two", True]}}))
logger.emit(LogRecord(timestamp=at, body="", attributes={}))
logs.shutdown()

exporter = OTLPMetricExporter(url + "/v1/metrics", compression=Compression.Gzip)
metrics = MeterProvider([PeriodicExportingMetricReader(exporter, 3600_000)], resource, shutdown_on_exit=False)
meter = metrics.get_meter("shop")
meter.create_counter("orders", "1").add(5, {"route": "/"})
latency = meter.create_histogram("latency", "ms", explicit_bucket_boundaries_advisory=[20, 200])
latency.record(10)
latency.record(100)
metrics.shutdown()
