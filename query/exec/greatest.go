package exec

// greatest finds, among values that lie in some order, the places of those that are not below a bound: over each block of values
// stands the greatest one in it, and over blocks of these again, so that blocks without such a value are passed over at once.
type greatest struct {
	// levels[0] are the values; levels[i+1] has the greatest of each block of levels[i].
	levels [][]uint64
}

// greatestShift is the logarithm of the values of a block: 16 of them are two cache lines, which are looked through faster than halved.
const greatestShift = 4

// newGreatest lays out the values of rows.
func newGreatest(values []uint64, rows []int32) *greatest {
	level := make([]uint64, len(rows))
	for i, row := range rows {
		level[i] = values[row]
	}
	out := &greatest{levels: [][]uint64{level}}
	for len(level) > 1<<greatestShift {
		above := make([]uint64, (len(level)-1)>>greatestShift+1)
		for i, v := range level {
			above[i>>greatestShift] = max(above[i>>greatestShift], v)
		}
		level = above
		out.levels = append(out.levels, level)
	}
	return out
}

// next is the first place from at on and before end whose value is least or greater; end if there is none.
func (g *greatest) next(at, end int, least uint64) int {
	level := 0
	for at<<(level*greatestShift) < end {
		values := g.levels[level]
		last := min((at|(1<<greatestShift-1))+1, len(values)) // of the block
		for at < last && values[at] < least {
			at++
		}
		switch {
		case at < last && level == 0:
			return min(at, end)
		case at < last: // one of the block below is great enough
			level--
			at <<= greatestShift
		case last == len(values):
			return end
		default:
			level++
			at = last >> greatestShift
		}
	}
	return end
}

func (g *greatest) bytes() int64 {
	if g == nil {
		return 0
	}
	out := 0
	for _, level := range g.levels {
		out += 8 * cap(level)
	}
	return int64(out)
}
