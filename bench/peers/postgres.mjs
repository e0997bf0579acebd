// PostgreSQL, which takes CSV by COPY, a transaction for each request. It syncs what it commits.

import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { Server } from './server.mjs';

// It refuses to run as root, for whom it runs as nobody.
const nobody = 65534;
const isRoot = process.getuid() === 0;

const run = promisify(execFile);

export class PostgreSQL {
  name = 'PostgreSQL, COPY';
  format = 'csv';

  static async start(processes, peers, folder, { port, senders }) {
    const postgres = new PostgreSQL();
    const root = join(peers, 'postgres', 'usr', 'lib');
    postgres.tools = join(root, 'postgresql', '15', 'bin');
    postgres.folder = folder;
    postgres.senders = senders;
    postgres.env = { ...process.env, LD_LIBRARY_PATH: `${join(root, 'x86_64-linux-gnu')}:${join(root, 'aarch64-linux-gnu')}` };
    const options = { env: postgres.env, cwd: folder, ...(isRoot ? { uid: nobody, gid: nobody } : {}) };
    postgres.url = `postgresql://bench@127.0.0.1:${port}/postgres`;
    mkdirSync(folder);
    if (isRoot) {
      chownSync(folder, nobody, nobody);
      chmodSync(dirname(folder), 0o711);
    }
    const data = join(folder, 'data');
    const locale = ['--locale=C', '--encoding=UTF8', '--auth=trust', '--username=bench'];
    execFileSync(join(postgres.tools, 'initdb'), ['--pgdata', data, ...locale], { ...options, stdio: 'pipe' });
    const flags = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
    postgres.server = new Server(processes, join(postgres.tools, 'postgres'), flags, options);
    await postgres.server.ready(() => postgres.#sql('SELECT 1'));
    return postgres;
  }

  // prepare writes a script for each sender, as the client reads rows from a file of its own.
  async prepare(table, bodies) {
    await this.#sql(`CREATE TABLE ${table} (ts timestamptz, event_id text, session text, user_id text, region text, service text, method text,
      path text, status bigint, bytes bigint, latency_ms double precision, cached boolean, agent text)`);
    this.scripts = Array.from({ length: this.senders }, (_, i) => {
      const script = join(this.folder, `send-${i}.sql`);
      const mine = bodies.filter((_, at) => at % this.senders === i);
      writeFileSync(script, mine.map((body) => `COPY ${table} FROM STDIN (FORMAT csv);\n${body}\\.\n`).join(''));
      return script;
    });
  }

  async send() {
    await Promise.all(this.scripts.map((script) => this.#psql(['-f', script])));
  }

  // settle has the changed pages written, as DuckDB's checkpoint does.
  async settle() { await this.#sql('CHECKPOINT'); }

  async count(table) { return Number(await this.#sql(`SELECT count(*) FROM ${table}`)); }

  async drop(table) { await this.#sql(`DROP TABLE ${table}`); }

  async cpuSeconds() { return this.server.cpuSeconds(); }

  async stop() { await this.server.stop('SIGINT'); }

  async #sql(text) { return (await this.#psql(['-c', text])).trim(); }

  async #psql(args) {
    const flags = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', this.url, ...args];
    return (await run(join(this.tools, 'psql'), flags, { env: this.env })).stdout;
  }
}
