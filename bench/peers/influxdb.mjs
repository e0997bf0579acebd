// InfluxDB 1, which takes line protocol and syncs what it acknowledges.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { fetchText, sendAll, Server } from './server.mjs';

export class InfluxDB {
  name = 'InfluxDB 1, line protocol';
  format = 'lines';

  static async start(processes, peers, folder, { port, adminPort, senders, threads }) {
    const influxdb = new InfluxDB();
    mkdirSync(folder);
    influxdb.url = `http://127.0.0.1:${port}`;
    influxdb.senders = senders;
    const config = join(folder, 'influxdb.conf');
    writeFileSync(config, `
reporting-disabled = true
bind-address = "127.0.0.1:${adminPort}"
[meta]
dir = "${join(folder, 'meta')}"
[data]
dir = "${join(folder, 'data')}"
wal-dir = "${join(folder, 'wal')}"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
max-body-size = 0
[monitor]
store-enabled = false
`);
    const env = { ...process.env, GOMAXPROCS: String(threads) };
    influxdb.server = new Server(processes, join(peers, 'influxdb', 'usr', 'bin', 'influxd'), ['-config', config], { env });
    await influxdb.server.ready(() => influxdb.#query('CREATE DATABASE bench'));
    return influxdb;
  }

  async send(table, bodies) {
    await sendAll(this.senders, bodies, (body) => fetchText(`${this.url}/write?db=bench&precision=ns`, { method: 'POST', body }));
  }

  // settle has nothing to wait for: it writes its files when its cache is full, as it sees fit, and cannot be asked to.
  settle = undefined;

  async count(table) {
    const { series } = await this.#query(`SELECT count(bytes) FROM "${table}"`);
    return series[0].values[0][1];
  }

  async drop(table) { await this.#query(`DROP MEASUREMENT "${table}"`); }

  async cpuSeconds() { return this.server.cpuSeconds(); }

  async stop() { await this.server.stop(); }

  async #query(q) {
    const [result] = JSON.parse(await fetchText(`${this.url}/query?db=bench`, { method: 'POST', body: new URLSearchParams({ q }) })).results;
    if (result.error) {
      throw new Error(result.error);
    }
    return result;
  }
}
