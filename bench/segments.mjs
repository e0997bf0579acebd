// Measures segments: how much space they take and how much CPU it costs to write and merge them, beside DuckDB's files of the same rows,
// and whether a panel over the last hour gets slower as older rows pile up. See README.md.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { median } from './compare.mjs';
import { DuckDB } from './duckdb.mjs';
import { accessEvents } from './generate.mjs';
import { postAll } from './ingest.mjs';
import { Processes } from './processes.mjs';
import { Tidemark } from './tidemark.mjs';

const threads = 2;
const seals = 4; // as many as are merged at once
const root = fileURLToPath(new URL('..', import.meta.url));
const binary = join(root, 'bin', 'tidemark');
const cache = join(root, '.cache', 'bench');
const shared = join(root, '..', 'shared', 'data');
const hidden = ['_partition', '_offset', '_ingested_at', '_watermark'];
const events = Number(process.env.BENCH_SEGMENT_EVENTS ?? 1_000_000);
const panelRows = Number(process.env.BENCH_PANEL_ROWS ?? 2_000_000);
const processes = new Processes(cache);

process.on('exit', () => processes.dispose());
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => fail(new Error(`stopped by ${signal}`)));
}

try {
  const version = execFileSync(binary, ['version'], { encoding: 'utf8' }).trim();
  const sets = [];
  for (const set of dataSets()) {
    sets.push(await measureSet(set));
  }
  printSets(sets);
  const panel = await measurePanel();
  printPanel(panel);
  const result = join(cache, 'segments.json');
  writeFileSync(result, `${JSON.stringify({ version, threads, sets, panel }, null, 2)}\n`);
  console.log(`\nwrote ${result}`);
} catch (error) {
  fail(error);
}

// dataSets are rows of one stream each, as pieces of NDJSON.
function* dataSets() {
  yield { name: 'access log, made up', pieces: [...accessEvents(events)] };
  for (const [name, file] of [
    ['TSBS cpu', 'tsbs/cpu_only.ndjson.gz'],
    ['TSBS readings', 'tsbs/iot_readings.ndjson.gz'],
    ['Apache log', 'weblogs/apache.ndjson.gz'],
  ]) {
    const path = join(shared, file);
    if (!existsSync(path)) {
      console.log(`${name}: ${path} is not there; left out`);
      continue;
    }
    yield { name, pieces: piecesOf(gunzipSync(readFileSync(path))) };
  }
}

// piecesOf cuts NDJSON at line ends into bodies of about 4 MiB, and at least as many as there are seals.
function piecesOf(data) {
  const size = Math.min(4 << 20, Math.ceil(data.length / seals));
  const pieces = [];
  for (let from = 0; from < data.length; ) {
    let to = Math.min(data.length, from + size);
    const end = data.indexOf(10, to - 1);
    to = end < 0 ? data.length : end + 1;
    const body = data.subarray(from, to);
    pieces.push({ body, rows: body.toString('latin1').split('\n').filter((line) => line.trim() !== '').length });
    from = to;
  }
  return pieces;
}

async function measureSet({ name, pieces }) {
  const folder = join(processes.folder, name.replaceAll(/[^A-Za-z]/g, ''));
  mkdirSync(folder);
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
  const tidemark = await tidemarkSide(folder, pieces, rows);
  const duckdb = await duckdbSide(folder, tidemark.timeColumn);
  return { name, rows, tidemark, duckdb };
}

// tidemarkSide loads and seals a quarter of the rows four times, lets the four segments be merged, and then packed as old ones.
async function tidemarkSide(folder, pieces, rows) {
  const data = join(folder, 'data');
  let server = await startServer(data, { TIDEMARK_ARCHIVE_AFTER: '0s' });
  let sealing = 0;
  for (let quarter = 0; quarter < seals; quarter++) {
    await postAll(server, 's', pieces.slice((quarter * pieces.length) / seals, ((quarter + 1) * pieces.length) / seals));
    const cpu = await server.cpuSeconds();
    await server.seal('s');
    sealing += (await server.cpuSeconds()) - cpu;
  }
  const cpu = await server.cpuSeconds();
  const merged = await until(server, (s) => s.segments === 1);
  const merging = (await server.cpuSeconds()) - cpu;
  await server.stop();
  server = await startServer(data, { TIDEMARK_ARCHIVE_AFTER: '1s' });
  const archived = await until(server, (s) => s.segment_bytes < merged.segment_bytes, merged);
  await server.stop();
  return {
    timeColumn: merged.time_column,
    sealPerCpuSecond: rows / sealing, mergePerCpuSecond: rows / merging,
    bytes: merged.segment_bytes / rows, archivedBytes: archived.segment_bytes / rows,
  };
}

async function startServer(data, environment) {
  Object.assign(process.env, { TIDEMARK_COMPACT_CPU: '100', TIDEMARK_SEAL_AGE: '1h', TIDEMARK_SEAL_ROWS: '100000000' }, environment);
  return Tidemark.start(processes, binary, data, threads);
}

// until waits for a state of the stream; otherwise is the answer where it does not come, as where packing does not pay.
async function until(server, reached, otherwise) {
  for (const deadline = Date.now() + 180_000; Date.now() < deadline; await sleep(50)) {
    const state = await (await fetch(`${server.url}/v1/streams/s`)).json();
    if (reached(state)) {
      return state;
    }
  }
  if (otherwise === undefined) {
    throw new Error('segments are not merged');
  }
  return otherwise;
}

