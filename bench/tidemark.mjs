// A freshly started Tidemark server and what the benchmarks ask of it.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const startSeconds = 30;
const stopSeconds = 30;

export class Tidemark {
  #child;
  #log = '';

  // start runs the binary on an empty data directory and returns when the server is ready. threads bounds its parallelism.
  static async start(processes, binary, data, threads) {
    const tidemark = new Tidemark();
    const [port, adminPort] = await freePorts(2);
    tidemark.data = data;
    tidemark.url = `http://127.0.0.1:${port}`;
    tidemark.adminUrl = `http://127.0.0.1:${adminPort}`;
    const flags = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--admin-listen', `127.0.0.1:${adminPort}`];
    const child = spawn(binary, flags, { env: { ...process.env, GOMAXPROCS: String(threads) }, stdio: ['ignore', 'pipe', 'pipe'] });
    tidemark.#child = processes.adopt(child);
    child.on('error', (error) => tidemark.#keepLog(error.message));
    child.stdout.on('data', (text) => tidemark.#keepLog(text));
    child.stderr.on('data', (text) => tidemark.#keepLog(text));
    await tidemark.#untilReady();
    return tidemark;
  }

  // post sends events to a stream and returns the answer. A busy server is asked again after the time that it names.
  async post(stream, body, type = 'application/x-ndjson', query = '') {
    for (;;) {
      const response = await fetch(`${this.url}/v1/streams/${stream}/events${query}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      if (response.status !== 429) {
        return JSON.parse(await this.#text(response));
      }
      await response.arrayBuffer();
      await sleep(1000 * Number(response.headers.get('retry-after') ?? 1));
    }
  }

  // seal moves all of a stream's rows into segments.
  async seal(stream) {
    await this.#text(await fetch(`${this.url}/v1/streams/${stream}/seal`, { method: 'POST' }));
  }

  // sql runs one statement, with other members of the request, and returns the answer's text, which is left to the caller to parse.
  async sql(text, parameters = {}) {
    const body = JSON.stringify({ sql: text, ...parameters });
    return this.#text(await fetch(`${this.url}/v1/sql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }));
  }

  // cpuSeconds is what the server's process has used since it started, in steps of the kernel's clock, mostly 10 ms.
  async cpuSeconds() {
    return this.metric('process_cpu_seconds_total');
  }

  // metric is the value of one of the server's metrics without labels.
  async metric(name) {
    const text = await this.#text(await fetch(`${this.adminUrl}/metrics`));
    const match = new RegExp(`^${name} (\\S+)$`, 'm').exec(text);
    if (!match) {
      throw new Error(`/metrics has no ${name}`);
    }
    return Number(match[1]);
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      throw new Error(`the server has ended by itself:\n${this.#log}`);
    }
    const exited = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve(signal ?? code)));
    this.#child.kill('SIGTERM');
    const status = await Promise.race([exited, sleep(stopSeconds * 1000, 'timeout', { ref: false })]);
    if (status !== 0) {
      throw new Error(`the server did not stop cleanly: ${status}\n${this.#log}`);
    }
  }

  async #untilReady() {
    const deadline = Date.now() + startSeconds * 1000;
    while (Date.now() < deadline && this.#child.exitCode === null && this.#child.pid !== undefined) {
      try {
        const response = await fetch(`${this.url}/readyz`);
        await response.arrayBuffer();
        if (response.ok) {
          return;
        }
      } catch {
        // Not listening yet.
      }
      await sleep(20);
    }
    throw new Error(`the server is not ready:\n${this.#log}`);
  }

  async #text(response) {
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${response.url}: ${response.status} ${text}\n${this.#log}`);
    }
    return text;
  }

  #keepLog(text) {
    this.#log = (this.#log + text).slice(-4000);
  }
}

// freePorts finds ports that nobody listens on. All are held until the last is found, so that they differ.
export async function freePorts(count) {
  const servers = [];
  for (let i = 0; i < count; i++) {
    const server = createServer();
    await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    servers.push(server);
  }
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
