// Measures views with a million keys: memory and disk for each key, and what a restart costs beside the query run once. See README.md.

import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { DuckDB } from './duckdb.mjs';
import { binary, run, threads } from './harness.mjs';
import { printKeys } from './report.mjs';
import { Tidemark } from './tidemark.mjs';

const keys = Number(process.env.BENCH_KEYS ?? 1_000_000);
const events = 2 * keys;
const chunkEvents = 200_000;
const frame = "(PARTITION BY key ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW)";

// Each is a view and, to run its query once to the end, a column to add up.
const views = [
  { name: 'count, sum and max by key', query: 'SELECT key, count(*) AS n, sum(amount) AS total, max(amount) AS most FROM events GROUP BY key', whole: 'total' },
  { name: 'sum and max of the last hour by key', query: `SELECT key, ts, sum(amount) OVER ${frame} AS total, max(amount) OVER ${frame} AS most FROM events`, whole: 'most' },
  { name: 'last event of each key', query: 'SELECT * FROM events LATEST ON ts PARTITION BY key', whole: 'amount' },
];

await run(async (processes, about) => {
  const data = join(processes.folder, 'tidemark');
  let tidemark = await Tidemark.start(processes, binary, data, threads);
  await load(processes, tidemark);
  const measured = [];
  tidemark = await restart(processes, tidemark);
  const idle = await tidemark.cpuSeconds();
  for (const { name, query, whole } of views) {
    const before = await tidemark.cpuSeconds();
    await tidemark.sql(`CREATE MATERIALIZED VIEW answer WITH (memory = '4GB') AS ${query}`);
    const rows = await count(tidemark, 'answer');
    const built = await tidemark.cpuSeconds();
    await tidemark.sql(`SELECT count(*), sum(${whole}) FROM (${query}) AS q`, { timeout: '10m' });
    const asked = await tidemark.cpuSeconds();
    const [[held]] = JSON.parse(await tidemark.sql("SELECT state_bytes FROM system.views WHERE name = 'answer'")).rows;
    tidemark = await restart(processes, tidemark);
    const again = await count(tidemark, 'answer');
    measured.push({
      name, rows, again, held: held / keys, stored: bytesBelow(join(data, 'state')) / keys,
      buildSeconds: built - before, batchSeconds: asked - built, restartSeconds: (await tidemark.cpuSeconds()) - idle,
    });
    await tidemark.sql('DROP MATERIALIZED VIEW answer');
    tidemark = await restart(processes, tidemark);
  }
  await tidemark.stop();
  const result = { ...about, keys, events, views: measured };
  printKeys(result);
  const wrong = measured.filter((v) => v.rows !== v.again);
  return { name: 'keys', result, wrong: wrong.map((v) => `${v.name}: ${v.rows} rows, after a restart ${v.again}`) };
});

// load makes the events, of which no two neighbours have one key, and seals them.
async function load(processes, tidemark) {
  const duckdb = await DuckDB.start(processes, ':memory:', threads);
  await tidemark.sql(`CREATE STREAM events (key BIGINT, amount DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL,
    WATERMARK FOR ts AS ts - INTERVAL '1 second' IDLE TIMEOUT INTERVAL '1 day')`);
  for (let from = 0; from < events; from += chunkEvents) {
    const file = join(processes.folder, 'chunk.ndjson');
    await duckdb.run([`COPY (SELECT i * 7919 % ${keys} AS key, CAST(hash(i, 'amount') % 100000 AS DOUBLE) / 100 AS amount,
      TIMESTAMPTZ '2026-03-01 00:00:00+00' + to_microseconds(i * 100) AS ts FROM range(${from}, ${Math.min(from + chunkEvents, events)}) AS r(i))
      TO '${file}' (FORMAT json)`]);
    await tidemark.post('events', readFileSync(file));
    rmSync(file);
  }
  await tidemark.seal('events');
  await duckdb.stop();
}

async function restart(processes, tidemark) {
  await tidemark.stop();
  return Tidemark.start(processes, binary, tidemark.data, threads);
}

// count waits until a view has read everything there is.
async function count(tidemark, from) {
  return JSON.parse(await tidemark.sql(`SELECT count(*) FROM ${from}`, { wait: true, timeout: '10m' })).rows[0][0];
}

// bytesBelow is the size of all files of a folder that is there.
function bytesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
