-- No state.
SELECT id, amount * 2 AS twice, ts FROM orders WHERE quantity > 3;

SELECT region FROM orders UNION ALL SELECT method FROM payments WHERE amount > 10;

SELECT * FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '15 seconds') WHERE paid LATE
DROP;

SELECT 1 AS one, 'x' AS x;

SELECT id FROM orders INTERSECT ALL SELECT order_id FROM payments;

-- Groups.
SELECT count(*) AS n, sum(amount) AS s, avg(quantity) AS q FROM orders;

SELECT region, count(*) AS n, sum(amount) AS s, min(ts) AS first, max(price) AS dear FROM orders GROUP BY
region;

SELECT region, paid, count(DISTINCT customer) AS c, median(amount) AS m FROM orders GROUP BY region, paid
HAVING count(*) > 2;

SELECT region, paid, count(*) AS n FROM orders GROUP BY ROLLUP (region, paid);

SELECT DISTINCT customer, paid FROM orders WHERE amount > 20;

SELECT n, count(*) AS regions FROM (SELECT region, count(*) AS n FROM orders GROUP BY region) AS r GROUP BY n;

SELECT customer, string_agg(region, '-' ORDER BY amount, id) AS all_regions, last(amount) AS latest FROM
orders GROUP BY customer;

SELECT customer, stddev_samp(amount) AS d, count(*) FILTER (WHERE paid) AS p FROM orders GROUP BY 1;

SELECT avg(s) AS mean, max(s) AS most, min(s) AS least FROM (SELECT customer, sum(amount) AS s FROM orders
GROUP BY customer) AS x;

-- Windows.
SELECT window_start, window_end, region, count(*) AS n, sum(amount) AS s FROM TUMBLE(TABLE orders,
DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end, region LATE DROP;

SELECT window_end, max(amount) AS m, avg(amount) AS a FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '2 seconds', INTERVAL '10 seconds') GROUP BY window_start, window_end LATE DROP;

SELECT window_start, window_end, sum(quantity) AS q FROM CUMULATE(TABLE orders, DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '20 seconds') GROUP BY window_start, window_end LATE DROP;

SELECT window_start, window_end, customer, count(*) AS n FROM SESSION(TABLE orders PARTITION BY customer,
DESCRIPTOR(ts), INTERVAL '3 seconds') GROUP BY window_start, window_end, customer LATE DROP;

SELECT time_bucket(INTERVAL '10 seconds', ts) AS t, count(*) AS n FROM orders GROUP BY 1;

SELECT window_end, region, n FROM (SELECT window_end, region, count(*) AS n, row_number() OVER (PARTITION BY
window_end ORDER BY count(*) DESC, region) AS r FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '20 seconds') GROUP BY window_start, window_end, region LATE DROP) AS x WHERE r <= 2;

SELECT window_start, count(*) AS n FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY
window_start LATE RECOMPUTE WITHIN INTERVAL '20 seconds';

-- Order.
SELECT id, amount, ts FROM orders ORDER BY amount DESC, id LIMIT 5;

SELECT customer, sum(amount) AS s FROM orders GROUP BY customer ORDER BY s DESC LIMIT 2 OFFSET 1;

SELECT DISTINCT ON (customer) customer, amount, ts FROM orders ORDER BY customer, amount DESC;

SELECT * FROM orders LATEST ON ts PARTITION BY customer;

SELECT id, ts, sum(amount) OVER (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '10 seconds'
PRECEDING AND CURRENT ROW) AS s FROM orders;

SELECT id, row_number() OVER (PARTITION BY region ORDER BY amount) AS r, rank() OVER (PARTITION BY region
ORDER BY amount) AS k, lag(id) OVER (PARTITION BY region ORDER BY amount) AS b FROM orders;

-- Joins.
SELECT o.id, p.id AS payment, p.amount FROM orders AS o JOIN payments AS p ON o.id = p.order_id AND p.ts
BETWEEN o.ts AND o.ts + INTERVAL '15 seconds';

SELECT o.id, p.method FROM orders AS o LEFT JOIN payments AS p ON o.id = p.order_id AND o.customer =
p.customer;

SELECT o.customer, p.customer AS payer FROM orders AS o FULL JOIN payments AS p ON o.customer = p.customer AND
o.amount < p.amount;

SELECT id, amount FROM orders WHERE id IN (SELECT order_id FROM payments WHERE amount > 30);

SELECT id FROM orders WHERE customer NOT IN (SELECT customer FROM payments WHERE method = 'a' AND customer IS
NOT NULL);

SELECT id, amount FROM orders AS o WHERE amount > (SELECT avg(amount) FROM payments AS p WHERE p.customer =
o.customer);

SELECT a.id, b.id AS other FROM orders AS a JOIN orders AS b ON a.customer = b.customer AND a.id < b.id;

