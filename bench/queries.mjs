// The query rows: the same SQL on a server with sealed segments, and on DuckDB over those same Parquet files.

import { join } from 'node:path';

import { compareRows, median } from './compare.mjs';
import { DuckDB } from './duckdb.mjs';
import { requestEvents } from './generate.mjs';
import { postAll } from './ingest.mjs';
import { Tidemark } from './tidemark.mjs';

const rounds = 5;
// A measurement repeats its query for at least this long: the server's CPU clock moves in steps of 10 ms.
const minimumSeconds = 0.3;
const maximumRepeats = 200;

// Each is SQL for both sides, given what stands for the stream and how the side best says "the minute of ts".
const queries = [
  {
    name: 'count and sum, six hours of a day',
    sql: (t) => `SELECT count(*), sum(bytes) FROM ${t}
      WHERE ts >= TIMESTAMPTZ '2026-03-01 06:00:00+00' AND ts < TIMESTAMPTZ '2026-03-01 12:00:00+00'`,
  },
  {
    name: 'group by region (8)',
    sql: (t) => `SELECT region, count(*), avg(latency_ms) FROM ${t} GROUP BY region ORDER BY region`,
  },
  {
    name: 'group by minute (1,440)',
    sql: (t, minute) => `SELECT ${minute} AS m, count(*), sum(bytes) FROM ${t} GROUP BY m ORDER BY m`,
  },
  {
    name: 'one region, avg by service (12)',
    sql: (t) => `SELECT service, avg(latency_ms) FROM ${t} WHERE region = 'eu-west' GROUP BY service ORDER BY service`,
  },
  {
    name: 'top 10 of users (200,000)',
    sql: (t) => `SELECT user_id, count(*) AS n FROM ${t} GROUP BY user_id ORDER BY n DESC, user_id LIMIT 10`,
  },
];

const tidemarkMinute = "time_bucket(INTERVAL '1 minute', ts)";
// DuckDB has time_bucket too, but on times with a zone it goes through the calendar and costs more than twice as much as this.
const duckdbMinute = 'make_timestamptz(epoch_us(ts) // 60000000 * 60000000)';

// measureQueries returns wall and CPU seconds of each query on both sides, medians over the rounds, in which they alternate.
export async function measureQueries(processes, binary, rows, threads) {
  const tidemark = await Tidemark.start(processes, binary, join(processes.folder, 'queries'), threads);
  await postAll(tidemark, 'requests', requestEvents(rows));
  await tidemark.seal('requests');
  const duckdb = await DuckDB.start(processes, ':memory:', threads);
  const files = `read_parquet('${join(tidemark.data, 'segments', 'requests', '*.parquet')}')`;
  await checkSealed(tidemark, duckdb, files, rows);

  const results = [];
  for (const query of queries) {
    const sides = {
      tidemark: (repeat) => runOnTidemark(tidemark, query.sql('requests', tidemarkMinute), repeat),
      duckdb: (repeat) => duckdb.run([query.sql(files, duckdbMinute)], repeat),
    };
    results.push({ name: query.name, ...(await alternate(query.name, sides)) });
  }
  await duckdb.stop();
  await tidemark.stop();
  return { rows, queries: results };
}

// checkSealed makes sure that the files hold all that was posted: else the two sides would not read the same.
async function checkSealed(tidemark, duckdb, files, rows) {
  const stored = JSON.parse(await tidemark.sql('SELECT count(*) FROM requests')).rows[0][0];
  const sealed = (await duckdb.run([`SELECT count(*) FROM ${files}`])).rows[0][0];
  if (stored !== rows || sealed !== rows) {
    throw new Error(`${rows} events were posted; the server counts ${stored}, its segments hold ${sealed}`);
  }
}

async function alternate(name, sides) {
  const repeats = {};
  const answers = {};
  for (const side of Object.keys(sides)) {
    await sides[side](1); // fills caches
    const { rows, wallSeconds } = await sides[side](1);
    answers[side] = rows;
    repeats[side] = Math.min(maximumRepeats, Math.max(1, Math.ceil(minimumSeconds / wallSeconds)));
  }
  compareRows(name, answers.tidemark, answers.duckdb);
  const runs = { tidemark: [], duckdb: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of Object.keys(sides)) {
      const { wallSeconds, cpuSeconds } = await sides[side](repeats[side]);
      runs[side].push({ wallSeconds, cpuSeconds });
    }
  }
  return { tidemark: medians(runs.tidemark), duckdb: medians(runs.duckdb), repeats };
}

// runOnTidemark measures whole requests, to the last byte of the answer.
async function runOnTidemark(tidemark, sql, repeat) {
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

function medians(runs) {
  return {
    wallSeconds: median(runs.map((r) => r.wallSeconds)),
    cpuSeconds: median(runs.map((r) => r.cpuSeconds)),
    runs,
  };
}
