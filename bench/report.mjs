// The printed form of the results. Ratios are DuckDB's cost divided by ours: above 1 Tidemark needs less.

export function printIngest({ events, bytes, tidemarkToAck, tidemarkToSegment, duckdb }) {
  console.log(`\ningest: ${thousands(events)} events of ${Math.round(bytes / events)} bytes`);
  const line = (name, side) => [
    name,
    thousands(side.perSecond),
    thousands(side.perCpuSecond),
    ratio(side.perSecond / duckdb.perSecond),
    ratio(side.perCpuSecond / duckdb.perCpuSecond),
  ];
  printTable([
    ['', 'events/s', 'events/CPU-s', 'wall', 'CPU'],
    line('Tidemark, to fsynced ack', tidemarkToAck),
    line('Tidemark, to Parquet segment', tidemarkToSegment),
    line('DuckDB, read_json to table', duckdb),
  ]);
}

export function printQueries({ rows, queries }) {
  console.log(`\nqueries: ${thousands(rows)} events in the same Parquet files`);
  const lines = queries.map(({ name, tidemark, duckdb }) => [
    name,
    milliseconds(tidemark.wallSeconds),
    milliseconds(duckdb.wallSeconds),
    milliseconds(tidemark.cpuSeconds),
    milliseconds(duckdb.cpuSeconds),
    ratio(duckdb.wallSeconds / tidemark.wallSeconds),
    ratio(duckdb.cpuSeconds / tidemark.cpuSeconds),
  ]);
  const mean = (key) => ratio(geometricMean(queries.map((q) => q.duckdb[key] / q.tidemark[key])));
  printTable([
    ['', 'Tidemark ms', 'DuckDB ms', 'Tidemark CPU', 'DuckDB CPU', 'wall', 'CPU'],
    ...lines,
    ['geometric mean', '', '', '', '', mean('wallSeconds'), mean('cpuSeconds')],
  ]);
}

// printSuite prints a suite of SQL: the ratios are those of DuckDB on the same files, then those of DuckDB on its own table, then, where it
// was measured, those of chdb on the same files.
export function printSuite({ name, rows, queries }) {
  console.log(`\n${name}: ${thousands(rows)} rows`);
  const good = queries.filter((q) => !q.fault);
  const beside = queries.some((q) => q.chdb) ? ['chdb'] : [];
  const sides = ['parquet', 'native', ...beside];
  const measured = (q, side) => q[side] && !q[side].fault;
  const lines = good.map((q) => [
    q.name,
    milliseconds(q.tidemark.wallSeconds),
    milliseconds(q.tidemark.cpuSeconds),
    ...sides.flatMap((side) => (measured(q, side) ? [
      milliseconds(q[side].cpuSeconds),
      ratio(q[side].wallSeconds / q.tidemark.wallSeconds),
      ratio(cpuOf(q[side]) / cpuOf(q.tidemark)),
    ] : ['-', '-', '-'])),
  ]);
  const mean = (side, value) =>
    ratio(geometricMean(good.filter((q) => measured(q, side)).map((q) => value(q[side]) / value(q.tidemark))));
  const heads = { parquet: 'on Parquet CPU ms', native: 'own table CPU ms', chdb: 'chdb CPU ms' };
  printTable([
    ['', 'Tidemark ms', 'CPU ms', ...sides.flatMap((side) => [heads[side], 'wall', 'CPU'])],
    ...lines,
    ['geometric mean', '', '', ...sides.flatMap((side) => ['', mean(side, (t) => t.wallSeconds), mean(side, cpuOf)])],
  ]);
}

// printNexmark prints how many events a view takes a CPU second, beside DuckDB, which is asked once over all of them, and beside Flink
// where that ran. Ratios are theirs divided by ours.
export function printNexmark({ events, queries, pairs }) {
  console.log(`\nNexmark: ${thousands(events)} events`);
  const perCpu = (side) => thousands(events / cpuOf(side));
  printTable([
    ['', 'rows', 'view s', 'view CPU s', 'events/CPU-s', 'DuckDB batch', 'CPU', 'Flink', 'CPU'],
    ...queries.map((q) => [
      q.name, thousands(q.rows), q.wallSeconds.toFixed(2), q.cpuSeconds.toFixed(2), perCpu(q), perCpu(q.duckdb), ratio(cpuOf(q.duckdb) / cpuOf(q)),
      ...(q.flink ? [perCpu(q.flink), ratio(cpuOf(q.flink) / cpuOf(q))] : ['', '']),
    ]),
  ]);
  for (const pair of pairs) {
    console.log(`${pair.name}: ${ratio(pair.ratio)} CPU`);
  }
}

// printKeys prints what a view takes for each of many keys, and what it costs to build it and to have it back, beside the query run once.
export function printKeys({ events, keys, views }) {
  console.log(`\n${thousands(keys)} keys, ${thousands(events)} events`);
  printTable([
    ['', 'rows', 'memory B/key', 'state files B/key', 'build CPU s', 'query once CPU s', 'restart CPU s', 'restart / once'],
    ...views.map((v) => [
      v.name, thousands(v.rows), v.held.toFixed(0), v.stored.toFixed(0), v.buildSeconds.toFixed(2), v.batchSeconds.toFixed(2), v.restartSeconds.toFixed(2),
      ratio(v.restartSeconds / Math.max(v.batchSeconds, 0.01)),
    ]),
  ]);
}

// printMembers prints what questions about members of documents cost, and what their columns take. Ratios are those of CPU: of Tidemark without
// such columns, of DuckDB on the same files, and of DuckDB on its own table.
export function printMembers({ events, size, queries }) {
  console.log(`\nmembers of JSON: ${thousands(events)} events of ${size.bytes.toFixed(0)} bytes`);
  const others = ['documents', 'parquet', 'native'];
  printTable([
    ['', 'Tidemark ms', 'CPU ms', 'without CPU ms', '', 'on Parquet CPU ms', '', 'own table CPU ms', ''],
    ...queries.map((q) => [
      q.name, milliseconds(q.tidemark.wallSeconds), milliseconds(q.tidemark.cpuSeconds),
      ...others.flatMap((side) => [milliseconds(q[side].cpuSeconds), ratio(cpuOf(q[side]) / cpuOf(q.tidemark))]),
    ]),
    ['geometric mean', '', '', ...others.flatMap((side) => ['', ratio(geometricMean(queries.map((q) => cpuOf(q[side]) / cpuOf(q.tidemark))))])],
  ]);
  const perEvent = (seconds) => `${((seconds / events) * 1e6).toFixed(2)} µs`;
  console.log(`bytes an event: ${size.sealed.toFixed(1)} sealed, ${size.merged.toFixed(1)} merged with members, ${ratio(size.merged / size.sealed)}`);
  console.log(`CPU an event: ${perEvent(size.sealSeconds)} to seal, ${perEvent(size.mergeSeconds)} to merge`);
}

// cpuOf keeps queries that are faster than the CPU clock's step out of division by zero.
function cpuOf(side) {
  return Math.max(side.cpuSeconds, 2e-4);
}

function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

// printTable aligns the first column left, the others right.
export function printTable(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) {
    console.log(line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ').trimEnd());
  }
}

function thousands(value) {
  return Math.round(value).toLocaleString('en-US');
}

function milliseconds(seconds) {
  return (seconds * 1e3).toFixed(1);
}

function ratio(value) {
  return `${value.toFixed(2)}x`;
}
