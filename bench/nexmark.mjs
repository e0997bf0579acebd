// Runs the Nexmark queries as materialized views, beside the same questions asked of DuckDB once and, where it is installed, beside
// Apache Flink. See README.md.

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { DuckDB } from './duckdb.mjs';
import { binary, root, run, threads } from './harness.mjs';
import { csvOf, kinds, rowsOf } from './nexmark/events.mjs';
import { pairs, queries } from './nexmark/queries.mjs';
import { printNexmark } from './report.mjs';
import { Tidemark } from './tidemark.mjs';

const events = Number(process.env.BENCH_NEXMARK_EVENTS ?? 10_000_000);
const only = process.env.BENCH_NEXMARK_ONLY;
const flinkPython = process.env.BENCH_FLINK_PYTHON;
const chunkEvents = 200_000;
const boundSeconds = 5;

await run(async (processes, about) => {
  const result = { ...about, events, ...(await measure(processes)) };
  for (const { name, ...seconds } of flinkPython ? await measureFlink(processes, result.queries.map(shortName)) : []) {
    result.queries.find((q) => shortName(q) === name).flink = seconds;
  }
  printNexmark(result);
  const wrong = result.queries.filter((q) => q.rows !== q.expected);
  return { name: 'nexmark', result, wrong: wrong.map((q) => `${q.name}: the view has ${q.rows} rows, DuckDB ${q.expected}`) };
});

// shortName is the one by which nexmark.py knows a query.
function shortName(query) {
  return query.name.split(' ')[0];
}

async function measure(processes) {
  const tidemark = await Tidemark.start(processes, binary, join(processes.folder, 'tidemark'), threads);
  const duckdb = await DuckDB.start(processes, ':memory:', threads);
  for (const kind of Object.keys(kinds)) {
    await load(processes, tidemark, duckdb, kind);
  }
  const wanted = (q) => !only || q.name.startsWith(only);
  const measured = { queries: [], pairs: [] };
  for (const q of queries.filter(wanted)) {
    measured.queries.push({ name: q.name, ...(await measureQuery(tidemark, duckdb, q)) });
  }
  for (const p of pairs.filter(wanted)) {
    const [base, other] = [await runView(tidemark, '', p.views[0]), await runView(tidemark, '', p.views[1])];
    measured.pairs.push({ name: p.name, ratio: other.cpuSeconds / base.cpuSeconds });
  }
  await duckdb.stop();
  await tidemark.stop();
  return measured;
}

// load makes a stream's events and seals them; DuckDB reads the same files.
async function load(processes, tidemark, duckdb, kind) {
  await tidemark.sql(`CREATE STREAM ${kind} (${kinds[kind].create}, WATERMARK FOR date_time AS date_time - INTERVAL '${boundSeconds} seconds'
    IDLE TIMEOUT INTERVAL '1 day')`);
  for (let from = 0; from < events; from += chunkEvents) {
    const file = join(processes.folder, 'chunk.ndjson');
    await duckdb.run([`COPY (${rowsOf(kind, from, Math.min(from + chunkEvents, events))}) TO '${file}' (FORMAT json)`]);
    await tidemark.post(kind, readFileSync(file));
    rmSync(file);
  }
  await tidemark.seal(kind);
  const files = join(tidemark.data, 'segments', kind, '*.parquet');
  await duckdb.run([`CREATE VIEW ${kind} AS SELECT * FROM read_parquet('${files}')`]);
}

async function measureQuery(tidemark, duckdb, query) {
  const ours = await runView(tidemark, query.with ?? '', `${query.view} ${query.emit ?? ''}`);
  // A view that reads several streams is as far as the slowest of them; their last events are less than 50 steps apart.
  const names = Object.keys(kinds).filter((kind) => new RegExp(`\\b${kind}\\b`).test(query.view));
  const [[last]] = (await duckdb.run([`SELECT CAST(least(${names.map((n) => `(SELECT max(date_time) FROM ${n})`).join(', ')}) AS VARCHAR)`])).rows;
  const closed = `(TIMESTAMPTZ '${last}' - INTERVAL '${boundSeconds} seconds')`;
  const statement = `SELECT count(*) FROM (${query.batch(closed)})`;
  const { rows, wallSeconds, cpuSeconds } = await duckdb.run([`CREATE OR REPLACE TEMP TABLE answer AS ${query.batch(closed)}`, statement]);
  return { ...ours, expected: rows[0][0], duckdb: { wallSeconds, cpuSeconds } };
}

// runView makes a view and waits until it has read everything there is.
async function runView(tidemark, options, body) {
  const cpu = await tidemark.cpuSeconds();
  const began = performance.now();
  await tidemark.sql(`CREATE MATERIALIZED VIEW answer ${options} AS ${body}`);
  const rows = JSON.parse(await tidemark.sql('SELECT count(*) FROM answer', { wait: true, timeout: '10m' })).rows[0][0];
  const wallSeconds = (performance.now() - began) / 1e3;
  const cpuSeconds = (await tidemark.cpuSeconds()) - cpu;
  await tidemark.sql('DROP MATERIALIZED VIEW answer');
  return { rows, wallSeconds, cpuSeconds };
}

// measureFlink writes the events as CSV, which Flink reads fastest of what it reads without further parts, and runs the queries.
async function measureFlink(processes, names) {
  const duckdb = await DuckDB.start(processes, ':memory:', threads);
  for (const kind of Object.keys(kinds)) {
    await duckdb.run([`COPY (${csvOf(kind, 0, events)}) TO '${join(processes.folder, kind)}.csv' (FORMAT csv, HEADER false)`]);
  }
  await duckdb.stop();
  const script = join(root, 'bench', 'flink', 'nexmark.py');
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
  return execFileSync(flinkPython, [script, processes.folder, String(threads), ...names], options).trim().split('\n').map((line) => JSON.parse(line));
}
