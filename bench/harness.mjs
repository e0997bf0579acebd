// What the benchmarks that start a server have in common: where things are, the machine they run on, and an end that leaves nothing.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Processes } from './processes.mjs';

export const threads = 2;
export const root = fileURLToPath(new URL('..', import.meta.url));
export const binary = join(root, 'bin', 'tidemark');

// run gives measure the processes of the run and what is known of it, {version, machine, threads}. measure returns {name, result, wrong}:
// the result is kept as name.json, and what is wrong with it, a list of texts, fails the run afterwards.
export async function run(measure) {
  const cache = join(root, '.cache', 'bench');
  const processes = new Processes(cache);
  process.on('exit', () => processes.dispose());
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => fail(`stopped by ${signal}`));
  }
  try {
    const version = execFileSync(binary, ['version'], { encoding: 'utf8' }).trim();
    const machine = { cpu: cpus()[0].model, cpus: cpus().length, node: process.version };
    console.log(`${version}, ${threads} threads each, ${machine.cpu}`);
    const { name, result, wrong } = await measure(processes, { version, machine, threads });
    const file = join(cache, `${name}.json`);
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
    if (wrong.length > 0) {
      throw new Error(`not all answers agree:\n${wrong.join('\n')}`);
    }
    console.log(`\nall answers agree; wrote ${file}`);
  } catch (error) {
    fail(error.message);
  }
}

// fail ends the run; what it started is killed and removed on exit.
function fail(reason) {
  console.error(`bench: ${reason}`);
  process.exit(1);
}