SELECT o.region, count(*) AS n, sum(p.amount) AS paid FROM orders AS o JOIN payments AS p ON o.id = p.order_id
GROUP BY o.region;

SELECT a.window_end, a.n, b.n AS payments FROM (SELECT window_end, count(*) AS n FROM TUMBLE(TABLE orders,
DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end LATE DROP) AS a JOIN (SELECT
window_end, count(*) AS n FROM TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY
window_start, window_end LATE DROP) AS b ON a.window_end = b.window_end;

-- Sets.
SELECT customer FROM orders EXCEPT SELECT customer FROM payments;

SELECT customer FROM orders UNION SELECT customer FROM payments;
-- Frames in the order of event time.
SELECT ts, customer, amount, sum(amount) OVER w AS s, count(*) OVER w AS n, min(amount) OVER w AS least FROM orders
WINDOW w AS (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '10 seconds' PRECEDING AND CURRENT ROW);

SELECT ts, avg(amount) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND INTERVAL '2 seconds' FOLLOWING) AS a FROM orders
WHERE paid;

SELECT ts, lag(amount) OVER (PARTITION BY region ORDER BY ts) AS before, sum(quantity) OVER (PARTITION BY region ORDER BY ts ROWS
BETWEEN 3 PRECEDING AND CURRENT ROW) AS s FROM orders;

SELECT ts, sum(amount) OVER (PARTITION BY customer ORDER BY ts) AS running, row_number() OVER (PARTITION BY customer ORDER BY ts)
AS r FROM orders;

SELECT id, n, ts FROM (SELECT id, ts, count(*) OVER (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '10 seconds' PRECEDING AND
CURRENT ROW) AS n FROM orders) AS x WHERE n > 1;

-- Sessions.
SELECT window_start, window_end, customer, sum(amount) AS s, min(id) AS least, count(DISTINCT region) AS r
FROM SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '2 seconds') GROUP BY window_start, window_end, customer
LATE RECOMPUTE WITHIN INTERVAL '20 seconds';

SELECT window_end, count(*) AS n FROM SESSION(TABLE orders, DESCRIPTOR(ts), INTERVAL '1 second') GROUP BY window_start, window_end;

SELECT window_start, window_end, customer, count(*) AS n
FROM SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '4 seconds') WHERE paid
GROUP BY window_start, window_end, customer;

SELECT id, window_start, window_end FROM SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '2 seconds');
-- Joins whose rows are near each other in time.
SELECT o.id, p.id AS payment, o.ts, p.ts AS paid_at FROM orders AS o JOIN payments AS p ON o.customer = p.customer
AND p.ts >= o.ts - INTERVAL '2 seconds' AND p.ts < o.ts + INTERVAL '5 seconds' WHERE o.amount > p.amount;

SELECT o.id, o.ts, p.id AS payment FROM orders AS o LEFT JOIN payments AS p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts +
INTERVAL '10 seconds';

SELECT o.id, p.id AS payment FROM orders AS o RIGHT JOIN payments AS p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '1 minute' AND p.amount > o.amount;

SELECT o.id, p.id AS payment FROM orders AS o FULL JOIN payments AS p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '4 seconds';

SELECT o.id, o.ts FROM orders AS o WHERE EXISTS (SELECT 1 FROM payments AS p WHERE p.order_id = o.id AND p.ts BETWEEN o.ts AND o.ts +
INTERVAL '10 seconds');

SELECT o.id, o.ts FROM orders AS o WHERE NOT EXISTS (SELECT 1 FROM payments AS p WHERE p.order_id = o.id AND p.ts BETWEEN o.ts AND o.ts +
INTERVAL '10 seconds');

SELECT a.region, count(*) AS pairs FROM orders AS a, orders AS b WHERE a.amount < b.amount AND a.ts = b.ts GROUP BY a.region;

SELECT t.region, t.n, p.id FROM (SELECT region, count(*) AS n, max(id) AS most FROM orders GROUP BY region) AS t
LEFT JOIN payments AS p ON t.most = p.order_id;

SELECT t.region, t.n, u.method, u.n AS m FROM (SELECT region, count(*) AS n FROM orders GROUP BY region) AS t
FULL JOIN (SELECT method, count(*) AS n FROM payments GROUP BY method) AS u ON t.region = u.method AND t.n > u.n;
-- Overlapping windows.
SELECT window_start, window_end, region, count(*) AS n, sum(amount) AS s, min(customer) AS c, max(price) AS p,
count(*) FILTER (WHERE paid) AS paid
FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '4 seconds', INTERVAL '30 seconds') WHERE quantity > 0 GROUP BY window_start, window_end, region;

