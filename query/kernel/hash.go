package kernel

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// Hashes gives each row a hash of its values: rows that are equal in all columns, NULLs taken as equal, have equal hashes, also
// in another process. They serve to divide rows, not to find them: whoever chooses values can make hashes meet.
func Hashes(columns []arrow.Array, types []event.Type, rows int) ([]uint64, error) {
	out := make([]uint64, rows)
	for i, column := range columns {
		if column.DataType().ID() == arrow.NULL {
			continue
		}
		hashes, err := hashesOf(column, types[i])
		if err != nil {
			return nil, err
		}
		valid := validityOf(column)
		for row, h := range hashes {
			if !valid.Valid(row) {
				h = 0
			}
			out[row] = mix(bits.RotateLeft64(out[row], 17) ^ h)
		}
	}
	return out, nil
}
