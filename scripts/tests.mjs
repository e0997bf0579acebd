// Reads the events of `go test -json` and prints what `go test` prints without it: a line a package, and what tests said that did not pass.
// At the end it lists where the time went, so that whoever makes the suite slower sees it:
//
//   go test -json ./... | node scripts/tests.mjs
//
// A package's time is from its start to its end, with other packages beside it. A test's is its own: that of subtests in it which run in
// parallel is added, and waiting for a turn is not. Lines that are no event are printed as they are.

import { createInterface } from 'node:readline';

const slowestPackages = 10;
const slowestTests = 20;

const packages = new Map(); // seconds by package
const tests = new Map(); // seconds by package and top-level test
const said = new Map(); // lines of tests that have not ended yet
const parallel = new Set(); // tests that gave their turn away

const key = (event) => `${event.Package} ${event.Test}`;
const short = (name) => name.replace(/^github\.com\/[^/]+\/[^/]+\/?/, './');
const isWorthSaying = (line) => !/^=== (RUN|PAUSE|CONT|NAME) /.test(line);

function onTest(event) {
  const name = key(event);
  switch (event.Action) {
    case 'output':
      if (!said.has(name)) {
        said.set(name, []);
      }
      said.get(name).push(event.Output);
      return;
    case 'pause':
      parallel.add(name);
      return;
    case 'fail':
      process.stdout.write((said.get(name) ?? []).filter(isWorthSaying).join(''));
    // falls through
    case 'pass':
    case 'skip': {
      said.delete(name);
      const top = event.Test.split('/')[0];
      if (top === event.Test || parallel.has(name)) {
        const whole = `${short(event.Package)} ${top}`;
        tests.set(whole, (tests.get(whole) ?? 0) + event.Elapsed);
      }
    }
  }
}

function onPackage(event) {
  if (event.Action === 'output' && !/^(PASS|testing: warning: no tests to run)\n$/.test(event.Output)) {
    process.stdout.write(event.Output);
  }
  if (event.Action === 'pass' || event.Action === 'fail') {
    packages.set(short(event.Package), event.Elapsed);
  }
  if (event.Action === 'fail') { // what tests said that the end of their package has cut off
    for (const [name, lines] of said) {
      if (name.startsWith(`${event.Package} `)) {
        process.stdout.write(lines.filter(isWorthSaying).join(''));
        said.delete(name);
      }
    }
  }
}

function list(title, times, most) {
  const slowest = [...times].sort((a, b) => b[1] - a[1]).slice(0, most);
  console.log(`\n${title}`);
  for (const [name, seconds] of slowest) {
    console.log(`${seconds.toFixed(1).padStart(9)} s  ${name}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.startsWith('{')) {
    console.log(line);
    continue;
  }
  const event = JSON.parse(line);
  if (event.Action === 'build-output') {
    process.stdout.write(event.Output);
  } else if (event.Test) {
    onTest(event);
  } else if (event.Package) {
    onPackage(event);
  }
}
list('The slowest packages, side by side as they were:', packages, slowestPackages);
list('The slowest tests:', tests, slowestTests);
