// The queries: each as a materialized view, and as what DuckDB is asked once over all events. Windows count once they are closed, so
// DuckDB leaves out those that end after closed, the watermark at the end.

const tumble = (seconds) => `make_timestamptz(epoch_us(date_time) // ${seconds}000000 * ${seconds}000000)`;

export const queries = [
  {
    name: 'q0 pass through',
    view: 'SELECT auction, bidder, price, date_time FROM bid',
    batch: () => 'SELECT auction, bidder, price, date_time FROM bid',
  },
  {
    name: 'q1 currency',
    view: 'SELECT auction, bidder, 0.908 * price AS price, date_time FROM bid',
    batch: () => 'SELECT auction, bidder, 0.908 * price AS price, date_time FROM bid',
  },
  {
    name: 'q2 selection',
    view: 'SELECT auction, price FROM bid WHERE auction % 123 = 0',
    batch: () => 'SELECT auction, price FROM bid WHERE auction % 123 = 0',
  },
  {
    name: 'q3 local items',
    with: "WITH (memory = '4GB')",
    view: `SELECT p.name, p.city, p.state, a.id FROM auction a JOIN person p ON a.seller = p.id WHERE a.category = 10 AND p.state IN ('or', 'id', 'ca')`,
    batch: () => `SELECT p.name, p.city, p.state, a.id FROM auction a JOIN person p ON a.seller = p.id
      WHERE a.category = 10 AND p.state IN ('or', 'id', 'ca')`,
  },
  {
    name: 'q4 average of closing prices',
    with: "WITH (memory = '4GB')",
    view: `SELECT category, avg(final) AS price FROM (SELECT max(b.price) AS final, a.category FROM auction a JOIN bid b ON a.id = b.auction
      WHERE b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id, a.category) q GROUP BY category`,
    batch: () => `SELECT category, avg(final) AS price FROM (SELECT max(b.price) AS final, a.category FROM auction a JOIN bid b ON a.id = b.auction
      WHERE b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id, a.category) q GROUP BY category`,
  },
  {
    name: 'q5 hot items',
    emit: 'EMIT ON WINDOW CLOSE',
    view: `SELECT n.auction, n.num, n.window_end FROM (
      SELECT auction, count(*) AS num, window_start, window_end FROM HOP(bid, date_time, INTERVAL '2 seconds', INTERVAL '10 seconds')
      GROUP BY window_start, window_end, auction) n JOIN (
      SELECT max(num) AS most, window_start, window_end FROM (
        SELECT count(*) AS num, window_start, window_end FROM HOP(bid, date_time, INTERVAL '2 seconds', INTERVAL '10 seconds')
        GROUP BY window_start, window_end, auction) c GROUP BY window_start, window_end) m
      ON n.window_start = m.window_start AND n.window_end = m.window_end AND n.num >= m.most`,
    batch: (closed) => `WITH counts AS (SELECT auction, ${tumble(2)} + to_seconds(2 * k) AS ends, count(*) AS num
      FROM bid, range(1, 6) AS w(k) GROUP BY ALL)
      SELECT auction, num, ends FROM counts QUALIFY num = max(num) OVER (PARTITION BY ends) AND ends <= ${closed}`,
  },
  {
    name: 'q7 highest bid',
    emit: 'EMIT ON WINDOW CLOSE',
    view: `SELECT b.auction, b.price, b.bidder, b.window_end FROM (SELECT * FROM TUMBLE(bid, date_time, INTERVAL '10 seconds')) b JOIN (
      SELECT max(price) AS most, window_start, window_end FROM TUMBLE(bid, date_time, INTERVAL '10 seconds') GROUP BY window_start, window_end) m
      ON b.window_start = m.window_start AND b.window_end = m.window_end AND b.price = m.most`,
    batch: (closed) => `SELECT auction, price, bidder, ${tumble(10)} + to_seconds(10) AS ends FROM bid
      QUALIFY price = max(price) OVER (PARTITION BY ends) AND ends <= ${closed}`,
  },
  {
    name: 'q8 new users',
    emit: 'EMIT ON WINDOW CLOSE',
    view: `SELECT p.id, p.name, p.window_start, p.window_end FROM (
      SELECT id, name, window_start, window_end FROM TUMBLE(person, date_time, INTERVAL '10 seconds') GROUP BY id, name, window_start, window_end) p
      JOIN (SELECT seller, window_start, window_end FROM TUMBLE(auction, date_time, INTERVAL '10 seconds') GROUP BY seller, window_start, window_end) a
      ON p.id = a.seller AND p.window_start = a.window_start AND p.window_end = a.window_end`,
    batch: (closed) => `SELECT p.id, p.name, p.ends FROM (SELECT DISTINCT id, name, ${tumble(10)} + to_seconds(10) AS ends FROM person) p
      JOIN (SELECT DISTINCT seller, ${tumble(10)} + to_seconds(10) AS ends FROM auction) a ON p.id = a.seller AND p.ends = a.ends
      WHERE p.ends <= ${closed}`,
  },
  {
    name: 'q11 user sessions',
    emit: 'EMIT ON WINDOW CLOSE',
    view: `SELECT bidder, count(*) AS bids, window_start, window_end FROM SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(date_time), INTERVAL '10 seconds')
      GROUP BY bidder, window_start, window_end`,
    batch: (closed) => `WITH marked AS (SELECT bidder, date_time, CASE WHEN date_time < lag(date_time) OVER w + INTERVAL '10 seconds' THEN 0 ELSE 1 END AS fresh
        FROM bid WINDOW w AS (PARTITION BY bidder ORDER BY date_time)),
      numbered AS (SELECT bidder, date_time, sum(fresh) OVER (PARTITION BY bidder ORDER BY date_time ROWS UNBOUNDED PRECEDING) AS n FROM marked)
      SELECT bidder, count(*), min(date_time), max(date_time) + INTERVAL '10 seconds' AS ends FROM numbered GROUP BY bidder, n HAVING ends <= ${closed}`,
  },
  {
    name: 'q12 bids by user and 10 seconds',
    emit: 'EMIT ON WINDOW CLOSE',
    view: `SELECT bidder, count(*) AS bids, window_start, window_end FROM TUMBLE(bid, date_time, INTERVAL '10 seconds')
      GROUP BY bidder, window_start, window_end`,
    batch: (closed) => `SELECT bidder, count(*), ${tumble(10)} + to_seconds(10) AS ends FROM bid GROUP BY bidder, ends HAVING ends <= ${closed}`,
  },
  {
    name: 'rolling sum of a minute by bidder',
    view: `SELECT date_time, bidder, price, sum(price) OVER w AS total, count(*) OVER w AS n FROM bid
      WINDOW w AS (PARTITION BY bidder ORDER BY date_time RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW)`,
    batch: (closed) => `SELECT date_time, bidder, price, sum(price) OVER w AS total, count(*) OVER w AS n FROM bid WHERE date_time < ${closed}
      WINDOW w AS (PARTITION BY bidder ORDER BY date_time RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW)`,
  },
];

// Pairs of views whose cost should be about the same: it must not depend on how much windows overlap, nor on how long a frame is.
export const pairs = [
  {
    name: 'HOP of 1 hour by 1 second / by 1 hour',
    views: ["'1 hour'", "'1 second'"].map((slide) => `SELECT window_start, channel, count(*) AS n, sum(price) AS total
      FROM HOP(bid, date_time, INTERVAL ${slide}, INTERVAL '1 hour') GROUP BY window_start, window_end, channel EMIT ON WINDOW CLOSE`),
  },
  {
    name: 'rolling max over 10 minutes / over 10 seconds',
    views: ["'10 seconds'", "'10 minutes'"].map((length) => `SELECT date_time, channel, max(price) OVER w AS most FROM bid
      WINDOW w AS (PARTITION BY channel ORDER BY date_time RANGE BETWEEN INTERVAL ${length} PRECEDING AND CURRENT ROW)`),
  },
];
