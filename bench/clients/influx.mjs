// Usage: node influx.mjs URL
// Writes with InfluxData's own client: 1,000 points in batches, gzipped, and one with every type and escape.
import { InfluxDB, Point } from '@influxdata/influxdb-client';

const client = new InfluxDB({ url: process.argv[2], token: 'any' });
const writes = client.getWriteApi('any', 'any', 'ms', { batchSize: 100, gzipThreshold: 0 });
const at = 1772355600000;
for (let i = 0; i < 1000; i++) {
  writes.writePoint(new Point('node_batched').intField('n', i).timestamp(at + i));
}
writes.writePoint(
  new Point('node types').tag('room', 'a b,c=d').floatField('celsius', 21.5).intField('count', Number.MAX_SAFE_INTEGER)
    .uintField('big', '18446744073709551615').booleanField('open', true).stringField('note', 'say "hi" \\ bye').timestamp(at),
);
await writes.close();
