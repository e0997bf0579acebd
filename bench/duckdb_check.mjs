// Runs one statement on an in-memory DuckDB and prints the answer as {"columns":[{"name","type"}],"rows":[[...]]}, the shape
// that Tidemark answers in. Go tests call it to see stored files with another program's eyes:
//
//   node duckdb_check.mjs "SELECT count(*) FROM read_parquet('/some/where/*.parquet')"
//
// Times are UTC. Integers beyond 2^53 are strings, as are NaN and the infinities. An error goes to standard error, status 1.

import { DuckDBInstance } from '@duckdb/node-api';

import { plainRows } from './duckdb_values.mjs';

const sql = process.argv[2];
if (!sql) {
  console.error('usage: node duckdb_check.mjs "<SQL>"');
  process.exit(2);
}
try {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const reader = await connection.runAndReadAll(sql);
  const types = reader.columnTypes();
  const columns = reader.columnNames().map((name, i) => ({ name, type: types[i].toString() }));
  console.log(JSON.stringify({ columns, rows: plainRows(reader) }));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