SELECT window_end, approx_count_distinct(customer) AS c, avg(amount) AS a, first(id) AS f, stddev_pop(amount) AS d
FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '1 second', INTERVAL '20 seconds') GROUP BY window_start, window_end;

SELECT window_start, window_end, customer, sum(amount) AS s
FROM CUMULATE(TABLE orders, DESCRIPTOR(ts), INTERVAL '2 seconds', INTERVAL '30 seconds') GROUP BY window_start, window_end, customer;

-- Groups of rows that come and go.
SELECT n, count(*) AS regions, sum(n) AS all_n, avg(n) AS mean, min(region) AS first, max(region) AS last, max(n) AS most FROM
(SELECT region, count(*) AS n FROM orders GROUP BY region) AS r GROUP BY n;

SELECT count(*) AS n, sum(s) AS s, avg(s) AS a, min(s) AS least, max(s) AS most, max(c) FILTER (WHERE s > 20) AS c, count(DISTINCT c) AS d FROM
(SELECT customer, sum(price) AS s, count(*) AS c FROM orders GROUP BY customer) AS x;

SELECT region, avg(most) AS mean, max(most) AS top, min(latest) AS latest, min(s) AS s, max(dear) AS dear, count(most) FILTER (WHERE s > 30) AS f,
sum(DISTINCT quantity) AS q FROM (SELECT region, customer, max(quantity) AS most, max(ts) AS latest, sum(amount) AS s, min(quantity) AS quantity,
max(price) AS dear FROM orders GROUP BY region, customer) AS x GROUP BY region;

SELECT region, avg(most) AS mean, max(most) AS top, min(latest) AS latest, min(s) AS s, max(dear) AS dear, count(most) FILTER (WHERE s > 30) AS f,
max(dear) - min(dear) AS spread, sum(dear) AS dears, max(DISTINCT customer) AS c, sum(latest - TIMESTAMPTZ '2020-01-01 00:00:00Z')::TEXT AS i
FROM (SELECT region, customer, max(quantity) AS most, max(ts) AS latest, sum(amount) AS s, max(price) AS dear FROM orders GROUP BY region,
customer) AS x GROUP BY region;

SELECT o.customer, count(*) AS n, count(p.id) AS paid, min(p.ts) AS first, max(p.amount) AS most, sum(o.quantity) AS q, min(p.method) AS m,
max(o.price) AS dear FROM orders AS o LEFT JOIN payments AS p ON o.id = p.order_id GROUP BY o.customer;

SELECT window_end, max(n) AS most, sum(n) AS n, avg(q) AS q, count(*) AS customers, min(first) AS first FROM (SELECT window_start, window_end, customer,
count(*) AS n, sum(quantity) AS q, min(region) AS first FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '10 seconds')
GROUP BY window_start, window_end, customer LATE RECOMPUTE WITHIN INTERVAL '20 seconds') AS x GROUP BY window_end;

SELECT DISTINCT n, paid FROM (SELECT customer, paid, count(*) AS n FROM orders GROUP BY customer, paid) AS x;

SELECT count(*) AS sessions, max(n) AS most, min(s) AS least FROM (SELECT window_start, customer, count(*) AS n, sum(amount) AS s FROM
SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '2 seconds') GROUP BY window_start, window_end, customer) AS x;

SELECT regions, count(*) AS n, max(n) AS most FROM (SELECT n, count(*) AS regions FROM (SELECT customer, region, count(*) AS n FROM orders GROUP BY
customer, region) AS r GROUP BY n) AS x GROUP BY regions;
SELECT o.id, o.ts, p.id AS payment, p.ts AS paid FROM orders AS o ASOF JOIN payments AS p ON o.customer = p.customer AND o.ts >= p.ts;
SELECT o.id, o.ts, p.id AS payment FROM orders AS o ASOF LEFT JOIN payments AS p ON o.customer = p.customer AND o.ts > p.ts
TOLERANCE INTERVAL '5 seconds';
SELECT o.id, o.ts, p.amount FROM orders AS o LEFT JOIN payments FOR SYSTEM_TIME AS OF o.ts AS p ON o.customer = p.customer;
SELECT o.id, o.ts, p.method FROM orders AS o ASOF JOIN payments AS p ON o.ts + INTERVAL '2 seconds' >= p.ts;
SELECT o.id, p.id AS payment FROM orders AS o ASOF LEFT JOIN payments AS p ON o.customer = p.customer AND o.ts <= p.ts;
SELECT o.id, o.ts, p.id AS payment FROM (SELECT customer, max(id) AS id, max(ts) AS ts FROM orders GROUP BY customer) AS o
ASOF JOIN payments AS p ON o.customer = p.customer AND o.ts >= p.ts;
SELECT a.window_start, a.id, b.id AS payment FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds') AS a
LEFT JOIN TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10 seconds') AS b ON a.window_start = b.window_start AND a.window_end = b.window_end
AND a.customer = b.customer;

