// Usage: node elastic.mjs URL
// Sends with Elastic's own client by its helper for bulk requests, and with pino's transport, which refreshes the index at its end.
import { Client } from '@elastic/elasticsearch';
import pino from 'pino';
import pinoElasticsearch from 'pino-elasticsearch';

const node = process.argv[2];
const complain = (problem) => console.log(String(problem));

async function* documents() {
  for (let n = 0; n < 1200; n++) yield { '@timestamp': '2026-03-01T09:00:00Z', n, note: 'say "hi" \\ 😀' };
}
const client = new Client({ node, compression: true });
await client.helpers.bulk({
  datasource: documents(), flushBytes: 20000, onDocument: () => ({ index: { _index: 'node_bulk' } }), onDrop: complain,
});
await client.close();

const stream = pinoElasticsearch({ node, index: 'node_pino', esVersion: 8, flushBytes: 1000, flushInterval: 50 });
stream.on('error', complain).on('insertError', complain);
const byPino = pino({ base: { service: 'shop' } }, stream);
for (let n = 0; n < 20; n++) byPino.warn({ n }, 'stock is low');
stream.end(); // the program ends when that is done
