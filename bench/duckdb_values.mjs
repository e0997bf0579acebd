// DuckDB's values as plain JSON values, in the spelling that Tidemark's own answers have.

import { DuckDBTimestampTZValue, DuckDBTimestampValue } from '@duckdb/node-api';

// plainRows turns the rows of a finished result into arrays of plain values.
export function plainRows(reader) {
  return reader.getRows().map((row) => row.map(plain));
}

function plain(value) {
  if (typeof value === 'bigint') {
    // A number where JavaScript can hold it, else digits: never a rounded number.
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return String(value);
  }
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return rfc3339(value.micros);
  }
  if (value !== null && typeof value === 'object') {
    return value.toString();
  }
  return value;
}

// rfc3339 spells microseconds since 1970 as UTC with six decimals.
function rfc3339(micros) {
  const part = ((micros % 1000000n) + 1000000n) % 1000000n;
  const second = new Date(Number((micros - part) / 1000n)).toISOString().slice(0, 19);
  return `${second}.${part.toString().padStart(6, '0')}Z`;
}