-- Frames that slide.
SELECT ts, id, sum(amount) OVER w AS s, avg(amount) OVER w AS a, max(price) OVER w AS dear, min(region) OVER w AS r, max(method) OVER w AS m,
count(*) OVER w AS n, count(*) FILTER (WHERE paid) OVER w AS paid, sum(quantity) FILTER (WHERE amount > 20) OVER w AS q, first_value(region) OVER w AS f,
count(*) OVER v AS earlier, max(amount) OVER v AS most FROM (SELECT id, ts, customer, amount, price, region, region AS method, paid, quantity FROM orders) AS o
WINDOW w AS (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '12 seconds' PRECEDING AND CURRENT ROW),
v AS (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '30 seconds' PRECEDING AND INTERVAL '3 seconds' PRECEDING);

SELECT ts, id, sum(quantity) OVER w AS q, min(amount) OVER w AS a, lag(amount, 2, -1) OVER (PARTITION BY region ORDER BY ts) AS before, first_value(id) OVER w AS f,
row_number() OVER (PARTITION BY region ORDER BY ts) AS r, avg(price) OVER v AS running, max(paid) OVER w AS p FROM
(SELECT id, ts, region, quantity, amount, price, paid::INTEGER AS paid FROM orders) AS o
WINDOW w AS (PARTITION BY region ORDER BY ts ROWS BETWEEN 5 PRECEDING AND 2 PRECEDING),
v AS (PARTITION BY region ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);

SELECT ts, id, count(amount) OVER v AS n, max(amount) OVER v AS a, min(region) OVER w AS r, max(price) OVER w AS p, sum(amount) OVER w AS s, avg(price) OVER w AS m,
min(quantity) OVER x AS q FROM orders WINDOW v AS (ORDER BY ts RANGE BETWEEN CURRENT ROW AND CURRENT ROW), w AS (ORDER BY ts),
x AS (ORDER BY ts ROWS CURRENT ROW);

-- Windows over windows, which wait for the same end.
SELECT a.window_end, a.region, a.n FROM (SELECT window_start, window_end, region, count(*) AS n FROM HOP(TABLE orders, DESCRIPTOR(ts),
INTERVAL '5 seconds', INTERVAL '15 seconds') GROUP BY window_start, window_end, region) AS a JOIN (SELECT window_start, window_end, max(n) AS most FROM
(SELECT window_start, window_end, count(*) AS n FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '15 seconds')
GROUP BY window_start, window_end, region) AS c GROUP BY window_start, window_end) AS m
ON a.window_start = m.window_start AND a.window_end = m.window_end AND a.n >= m.most;

