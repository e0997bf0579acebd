// Usage: node elastic.mjs URL
// Sends with Elastic's own client by its helper for bulk requests, and a document at a time, and with pino's transport, which refreshes the index at its
// end. What is refused is to be told in words.
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
const one = await client.index({ index: 'node_docs', id: 'a', document: { '@timestamp': '2026-03-01T09:00:00Z', n: 1 } });
if (one._id !== 'a' || one.result !== 'created') complain(JSON.stringify(one));
await client.create({ index: 'node_docs', id: 'b', document: { n: 2 } });
if (!(await client.index({ index: 'node_docs', document: { n: 3 } }))._id) complain('a document without an id');
if (!(await client.indices.exists({ index: 'node_docs' })) || (await client.indices.exists({ index: 'none' }))) complain('existence');
for (const [refused, want] of [
  [() => client.search({ index: 'node_docs' }), 'queries are SQL'],
  [() => client.indices.create({ index: 'other' }), 'a stream is made by its first rows'],
  [() => client.index({ index: 'node_docs', document: { _offset: 1 } }), 'has the name of a hidden column'],
]) {
  const problem = await refused().then(() => 'it was answered', (error) => error.message);
  if (!problem.includes(want)) complain(problem);
}
await client.close();

const stream = pinoElasticsearch({ node, index: 'node_pino', esVersion: 8, flushBytes: 1000, flushInterval: 50 });
stream.on('error', complain).on('insertError', complain);
const byPino = pino({ base: { service: 'shop' } }, stream);
for (let n = 0; n < 20; n++) byPino.warn({ n }, 'stock is low');
stream.end(); // the program ends when that is done
