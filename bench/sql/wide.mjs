// One wide table of page views with 105 columns, most of which a query does not read.

const start = "TIMESTAMPTZ '2026-02-01 00:00:00+00'";
const days = 28;

// unit is a number from 0 to before 1 that depends on the row and the column's name only.
const unit = (name) => `(hash(i, '${name}') / 18446744073709551616.0)`;
const below = (n, name) => `CAST(hash(i, '${name}') % ${n} AS BIGINT)`;
// skewed is below n as well, small values far more often.
const skewed = (n, name, power) => `CAST(floor(${n} * pow(${unit(name)}, ${power})) AS BIGINT)`;
const sometimes = (percent, name, value) => `CASE WHEN hash(i, '${name} present') % 100 < ${percent} THEN ${value} ELSE '' END`;

const named = [
  ['view_id', 'BIGINT', 'CAST(hash(i) >> 12 AS BIGINT)'],
  ['counter_id', 'INTEGER', skewed(6000, 'counter', 3)],
  ['visitor_id', 'BIGINT', skewed(900_000, 'visitor', 2)],
  ['region_id', 'INTEGER', skewed(9000, 'region', 4)],
  ['day', 'DATE', `CAST('2026-02-01' AS DATE) + CAST(i * ${days} // TOTAL AS INTEGER)`],
  ['url', 'TEXT', `'http://' || ${skewed(300, 'host', 2)} || '.example/' || ${sometimes(60, 'path', `'catalog/' || ${skewed(60_000, 'path', 2)}`)}`],
  ['referer', 'TEXT', sometimes(70, 'referer', `'https://www.' || ${skewed(2000, 'referer', 3)} || '.example/search?from=' || ${below(500, 'from')}`)],
  ['title', 'TEXT', `'Title of ' || ${skewed(40_000, 'title', 2)} || list_extract([' - news',' - Google maps',' - shop',''], 1 + ${below(4, 'suffix')})`],
  ['search_phrase', 'TEXT', sometimes(13, 'search', `list_extract(['buy ','how to ','weather ','cheap '], 1 + ${below(4, 'verb')}) || ${skewed(90_000, 'search', 2)}`)],
  ['search_engine_id', 'SMALLINT', `CASE WHEN hash(i, 'search present') % 100 < 13 THEN ${skewed(30, 'engine', 2)} + 1 ELSE 0 END`],
  ['adv_engine_id', 'SMALLINT', `CASE WHEN hash(i, 'adv') % 100 < 3 THEN ${below(20, 'advid')} + 1 ELSE 0 END`],
  ['phone', 'SMALLINT', skewed(60, 'phone', 6)],
  ['phone_model', 'TEXT', sometimes(6, 'model', `'model ' || ${skewed(150, 'model', 2)}`)],
  ['os', 'SMALLINT', skewed(90, 'os', 2)],
  ['client_ip', 'INTEGER', skewed(1_500_000, 'ip', 2)],
  ['resolution_width', 'SMALLINT', `list_extract([1366,1920,1280,1024,1600,360,0], 1 + ${below(7, 'width')})`],
  ['window_width', 'SMALLINT', below(2000, 'window width')],
  ['window_height', 'SMALLINT', below(1200, 'window height')],
  ['is_refresh', 'SMALLINT', `CASE WHEN hash(i, 'refresh') % 10 = 0 THEN 1 ELSE 0 END`],
  ['is_link', 'SMALLINT', `CASE WHEN hash(i, 'link') % 15 = 0 THEN 1 ELSE 0 END`],
  ['is_download', 'SMALLINT', `CASE WHEN hash(i, 'download') % 200 = 0 THEN 1 ELSE 0 END`],
  ['dont_count', 'SMALLINT', `CASE WHEN hash(i, 'dont') % 25 = 0 THEN 1 ELSE 0 END`],
  ['traffic_source', 'SMALLINT', `${skewed(10, 'traffic', 2)} - 1`],
  ['url_hash', 'BIGINT', skewed(500_000, 'url hash', 2)],
];

// The rest of the row: what such tables carry along.
const filler = [];
for (let n = named.length + 2; n <= 105; n++) {
  const name = `field_${String(n).padStart(3, '0')}`;
  if (n % 7 === 0) {
    filler.push([name, 'TEXT', sometimes(30, name, `'v' || ${skewed(400, name, 2)}`)]);
  } else if (n % 7 === 1) {
    filler.push([name, 'DOUBLE PRECISION', `round(${unit(name)} * 100, 2)`]);
  } else {
    filler.push([name, n % 7 === 2 ? 'BIGINT' : 'INTEGER', skewed(10 ** (n % 6), name, 2)]);
  }
}
const columns = [...named, ...filler];

const phrases = "search_phrase <> ''";
const march = "counter_id = 62 AND day >= DATE '2026-02-01' AND day <= DATE '2026-02-28'";

