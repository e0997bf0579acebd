// Loads the tables of a suite into both sides and measures its queries.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { Chdb } from '../chdb.mjs';
import { compareRows, median } from '../compare.mjs';
import { DuckDB } from '../duckdb.mjs';
import { Tidemark } from '../tidemark.mjs';
import { events } from './events.mjs';
import { customers, orderQueries, orders } from './orders.mjs';
import { wide } from './wide.mjs';

const rounds = 3;
// A measurement repeats its query for at least this long: the server's CPU clock moves in steps of 10 ms.
const minimumSeconds = 0.2;
const maximumRepeats = 50;
// A body holds at most 64 MiB, of which this many rows of the widest table leave half, and is decoded whole.
const chunkRows = 200_000;

const tidemarkMinutes = (n) => `time_bucket(INTERVAL '${n} minutes', ts)`;
// DuckDB has time_bucket too, but on times with a zone it goes through the calendar and costs more than twice as much as this.
const duckdbMinutes = (n) => `make_timestamptz(epoch_us(ts) // ${n * 60_000_000} * ${n * 60_000_000})`;

const clickhouseMinutes = (n) => `toStartOfInterval(ts, INTERVAL ${n} MINUTE)`;

const suites = [
  { name: 'events', tables: [events], queries: ([t], minutes) => events.queries(t, minutes) },
  { name: 'wide table', tables: [wide], queries: ([t], minutes) => wide.queries(t, minutes) },
  { name: 'joins and windows', tables: [orders, customers], queries: ([o, c], minutes) => orderQueries(o, c, minutes) },
];

// measureSuites returns, for each suite, the seconds of each query on the three sides, and on chdb where its Python is given. only names one
// suite; data keeps the loaded tables in a folder for the next run.
export async function measureSuites({ processes, binary, threads, only, data, chdbPython }) {
  const folder = data ?? processes.folder;
  const tidemark = await Tidemark.start(processes, binary, join(folder, 'tidemark'), threads);
  const duckdb = await DuckDB.start(processes, join(folder, 'native.duckdb'), threads);
  const chdb = chdbPython ? await Chdb.start(processes, chdbPython, threads) : null;
  const results = [];
  for (const suite of suites.filter((s) => !only || s.name.startsWith(only))) {
    for (const table of suite.tables) {
      await load(table, tidemark, duckdb, folder);
    }
    results.push(await measureSuite(suite, tidemark, duckdb, chdb));
  }
  await chdb?.stop();
  await duckdb.stop();
  await tidemark.stop();
  return results;
}

// load makes the rows in DuckDB, gives them to the server as Parquet and makes DuckDB's own table of what the server has sealed.
export async function load(table, tidemark, duckdb, folder) {
  const files = sealedFiles(table, tidemark);
  const names = JSON.parse(await tidemark.sql('SHOW STREAMS')).rows.map((row) => row[0]);
  if (!names.includes(table.stream)) {
    await tidemark.sql(table.create);
    for (let from = 0; from < table.rows; from += chunkRows) {
      const to = Math.min(from + chunkRows, table.rows);
      const file = join(folder, 'chunk.parquet');
      await duckdb.run([`COPY (${table.rowsOf(from, to, table.rows)}) TO '${file}' (FORMAT parquet)`]);
      await tidemark.post(table.stream, readFileSync(file), 'application/vnd.apache.parquet');
      rmSync(file);
    }
    await tidemark.seal(table.stream);
  }
  await duckdb.run([`CREATE TABLE IF NOT EXISTS ${table.stream} AS SELECT * FROM ${files} ORDER BY ALL LIMIT 0`]);
  const [[own]] = (await duckdb.run([`SELECT count(*) FROM ${table.stream}`])).rows;
  if (own === 0) {
    await duckdb.run([`INSERT INTO ${table.stream} SELECT * FROM ${files}`, 'CHECKPOINT']);
  }
  const counts = [
    JSON.parse(await tidemark.sql(`SELECT count(*) FROM ${table.stream}`)).rows[0][0],
    (await duckdb.run([`SELECT count(*) FROM ${files}`])).rows[0][0],
    (await duckdb.run([`SELECT count(*) FROM ${table.stream}`])).rows[0][0],
  ];
  if (counts.some((n) => n !== table.rows)) {
    throw new Error(`${table.stream} should have ${table.rows} rows: the server, its segments and DuckDB's table have ${counts}`);
  }
}

