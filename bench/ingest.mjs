// The ingest row: NDJSON to acknowledged, fsynced events on one side, to a checkpointed table on the other.

import { mkdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { compareRows, median } from './compare.mjs';
import { DuckDB } from './duckdb.mjs';
import { accessEvents } from './generate.mjs';
import { Tidemark } from './tidemark.mjs';

const rounds = 3;
const connections = 4;
const check = 'SELECT count(*), sum(bytes), min(ts), max(ts) FROM events';

// measureIngest returns events per CPU-second and per second of each side, medians over the rounds. The sides take turns
// at going first, so that neither always finds the warmer machine.
export async function measureIngest(processes, binary, events, threads) {
  const pieces = [...accessEvents(events)];
  const file = join(processes.folder, 'events.ndjson');
  const bytes = await writePieces(file, pieces);
  const sides = {
    tidemark: (folder) => tidemarkRound(processes, binary, folder, pieces, threads),
    duckdb: (folder) => duckdbRound(processes, folder, file, threads),
  };
  const results = { tidemark: [], duckdb: [] };
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? ['tidemark', 'duckdb'] : ['duckdb', 'tidemark'];
    for (const side of order) {
      const folder = join(processes.folder, `ingest-${side}-${round}`);
      mkdirSync(folder);
      results[side].push(await sides[side](folder));
      rmSync(folder, { recursive: true });
    }
    compareRows('ingest', results.tidemark[round].rows, results.duckdb[round].rows);
  }
  rmSync(file);
  return {
    events,
    bytes,
    tidemarkToAck: rates(events, results.tidemark.map((r) => r.toAck)),
    tidemarkToSegment: rates(events, results.tidemark.map((r) => r.toSegment)),
    duckdb: rates(events, results.duckdb.map((r) => r.toTable)),
  };
}

async function tidemarkRound(processes, binary, folder, pieces, threads) {
  const tidemark = await Tidemark.start(processes, binary, join(folder, 'data'), threads);
  const cpu = await tidemark.cpuSeconds();
  const began = performance.now();
  await postAll(tidemark, 'events', pieces);
  const toAck = { wallSeconds: (performance.now() - began) / 1e3, cpuSeconds: (await tidemark.cpuSeconds()) - cpu };
  await tidemark.seal('events');
  const toSegment = { wallSeconds: (performance.now() - began) / 1e3, cpuSeconds: (await tidemark.cpuSeconds()) - cpu };
  const { rows } = JSON.parse(await tidemark.sql(check));
  await tidemark.stop();
  return { toAck, toSegment, rows };
}

// postAll sends the pieces over several connections, each taking the next one when its last is acknowledged.
export async function postAll(tidemark, stream, pieces) {
  const queue = pieces[Symbol.iterator]();
  const connection = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const answer = await tidemark.post(stream, next.value.body);
      if (answer.accepted !== next.value.rows) {
        throw new Error(`${answer.accepted} of ${next.value.rows} events were accepted: ${JSON.stringify(answer.errors)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
}

async function duckdbRound(processes, folder, file, threads) {
  const duckdb = await DuckDB.start(processes, join(folder, 'events.duckdb'), threads);
  const load = `CREATE TABLE events AS SELECT * FROM read_json('${file}', format = 'newline_delimited')`;
  const { wallSeconds, cpuSeconds } = await duckdb.run([load, 'CHECKPOINT']);
  const { rows } = await duckdb.run([check]);
  await duckdb.stop();
  return { toTable: { wallSeconds, cpuSeconds }, rows };
}

async function writePieces(name, pieces) {
  const file = await open(name, 'w');
  let bytes = 0;
  for (const piece of pieces) {
    await file.write(piece.body);
    bytes += piece.body.length;
  }
  await file.close();
  return bytes;
}

function rates(events, runs) {
  return {
    perSecond: events / median(runs.map((r) => r.wallSeconds)),
    perCpuSecond: events / median(runs.map((r) => r.cpuSeconds)),
    runs,
  };
}
