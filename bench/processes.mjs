// The child processes and the temporary folder of a run, so that both are gone at its end, however it ends.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export class Processes {
  #children = new Set();

  // The folder is made inside of parent.
  constructor(parent) {
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(join(parent, 'run-'));
  }

  // adopt remembers a child until it ends.
  adopt(child) {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  // dispose kills what still runs and removes the folder.
  dispose() {
    for (const child of this.#children) {
      child.kill('SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
