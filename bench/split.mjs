// Measures where the server's CPU goes when NDJSON comes in requests of 10,000, 100 and 1 events, until they are acknowledged: see README.md.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { accessEvents } from './generate.mjs';
import { binary, run } from './harness.mjs';
import { sendAll } from './peers/server.mjs';
import { printTable } from './report.mjs';
import { Tidemark } from './tidemark.mjs';

const sizes = [10_000, 100, 1];
const seconds = Number(process.env.BENCH_SPLIT_SECONDS ?? 6);
const senders = 4;

// A sample belongs to the first part that one of its frames matches, wherever in the stack that is.
const parts = [
  ['collecting garbage', /^runtime\.(gcBgMarkWorker|gcAssistAlloc|bgsweep|bgscavenge|gcStart|gcDrain|sweepone)/],
  ['getting memory, clearing it', /^runtime\.(mallocgc|growslice|makeslice|newobject|sysUsed|sysHugePage|allocManual)|^slices\.Grow/],
  ['log: writing and syncing', /vfs\.\(\*?\w+\)\.(WriteAt|Write|Sync|Datasync)|vfs\.\w*[sS]ync|syscall\.(Fdatasync|Fsync|Pwrite)|unix\.(Fdatasync|Pwrite)/],
  ['log: frames and checksums', /\/ingest\/eventlog\.|\/internal\/record\.|^hash\/crc32\./],
  ['reading the connection', /^internal\/poll\.\(\*FD\)\.Read/],
  ['writing the answer', /^internal\/poll\.\(\*FD\)\.Write/],
  ['finding rows, JSON to columns', /\/ingest\/decode/],
  ['rows to their partition, hidden columns, publishing', /\/ingest\/(partition|tail|dedup|seal)\.|\/ingest\.|\/event\.|\/internal\/slabs\./],
  ['HTTP', /^net\/http\.|^net\/textproto\.|\/server\/api\./],
  ['scheduling, waiting', /^runtime\./],
  ['other', /./],
];

await run(async (processes, about) => {
  const tidemark = await Tidemark.start(processes, binary, join(processes.folder, 'split'), about.threads);
  const result = { ...about, seconds, sizes: {} };
  for (const size of sizes) {
    const file = join(processes.folder, `${size}.pprof`);
    const { events, cpuSeconds } = await profile(tidemark, size, file);
    const shares = split(file);
    result.sizes[size] = { events, cpuSeconds, shares: Object.fromEntries(shares) };
  }
  await tidemark.stop();
  printTable([
    ['CPU of the server, requests of', ...sizes.map((size) => size.toLocaleString('en'))],
    ...parts.map(([name]) => [name, ...sizes.map((size) => `${(100 * (result.sizes[size].shares[name] ?? 0)).toFixed(1)} %`)]),
    ['µs of CPU an event', ...sizes.map((size) => ((1e6 * result.sizes[size].cpuSeconds) / result.sizes[size].events).toFixed(2))],
  ]);
  return { name: 'split', result, wrong: [] };
});

// profile sends the same events again and again for as long as the server's CPU is profiled, to a new stream each time that they are through.
async function profile(tidemark, size, file) {
  const groups = bodies(size, Math.min(200_000, size * 2_000));
  const profiled = fetch(`${tidemark.adminUrl}/debug/pprof/profile?seconds=${seconds}`).then((response) => response.arrayBuffer());
  let done = false;
  profiled.then(() => { done = true; });
  const began = await tidemark.cpuSeconds();
  let events = 0;
  for (let round = 0; !done; round++) {
    const stream = `split_${size}_${round}`;
    await sendAll(senders, groups, async (body) => {
      if (!done) {
        const { accepted } = await tidemark.post(stream, body);
        events += accepted;
      }
    });
    await tidemark.sql(`DROP STREAM ${stream}`);
  }
  const cpuSeconds = (await tidemark.cpuSeconds()) - began;
  writeFileSync(file, Buffer.from(await profiled));
  return { events, cpuSeconds };
}

function bodies(size, events) {
  const lines = [...accessEvents(events)].flatMap((piece) => piece.body.toString('latin1').trimEnd().split('\n'));
  const out = [];
  for (let at = 0; at < lines.length; at += size) {
    out.push(`${lines.slice(at, at + size).join('\n')}\n`);
  }
  return out;
}

// split reads a profile as `go tool pprof -traces` prints it: blocks between lines of dashes, of a time and a frame and then a frame a line.
function split(file) {
  const text = execFileSync('go', ['tool', 'pprof', '-traces', file], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
  const sums = new Map(parts.map(([name]) => [name, 0]));
  let total = 0;
  for (const block of text.split(/^-+\+-+\n/m).slice(1)) {
    const sample = /^\s*([\d.]+)(ms|s|us|min)\s+(\S[^]*)/.exec(block);
    if (!sample) {
      continue;
    }
    const value = Number(sample[1]) * { us: 1e-6, ms: 1e-3, s: 1, min: 60 }[sample[2]];
    const frames = sample[3].split('\n').map((line) => line.trim().replace(/ \(inline\)$/, '')).filter(Boolean);
    const [name] = parts.find(([, pattern]) => frames.some((frame) => pattern.test(frame)));
    sums.set(name, sums.get(name) + value);
    total += value;
  }
  return [...sums].map(([name, value]) => [name, value / total]);
}
