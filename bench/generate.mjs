// Events made up from a seed: the same number of them is the same bytes, on every machine.

const firstMillis = Date.parse('2026-03-01T00:00:00Z');
const daySeconds = 24 * 60 * 60;
const pieceBytes = 4 << 20;

const regions = ['eu-west', 'eu-north', 'us-east', 'us-west', 'ap-south', 'ap-east', 'sa-east', 'af-south'];
const services = ['checkout', 'catalog', 'search', 'cart', 'login', 'payments', 'profile', 'images', 'reviews', 'shipping', 'stock', 'mail'];
const statuses = [200, 200, 200, 200, 200, 200, 204, 301, 304, 404, 429, 500];
const methods = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'];
const agents = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36',
  'okhttp/5.1.0',
];

// accessEvents yields pieces of about 4 MiB of NDJSON, each {body, rows}: events of about 350 bytes, one a millisecond.
export function accessEvents(count) {
  const random = mulberry32(20260301);
  const clock = timestamps(random, 1000);
  return pieces(count, (i) => {
    const service = pick(random, services);
    return `{"ts":"${clock(i)}","event_id":"e${hex(random)}${hex(random)}","session":"s${hex(random)}${hex(random)}",` +
      `"user_id":"${user(random)}","region":"${pick(random, regions)}","service":"${service}","method":"${pick(random, methods)}",` +
      `"path":"/${service}/items/${Math.floor(random() * 5000)}","status":${pick(random, statuses)},` +
      `"bytes":${Math.floor(random() * 60000)},"latency_ms":${latency(random)},"cached":${random() < 0.3},` +
      `"agent":"${pick(random, agents)}"}\n`;
  });
}

// accessPoint writes such an event, given as its line, as line protocol: what is repeated as tags, the rest as fields.
export function accessPoint(measurement, line) {
  const e = JSON.parse(line);
  const nanos = `${Math.floor(Date.parse(e.ts) / 1000)}${e.ts.slice(20, 26)}000`;
  return `${measurement},region=${e.region},service=${e.service},method=${e.method} event_id="${e.event_id}",session="${e.session}",` +
    `user_id="${e.user_id}",path="${e.path}",status=${e.status}i,bytes=${e.bytes}i,latency_ms=${e.latency_ms},cached=${e.cached},agent="${e.agent}" ${nanos}\n`;
}

// requestEvents yields pieces like accessEvents: narrower events, spread over one day.
export function requestEvents(count) {
  const random = mulberry32(20260302);
  const clock = timestamps(random, daySeconds * 1e6 / count);
  return pieces(count, (i) =>
    `{"ts":"${clock(i)}","region":"${pick(random, regions)}","service":"${pick(random, services)}",` +
    `"status":${pick(random, statuses)},"user_id":"${user(random)}","bytes":${Math.floor(random() * 60000)},` +
    `"latency_ms":${latency(random)}}\n`);
}

function* pieces(count, event) {
  let parts = [];
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const line = event(i);
    parts.push(line);
    bytes += line.length;
    if (bytes >= pieceBytes || i === count - 1) {
      // Events are ASCII, so characters are bytes.
      yield { body: Buffer.from(parts.join(''), 'latin1'), rows: parts.length };
      parts = [];
      bytes = 0;
    }
  }
}

// timestamps gives the i-th event's time: a regular step with up to two seconds of disorder, never before the first day.
function timestamps(random, stepMicros) {
  const seconds = new Map();
  return (i) => {
    const micros = Math.max(0, Math.floor(i * stepMicros - random() * 2e6));
    const second = Math.floor(micros / 1e6);
    let text = seconds.get(second);
    if (text === undefined) {
      text = new Date(firstMillis + second * 1000).toISOString().slice(0, 20);
      seconds.set(second, text);
    }
    return `${text}${String(micros % 1000000).padStart(6, '0')}Z`;
  };
}

// user is one of 200,000, some far more often than others.
function user(random) {
  const r = random();
  return `u${String(Math.floor(r * r * 200000)).padStart(6, '0')}`;
}

// latency has a long tail: mostly a few milliseconds, sometimes seconds.
function latency(random) {
  return (2 / (random() + 0.001)).toFixed(3);
}

function hex(random) {
  return Math.floor(random() * 2 ** 32).toString(16).padStart(8, '0');
}

function pick(random, list) {
  return list[Math.floor(random() * list.length)];
}

// mulberry32 is Tommy Ettinger's 32-bit generator: small, fast and good enough to make up data.
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
