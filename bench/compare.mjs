// What the rows of the benchmark have in common: medians, and whether two answers are the same.

const tolerance = 1e-9; // relative; sums of floating-point numbers depend on their order

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// compareRows throws where the sides' answers differ: a fast wrong answer is not a result.
export function compareRows(name, ours, theirs) {
  if (ours.length !== theirs.length) {
    throw new Error(`${name}: ${ours.length} rows from Tidemark, ${theirs.length} from DuckDB`);
  }
  ours.forEach((row, i) => {
    const same = row.length === theirs[i].length && row.every((value, j) => equal(value, theirs[i][j]));
    if (!same) {
      throw new Error(`${name}: row ${i} is ${JSON.stringify(row)} from Tidemark, ${JSON.stringify(theirs[i])} from DuckDB`);
    }
  });
}

function equal(a, b) {
  if (typeof a === 'number' && typeof b === 'number' && !(Number.isInteger(a) && Number.isInteger(b))) {
    return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
  }
  return a === b;
}