SELECT a.window_end, a.id, m.n FROM (SELECT id, amount, window_end FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds')) AS a
LEFT JOIN (SELECT window_end, max(amount) AS most, count(*) AS n FROM TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10 seconds')
GROUP BY window_start, window_end) AS m ON a.window_end = m.window_end AND a.amount < m.most;

SELECT window_end, r, count(*) AS n, sum(s) AS s FROM (SELECT window_end, region, sum(amount) AS s, rank() OVER (PARTITION BY window_end ORDER BY count(*))
AS r FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end, region) AS x WHERE r <= 3 GROUP BY window_end, r;

SELECT a.window_end, a.n, b.n AS payments FROM (SELECT window_end, count(*) AS n FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds')
GROUP BY window_start, window_end) AS a LEFT JOIN (SELECT window_end, count(*) AS n FROM TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10 seconds')
WHERE amount > 10 GROUP BY window_start, window_end) AS b ON a.window_end = b.window_end;

-- First rows.
SELECT id, customer, amount, r FROM (SELECT id, customer, amount, row_number() OVER (PARTITION BY customer ORDER BY amount DESC) AS r FROM orders) AS x
WHERE r <= 3;

SELECT customer, amount FROM (SELECT customer, amount, row_number() OVER (PARTITION BY customer ORDER BY amount) AS r FROM orders WHERE paid) AS x
WHERE r < 3;

SELECT window_end, id, amount FROM (SELECT id, amount, window_end, row_number() OVER (PARTITION BY window_end ORDER BY amount, region DESC) AS r FROM
TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds')) AS x WHERE r <= 2;

SELECT DISTINCT ON (window_end, region) window_end, region, id, method FROM (SELECT window_end, region, id, amount::TEXT AS method, price FROM
TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds')) AS x ORDER BY window_end, region, price;

SELECT paid, count(*) AS n, sum(amount) AS s FROM (SELECT DISTINCT ON (customer) customer, paid, amount FROM orders ORDER BY customer, price DESC NULLS LAST) AS x
GROUP BY paid;
SELECT customer, v, count(*) AS n FROM (SELECT customer, unnest(ARRAY[n, n % 3, NULL]) AS v FROM (SELECT customer, count(*) AS n FROM orders
GROUP BY customer) AS x) AS y GROUP BY customer, v;
SELECT p, count(*) AS n FROM TUMBLE(TABLE (SELECT ts, 1 AS p FROM orders WHERE price > 3 UNION ALL SELECT ts, 2 FROM payments), DESCRIPTOR(ts),
INTERVAL '10 seconds', INTERVAL '3 seconds') GROUP BY window_start, window_end, p;
SELECT window_start, window_end, customer FROM TUMBLE(orders, ts, INTERVAL '10 seconds') AS o WHERE EXISTS (SELECT 1 FROM
TUMBLE(payments, ts, INTERVAL '10 seconds') AS p WHERE p.customer = o.customer AND p.window_start = o.window_start AND p.window_end = o.window_end);

-- Groups that leave when no event has come for a while.
WITH (ttl = '3 seconds') AS SELECT customer, count(*) AS n, sum(amount) AS s, max(price) AS dear FROM orders GROUP BY customer;

WITH (ttl = '1 second') AS SELECT customer, region, count(DISTINCT paid) AS p, string_agg(region, '-' ORDER BY amount, id) AS all_regions
FROM orders WHERE amount > 10 GROUP BY customer, region HAVING count(*) > 1;

WITH (ttl = '10 seconds') AS SELECT quantity % 3 AS q, abs(quantity % 3) AS a, avg(amount) AS m, min(ts) AS since FROM orders GROUP BY 1, 2;

WITH (ttl = '2 seconds') AS SELECT n, count(*) AS customers FROM (SELECT customer, count(*) AS n FROM orders GROUP BY customer) AS c GROUP BY n;

WITH (ttl = '5 seconds') AS SELECT region, last(amount) AS latest FROM orders WHERE region = 'EU' GROUP BY region;

-- Ranks, and values that are carried on.
SELECT id, ts, rank() OVER (PARTITION BY region ORDER BY ts) AS r, dense_rank() OVER (PARTITION BY region ORDER BY ts) AS d, row_number() OVER
(PARTITION BY region ORDER BY ts) AS n, first_value(price) OVER (PARTITION BY region ORDER BY ts) AS f, last_value(region) OVER (PARTITION BY region
ORDER BY ts) AS l FROM orders;
SELECT id, ts, last_value(price) IGNORE NULLS OVER (PARTITION BY paid ORDER BY ts) AS l, first_value(region) IGNORE NULLS OVER (PARTITION BY paid ORDER
BY ts ROWS UNBOUNDED PRECEDING) AS f, last_value(amount) OVER (PARTITION BY paid ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT
ROW) AS p FROM orders;
SELECT id, ts, nth_value(amount, 2) OVER w AS n, count(DISTINCT quantity) OVER w AS q, string_agg(region, '') OVER w AS s FROM orders WINDOW w AS
(PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '8 seconds' PRECEDING AND CURRENT ROW);
SELECT id, ts, rank() OVER (ORDER BY ts) AS r, dense_rank() OVER (ORDER BY ts, amount) AS d, sum(quantity) OVER (ORDER BY ts, amount) AS s FROM orders;

SELECT id, amount * 2 AS twice FROM orders ORDER BY amount DESC LIMIT 3 OFFSET 2;

-- Arrays and intervals.
SELECT customer, array_agg(amount ORDER BY amount, id) AS amounts, max(ts) - min(ts) AS spread FROM orders GROUP BY customer;

SELECT id, ARRAY[quantity, quantity + 1] AS q, ts - TIMESTAMPTZ '2026-01-01' AS since, ARRAY[region, NULL] AS r FROM orders WHERE paid;

SELECT window_end, array_agg(region ORDER BY id) AS regions, max(ts) - min(ts) AS spread FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '2 seconds',
INTERVAL '10 seconds') GROUP BY window_start, window_end;

SELECT customer, window_end, array_agg(quantity ORDER BY id) AS quantities FROM SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '3 seconds')
GROUP BY customer, window_start, window_end;

SELECT r, count(*) AS n FROM (SELECT ARRAY[region, customer] AS r FROM orders) AS x GROUP BY r;

SELECT spread, count(*) AS n FROM (SELECT customer, max(ts) - min(ts) AS spread FROM orders GROUP BY customer) AS x GROUP BY spread;

SELECT DISTINCT ARRAY[paid] AS p FROM orders;

SELECT o.id, p.m FROM orders AS o LEFT JOIN (SELECT order_id, array_agg(method ORDER BY id) AS m FROM payments GROUP BY order_id) AS p ON o.id = p.order_id;

SELECT id, a FROM (SELECT id, ts, ARRAY[amount, amount] AS a FROM orders) AS x ORDER BY a DESC, id LIMIT 5;

SELECT * FROM (SELECT customer, ARRAY[quantity] AS q, ts FROM orders) AS x LATEST ON ts PARTITION BY customer;

SELECT a.q FROM (SELECT ARRAY[quantity] AS q FROM orders) AS a JOIN (SELECT ARRAY[id % 10] AS q FROM payments) AS b ON a.q = b.q;
SELECT id, ts, lag(amount, 2) OVER w AS before, max(amount) OVER (PARTITION BY region ORDER BY ts ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS most
FROM orders WINDOW w AS (PARTITION BY region ORDER BY ts);
SELECT id, lead(amount) OVER w AS next, lead(id, 3, -1) OVER w AS third, count(*) OVER w AS n, first_value(quantity) OVER (ORDER BY ts ROWS BETWEEN
1 FOLLOWING AND 2 FOLLOWING) AS q FROM orders WINDOW w AS (ORDER BY ts);
SELECT id, ts, amount FROM orders WHERE quantity > 2;
SELECT date_trunc('second', ts) AS s, region, count(*) AS n, sum(quantity) AS q FROM orders GROUP BY s, region;
SELECT ts, id FROM orders ORDER BY ts, id LIMIT 7 OFFSET 2;
SELECT DISTINCT ON (region) region, ts, id FROM orders ORDER BY region, ts;
SELECT o.ts, o.id, p.method FROM orders o JOIN payments p ON o.id = p.id AND o.ts >= p.ts;
SELECT ts, id FROM orders UNION ALL SELECT ts, id FROM payments;
SELECT id, ts, count(*) OVER w AS n, last_value(id) OVER w AS last FROM orders WINDOW w AS (PARTITION BY region ORDER BY ts SESSION WITH GAP '2 seconds');
SELECT id, max(amount) OVER (ORDER BY ts SESSION WITH GAP '1 second') AS most, sum(quantity) OVER (ORDER BY ts SESSION WITH GAP '3 seconds') AS q FROM orders;

-- Frames that the watermark completes, below others that see all rows so far.
SELECT id, ts, sum(quantity) OVER (PARTITION BY region ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW) AS s,
ntile(3) OVER (PARTITION BY region ORDER BY amount) AS t, max(quantity) OVER (PARTITION BY customer) AS most FROM orders;

SELECT id, s, row_number() OVER (PARTITION BY region ORDER BY s DESC, id) AS r FROM (SELECT id, region, sum(quantity) OVER (PARTITION BY customer
ORDER BY ts ROWS 3 PRECEDING) AS s FROM orders) AS x WHERE s > 2;

SELECT o.id, p.id AS payment, count(*) OVER (PARTITION BY p.method) AS n FROM orders o ASOF LEFT JOIN payments p ON o.customer = p.customer AND o.ts >= p.ts;

-- All rows so far of frames and of partners of a time, below what groups, orders, joins and unites them.
SELECT region, count(*) AS n, sum(s) AS s FROM (SELECT region, sum(quantity) OVER (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds'
PRECEDING AND CURRENT ROW) AS s FROM orders) AS x GROUP BY region;

SELECT max(s) AS most, min(r) AS least, count(DISTINCT n) AS n FROM (SELECT sum(quantity) OVER w AS s, min(region) OVER w AS r, count(*) OVER w AS n FROM orders
WINDOW w AS (PARTITION BY customer ORDER BY ts ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING)) AS x;

SELECT window_start, window_end, max(n) AS n, sum(p) AS p FROM TUMBLE(TABLE (SELECT ts, count(*) OVER w AS n, max(price) OVER w AS p FROM orders
WINDOW w AS (PARTITION BY customer ORDER BY ts)), DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end;

SELECT window_end, region, count(*) AS n, avg(s) AS s FROM HOP(TABLE (SELECT ts, region, sum(amount) OVER (PARTITION BY region ORDER BY ts RANGE BETWEEN
INTERVAL '4 seconds' PRECEDING AND CURRENT ROW) AS s FROM orders), DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '10 seconds') GROUP BY window_end, region;

SELECT window_end, count(*) AS n FROM SESSION(TABLE (SELECT ts, region, row_number() OVER (PARTITION BY region ORDER BY ts) AS r FROM orders) PARTITION BY region,
DESCRIPTOR(ts), INTERVAL '2 seconds') WHERE r > 3 GROUP BY window_start, window_end, region;

SELECT DISTINCT s, r FROM (SELECT rank() OVER (PARTITION BY region ORDER BY ts) AS r, dense_rank() OVER (PARTITION BY region ORDER BY ts) AS s FROM orders) AS x;

SELECT DISTINCT ON (region) region, id, f FROM (SELECT id, region, first_value(amount) OVER (PARTITION BY region ORDER BY ts ROWS 3 PRECEDING) AS f FROM orders) AS x
ORDER BY region, f DESC NULLS LAST, id;

SELECT id, l FROM (SELECT id, lag(amount, 2, -1) OVER (PARTITION BY region ORDER BY ts) AS l FROM orders) AS x ORDER BY l DESC NULLS LAST, id LIMIT 4;

SELECT id, s FROM (SELECT id, s, row_number() OVER (PARTITION BY region ORDER BY s, id) AS r FROM (SELECT id, region, string_agg(method, '+') OVER
(PARTITION BY customer ORDER BY ts ROWS 2 PRECEDING) AS s FROM (SELECT id, region, region AS method, customer, ts FROM orders) AS o) AS x) AS y WHERE r <= 2;

SELECT a.id, a.n, p.id AS payment FROM (SELECT id, customer, ts, count(*) OVER (PARTITION BY customer ORDER BY ts) AS n FROM orders) AS a
JOIN payments AS p ON a.customer = p.customer AND a.n = p.order_id;

SELECT a.id, a.n, b.q FROM (SELECT id, customer, count(*) OVER (PARTITION BY customer ORDER BY ts) AS n FROM orders) AS a LEFT JOIN
(SELECT id, nth_value(quantity, 2) OVER (PARTITION BY region ORDER BY ts) AS q FROM orders) AS b ON a.id = b.id AND a.n > b.q;

SELECT id, n FROM (SELECT id, count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '3 seconds' PRECEDING AND CURRENT ROW) AS n FROM orders) AS a
UNION ALL SELECT id, n FROM (SELECT id, row_number() OVER (PARTITION BY customer ORDER BY ts) AS n FROM payments) AS b WHERE n > 2
UNION ALL SELECT id, 0 FROM payments;

SELECT id, n FROM (SELECT id, count(*) OVER (PARTITION BY region ORDER BY ts) AS n FROM orders) AS a
EXCEPT SELECT id, n FROM (SELECT id, count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '3 seconds' PRECEDING AND CURRENT ROW) AS n FROM orders) AS b;

SELECT p.method, count(*) AS n, sum(o.quantity) AS q, max(p.id) AS last FROM orders AS o ASOF LEFT JOIN payments AS p ON o.customer = p.customer AND o.ts >= p.ts
GROUP BY p.method;

SELECT o.region, min(p.id) AS least FROM orders AS o ASOF JOIN payments AS p ON o.customer = p.customer AND o.ts > p.ts TOLERANCE INTERVAL '5 seconds' GROUP BY o.region;

SELECT region, sum(t) AS t, count(*) AS n FROM (SELECT region, sum(s) OVER (PARTITION BY region ORDER BY ts ROWS 4 PRECEDING) AS t FROM (SELECT ts, region,
count(*) OVER (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '2 seconds' PRECEDING AND CURRENT ROW) AS s FROM orders) AS x WHERE s < 4) AS y GROUP BY region;

SELECT most, count(*) AS n FROM (SELECT max(s) OVER (PARTITION BY s, region ORDER BY ts RANGE BETWEEN INTERVAL '3 seconds' PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW)
AS most FROM (SELECT ts, region, count(*) OVER (PARTITION BY region ORDER BY ts RANGE BETWEEN INTERVAL '2 seconds' PRECEDING AND CURRENT ROW) AS s FROM orders) AS x)
AS y GROUP BY most;

SELECT a.region, b.n, count(*) AS c FROM (SELECT ts, customer, region, count(*) OVER (PARTITION BY region ORDER BY ts) AS n FROM orders) AS a ASOF LEFT JOIN
(SELECT ts, customer, row_number() OVER (PARTITION BY customer ORDER BY ts) AS n FROM payments) AS b ON a.customer = b.customer AND a.ts >= b.ts
WHERE a.n > 1 GROUP BY a.region, b.n;

SELECT b, count(*) AS n FROM (SELECT 60 / (s - 1) AS b FROM (SELECT id, 1 + 2 * count(*) OVER (PARTITION BY customer ORDER BY ts) AS s FROM orders) AS x) AS y GROUP BY b;

SELECT id, n, max(n) OVER (PARTITION BY window_end) AS most FROM TUMBLE(TABLE (SELECT id, ts, count(*) OVER (PARTITION BY customer ORDER BY ts) AS n FROM orders),
DESCRIPTOR(ts), INTERVAL '10 seconds');

SELECT id, ts, sum(n) OVER (PARTITION BY region ORDER BY ts RANGE BETWEEN INTERVAL '4 seconds' PRECEDING AND CURRENT ROW) AS s FROM (SELECT id, ts, region,
count(*) OVER (PARTITION BY customer ORDER BY ts) AS n FROM orders) AS x;

SELECT window_end, u, count(*) AS n FROM TUMBLE(TABLE (SELECT ts, avg(amount) OVER (PARTITION BY region ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND
INTERVAL '2 seconds' FOLLOWING) AS u FROM orders UNION ALL SELECT ts, 1.5 FROM payments), DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_end, u;

-- A row that waits for others ahead, however late those are, still reaches back by time.
SELECT id, ts, sum(quantity) OVER (PARTITION BY region ORDER BY ts RANGE BETWEEN INTERVAL '1 second' PRECEDING AND CURRENT ROW) AS s,
lead(id) OVER (PARTITION BY region ORDER BY ts) AS next FROM orders;

SELECT id, ts, count(*) OVER (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '2 seconds' PRECEDING AND INTERVAL '1 second' PRECEDING) AS n,
lag(quantity) OVER w AS before, max(id) OVER (PARTITION BY customer ORDER BY ts ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING) AS m FROM orders
WINDOW w AS (PARTITION BY customer ORDER BY ts);

-- Frames of one partition, whose rows go to the disk that frames reach last.
SELECT id, ts, sum(amount) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '30 seconds' PRECEDING AND CURRENT ROW) AS s,
max(region) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '90 seconds' PRECEDING AND CURRENT ROW) AS most FROM orders;

