// Measures what an event costs the server beside other databases, in requests of 10,000, 100 and 1 events: see README.md.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { median } from './compare.mjs';
import { accessEvents, accessPoint } from './generate.mjs';
import { binary, root, run } from './harness.mjs';
import { InfluxDB } from './peers/influxdb.mjs';
import { PostgreSQL } from './peers/postgres.mjs';
import { QuestDB } from './peers/questdb.mjs';
import { sendAll } from './peers/server.mjs';
import { printTable } from './report.mjs';
import { freePorts, Tidemark } from './tidemark.mjs';

const rounds = Number(process.env.BENCH_PEER_ROUNDS ?? 3);
const senders = 4;
const total = Number(process.env.BENCH_PEER_EVENTS ?? 400_000);
// How many events are sent in requests of each size: the smaller ones cost more each.
const sizes = [{ size: 10_000, events: total }, { size: 100, events: total / 8 }, { size: 1, events: total / 80 }];

await run(async (processes, about) => {
  const peers = join(root, '.cache', 'peers');
  const bodies = new Map(sizes.map(({ size, events }) => [size, makeBodies(size, events)]));
  const result = { ...about, questdb: readFileSync(join(peers, 'questdb.version'), 'utf8').trim(), rounds, sizes: sizes.map((s) => ({ ...s, sides: [] })) };
  const wrong = [];
  // One after the other, as the idle ones would have their own work to do beside the one that is measured.
  for (const kind of [ours('NDJSON', 'json', ''), ours('line protocol', 'lines', '?format=influx'), QuestDB, InfluxDB, PostgreSQL]) {
    const [port, adminPort] = await freePorts(2);
    const folder = join(processes.folder, `peer-${port}`);
    const side = await kind.start(processes, peers, folder, { port, adminPort, senders, threads: about.threads });
    for (const [at, { size, events }] of sizes.entries()) {
      const runs = [];
      for (let round = 0; round <= rounds; round++) {
        const run = await measure(side, `r${size}_${round}`, bodies.get(size), events);
        if (run.wrong) {
          wrong.push(`${side.name}, requests of ${size}: ${run.wrong}`);
        }
        if (round > 0) { // the first one warms up
          runs.push(run);
        }
      }
      result.sizes[at].sides.push({ name: side.name, toAck: rate(events, runs, 'toAck'), settled: rate(events, runs, 'settled'), runs });
    }
    await side.stop();
  }
  for (const { size, events, sides } of result.sizes) {
    print(size, events, sides);
  }
  return { name: 'peers', result, wrong };
});

// measure sends bodies to a new table and gives the CPU seconds of the server until all were acknowledged, and until all were where it keeps them.
async function measure(side, table, bodies, events) {
  const named = bodies[side.format].map((body) => body.replaceAll('\0', table));
  await side.prepare?.(table, named);
  const began = await side.cpuSeconds();
  await side.send(table, named);
  const toAck = (await side.cpuSeconds()) - began;
  await side.settle?.(table, events);
  const settled = side.settle ? (await side.cpuSeconds()) - began : undefined;
  const count = await side.count(table);
  await side.drop(table);
  const want = side instanceof InfluxDB ? bodies.points : events;
  return { toAck, settled, wrong: count === want ? undefined : `${count} of ${want} rows` };
}

function rate(events, runs, key) {
  return runs[0][key] === undefined ? undefined : events / median(runs.map((r) => Math.max(r[key], 0.005)));
}

// ours is a fresh Tidemark that is sent one format.
function ours(name, format, query) {
  return {
    async start(processes, _, folder, { threads }) {
      mkdirSync(folder);
      const tidemark = await Tidemark.start(processes, binary, join(folder, 'data'), threads);
      return {
        name: `Tidemark, ${name}`,
        format,
        send: (stream, bodies) => sendAll(senders, bodies, (body) => tidemark.post(stream, body, undefined, query)),
        settle: (stream) => tidemark.seal(stream),
        count: async (stream) => JSON.parse(await tidemark.sql(`SELECT count(*) FROM ${stream}`)).rows[0][0],
        drop: (stream) => tidemark.sql(`DROP STREAM ${stream}`),
        cpuSeconds: () => tidemark.cpuSeconds(),
        stop: () => tidemark.stop(),
      };
    },
  };
}

// makeBodies writes the same events in each format. A zero byte stands for the name of the table where a format has one.
function makeBodies(size, events) {
  const lines = [...accessEvents(events)].flatMap((piece) => piece.body.toString('latin1').trimEnd().split('\n'));
  const groups = [];
  for (let at = 0; at < lines.length; at += size) {
    groups.push(lines.slice(at, at + size));
  }
  return {
    json: groups.map((g) => `${g.join('\n')}\n`),
    lines: groups.map((g) => g.map((line) => accessPoint('\0', line)).join('')),
    csv: groups.map((g) => g.map(row).join('')),
    // InfluxDB keeps one of the points of a series at the same time, and the first events have one time.
    points: new Set(lines.map((line) => accessPoint('', line).replace(/ .* /, ' '))).size,
  };
}

// row writes an event as a line of CSV.
function row(line) {
  return `${Object.values(JSON.parse(line)).map((value) => (typeof value === 'string' ? `"${value}"` : value)).join(',')}\n`;
}

function print(size, events, sides) {
  console.log(`\n${events.toLocaleString('en')} events in requests of ${size.toLocaleString('en')}`);
  const cells = (value, base) => (value === undefined ? ['-', '-'] : [Math.round(value).toLocaleString('en'), `${(base / value).toFixed(2)}x`]);
  printTable([
    ['', 'to the ack, events/CPU-s', 'ours beside', 'to its files, events/CPU-s', 'ours beside'],
    ...sides.map((s, i) => {
      const base = sides[s.name.includes('line protocol') && i > 0 ? 1 : 0];
      return [s.name, ...cells(s.toAck, base.toAck), ...cells(s.settled, base.settled)];
    }),
  ]);
}
