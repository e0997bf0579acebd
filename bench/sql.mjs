// Runs the SQL suites: Tidemark beside DuckDB on the same Parquet files and on DuckDB's own tables. See README.md.

import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Processes } from './processes.mjs';
import { printSuite } from './report.mjs';
import { measureSuites } from './sql/measure.mjs';

const threads = 2;
const root = fileURLToPath(new URL('..', import.meta.url));
const binary = join(root, 'bin', 'tidemark');
const cache = join(root, '.cache', 'bench');
const processes = new Processes(cache);

process.on('exit', () => processes.dispose());
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => fail(new Error(`stopped by ${signal}`)));
}

try {
  const version = execFileSync(binary, ['version'], { encoding: 'utf8' }).trim();
  const machine = { cpu: cpus()[0].model, cpus: cpus().length, node: process.version };
  console.log(`${version}, ${threads} threads each, ${machine.cpu}`);
  const suites = await measureSuites({ processes, binary, threads, only: process.env.BENCH_SQL_ONLY, data: process.env.BENCH_SQL_DATA });
  suites.forEach(printSuite);
  const result = join(cache, 'sql.json');
  writeFileSync(result, `${JSON.stringify({ version, machine, threads, suites }, null, 2)}\n`);
  const wrong = suites.flatMap((s) => s.queries.filter((q) => q.fault).map((q) => `${s.name}: ${q.name}: ${q.fault}`));
  if (wrong.length > 0) {
    throw new Error(`not all answers agree:\n${wrong.join('\n')}`);
  }
  console.log(`\nall answers agree; wrote ${result}`);
} catch (error) {
  fail(error);
}

// fail ends the run; what it started is killed and removed on exit.
function fail(error) {
  console.error(`bench: ${error.message}`);
  process.exit(1);
}
