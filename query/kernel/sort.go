package kernel

import (
	"math/bits"
	"slices"
)

// sortedAtOnce is how many elements are sorted without a look at the context: some milliseconds of work.
const sortedAtOnce = 1 << 16

// SortFunc sorts s as slices.SortFunc does, and gives up with the context's error where nobody waits for the answer any more; s is in no
// order then. It divides s by quicksort (C. A. R. Hoare, 1962) down to pieces that are sorted between two looks. What is in order already,
// or in reverse, costs one pass.
func SortFunc[E any](ctx *Context, s []E, compare func(a, b E) int) error {
	if len(s) <= sortedAtOnce {
		slices.SortFunc(s, compare)
		return nil
	}
	ordered, err := isOrdered(ctx, s, compare)
	if ordered || err != nil {
		return err
	}
	return sortPieces(ctx, s, compare, 2*bits.Len(uint(len(s))))
}

// isOrdered reports that s is sorted, which it is afterwards as well where it was in strictly descending order.
func isOrdered[E any](ctx *Context, s []E, compare func(a, b E) int) (bool, error) {
	down := compare(s[0], s[1]) > 0
	for i := 1; i < len(s); i++ {
		if c := compare(s[i-1], s[i]); (down && c <= 0) || (!down && c > 0) {
			return false, nil
		}
		if i%sortedAtOnce == 0 {
			if err := ctx.Err(); err != nil {
				return false, err
			}
		}
	}
	if down {
		slices.Reverse(s)
	}
	return true, nil
}

// sortPieces divides s until its pieces are small. After more divisions in a row than chance explains, the rest is sorted without a look.
func sortPieces[E any](ctx *Context, s []E, compare func(a, b E) int, divisions int) error {
	for len(s) > sortedAtOnce && divisions > 0 {
		divisions--
		end, err := divide(ctx, s, compare)
		if err != nil {
			return err
		}
		small, large := s[:end], s[end:]
		if len(small) > len(large) {
			small, large = large, small
		}
		if err := sortPieces(ctx, small, compare, divisions); err != nil {
			return err
		}
		s = large
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	slices.SortFunc(s, compare)
	return nil
}

// divide brings elements that belong to the front before a place inside s, where neither side is empty, and the others behind it. Elements
// equal to the one that it divides by go to both sides.
func divide[E any](ctx *Context, s []E, compare func(a, b E) int) (int, error) {
	by := middleOf(s, compare)
	for i, j, looked := 0, len(s)-1, 0; ; i, j = i+1, j-1 {
		for compare(s[i], by) < 0 {
			i++
		}
		for compare(s[j], by) > 0 {
			j--
		}
		if i >= j {
			return j + 1, nil
		}
		s[i], s[j] = s[j], s[i]
		if i-looked >= sortedAtOnce {
			looked = i
			if err := ctx.Err(); err != nil {
				return 0, err
			}
		}
	}
}

// middleOf is an element of s, not its last alone, before and behind which there are about as many: the median of some.
func middleOf[E any](s []E, compare func(a, b E) int) E {
	var some [31]E
	for i := range some {
		some[i] = s[(2*i+1)*len(s)/(2*len(some))]
	}
	slices.SortFunc(some[:], compare)
	return some[len(some)/2]
}
