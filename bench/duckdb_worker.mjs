// A process of its own for DuckDB, so that its CPU time is nobody else's. Arguments: database file, threads. Takes messages
// {statements, repeat} and answers each with {rows, wallSeconds, cpuSeconds} of one repetition, or {error}.

import { DuckDBInstance } from '@duckdb/node-api';

import { plainRows } from './duckdb_values.mjs';

const [database, threads] = process.argv.slice(2);
const instance = await DuckDBInstance.create(database, { threads });
const connection = await instance.connect();
await connection.run("SET TimeZone = 'UTC'");

process.on('message', async ({ statements, repeat }) => {
  try {
    process.send(await measure(statements, repeat));
  } catch (error) {
    process.send({ error: error.message });
  }
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });

// Turning the result into JavaScript values is not DuckDB's work and is left out of the measurement.
async function measure(statements, repeat) {
  const cpu = process.cpuUsage();
  const began = performance.now();
  let reader;
  for (let i = 0; i < repeat; i++) {
    for (const statement of statements) {
      reader = await connection.runAndReadAll(statement);
    }
  }
  const wallSeconds = (performance.now() - began) / 1e3 / repeat;
  const used = process.cpuUsage(cpu);
  return { rows: plainRows(reader), wallSeconds, cpuSeconds: (used.user + used.system) / 1e6 / repeat };
}
