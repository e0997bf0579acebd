// Runs the benchmarks: Tidemark beside DuckDB, on this machine, on the same data. See README.md.

import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { measureIngest } from './ingest.mjs';
import { Processes } from './processes.mjs';
import { measureQueries } from './queries.mjs';
import { printIngest, printQueries } from './report.mjs';

const threads = 2;
const events = positive('BENCH_EVENTS', 500_000);
const rows = positive('BENCH_ROWS', 5_000_000);
const deadlineSeconds = positive('BENCH_SECONDS', 300);

const root = fileURLToPath(new URL('..', import.meta.url));
const binary = join(root, 'bin', 'tidemark');
const cache = join(root, '.cache', 'bench');
const processes = new Processes(cache);

process.on('exit', () => processes.dispose());
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => fail(`stopped by ${signal}`));
}
setTimeout(() => fail(`not done after ${deadlineSeconds} s`), deadlineSeconds * 1000).unref();

try {
  const version = execFileSync(binary, ['version'], { encoding: 'utf8' }).trim();
  console.log(`${version}, ${threads} threads each, ${cpus()[0].model}`);
  const ingest = await measureIngest(processes, binary, events, threads);
  printIngest(ingest);
  const queries = await measureQueries(processes, binary, rows, threads);
  printQueries(queries);
  const result = join(cache, 'result.json');
  const machine = { cpu: cpus()[0].model, cpus: cpus().length, node: process.version };
  writeFileSync(result, `${JSON.stringify({ version, machine, threads, ingest, queries }, null, 2)}\n`);
  console.log(`\nall answers agree; wrote ${result}`);
} catch (error) {
  fail(error.message);
}

// fail ends the run; what it started is killed and removed on exit.
function fail(reason) {
  console.error(`bench: ${reason}`);
  process.exit(1);
}

function positive(name, fallback) {
  const value = Number(process.env[name] ?? fallback);
  if (!Number.isInteger(value) || value <= 0) {
    console.error(`bench: ${name} must be a positive whole number`);
    process.exit(2);
  }
  return value;
}