SELECT id, ts, avg(quantity) OVER (ORDER BY ts ROWS BETWEEN 20 PRECEDING AND 5 PRECEDING) AS a, lag(region, 12) OVER w AS before,
count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '60 seconds' PRECEDING AND INTERVAL '10 seconds' PRECEDING) AS n, row_number() OVER w AS r FROM orders
WINDOW w AS (ORDER BY ts);

SELECT id, ts, sum(quantity) OVER (ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL '40 seconds' PRECEDING) AS s,
first_value(customer) OVER (ORDER BY ts, id ROWS 30 PRECEDING) AS f, min(price) OVER (ORDER BY ts RANGE CURRENT ROW) AS p FROM orders;

SELECT region, count(*) AS n, sum(s) AS s FROM (SELECT region, sum(quantity) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '50 seconds' PRECEDING AND CURRENT ROW) AS s
FROM orders) AS x GROUP BY region;

-- Joins without equal values, whose rows go to the disk in the order of time.
SELECT o.id, p.id AS payment, o.ts, p.ts AS paid_at FROM orders AS o JOIN payments AS p ON p.ts BETWEEN o.ts - INTERVAL '20 seconds' AND o.ts + INTERVAL '30 seconds'
WHERE o.amount < p.amount;

SELECT o.id, o.ts, p.id AS payment FROM orders AS o LEFT JOIN payments AS p ON o.amount > p.amount AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '25 seconds';