export const wide = {
  stream: 'views',
  rows: Number(process.env.BENCH_SQL_WIDE ?? 5_000_000),
  create: `CREATE STREAM views (ts TIMESTAMPTZ NOT NULL, ${columns.map(([name, type]) => `${name} ${type}`).join(', ')},
    WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`,
  rowsOf: (from, to, total) => `SELECT ${start} + to_microseconds(CAST(CAST(i AS HUGEINT) * ${days * 86400}000000 // ${total} AS BIGINT)) AS ts,
    ${columns.map(([name, type, value]) => `CAST(${value.replace('TOTAL', total)} AS ${type === 'TEXT' ? 'VARCHAR' : type}) AS ${name}`).join(', ')}
    FROM range(${from}, ${to}) AS r(i)`,
  queries: (t, minutes) => [
    ['count', `SELECT count(*) FROM ${t}`],
    ['count, rare value', `SELECT count(*) FROM ${t} WHERE adv_engine_id <> 0`],
    ['sum, count, avg', `SELECT sum(adv_engine_id), count(*), avg(resolution_width) FROM ${t}`],
    ['avg of ids', `SELECT avg(CAST(visitor_id AS DOUBLE PRECISION)) FROM ${t}`],
    ['distinct visitors', `SELECT count(DISTINCT visitor_id) FROM ${t}`],
    ['distinct phrases', `SELECT count(DISTINCT search_phrase) FROM ${t}`],
    ['min and max day', `SELECT min(day), max(day) FROM ${t}`],
    ['by rare value', `SELECT adv_engine_id, count(*) AS n FROM ${t} WHERE adv_engine_id <> 0 GROUP BY adv_engine_id ORDER BY n DESC, 1`],
    ['distinct visitors by region', `SELECT region_id, count(DISTINCT visitor_id) AS u FROM ${t} GROUP BY region_id ORDER BY u DESC, 1 LIMIT 10`],
    ['several aggregates by region', `SELECT region_id, sum(adv_engine_id), count(*) AS n, avg(resolution_width), count(DISTINCT visitor_id)
      FROM ${t} GROUP BY region_id ORDER BY n DESC, 1 LIMIT 10`],
    ['distinct visitors by phone model', `SELECT phone_model, count(DISTINCT visitor_id) AS u FROM ${t} WHERE phone_model <> ''
      GROUP BY phone_model ORDER BY u DESC, 1 LIMIT 10`],
    ['distinct visitors by phone and model', `SELECT phone, phone_model, count(DISTINCT visitor_id) AS u FROM ${t} WHERE phone_model <> ''
      GROUP BY phone, phone_model ORDER BY u DESC, 1, 2 LIMIT 10`],
    ['top phrases', `SELECT search_phrase, count(*) AS n FROM ${t} WHERE ${phrases} GROUP BY search_phrase ORDER BY n DESC, 1 LIMIT 10`],
    ['phrases by distinct visitors', `SELECT search_phrase, count(DISTINCT visitor_id) AS u FROM ${t} WHERE ${phrases}
      GROUP BY search_phrase ORDER BY u DESC, 1 LIMIT 10`],
    ['top phrases by engine', `SELECT search_engine_id, search_phrase, count(*) AS n FROM ${t} WHERE ${phrases}
      GROUP BY search_engine_id, search_phrase ORDER BY n DESC, 1, 2 LIMIT 10`],
    ['top visitors', `SELECT visitor_id, count(*) AS n FROM ${t} GROUP BY visitor_id ORDER BY n DESC, 1 LIMIT 10`],
    ['top visitors and phrases', `SELECT visitor_id, search_phrase, count(*) AS n FROM ${t} GROUP BY visitor_id, search_phrase
      ORDER BY n DESC, 1, 2 LIMIT 10`],
    ['by visitor, minute and phrase', `SELECT visitor_id, extract(minute FROM ts) AS m, search_phrase, count(*) AS n FROM ${t}
      GROUP BY visitor_id, m, search_phrase ORDER BY n DESC, 1, 2, 3 LIMIT 10`],
    ['one visitor', `SELECT visitor_id FROM ${t} WHERE visitor_id = 435090`],
    ['URL like', `SELECT count(*) FROM ${t} WHERE url LIKE '%catalog/77%'`],
    ['phrases of URLs like', `SELECT search_phrase, min(url), count(*) AS n FROM ${t} WHERE url LIKE '%catalog/7%' AND ${phrases}
      GROUP BY search_phrase ORDER BY n DESC, 1 LIMIT 10`],
    ['phrases of titles like', `SELECT search_phrase, min(url), min(title), count(*) AS n, count(DISTINCT visitor_id) FROM ${t}
      WHERE title LIKE '%Google%' AND url NOT LIKE '%//7%' AND ${phrases} GROUP BY search_phrase ORDER BY n DESC, 1 LIMIT 10`],
    ['whole rows of URLs like', `SELECT ts, ${columns.map(([name]) => name).join(', ')} FROM ${t} WHERE url LIKE '%catalog/777%' ORDER BY ts, view_id LIMIT 10`],
    ['first phrases by time', `SELECT search_phrase FROM ${t} WHERE ${phrases} ORDER BY ts LIMIT 10`],
    ['first phrases', `SELECT search_phrase FROM ${t} WHERE ${phrases} ORDER BY search_phrase LIMIT 10`],
    ['first phrases by time and phrase', `SELECT search_phrase FROM ${t} WHERE ${phrases} ORDER BY ts, search_phrase LIMIT 10`],
    ['length of URLs by counter', `SELECT counter_id, avg(length(url)) AS l, count(*) AS n FROM ${t} WHERE url <> '' GROUP BY counter_id
      HAVING count(*) > 2000 ORDER BY l DESC, 1 LIMIT 25`],
    ['regular expression, by domain', `SELECT regexp_replace(referer, '^https?://(?:www\\.)?([^/]+)/.*$', '\\1') AS k, avg(length(referer)) AS l, count(*) AS n,
      min(referer) FROM ${t} WHERE referer <> '' GROUP BY k HAVING count(*) > 1000 ORDER BY l DESC, k LIMIT 25`],
    ['thirty sums', `SELECT ${Array.from({ length: 30 }, (_, k) => `sum(resolution_width + ${k})`).join(', ')} FROM ${t}`],
    ['by engine and address', `SELECT search_engine_id, client_ip, count(*) AS n, sum(is_refresh), avg(resolution_width) FROM ${t} WHERE ${phrases}
      GROUP BY search_engine_id, client_ip ORDER BY n DESC, 1, 2 LIMIT 10`],
    ['by view and address, filtered', `SELECT view_id, client_ip, count(*) AS n, sum(is_refresh), avg(resolution_width) FROM ${t} WHERE ${phrases}
      GROUP BY view_id, client_ip ORDER BY n DESC, 1, 2 LIMIT 10`],
    ['by view and address', `SELECT view_id, client_ip, count(*) AS n, sum(is_refresh), avg(resolution_width) FROM ${t}
      GROUP BY view_id, client_ip ORDER BY n DESC, 1, 2 LIMIT 10`],
    ['top URLs', `SELECT url, count(*) AS n FROM ${t} GROUP BY url ORDER BY n DESC, 1 LIMIT 10`],
    ['top URLs with a constant', `SELECT 1 AS one, url, count(*) AS n FROM ${t} GROUP BY one, url ORDER BY n DESC, url LIMIT 10`],
    ['top addresses', `SELECT client_ip, client_ip - 1, client_ip - 2, client_ip - 3, count(*) AS n FROM ${t}
      GROUP BY client_ip, client_ip - 1, client_ip - 2, client_ip - 3 ORDER BY n DESC, 1 LIMIT 10`],
    ['one counter, top URLs', `SELECT url, count(*) AS n FROM ${t} WHERE ${march} AND dont_count = 0 AND is_refresh = 0 AND url <> ''
      GROUP BY url ORDER BY n DESC, 1 LIMIT 10`],
    ['one counter, top titles', `SELECT title, count(*) AS n FROM ${t} WHERE ${march} AND dont_count = 0 AND is_refresh = 0 AND title <> ''
      GROUP BY title ORDER BY n DESC, 1 LIMIT 10`],
    ['one counter, links, second page', `SELECT url, count(*) AS n FROM ${t} WHERE ${march} AND is_refresh = 0 AND is_link <> 0 AND is_download = 0
      GROUP BY url ORDER BY n DESC, 1 LIMIT 10 OFFSET 100`],
    ['one counter, CASE and five keys', `SELECT traffic_source, search_engine_id, adv_engine_id,
      CASE WHEN search_engine_id = 0 AND adv_engine_id = 0 THEN referer ELSE '' END AS source, url, count(*) AS n FROM ${t}
      WHERE ${march} AND is_refresh = 0 GROUP BY traffic_source, search_engine_id, adv_engine_id, source, url
      ORDER BY n DESC, 1, 2, 3, 4, 5 LIMIT 10`],
    ['one counter, hash and day', `SELECT url_hash, day, count(*) AS n FROM ${t} WHERE ${march} AND is_refresh = 0 AND traffic_source IN (-1, 6)
      GROUP BY url_hash, day ORDER BY n DESC, 1, 2 LIMIT 10`],
    ['one counter, window sizes', `SELECT window_width, window_height, count(*) AS n FROM ${t} WHERE ${march} AND is_refresh = 0 AND dont_count = 0
      GROUP BY window_width, window_height ORDER BY n DESC, 1, 2 LIMIT 10`],
    ['one counter, two days by minute', `SELECT ${minutes(1)} AS m, count(*) AS n FROM ${t} WHERE counter_id = 62
      AND ts >= TIMESTAMPTZ '2026-02-14 00:00:00+00' AND ts < TIMESTAMPTZ '2026-02-16 00:00:00+00' AND is_refresh = 0 AND dont_count = 0
      GROUP BY m ORDER BY m LIMIT 10 OFFSET 1000`],
  ],
};
