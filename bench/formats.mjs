// Measures what the server's CPU time an event costs in each format, in requests of 1, 100 and 10,000 events: see README.md. With
// BENCH_PROFILE=<folder> a CPU profile of each is kept there.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { median } from './compare.mjs';
import { accessEvents, accessPoint } from './generate.mjs';
import { binary, run } from './harness.mjs';
import { Tidemark } from './tidemark.mjs';

const rounds = Number(process.env.BENCH_FORMAT_ROUNDS ?? 3);
const connections = 4;
// How many events are sent in requests of each size: the smaller ones cost more each.
const sizes = [
  { size: 10_000, events: Number(process.env.BENCH_FORMAT_EVENTS ?? 400_000) },
  { size: 100, events: Number(process.env.BENCH_FORMAT_EVENTS ?? 400_000) / 8 },
  { size: 1, events: Number(process.env.BENCH_FORMAT_EVENTS ?? 400_000) / 80 },
];
const columns = 'ts, event_id, session, user_id, region, service, method, path, status, bytes, latency_ms, cached, agent';
const formats = [
  { name: 'NDJSON', query: '', type: 'application/x-ndjson' },
  { name: 'NDJSON, gzip', from: 'NDJSON', query: '', type: 'application/x-ndjson', gzip: true },
  { name: 'CSV', query: '?format=csv', sql: 'csv' },
  { name: 'line protocol', query: '?format=influx' },
  { name: 'Arrow', query: '?format=arrow', sql: 'arrow' },
  { name: 'Parquet', query: '?format=parquet', sql: 'parquet' },
];

await run(async (processes, about) => {
  const tidemark = await Tidemark.start(processes, binary, join(processes.folder, 'formats'), about.threads);
  const result = { ...about, rounds, sizes: [] };
  const wrong = [];
  for (const { size, events } of sizes) {
    const bodies = await makeBodies(tidemark, size, events);
    const costs = new Map(formats.map((f) => [f.name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const format of formats) {
        const stream = `s${size}_${format.name.toLowerCase().replaceAll(/[^a-z]/g, '')}_${round}`;
        const cpu = await measure(tidemark, stream, format, bodies.get(format.from ?? format.name), size);
        costs.get(format.name).push(cpu);
        const count = JSON.parse(await tidemark.sql(`SELECT count(*), sum(bytes), count(DISTINCT event_id) FROM ${stream}`)).rows[0];
        const want = bodies.get('check');
        if (JSON.stringify(count) !== JSON.stringify(want)) {
          wrong.push(`${stream}: ${JSON.stringify(count)}, not ${JSON.stringify(want)}`);
        }
        await tidemark.sql(`DROP STREAM ${stream}`);
      }
    }
    const base = events / median(costs.get('NDJSON'));
    const row = formats.map(({ name }) => ({ name, perCpuSecond: events / median(costs.get(name)) }));
    result.sizes.push({ size, events, formats: row });
    console.log(`\n${events.toLocaleString('en')} events in requests of ${size.toLocaleString('en')}`);
    for (const { name, perCpuSecond } of row) {
      console.log(`${name.padEnd(16)}${Math.round(perCpuSecond).toLocaleString('en').padStart(12)} events a CPU-second${(perCpuSecond / base).toFixed(2).padStart(7)}x`);
    }
  }
  await tidemark.stop();
  return { name: 'formats', result, wrong };
});

// makeBodies writes the same events in each format: lines here, the others by the server, which exports a stream of them.
async function makeBodies(tidemark, size, events) {
  const lines = [...accessEvents(events)].flatMap((piece) => piece.body.toString('latin1').trimEnd().split('\n'));
  const groups = [];
  for (let at = 0; at < lines.length; at += size) {
    groups.push(lines.slice(at, at + size));
  }
  const out = new Map([['NDJSON', groups.map((g) => Buffer.from(`${g.join('\n')}\n`))]]);
  out.set('line protocol', groups.map((g) => Buffer.from(g.map((line) => accessPoint('access', line)).join(''))));
  await tidemark.sql('DROP STREAM IF EXISTS source');
  for (const body of out.get('NDJSON')) {
    await tidemark.post('source', body);
  }
  for (const { name, sql } of formats.filter((f) => f.sql)) {
    const bodies = [];
    for (let at = 0; at < events; at += size) {
      bodies.push(await exported(tidemark, sql, at, size));
    }
    out.set(name, bodies);
  }
  out.set('check', JSON.parse(await tidemark.sql('SELECT count(*), sum(bytes), count(DISTINCT event_id) FROM source')).rows[0]);
  return out;
}

async function exported(tidemark, format, at, size) {
  const sql = `SELECT ${columns} FROM source WHERE _offset >= ${at} AND _offset < ${at + size} ORDER BY _offset`;
  const response = await fetch(`${tidemark.url}/v1/sql?format=${format}`, { method: 'POST', body: sql });
  if (!response.ok) {
    throw new Error(await response.text());
  }
  return Buffer.from(await response.arrayBuffer());
}

// measure sends the bodies and gives the CPU seconds that the server took until all were acknowledged.
async function measure(tidemark, stream, format, bodies, size) {
  const { gzipSync } = await import('node:zlib');
  const packed = format.gzip ? bodies.map((b) => gzipSync(b)) : bodies;
  const folder = process.env.BENCH_PROFILE;
  const profile = folder ? fetch(`${tidemark.adminUrl}/debug/pprof/profile?seconds=5`).then((r) => r.arrayBuffer()) : null;
  const headers = { 'content-type': format.type ?? 'application/octet-stream', ...(format.gzip ? { 'content-encoding': 'gzip' } : {}) };
  const before = await tidemark.cpuSeconds();
  const queue = packed[Symbol.iterator]();
  const connection = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const response = await fetch(`${tidemark.url}/v1/streams/${stream}/events${format.query}`, { method: 'POST', headers, body: next.value });
      const answer = await response.json();
      if (answer.rejected !== 0 || answer.accepted < 1) {
        throw new Error(`${format.name}: ${JSON.stringify(answer)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  const cpu = (await tidemark.cpuSeconds()) - before;
  if (profile) {
    writeFileSync(join(folder, `${format.name.replaceAll(/[^A-Za-z]/g, '')}-${size}.pprof`), Buffer.from(await profile));
  }
  return cpu;
}
