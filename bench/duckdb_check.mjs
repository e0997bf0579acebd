// Runs statements on an in-memory DuckDB and prints answers as {"columns":[{"name","type"}],"rows":[[...]]}, the shape that
// Tidemark answers in. Go tests call it to see stored files, and queries, with another program's eyes:
//
//   node duckdb_check.mjs "SELECT count(*) FROM read_parquet('/some/where/*.parquet')"
//   node duckdb_check.mjs -          a JSON array of statements on standard input, an answer a line for each
//
// Times are UTC. Integers beyond 2^53 are strings, as are NaN and the infinities. A statement's error goes to standard error, status
// 1; for statements from standard input it is an answer of its own, {"error":"..."}.

import { readFileSync } from 'node:fs';

import { DuckDBInstance } from '@duckdb/node-api';

import { plainRows } from './duckdb_values.mjs';

const argument = process.argv[2];
if (!argument) {
  console.error('usage: node duckdb_check.mjs "<SQL>" | -');
  process.exit(2);
}
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
await connection.run("SET TimeZone = 'UTC'");

async function ask(sql) {
  const reader = await connection.runAndReadAll(sql);
  const types = reader.columnTypes();
  const columns = reader.columnNames().map((name, i) => ({ name, type: types[i].toString() }));
  return { columns, rows: plainRows(reader) };
}

if (argument === '-') {
  for (const sql of JSON.parse(readFileSync(0, 'utf8'))) {
    console.log(JSON.stringify(await ask(sql).catch((error) => ({ error: error.message }))));
  }
} else {
  try {
    console.log(JSON.stringify(await ask(argument)));
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
