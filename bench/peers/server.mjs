// A server of another kind that a benchmark has started: what it prints is kept for when it fails, its CPU time is that of all its processes.

import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const startSeconds = 60;
const stopSeconds = 60;
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export class Server {
  #child;
  #log = '';

  constructor(processes, command, args, options = {}) {
    this.#child = processes.adopt(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options }));
    this.#child.on('error', (error) => this.#keepLog(error.message));
    this.#child.stdout.on('data', (text) => this.#keepLog(text));
    this.#child.stderr.on('data', (text) => this.#keepLog(text));
  }

  // ready returns when the question is answered without an error.
  async ready(question) {
    const deadline = Date.now() + startSeconds * 1000;
    let fault;
    while (Date.now() < deadline && this.#child.exitCode === null && this.#child.pid !== undefined) {
      try {
        return await question();
      } catch (error) {
        fault = error;
      }
      await sleep(50);
    }
    throw new Error(`${this.#child.spawnfile} is not ready: ${fault?.message}\n${this.#log}`);
  }

  // cpuSeconds is what the process and those that it has started have used so far, the ended ones included.
  cpuSeconds() {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(readStat).filter(Boolean);
    const family = new Set([this.#child.pid]);
    for (let grown = true; grown;) {
      grown = false;
      for (const { pid, parent } of processes) {
        if (family.has(parent) && !family.has(pid)) {
          family.add(pid);
          grown = true;
        }
      }
    }
    return processes.filter(({ pid }) => family.has(pid)).reduce((sum, { used }) => sum + used, 0) / ticks;
  }

  async stop(signal = 'SIGTERM') {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    if ((await Promise.race([exited, sleep(stopSeconds * 1000, 'timeout', { ref: false })])) === 'timeout') {
      throw new Error(`${this.#child.spawnfile} did not stop\n${this.#log}`);
    }
  }

  #keepLog(text) {
    this.#log = (this.#log + text).slice(-4000);
  }
}

// readStat gives a process's parent and the clock ticks that it and its ended children have used, or nothing if it has ended: proc(5).
function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid: Number(pid), parent: Number(fields[1]), used: fields.slice(11, 15).reduce((sum, n) => sum + Number(n), 0) };
  } catch {
    return undefined;
  }
}

// sendAll has each of so many senders take the next body when its last is acknowledged.
export async function sendAll(senders, bodies, send) {
  const queue = bodies[Symbol.iterator]();
  const sender = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      await send(next.value);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
}

// fetchText gives the text of an answer. Any status but those of success is an error.
export async function fetchText(url, options) {
  const response = await fetch(url, options);
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${url}: ${response.status} ${text}`);
  }
  return text;
}

// until asks until the answer is the right one.
export async function until(what, ask, right) {
  const deadline = Date.now() + 120_000;
  let answer;
  do {
    answer = await ask();
    if (right(answer)) {
      return answer;
    }
    await sleep(20);
  } while (Date.now() < deadline);
  throw new Error(`${what}: ${answer}`);
}