// duckdbSide writes the same rows, without the columns that Tidemark adds, and sorts them by time as well.
async function duckdbSide(folder, timeColumn) {
  const files = join(folder, 'data', 'segments', 's', '*.parquet');
  const native = join(folder, 'native.duckdb');
  const duckdb = await DuckDB.start(processes, native, threads);
  const { rows } = await duckdb.run([
    `CREATE TABLE t AS SELECT * EXCLUDE (${hidden.join(', ')}) FROM read_parquet('${files}')`, 'CHECKPOINT', 'SELECT count(*) FROM t',
  ]);
  const out = { rows: Number(rows[0][0]), bytes: {}, perCpuSecond: {} };
  for (const codec of ['zstd', 'lz4_raw']) {
    const file = join(folder, `${codec}.parquet`);
    const { cpuSeconds } = await duckdb.run([`COPY (FROM t ORDER BY "${timeColumn}") TO '${file}' (FORMAT parquet, COMPRESSION ${codec})`]);
    out.bytes[codec] = statSync(file).size / out.rows;
    out.perCpuSecond[codec] = out.rows / cpuSeconds;
  }
  await duckdb.stop();
  out.bytes.native = statSync(native).size / out.rows;
  return out;
}

// measurePanel asks for the last hour of a stream, and again when nine times as many older rows have been added.
async function measurePanel() {
  const server = await startServer(join(processes.folder, 'panel'), { TIDEMARK_ARCHIVE_AFTER: '0s', TIDEMARK_SEAL_ROWS: '1000000' });
  const end = Date.UTC(2026, 2, 1);
  const few = await panelWith(server, end, 0, 1);
  const many = await panelWith(server, end, 1, 10);
  await server.stop();
  return { rows: [panelRows, 10 * panelRows], seconds: [few, many], ratio: many / few };
}

// panelWith loads the days before end from one to another, a day of rows each, and gives the median time of the panel.
async function panelWith(server, end, fromDay, toDay) {
  await server.sql(`CREATE STREAM IF NOT EXISTS s (ts TIMESTAMPTZ NOT NULL, host TEXT, v DOUBLE PRECISION, WATERMARK FOR ts AS ts)`);
  for (let day = fromDay; day < toDay; day++) {
    await postAll(server, 's', panelPieces(end - (day + 1) * 86_400_000));
  }
  await server.seal('s');
  await untilQuiet(server);
  const from = new Date(end - 3_600_000).toISOString();
  const panel = `SELECT time_bucket(INTERVAL '1 minute', ts) AS minute, host, avg(v) FROM s WHERE ts >= '${from}' GROUP BY minute, host`;
  const times = [];
  for (let i = 0; i < 60; i++) {
    const began = performance.now();
    await server.sql(panel);
    times.push((performance.now() - began) / 1e3);
  }
  return median(times.slice(10));
}

// untilQuiet waits until nothing is merged any more: a panel beside a merge is another measurement.
async function untilQuiet(server) {
  for (let last = -1, same = 0; same < 15; await sleep(100)) {
    const cpu = await server.cpuSeconds();
    same = cpu - last < 0.05 ? same + 1 : 0;
    last = cpu;
  }
}

function* panelPieces(start) {
  const step = 86_400_000 / panelRows;
  const batch = 50_000;
  for (let first = 0; first < panelRows; first += batch) {
    const lines = [];
    for (let i = first; i < Math.min(panelRows, first + batch); i++) {
      lines.push(`{"ts":${Math.floor(start + i * step)},"host":"host_${i % 20}","v":${(i * 7919) % 1000 / 10}}`);
    }
    yield { body: lines.join('\n'), rows: lines.length };
  }
}

function printSets(sets) {
  const number = (value) => value.toFixed(2).padStart(9);
  console.log('\nbytes an event, and Tidemark divided by DuckDB (below 1 is smaller)');
  console.log(`${''.padEnd(22)}    fresh  archived  old/zstd old/native  fresh/lz4`);
  for (const { name, tidemark: t, duckdb: d } of sets) {
    const ratios = [t.archivedBytes / d.bytes.zstd, t.archivedBytes / d.bytes.native, t.bytes / d.bytes.lz4_raw];
    console.log(`${name.padEnd(22)}${number(t.bytes)} ${number(t.archivedBytes)} ${ratios.map(number).join(' ')}`);
  }
  console.log('\nrows per CPU-second, Tidemark divided by DuckDB COPY (above 1 is faster)');
  console.log(`${''.padEnd(22)} seal/zstd  seal/lz4 merge/zstd merge/lz4`);
  for (const { name, tidemark: t, duckdb: d } of sets) {
    const rates = [t.sealPerCpuSecond, t.mergePerCpuSecond];
    const ratios = rates.flatMap((rate) => [rate / d.perCpuSecond.zstd, rate / d.perCpuSecond.lz4_raw]);
    console.log(`${name.padEnd(22)}${ratios.map(number).join(' ')}`);
  }
}

function printPanel({ rows, seconds, ratio }) {
  console.log(`\npanel over the last hour: ${(1e3 * seconds[0]).toFixed(1)} ms at ${rows[0]} rows, `
    + `${(1e3 * seconds[1]).toFixed(1)} ms at ${rows[1]}: ratio ${ratio.toFixed(2)}`);
}

// fail ends the run; what it started is killed and removed on exit.
function fail(error) {
  console.error(`bench: ${error.message}`);
  process.exit(1);
}
