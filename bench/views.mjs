// Measures what more views over one stream cost: CPU for each event and memory, with none, 1, 10, 100 and 1,000 views that differ in a
// constant of their filter. See README.md.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { run, threads } from './harness.mjs';
import { Tidemark } from './tidemark.mjs';

const binary = process.env.BENCH_BINARY ?? join(import.meta.dirname, '..', 'bin', 'tidemark');
const events = Number(process.env.BENCH_VIEW_EVENTS ?? 200000);
const batch = Number(process.env.BENCH_VIEW_BATCH ?? 2000);
const counts = (process.env.BENCH_VIEW_COUNTS ?? '0,1,10,100,1000').split(',').map(Number);
const keys = 1000;

await run(async (processes, about) => {
  console.log('views   CPU us/event   us/event and view   memory MiB   KiB/view');
  const rows = [];
  for (const count of counts) {
    const tidemark = await Tidemark.start(processes, binary, join(processes.folder, `views-${count}`), threads);
    const row = { count, ...(await measure(tidemark, count)) };
    await tidemark.stop();
    rows.push(row);
    const more = (at) => (count === 0 ? '' : ((row[at] - rows[0][at]) / count));
    const each = count === 0 ? '' : more('cpu').toFixed(3);
    const kib = count === 0 ? '' : (more('memory') / 1024).toFixed(0);
    console.log(`${String(count).padStart(5)}${row.cpu.toFixed(2).padStart(15)}${each.padStart(20)}${(row.memory / 2 ** 20).toFixed(0).padStart(13)}${kib.padStart(11)}`);
  }
  return { name: 'views', result: { about, events, batch, rows }, wrong: rows.flatMap((row) => row.wrong) };
});

// measure gives the microseconds of CPU for each event, once every view has taken all of them, and the memory of the process then.
async function measure(tidemark, count) {
  await tidemark.sql(`CREATE STREAM readings (ts TIMESTAMPTZ NOT NULL, device BIGINT, place TEXT, value DOUBLE PRECISION,
    WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`);
  for (let i = 0; i < count; i++) {
    await tidemark.sql(`CREATE MATERIALIZED VIEW v${i} AS SELECT window_start, place, count(*) AS n, sum(value) AS total, max(value) AS most
      FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1 minute') WHERE device % ${keys} = ${i % keys} GROUP BY window_start, window_end, place`);
  }
  const before = await tidemark.cpuSeconds();
  for (let from = 0; from < events; from += batch) {
    await tidemark.post('readings', body(from, Math.min(events, from + batch)));
  }
  while (count > 0 && (await number(tidemark, 'SELECT sum(lag_rows) FROM system.views')) > 0) {
    await sleep(100);
  }
  const cpu = ((await tidemark.cpuSeconds()) - before) * 1e6 / events;
  const wrong = [];
  for (const i of count === 0 ? [] : [0, count - 1]) {
    const n = await number(tidemark, `SELECT coalesce(sum(n), 0) FROM v${i}`);
    if (n !== Math.ceil((events - (i % keys)) / keys)) {
      wrong.push(`view ${i} of ${count} counts ${n} events`);
    }
  }
  return { cpu, memory: await tidemark.metric('process_resident_memory_bytes'), wrong };
}

async function number(tidemark, sql) {
  return Number(JSON.parse(await tidemark.sql(sql)).rows[0][0]);
}

function body(from, to) {
  const lines = [];
  for (let i = from; i < to; i++) {
    const ts = new Date(Date.UTC(2026, 0, 1) + i * 5).toISOString();
    lines.push(`{"ts":"${ts}","device":${i},"place":"p${(i * 7919) % 10}","value":${(i % 977) / 4}}`);
  }
  return `${lines.join('\n')}\n`;
}
