package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// What has no room is divided by a hash of its keys into spillParts parts, each of which is then brought back by itself; a part
// that has no room either is divided again by further bits of the hash, up to spillLevels times.
const (
	spillParts  = 1 << spillBits
	spillBits   = 4
	spillLevels = 8
)

// partsOf gives the part of each row by its keys.
func partsOf(keys []arrow.Array, types []event.Type, rows, level int) ([]uint8, error) {
	hashes, err := kernel.Hashes(keys, types, rows)
	if err != nil {
		return nil, err
	}
	out := make([]uint8, rows)
	for i, h := range hashes {
		out[i] = uint8(h>>(spillBits*level)) % spillParts
	}
	return out, nil
}

// byPart lists the rows part after part, otherwise as they lie, and where each part ends.
func byPart(parts []uint8) (rows []int32, ends [spillParts]int) {
	for _, p := range parts {
		ends[p]++
	}
	var next [spillParts]int
	for p := 1; p < spillParts; p++ {
		next[p] = next[p-1] + ends[p-1]
	}
	rows = make([]int32, len(parts))
	for i, p := range parts {
		rows[next[p]] = int32(i)
		next[p]++
	}
	return rows, next
}
