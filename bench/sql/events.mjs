// Web events of a day: the narrow table that most dashboards stand on.

const day = "TIMESTAMPTZ '2026-03-01 00:00:00+00'";

const countries = "['US','DE','IN','BR','FR','GB','JP','NL','PL','ES','IT','SE','CA','AU','MX','KR','ID','TR','ZA','NG']";
const devices = "['phone','desktop','tablet','tv','bot']";

export const events = {
  stream: 'hits',
  rows: Number(process.env.BENCH_SQL_EVENTS ?? 20_000_000),
  create: `CREATE STREAM hits (ts TIMESTAMPTZ NOT NULL, country TEXT, device TEXT, user_id BIGINT, url TEXT, status INTEGER,
    bytes BIGINT, latency_ms DOUBLE PRECISION, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`,
  // Each column has its own hash of the row number, so that columns do not depend on each other. Squares make some values frequent.
  rowsOf: (from, to, total) => `
    SELECT ${day} + to_microseconds(i * 86400000000 // ${total}) AS ts,
      list_extract(${countries}, 1 + CAST(floor(20 * pow(hash(i, 'country') / 18446744073709551616.0, 2)) AS BIGINT)) AS country,
      list_extract(${devices}, 1 + CAST(floor(5 * pow(hash(i, 'device') / 18446744073709551616.0, 2)) AS BIGINT)) AS device,
      CAST(floor(2000000 * pow(hash(i, 'user') / 18446744073709551616.0, 2)) AS BIGINT) AS user_id,
      'https://shop.example/' || list_extract(['item','cart','search','help'], 1 + CAST(hash(i, 'page') % 4 AS BIGINT)) || '/'
        || CAST(floor(20000 * pow(hash(i, 'url') / 18446744073709551616.0, 3)) AS BIGINT) AS url,
      list_extract([200,200,200,200,200,204,301,304,404,500], 1 + CAST(hash(i, 'status') % 10 AS BIGINT)) AS status,
      CAST(hash(i, 'bytes') % 60000 AS BIGINT) AS bytes,
      round(2 / (hash(i, 'latency') / 18446744073709551616.0 + 0.001), 3) AS latency_ms
    FROM range(${from}, ${to}) AS r(i)`,
  // minute(n) is how a side best says the start of the n minutes that ts is in.
  queries: (t, minutes) => [
    ['count, one hour', `SELECT count(*) FROM ${t} WHERE ts >= TIMESTAMPTZ '2026-03-01 13:00:00+00' AND ts < TIMESTAMPTZ '2026-03-01 14:00:00+00'`],
    ['sum, whole table', `SELECT sum(bytes), sum(latency_ms) FROM ${t}`],
    ['by country', `SELECT country, count(*), avg(latency_ms) FROM ${t} GROUP BY country ORDER BY country`],
    ['by minute and device', `SELECT ${minutes(1)} AS m, device, count(*), sum(bytes) FROM ${t} GROUP BY m, device ORDER BY m, device`],
    ['filter and LIKE', `SELECT status, count(*) FROM ${t} WHERE country = 'FR' AND url LIKE '%/cart/1%' GROUP BY status ORDER BY status`],
    ['top users of 2 M', `SELECT user_id, count(*) AS n, sum(bytes) FROM ${t} GROUP BY user_id ORDER BY n DESC, user_id LIMIT 10`],
    ['distinct users by hour', `SELECT ${minutes(60)} AS h, count(DISTINCT user_id) FROM ${t} GROUP BY h ORDER BY h`],
    ['p95 by 5 minutes', `SELECT ${minutes(5)} AS m, percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) FROM ${t} GROUP BY m ORDER BY m`],
    ['one user, 15 minutes', `SELECT ts, url, status FROM ${t} WHERE user_id = 4242 AND ts >= TIMESTAMPTZ '2026-03-01 23:45:00+00' ORDER BY ts, url`],
    ['top URLs', `SELECT url, count(*) AS n FROM ${t} WHERE status = 200 GROUP BY url ORDER BY n DESC, url LIMIT 10`],
  ],
};
