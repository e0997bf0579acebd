// ClickHouse as a library, chdb, in a process of its own: Python's package, which BENCH_CHDB_PYTHON names the interpreter of.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const worker = fileURLToPath(new URL('chdb_worker.py', import.meta.url));

export class Chdb {
  #child;
  #lines;

  // start gives null, and says why, where the library cannot be had.
  static async start(processes, python, threads) {
    const chdb = new Chdb();
    chdb.#child = processes.adopt(spawn(python, [worker, String(threads)], { stdio: ['pipe', 'pipe', 'ignore'] }));
    const failed = new Promise((resolve) => chdb.#child.once('error', resolve));
    chdb.#lines = createInterface({ input: chdb.#child.stdout })[Symbol.asyncIterator]();
    const first = await Promise.race([chdb.#lines.next(), failed]);
    if (first.done === false) {
      return chdb;
    }
    console.log(`chdb is left out: ${python} does not run it${first.message ? `: ${first.message}` : ''}`);
    return null;
  }

  // run runs a statement repeat times; the result has the time and CPU of one repetition.
  async run(statement, repeat = 1) {
    this.#child.stdin.write(`${JSON.stringify({ statement, repeat })}\n`);
    const { value, done } = await this.#lines.next();
    if (done) {
      throw new Error('chdb has ended');
    }
    const answer = JSON.parse(value);
    if (answer.error) {
      throw new Error(`chdb: ${answer.error}`);
    }
    return answer;
  }

  async stop() {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await exited;
  }
}
