// QuestDB, which takes line protocol over HTTP. It is told to sync what it acknowledges, which is not its default.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { fetchText, sendAll, Server, until } from './server.mjs';

export class QuestDB {
  name = 'QuestDB, line protocol';
  format = 'lines';

  static async start(processes, peers, folder, { port, senders, threads }) {
    const questdb = new QuestDB();
    mkdirSync(folder);
    questdb.url = `http://127.0.0.1:${port}`;
    questdb.senders = senders;
    const settings = {
      QDB_HTTP_BIND_TO: `127.0.0.1:${port}`, QDB_HTTP_MIN_ENABLED: 'false', QDB_LINE_TCP_ENABLED: 'false', QDB_PG_ENABLED: 'false',
      QDB_TELEMETRY_ENABLED: 'false', QDB_SHARED_WORKER_COUNT: String(threads), QDB_CAIRO_COMMIT_MODE: 'sync',
    };
    const java = ['-p', join(peers, 'questdb.jar'), '-m', 'io.questdb/io.questdb.ServerMain', '-d', folder];
    questdb.server = new Server(processes, 'java', java, { env: { ...process.env, ...settings } });
    await questdb.server.ready(() => fetchText(`${questdb.url}/exec?query=SELECT%201`));
    return questdb;
  }

  async send(table, bodies) {
    await sendAll(this.senders, bodies, (body) => fetchText(`${this.url}/write?precision=n`, { method: 'POST', body }));
  }

  // settle returns when all rows have been brought from its log to the table.
  async settle(table, rows) {
    await until('QuestDB applies its log', () => this.count(table), (count) => count === rows);
  }

  async count(table) {
    const query = encodeURIComponent(`SELECT count(*) FROM '${table}'`);
    return JSON.parse(await fetchText(`${this.url}/exec?query=${query}`)).dataset[0][0];
  }

  async drop(table) {
    await fetchText(`${this.url}/exec?query=${encodeURIComponent(`DROP TABLE '${table}'`)}`);
  }

  async cpuSeconds() { return this.server.cpuSeconds(); }

  async stop() { await this.server.stop(); }
}
