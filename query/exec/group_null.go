package exec

import "github.com/tidemarkdb/tidemark/event"

// nullCode gives NULL a code among the numbers that a table gives to values: the first that is free when NULL first appears.
// Values that come later have codes one above their number.
type nullCode struct {
	at    uint32
	taken bool
}

// take is the code of NULL; numbered is how many values have numbers so far.
func (n *nullCode) take(numbered int) uint32 {
	if !n.taken {
		n.at, n.taken = uint32(numbered), true
	}
	return n.at
}

// code is the code of the value with a number.
func (n *nullCode) code(number uint32) uint32 {
	if n.taken && number >= n.at {
		return number + 1
	}
	return number
}

// numbers undoes code and says which codes are not NULL's. The number under NULL is 0.
func (n *nullCode) numbers(codes []uint32) ([]int32, event.Bitmap) {
	out := make([]int32, len(codes))
	var valid event.Bitmap
	if n.taken {
		valid = event.NewBitmap(len(codes))
	}
	for i, code := range codes {
		switch {
		case !n.taken:
			out[i] = int32(code)
		case code != n.at:
			valid.Set(i)
			out[i] = int32(code)
			if code > n.at {
				out[i]--
			}
		}
	}
	return out, valid
}

// count is how many codes there are when so many values have numbers.
func (n *nullCode) count(numbered int) int {
	if n.taken {
		return numbered + 1
	}
	return numbered
}
