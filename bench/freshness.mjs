// Measures how soon an acknowledged event is in a view, and at a subscriber of that view, at two rates, beside a probe in the same run: a bare
// HTTP server that writes and syncs the same bodies to a file. See README.md.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { run, threads } from './harness.mjs';
import { Tidemark } from './tidemark.mjs';

const binary = process.env.BENCH_BINARY ?? join(import.meta.dirname, '..', 'bin', 'tidemark');
const rates = (process.env.BENCH_FRESH_RATES ?? '10000,100000').split(',').map(Number);
const seconds = Number(process.env.BENCH_FRESH_SECONDS ?? 10);
const everyMs = 20; // between two bodies

await run(async (processes, about) => {
  const tidemark = await Tidemark.start(processes, binary, join(processes.folder, 'data'), threads);
  await tidemark.sql('CREATE STREAM ticks (ts TIMESTAMPTZ NOT NULL, body BIGINT, place TEXT, value DOUBLE PRECISION)');
  await tidemark.sql('CREATE MATERIALIZED VIEW totals WITH (memory = \'16MB\') AS SELECT max(body) AS body, count(*) AS n, sum(value) AS total FROM ticks');
  const subscriber = follow(`${tidemark.url}/v1/subscribe?${new URLSearchParams({ q: 'SELECT body FROM totals' })}`);
  const bare = await probe(processes);
  const rows = [];
  console.log(`${'events/s'.padEnd(10)}${'what'.padEnd(34)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}${'count'.padStart(8)}`);
  let body = 0;
  for (const rate of rates) {
    const count = Math.round((rate * everyMs) / 1000);
    const plain = await drive(body, count, (text) => send(bare.url, text), () => undefined);
    await sleep(500);
    const visible = [];
    let asking = false;
    const acked = await drive(body, count, (text) => tidemark.post('ticks', text), async (number, at) => {
      subscriber.acked(number, at);
      if (asking) {
        return;
      }
      asking = true;
      const answer = JSON.parse(await tidemark.sql('SELECT body FROM totals', { wait: true }));
      visible.push(performance.now() - at);
      asking = false;
      if (Number(answer.rows[0][0]) < number) {
        throw new Error(`wait=true gave body ${answer.rows[0][0]} after ${number} was acknowledged`);
      }
    });
    body += acked.length;
    await sleep(1000);
    const received = subscriber.take();
    for (const [what, times] of Object.entries({
      'probe: HTTP, write and fsync': plain, 'acknowledged': acked, 'from there to wait=true answered': visible,
      'from there to the subscriber': received,
    })) {
      rows.push({ rate, what, ...quantiles(times) });
      const { p50, p99 } = rows.at(-1);
      console.log(`${String(rate).padEnd(10)}${what.padEnd(34)}${p50.toFixed(2).padStart(9)}${p99.toFixed(2).padStart(9)}${String(times.length).padStart(8)}`);
    }
  }
  subscriber.stop();
  bare.stop();
  await tidemark.stop();
  return { name: 'freshness', result: { about, seconds, rows }, wrong: [] };
});

// drive sends a body every few milliseconds, whether the ones before are answered or not, and gives the times until each was.
async function drive(first, count, post, then) {
  const times = [];
  const pending = [];
  const began = performance.now();
  for (let i = 0; i * everyMs < seconds * 1000; i++) {
    const text = body(first + i, count);
    await sleep(Math.max(0, began + i * everyMs - performance.now()));
    const sent = performance.now();
    pending.push(post(text).then(() => {
      const at = performance.now();
      times.push(at - sent);
      return then(first + i, at);
    }));
  }
  await Promise.all(pending);
  return times;
}

function body(number, count) {
  const ts = new Date(Date.UTC(2026, 0, 1) + number * everyMs).toISOString();
  let out = '';
  for (let i = 0; i < count; i++) {
    out += `{"ts":"${ts}","body":${number},"place":"p${i % 10}","value":${i / 4}}\n`;
  }
  return out;
}

// follow subscribes and notes for each body how long after its acknowledgement a change came that has it. A change may come before the
// acknowledgement has been read: that counts as 0.
function follow(url) {
  const abort = new AbortController();
  const waiting = new Map();
  let newest = -1;
  let times = [];
  const seen = (number) => {
    newest = Math.max(newest, number);
    for (const [n, at] of waiting) {
      if (n <= newest) {
        times.push(performance.now() - at);
        waiting.delete(n);
      }
    }
  };
  (async () => {
    const response = await fetch(url, { signal: abort.signal });
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines.filter((l) => l.startsWith('data: {"columns"'))) {
        for (const row of JSON.parse(line.slice(6)).rows) {
          if (row[0] !== 'delete' && row[1] !== null) {
            seen(Number(row[1]));
          }
        }
      }
    }
  })().catch((error) => {
    if (!abort.signal.aborted) {
      throw error;
    }
  });
  return {
    acked(number, at) {
      if (number <= newest) {
        times.push(0);
      } else {
        waiting.set(number, at);
      }
    },
    take() {
      const out = times;
      times = [];
      return out;
    },
    stop: () => abort.abort(),
  };
}

// probe starts a process that answers each body once it has written and synced it, and gives its address and an end.
async function probe(processes) {
  const script = `const fs = require('node:fs'), file = fs.openSync(process.argv[1], 'wx');
    require('node:http').createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part)).on('end', () => fs.write(file, Buffer.concat(parts), () => fs.fdatasync(file, () => response.end('{}'))));
    }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;
  const child = processes.adopt(spawn(process.execPath, ['-e', script, join(processes.folder, 'probe')], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const port = await new Promise((resolve) => child.stdout.once('data', resolve));
  return { url: `http://127.0.0.1:${String(port).trim()}/`, stop: () => child.kill() };
}

async function send(url, text) {
  await (await fetch(url, { method: 'POST', body: text })).arrayBuffer();
}

function quantiles(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), count: times.length };
}
