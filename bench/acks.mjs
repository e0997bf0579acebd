// Measures acknowledgements: requests per second and their latency at several numbers of writers, beside a probe that only writes and
// syncs the same bytes to a file, one request after the other. See README.md.

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Processes } from './processes.mjs';
import { Tidemark } from './tidemark.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const binary = process.env.BENCH_BINARY ?? join(root, 'bin', 'tidemark');
const seconds = Number(process.env.BENCH_ACK_SECONDS ?? 5);
const body = Buffer.from(`{"ts":"2026-01-01T00:00:00Z","id":1,"text":"${'x'.repeat(200)}"}\n`);
const processes = new Processes(join(root, '.cache', 'bench'));
process.on('exit', () => processes.dispose());

console.log('what          writers    acks/s    p50 ms    p99 ms');
print('probe', 1, probe());
const tidemark = await Tidemark.start(processes, binary, join(processes.folder, 'data'), 2);
for (const ack of ['fsync', 'write']) {
  await drive(ack, 4, 500); // makes the stream, and warms up
  for (const writers of [1, 16, 64, 256]) {
    print(`ack=${ack}`, writers, await drive(ack, writers, seconds * 1000));
  }
}
await tidemark.stop();

// probe writes and syncs the body again and again.
function probe() {
  const file = openSync(join(processes.folder, 'probe'), 'wx');
  const times = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const began = performance.now();
    writeSync(file, body);
    fdatasyncSync(file);
    times.push(performance.now() - began);
  }
  closeSync(file);
  return times;
}

// drive has writers send the body, each as soon as its last one is answered.
async function drive(ack, writers, milliseconds) {
  const times = [];
  const end = performance.now() + milliseconds;
  const writer = async () => {
    while (performance.now() < end) {
      const began = performance.now();
      const response = await fetch(`${tidemark.url}/v1/streams/acks/events?ack=${ack}`, {
        method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body,
      });
      const answer = await response.json();
      if (answer.accepted !== 1) {
        throw new Error(`not accepted: ${JSON.stringify(answer)}`);
      }
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return times;
}

function print(what, writers, times) {
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(part * times.length))].toFixed(2).padStart(9);
  console.log(`${what.padEnd(14)}${String(writers).padStart(7)}${(times.length / seconds).toFixed(0).padStart(10)} ${at(0.5)} ${at(0.99)}`);
}
