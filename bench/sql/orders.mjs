// Orders of customers: joins and window functions over two tables.

const day = "TIMESTAMPTZ '2026-03-01 00:00:00+00'";

export const customers = {
  stream: 'customers',
  rows: 200_000,
  create: `CREATE STREAM customers (id BIGINT NOT NULL, name TEXT, region TEXT, segment TEXT, joined TIMESTAMPTZ NOT NULL,
    WATERMARK FOR joined AS joined - INTERVAL '5 seconds')`,
  rowsOf: (from, to) => `
    SELECT i AS id, 'customer ' || i AS name,
      list_extract(['north','south','east','west','overseas'], 1 + CAST(hash(i, 'region') % 5 AS BIGINT)) AS region,
      list_extract(['home','trade','public'], 1 + CAST(hash(i, 'segment') % 3 AS BIGINT)) AS segment,
      ${day} - to_seconds(CAST(hash(i, 'joined') % 30000000 AS BIGINT)) AS joined
    FROM range(${from}, ${to}) AS r(i)`,
};

export const orders = {
  stream: 'orders',
  rows: Number(process.env.BENCH_SQL_ORDERS ?? 4_000_000),
  create: `CREATE STREAM orders (ts TIMESTAMPTZ NOT NULL, id BIGINT, customer BIGINT, product INTEGER, quantity INTEGER, price DOUBLE PRECISION,
    WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`,
  rowsOf: (from, to, total) => `
    SELECT ${day} + to_microseconds(i * 86400000000 // ${total}) AS ts, i AS id, CAST(hash(i, 'customer') % 220000 AS BIGINT) AS customer,
      CAST(floor(5000 * pow(hash(i, 'product') / 18446744073709551616.0, 2)) AS INTEGER) AS product,
      CAST(1 + hash(i, 'quantity') % 9 AS INTEGER) AS quantity, CAST(hash(i, 'price') % 100000 AS BIGINT) / 4.0 AS price
    FROM range(${from}, ${to}) AS r(i)`,
};

// orderQueries are over both tables, named o and c.
export const orderQueries = (o, c, minutes) => [
  ['join, by region', `SELECT c.region, count(*), sum(o.quantity) FROM ${o} o JOIN ${c} c ON o.customer = c.id GROUP BY c.region ORDER BY c.region`],
  ['join, filter on the small side', `SELECT o.product, sum(o.price * o.quantity) AS revenue FROM ${o} o JOIN ${c} c ON o.customer = c.id
    WHERE c.region = 'overseas' AND c.segment = 'public' GROUP BY o.product ORDER BY revenue DESC, o.product LIMIT 10`],
  ['left join, unmatched', `SELECT count(*), count(c.id) FROM ${o} o LEFT JOIN ${c} c ON o.customer = c.id`],
  ['anti join', `SELECT count(*), sum(price) FROM ${o} o WHERE NOT EXISTS (SELECT 1 FROM ${c} c WHERE c.id = o.customer)`],
  ['semi join', `SELECT count(*) FROM ${c} c WHERE c.id IN (SELECT customer FROM ${o} o WHERE o.price > 24000)`],
  ['join of two aggregates', `SELECT a.product, a.n, b.n FROM (SELECT product, count(*) AS n FROM ${o} o WHERE price < 100 GROUP BY product) a
    JOIN (SELECT product, count(*) AS n FROM ${o} o WHERE price > 24900 GROUP BY product) b ON a.product = b.product
    ORDER BY a.n - b.n, a.product LIMIT 10`],
  ['self join within a minute', `SELECT count(*) FROM ${o} a JOIN ${o} b ON a.customer = b.customer AND b.ts > a.ts AND b.ts <= a.ts + INTERVAL '1 minute'
    WHERE a.product < 50`],
  ['row_number, last order of each customer', `SELECT sum(price) FROM (SELECT price, row_number() OVER (PARTITION BY customer ORDER BY ts DESC) AS r
    FROM ${o} o) x WHERE r = 1`],
  ['rank, top products of each region', `SELECT region, product, n FROM (SELECT region, product, n, rank() OVER (PARTITION BY region ORDER BY n DESC, product) AS r
    FROM (SELECT c.region, o.product, count(*) AS n FROM ${o} o JOIN ${c} c ON o.customer = c.id GROUP BY c.region, o.product) y) x
    WHERE r <= 3 ORDER BY region, r`],
  ['lag, time between orders', `SELECT max(gap), count(gap) FROM (SELECT quantity - lag(quantity) OVER (PARTITION BY customer ORDER BY ts) AS gap FROM ${o} o) x`],
  ['moving average of minutes', `SELECT m, avg(revenue) OVER (ORDER BY m ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) FROM (
    SELECT ${minutes(1)} AS m, sum(price) AS revenue FROM ${o} o GROUP BY 1) x ORDER BY m`],
  ['running sum by customer', `SELECT max(running) FROM (SELECT sum(quantity) OVER (PARTITION BY customer ORDER BY ts ROWS UNBOUNDED PRECEDING) AS running
    FROM ${o} o) x`],
];
