// Usage: node otlp.mjs URL http|proto
// Sends three log records and two metrics with OpenTelemetry's own exporters, as JSON (http) or protobuf (proto), gzipped.
import { OTLPLogExporter as JSONLogs } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as JSONMetrics } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';

const [url, encoding] = process.argv.slice(2);
const [Logs, Metrics] = encoding === 'proto' ? [ProtoLogs, ProtoMetrics] : [JSONLogs, JSONMetrics];
const resource = resourceFromAttributes({ 'service.name': `node-${encoding}`, pid: 7 });
const exporter = (Exporter, path) => new Exporter({ url: url + path, compression: 'gzip' });

const logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: exporter(Logs, '/v1/logs') })] });
const logger = logs.getLogger('inventory', '1.2');
const at = 1772355600123;
logger.emit({
  timestamp: at, severityNumber: 13, severityText: 'WARN', body: 'stock is "low" \u{1f600}',
  attributes: { item: 42, ratio: 0.5, tags: ['a', 'b'] },
});
logger.emit({ timestamp: at, body: { nested: { list: [1, 'two', true] } } });
logger.emit({ timestamp: at, body: '', attributes: {} });

const metrics = new MeterProvider({
  resource, readers: [new PeriodicExportingMetricReader({ exporter: exporter(Metrics, '/v1/metrics'), exportIntervalMillis: 3600_000 })],
});
const meter = metrics.getMeter('shop');
meter.createCounter('orders', { unit: '1' }).add(5, { route: '/' });
const latency = meter.createHistogram('latency', { unit: 'ms', advice: { explicitBucketBoundaries: [20, 200] } });
latency.record(10);
latency.record(100);

await Promise.all([logs.shutdown(), metrics.shutdown()]);
