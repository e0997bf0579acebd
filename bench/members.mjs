// Measures questions about members of JSON documents: Tidemark on merged segments, whose members have columns, and on a segment without, beside
// DuckDB on the same Parquet files and on its own table of JSON; and what the columns take. See README.md.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { compareRows, median } from './compare.mjs';
import { DuckDB } from './duckdb.mjs';
import { binary, run, threads } from './harness.mjs';
import { postAll } from './ingest.mjs';
import { postEvents } from './posts.mjs';
import { printMembers } from './report.mjs';
import { runOnTidemark } from './sql/measure.mjs';
import { Tidemark } from './tidemark.mjs';

const events = Number(process.env.BENCH_MEMBER_EVENTS ?? 1_000_000);
const seals = 4; // as many as are merged at once
const rounds = 3;
const minimumSeconds = 0.3; // the server's CPU clock moves in steps of 10 ms
const maximumRepeats = 30;

const commit = (member) => `(doc->'commit'->>'${member}')`;
const collection = commit('collection');
const created = `(doc->>'kind') = 'commit' AND ${commit('operation')} = 'create'`;
const micros = "CAST((doc->>'time_us') AS BIGINT)";

// divide is how a side divides whole numbers.
const queries = (t, divide) => [
  ['by collection', `SELECT ${collection} AS c, count(*) AS n FROM ${t} GROUP BY 1 ORDER BY n DESC, c`],
  ['users by collection', `SELECT ${collection} AS c, count(*) AS n, count(DISTINCT (doc->>'did')) FROM ${t} WHERE ${created} GROUP BY 1 ORDER BY n DESC, c`],
  ['by collection and hour', `SELECT ${collection} AS c, ${divide(micros, 3_600_000_000)} % 24 AS h, count(*) FROM ${t} WHERE ${created}
    AND ${collection} IN ('app.bsky.feed.post', 'app.bsky.feed.repost', 'app.bsky.feed.like') GROUP BY 1, 2 ORDER BY h, c`],
  ['first posts', `SELECT (doc->>'did') AS did, min(${micros}) AS first FROM ${t} WHERE ${created} AND ${collection} = 'app.bsky.feed.post'
    GROUP BY 1 ORDER BY first, did LIMIT 3`],
  ['longest activity', `SELECT (doc->>'did') AS did, max(${micros}) - min(${micros}) AS span FROM ${t} WHERE ${created}
    AND ${collection} = 'app.bsky.feed.post' GROUP BY 1 ORDER BY span DESC, did LIMIT 3`],
];

await run(async (processes, about) => {
  const folder = processes.folder;
  Object.assign(process.env, {
    TIDEMARK_COMPACT_CPU: '100', TIDEMARK_ARCHIVE_AFTER: '0s', TIDEMARK_SEAL_AGE: '1h', TIDEMARK_SEAL_ROWS: '100000000', TIDEMARK_SEAL_BYTES: '8GiB',
  });
  const tidemark = await Tidemark.start(processes, binary, join(folder, 'data'), threads);
  const pieces = [...postEvents(events)];
  const size = await load(tidemark, pieces);
  const duckdb = await DuckDB.start(processes, join(folder, 'native.duckdb'), threads);
  const files = `read_parquet('${join(tidemark.data, 'segments', 'posts', '*.parquet')}')`;
  await duckdb.run([`CREATE TABLE posts AS SELECT CAST(doc AS JSON) AS doc FROM ${files}`, 'CHECKPOINT']);
  const divided = (a, b) => `${a} / ${b}`;
  const floored = (a, b) => `(${a} // ${b})`;
  const sides = {
    tidemark: [queries('posts', divided), (sql, repeat) => runOnTidemark(tidemark, sql, repeat)],
    documents: [queries('fresh', divided), (sql, repeat) => runOnTidemark(tidemark, sql, repeat)],
    parquet: [queries(files, floored), (sql, repeat) => duckdb.run([sql], repeat)],
    native: [queries('posts', floored), (sql, repeat) => duckdb.run([sql], repeat)],
  };
  const measured = [];
  const wrong = [];
  for (const i of sides.tidemark[0].keys()) {
    try {
      measured.push(await measure(sides, i));
    } catch (error) {
      wrong.push(error.message);
    }
  }
  await duckdb.stop();
  await tidemark.stop();
  const result = { ...about, events, size, queries: measured };
  printMembers(result);
  return { name: 'members', result, wrong };
});

// load fills two streams with the same rows: fresh, which one seal makes a segment of, and posts, of which four segments are merged.
async function load(tidemark, pieces) {
  for (const stream of ['fresh', 'posts']) {
    await tidemark.sql(`CREATE STREAM ${stream} (ts TIMESTAMPTZ NOT NULL, doc JSONB, WATERMARK FOR ts AS ts)`);
  }
  await postAll(tidemark, 'fresh', pieces);
  const sealBegan = await tidemark.cpuSeconds();
  await tidemark.seal('fresh');
  const sealSeconds = (await tidemark.cpuSeconds()) - sealBegan;
  for (let part = 0; part < seals; part++) {
    await postAll(tidemark, 'posts', pieces.slice((part * pieces.length) / seals, ((part + 1) * pieces.length) / seals));
    if (part < seals - 1) {
      await tidemark.seal('posts');
    }
  }
  const mergeBegan = await tidemark.cpuSeconds();
  await tidemark.seal('posts');
  const lastSeal = (await tidemark.cpuSeconds()) - mergeBegan;
  for (const deadline = Date.now() + 600_000; JSON.parse(await stateOf(tidemark)).segments > 1; await sleep(50)) {
    if (Date.now() > deadline) {
      throw new Error('segments are not merged');
    }
  }
  const mergeSeconds = (await tidemark.cpuSeconds()) - mergeBegan - lastSeal;
  const bytes = pieces.reduce((sum, piece) => sum + piece.body.length, 0) / events;
  return { bytes, sealed: bytesOf(tidemark, 'fresh'), merged: bytesOf(tidemark, 'posts'), sealSeconds, mergeSeconds };
}

async function stateOf(tidemark) {
  return (await fetch(`${tidemark.url}/v1/streams/posts`)).text();
}

// bytesOf is what an event takes in a stream's files.
function bytesOf(tidemark, stream) {
  const folder = join(tidemark.data, 'segments', stream);
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / events;
}

// measure alternates the sides after a warming run of each; their answers are the same.
async function measure(sides, i) {
  const name = sides.tidemark[0][i][0];
  const runs = {};
  const repeats = {};
  let want;
  for (const [side, [texts, ask]] of Object.entries(sides)) {
    await ask(texts[i][1], 1);
    const { rows, wallSeconds } = await ask(texts[i][1], 1);
    want ??= rows;
    compareRows(`${name}, ${side}`, want, rows);
    repeats[side] = Math.min(maximumRepeats, Math.max(1, Math.ceil(minimumSeconds / wallSeconds)));
    runs[side] = [];
  }
  for (let round = 0; round < rounds; round++) {
    for (const [side, [texts, ask]] of Object.entries(sides)) {
      runs[side].push(await ask(texts[i][1], repeats[side]));
    }
  }
  const middle = (list, key) => median(list.map((r) => r[key]));
  const costs = ([side, list]) => [side, { wallSeconds: middle(list, 'wallSeconds'), cpuSeconds: middle(list, 'cpuSeconds') }];
  return { name, ...Object.fromEntries(Object.entries(runs).map(costs)) };
}
