// DuckDB in a process of its own.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const worker = fileURLToPath(new URL('duckdb_worker.mjs', import.meta.url));

export class DuckDB {
  #child;

  // start opens a database file (or ':memory:') in a new process, which processes adopts.
  static async start(processes, database, threads) {
    const duckdb = new DuckDB();
    duckdb.#child = processes.adopt(fork(worker, [database, String(threads)]));
    await duckdb.#answer();
    return duckdb;
  }

  // run runs the statements repeat times; the result has the last one's rows and the time and CPU of one repetition.
  async run(statements, repeat = 1) {
    const answer = this.#answer();
    this.#child.send({ statements, repeat });
    return answer;
  }

  async stop() {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await exited;
  }

  #answer() {
    return new Promise((resolve, reject) => {
      const onExit = (code, signal) => reject(new Error(`DuckDB's process ended: ${signal ?? code}`));
      this.#child.once('exit', onExit);
      this.#child.once('message', (message) => {
        this.#child.off('exit', onExit);
        if (message.error) {
          reject(new Error(`DuckDB: ${message.error}`));
        } else {
          resolve(message);
        }
      });
    });
  }
}
