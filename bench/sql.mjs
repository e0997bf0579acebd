// Runs the SQL suites: Tidemark beside DuckDB on the same Parquet files and on DuckDB's own tables. See README.md.

import { binary, run, threads } from './harness.mjs';
import { printSuite } from './report.mjs';
import { measureSuites } from './sql/measure.mjs';

await run(async (processes, about) => {
  const suites = await measureSuites({ processes, binary, threads, only: process.env.BENCH_SQL_ONLY, data: process.env.BENCH_SQL_DATA });
  suites.forEach(printSuite);
  const wrong = suites.flatMap((s) => s.queries.filter((q) => q.fault).map((q) => `${s.name}: ${q.name}: ${q.fault}`));
  return { name: 'sql', result: { ...about, suites }, wrong };
});
