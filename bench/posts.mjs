// Events of a social network as its relay tells them: one document each, nested, mostly the creation of a like, a post or a follow.

const start = Date.UTC(2026, 2, 1) * 1000;
const step = 240_000; // microseconds between events: a million make up three days
const chunk = 5_000;
const collections = [
  ['like', 0.52], ['post', 0.68], ['repost', 0.8], ['follow', 0.95], ['block', 1],
];
const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const words = 'the sea is up again and nobody at the harbour knows when it will turn back today or tomorrow morning'.split(' ');

// hash gives 32 well-mixed bits of two numbers.
function hash(i, salt) {
  let x = (Math.imul(i ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(salt, 0xc2b2ae35)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

const part = (i, salt) => hash(i, salt) / 2 ** 32;

function id(i, salt, length) {
  let out = '';
  for (let at = 0; at < length; at++) {
    out += letters[hash(i, salt * 100 + at) & 31];
  }
  return out;
}

const user = (i, salt) => `did:plc:${id(Math.floor(200_000 * part(i, salt) ** 2), 7, 24)}`;

// postEvents gives so many events as bodies of NDJSON.
export function* postEvents(count) {
  for (let first = 0; first < count; first += chunk) {
    const lines = [];
    for (let i = first; i < Math.min(count, first + chunk); i++) {
      const micros = start + i * step + (hash(i, 1) % step);
      lines.push(`{"ts":"${new Date(micros / 1000).toISOString()}","doc":${JSON.stringify(document(i, micros))}}`);
    }
    yield { body: Buffer.from(lines.join('\n')), rows: lines.length };
  }
}

function document(i, micros) {
  const did = user(i, 2);
  if (part(i, 3) < 0.01) {
    return { did, time_us: micros, kind: 'identity', identity: { did, handle: `${id(i, 4, 9)}.example.org`, seq: i } };
  }
  const collection = collections.find(([, below]) => part(i, 5) < below)[0];
  const kind = `app.bsky.${['like', 'post', 'repost'].includes(collection) ? 'feed' : 'graph'}.${collection}`;
  const commit = { rev: id(i, 6, 13), operation: part(i, 8) < 0.93 ? 'create' : 'delete', collection: kind, rkey: id(i, 9, 13) };
  if (commit.operation === 'create') {
    commit.record = record(i, kind, collection, new Date(micros / 1000 - (hash(i, 10) % 3000)).toISOString());
    commit.cid = `bafyrei${id(i, 11, 52)}`;
  }
  return { did, time_us: micros, kind: 'commit', commit };
}

function record(i, type, collection, createdAt) {
  switch (collection) {
    case 'post': {
      const text = Array.from({ length: 4 + (hash(i, 12) % 24) }, (_, at) => words[hash(i, 20 + at) % words.length]).join(' ');
      return { $type: type, createdAt, langs: [['en', 'pt', 'ja', 'de'][hash(i, 13) & 3]], text: part(i, 14) < 0.1 ? `"${text}" \n…` : text };
    }
    case 'like':
    case 'repost':
      return { $type: type, createdAt, subject: { cid: `bafyrei${id(i, 15, 52)}`, uri: `at://${user(i, 16)}/app.bsky.feed.post/${id(i, 17, 13)}` } };
    default:
      return { $type: type, createdAt, subject: user(i, 18) };
  }
}
