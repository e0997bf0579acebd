// The three kinds of Nexmark events, made up from hashes of their numbers: of fifty events one is a person, three are auctions and the
// others bids. Sizes and skew follow the benchmark's generator: half of the bids go to a few hot auctions, the others to recent ones.

const began = "TIMESTAMPTZ '2026-03-01 00:00:00+00'";
export const stepMicros = 100; // ten thousand events a second

const unit = (name) => `(hash(i, '${name}') / 18446744073709551616.0)`;
const below = (n, name) => `CAST(hash(i, '${name}') % ${n} AS BIGINT)`;
const at = `${began} + to_microseconds(i * ${stepMicros})`;
const epoch = '(i // 50)';
const recentAuction = `greatest(0, ${epoch} * 3 - ${below(100, 'auction')})`;
const hotAuction = `${epoch} * 3 // 100 * 100`;
const price = `CAST(round(pow(10, ${unit('price')} * 6) * 100) AS BIGINT)`;

// Each event's number is i; total is of all kinds.
export const kinds = {
  person: {
    create: 'id BIGINT, name TEXT, email_address TEXT, city TEXT, state TEXT, date_time TIMESTAMPTZ NOT NULL',
    where: 'i % 50 = 0',
    select: `${epoch} AS id, 'name ' || ${below(500, 'name')} AS name, 'p' || i || '@example.com' AS email_address,
      'city ' || ${below(40, 'city')} AS city, list_extract(['az','ca','id','or','wa','wy'], 1 + ${below(6, 'state')}) AS state, ${at} AS date_time`,
  },
  auction: {
    create: `id BIGINT, item_name TEXT, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMPTZ NOT NULL, expires TIMESTAMPTZ,
      seller BIGINT, category BIGINT`,
    where: 'i % 50 BETWEEN 1 AND 3',
    select: `${epoch} * 3 + i % 50 - 1 AS id, 'item ' || ${below(10_000, 'item')} AS item_name, ${price} AS initial_bid, 2 * ${price} AS reserve,
      ${at} AS date_time, ${at} + to_microseconds(${below(10_000_000, 'expires')}) AS expires,
      greatest(0, ${epoch} - ${below(100, 'seller')}) AS seller, 10 + ${below(5, 'category')} AS category`,
  },
  bid: {
    create: 'auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMPTZ NOT NULL',
    where: 'i % 50 > 3',
    select: `CASE WHEN hash(i, 'hot') % 2 = 0 THEN ${hotAuction} ELSE ${recentAuction} END AS auction,
      greatest(0, ${epoch} - ${below(1000, 'bidder')}) AS bidder, ${price} AS price,
      list_extract(['Apple','Google','Facebook','Baidu'], 1 + ${below(4, 'channel')}) AS channel,
      'https://www.example.com/' || ${below(1000, 'url')} || '/item.htm?query=1' AS url, ${at} AS date_time`,
  },
};

// rowsOf selects the events of a kind with numbers from one to before another.
export const rowsOf = (kind, from, to) => `SELECT ${kinds[kind].select} FROM range(${from}, ${to}) AS r(i) WHERE ${kinds[kind].where}`;

// csvOf is rowsOf with times to the millisecond, as text.
export const csvOf = (kind, from, to) => {
  const times = [...kinds[kind].create.matchAll(/(\w+) TIMESTAMPTZ/g)].map(([, name]) => `strftime(${name}, '%Y-%m-%d %H:%M:%S.%g') AS ${name}`);
  return `SELECT * REPLACE (${times.join(', ')}) FROM (${rowsOf(kind, from, to)})`;
};
