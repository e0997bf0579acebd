// Measures how dashboards fare beside a full scan: ten of them ask for panels of one hour, alone and while another client groups all
// rows by two million users again and again. See README.md.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { DuckDB } from './duckdb.mjs';
import { binary, run, threads } from './harness.mjs';
import { printTable } from './report.mjs';
import { events } from './sql/events.mjs';
import { load } from './sql/measure.mjs';
import { Tidemark } from './tidemark.mjs';

const seconds = Number(process.env.BENCH_DASHBOARD_SECONDS ?? 20);
const dashboards = 10;
const pause = 100; // milliseconds between an answer and a dashboard's next question

const day = Date.UTC(2026, 2, 1);
const hour = 3_600_000;
const panels = [
  (from, to) => `SELECT time_bucket(INTERVAL '1 minute', ts) AS m, count(*), avg(latency_ms) FROM hits
    WHERE ts >= TIMESTAMPTZ '${from}' AND ts < TIMESTAMPTZ '${to}' GROUP BY m ORDER BY m`,
  (from, to) => `SELECT country, count(*) FROM hits WHERE ts >= TIMESTAMPTZ '${from}' AND ts < TIMESTAMPTZ '${to}' GROUP BY country ORDER BY 2 DESC`,
  (from, to) => `SELECT status, approx_percentile(latency_ms, 0.95) FROM hits
    WHERE ts >= TIMESTAMPTZ '${from}' AND ts < TIMESTAMPTZ '${to}' GROUP BY status ORDER BY status`,
];
const scan = 'SELECT user_id, count(*) AS n, sum(bytes) FROM hits GROUP BY user_id ORDER BY n DESC, user_id LIMIT 10';

await run(async (processes, about) => {
  const folder = process.env.BENCH_SQL_DATA ?? processes.folder;
  const tidemark = await Tidemark.start(processes, binary, join(folder, 'tidemark'), threads);
  const duckdb = await DuckDB.start(processes, join(folder, 'native.duckdb'), threads);
  await load(events, tidemark, duckdb, folder);
  await duckdb.stop();
  await tidemark.sql(scan);
  const phases = [
    await measure('panels alone', tidemark, dashboards, 0),
    await measure('full scan alone', tidemark, 0, 1),
    await measure('panels and full scan', tidemark, dashboards, 1),
  ];
  await tidemark.stop();
  print(phases);
  return { name: 'dashboards', result: { ...about, rows: events.rows, seconds, phases }, wrong: [] };
});

// measure lets dashboards and scanners ask for the length of a phase and collects how long each answer took, in milliseconds.
async function measure(name, tidemark, dashboards, scanners) {
  const end = performance.now() + seconds * 1000;
  const times = { panels: [], scans: [] };
  const ask = async (kind, sql) => {
    const began = performance.now();
    await tidemark.sql(sql);
    times[kind].push(performance.now() - began);
  };
  const dashboard = async (number) => {
    for (let i = number; performance.now() < end; i++) {
      const from = day + ((i * 7) % 23) * hour;
      await ask('panels', panels[i % panels.length](new Date(from).toISOString(), new Date(from + hour).toISOString()));
      await sleep(pause);
    }
  };
  const scanner = async () => {
    while (performance.now() < end) {
      await ask('scans', scan);
    }
  };
  await Promise.all([...Array.from({ length: dashboards }, (_, i) => dashboard(i)), ...Array.from({ length: scanners }, scanner)]);
  return { name, panels: summary(times.panels), scans: summary(times.scans) };
}

function summary(times) {
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(part * times.length))];
  return { answers: times.length, p50: at(0.5), p99: at(0.99) };
}

function print(phases) {
  const cells = ({ answers, p50, p99 }) => (answers > 0 ? [String(answers), p50.toFixed(1), p99.toFixed(1)] : ['', '', '']);
  console.log(`\n${dashboards} dashboards, ${pause} ms between questions, ${seconds} s each, ${events.rows} rows`);
  printTable([
    ['', 'panels', 'p50 ms', 'p99 ms', 'scans', 'p50 ms', 'p99 ms'],
    ...phases.map((p) => [p.name, ...cells(p.panels), ...cells(p.scans)]),
  ]);
}
