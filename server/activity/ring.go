package activity

import (
	"slices"
	"strings"
)

// ring keeps the last limit elements.
type ring[T any] struct {
	limit    int
	elements []T
	first    int // the oldest, once the ring is full
}

func (r *ring[T]) add(element T) {
	switch {
	case r.limit <= 0:
	case len(r.elements) < r.limit:
		r.elements = append(r.elements, element)
	default:
		r.elements[r.first] = element
		r.first = (r.first + 1) % r.limit
	}
}

// list is a copy, the oldest first.
func (r *ring[T]) list() []T {
	return slices.Concat(r.elements[r.first:], r.elements[:r.first])
}

// shortened cuts a text that is too long to be kept, at the end of a character.
func shortened(text string) string {
	if len(text) <= maxTextBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxTextBytes], "") + "..."
}