SELECT o.id, p.id AS payment FROM orders AS o FULL JOIN payments AS p ON o.amount * 2 < p.amount AND p.ts >= o.ts - INTERVAL '1 minute' AND p.ts <= o.ts;

SELECT a.id, b.id AS payment FROM orders AS a JOIN payments AS b ON a.amount + b.amount < 12;

SELECT a.id, b.id AS payment FROM orders AS a RIGHT JOIN payments AS b ON a.quantity < b.id AND a.ts < b.ts;

SELECT o.id FROM orders AS o WHERE EXISTS (SELECT 1 FROM payments AS p WHERE p.amount > o.amount + 60);

SELECT id FROM orders AS o WHERE NOT EXISTS (SELECT 1 FROM payments AS p WHERE p.amount > o.amount AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '20 seconds');

SELECT o.id, x.n FROM orders AS o LEFT JOIN (SELECT method, count(*) AS n FROM payments GROUP BY method) AS x ON o.quantity < x.n;

-- Times of either side of a full join.
SELECT coalesce(o.window_end, p.window_end) AS e, o.id, p.id AS payment FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds') AS o
FULL JOIN TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10 seconds') AS p
ON o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end LATE DROP;

SELECT window_start, window_end, o.n AS orders, p.n AS payments FROM
(SELECT window_start, window_end, count(*) AS n FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end) AS o
FULL JOIN (SELECT window_start, window_end, count(*) AS n FROM TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end) AS p
USING (window_start, window_end) LATE DROP;

SELECT window_end, count(o.id) AS orders, count(p.id) AS payments FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '15 seconds') AS o
FULL JOIN HOP(TABLE payments, DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '15 seconds') AS p USING (window_start, window_end) GROUP BY window_end LATE DROP;

SELECT coalesce(p.ts, o.ts) AS at, o.id, p.id AS payment FROM orders AS o FULL JOIN payments AS p
ON o.id = p.order_id AND p.ts BETWEEN o.ts - INTERVAL '2 seconds' AND o.ts + INTERVAL '6 seconds';