function sealedFiles(table, tidemark) {
  return `read_parquet('${join(tidemark.data, 'segments', table.stream, '*.parquet')}')`;
}

async function measureSuite(suite, tidemark, duckdb, chdb) {
  const names = suite.tables.map((t) => t.stream);
  const files = suite.tables.map((t) => sealedFiles(t, tidemark));
  const forClickhouse = suite.tables.map((t) => `file('${join(tidemark.data, 'segments', t.stream, '*.parquet')}', Parquet)`);
  const texts = {
    tidemark: suite.queries(names, tidemarkMinutes),
    parquet: suite.queries(files, duckdbMinutes),
    native: suite.queries(names, duckdbMinutes),
    chdb: suite.queries(forClickhouse, clickhouseMinutes),
  };
  const queries = [];
  for (const [i, [name]] of texts.tidemark.entries()) {
    const measured = await measureQuery(name, tidemark, duckdb, texts.tidemark[i][1], texts.parquet[i][1], texts.native[i][1]);
    queries.push({ name, ...measured, chdb: chdb && (await measureBeside(chdb, texts.chdb[i][1])) });
  }
  return { name: suite.name, rows: suite.tables[0].rows, queries };
}

// measureQuery alternates the sides after a warming run of each. A wrong answer or an error is the result's fault.
async function measureQuery(name, tidemark, duckdb, ours, parquet, native) {
  const sides = {
    tidemark: (repeat) => runOnTidemark(tidemark, ours, repeat),
    parquet: (repeat) => duckdb.run([parquet], repeat),
    native: (repeat) => duckdb.run([native], repeat),
  };
  const repeats = {};
  const answers = {};
  const runs = {};
  try {
    for (const side of Object.keys(sides)) {
      await sides[side](1);
      const { rows, wallSeconds } = await sides[side](1);
      answers[side] = rows;
      repeats[side] = Math.min(maximumRepeats, Math.max(1, Math.ceil(minimumSeconds / wallSeconds)));
      runs[side] = [];
    }
    for (let round = 0; round < rounds; round++) {
      for (const side of Object.keys(sides)) {
        runs[side].push(await sides[side](repeats[side]));
      }
    }
    compareRows(name, answers.tidemark, answers.parquet);
  } catch (error) {
    return { fault: error.message };
  }
  return Object.fromEntries(Object.entries(runs).map(([side, list]) => [side, {
    wallSeconds: median(list.map((r) => r.wallSeconds)),
    cpuSeconds: median(list.map((r) => r.cpuSeconds)),
  }]));
}

// measureBeside is what a query costs chdb, or why its dialect does not have it. Its answers are not compared.
async function measureBeside(chdb, sql) {
  try {
    await chdb.run(sql);
    const { wallSeconds } = await chdb.run(sql);
    const repeat = Math.min(maximumRepeats, Math.max(1, Math.ceil(minimumSeconds / wallSeconds)));
    const list = [];
    for (let round = 0; round < rounds; round++) {
      list.push(await chdb.run(sql, repeat));
    }
    return { wallSeconds: median(list.map((r) => r.wallSeconds)), cpuSeconds: median(list.map((r) => r.cpuSeconds)) };
  } catch (error) {
    return { fault: error.message };
  }
}

// runOnTidemark measures whole requests, to the last byte of the answer.
export async function runOnTidemark(tidemark, sql, repeat) {
  const cpu = await tidemark.cpuSeconds();
  const began = performance.now();
  let text;
  for (let i = 0; i < repeat; i++) {
    text = await tidemark.sql(sql);
  }
  const wallSeconds = (performance.now() - began) / 1e3 / repeat;
  const cpuSeconds = ((await tidemark.cpuSeconds()) - cpu) / repeat;
  return { rows: JSON.parse(text).rows, wallSeconds, cpuSeconds };
}
