// Runs the SQL suites: Tidemark beside DuckDB on the same Parquet files and on DuckDB's own tables, and chdb
// where it is given. See README.md.

import { binary, run, threads } from './harness.mjs';
import { printSuite } from './report.mjs';
import { measureSuites } from './sql/measure.mjs';

await run(async (processes, about) => {
  const { BENCH_SQL_ONLY: only, BENCH_SQL_DATA: data, BENCH_CHDB_PYTHON: chdbPython } = process.env;
  const suites = await measureSuites({ processes, binary, threads, only, data, chdbPython });
  suites.forEach(printSuite);
  const wrong = suites.flatMap((s) => s.queries.filter((q) => q.fault).map((q) => `${s.name}: ${q.name}: ${q.fault}`));
  return { name: 'sql', result: { ...about, suites }, wrong };
});
