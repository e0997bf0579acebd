package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// valueNumbers numbers distinct values densely, in order of first appearance. It keeps one copy of each.
type valueNumbers struct {
	integers map[int64]uint32
	texts    map[string]uint32
	pieces   []arrow.Array // the distinct values laid end to end, by number
	count    uint32
	size     int64 // of keys and pieces, in bytes
}

// mapEntryBytes is about what an entry of a Go map takes, beside what it points to.
const mapEntryBytes = 32

// numbers gives each value its number, new ones where it has none.
func (c *valueNumbers) numbers(values arrow.Array, t event.Type) ([]uint32, error) {
	var err error
	if t.Kind == event.JSONB { // equal values are to show alike, whichever came first
		if values, err = canonicalColumn(values); err != nil {
			return nil, err
		}
	}
	keys, err := keysOfValues(values, t)
	if err != nil {
		return nil, err
	}
	valid := validityOf(values)
	out := make([]uint32, values.Len())
	var fresh []int32
	for i := range out {
		if !valid.Valid(i) {
			continue
		}
		number, known := c.number(&keys, i)
		if !known {
			fresh = append(fresh, int32(i))
		}
		out[i] = number
	}
	if len(fresh) > 0 {
		piece := Decode(Take(values, fresh))
		c.pieces = append(c.pieces, piece)
		c.size += int64(piece.Data().SizeInBytes())
	}
	return out, nil
}

func (c *valueNumbers) number(keys *valueKeys, i int) (number uint32, known bool) {
	if keys.integers != nil {
		if c.integers == nil {
			c.integers = map[int64]uint32{}
		}
		if number, known = c.integers[keys.integers[i]]; !known {
			number = c.count
			c.integers[keys.integers[i]] = number
		}
	} else {
		if c.texts == nil {
			c.texts = map[string]uint32{}
		}
		key := keys.texts.at(i)
		if number, known = c.texts[key]; !known {
			number = c.count
			c.texts[string([]byte(key))] = number // a copy: the key is a view of the batch
			c.size += int64(len(key))
		}
	}
	if !known {
		c.count++
		c.size += mapEntryBytes
	}
	return number, known
}

// values is all distinct values by number.
func (c *valueNumbers) values(t event.Type) (arrow.Array, error) {
	if len(c.pieces) == 0 {
		return event.NewNulls(t, 0), nil
	}
	all, err := Concat(c.pieces)
	if err != nil {
		return nil, err
	}
	c.pieces = []arrow.Array{all}
	return all, nil
}

// has reports whether a value has a number. It changes nothing.
func (c *valueNumbers) has(keys *valueKeys, i int) bool {
	if keys.integers != nil {
		_, known := c.integers[keys.integers[i]]
		return known
	}
	_, known := c.texts[keys.texts.at(i)]
	return known
}
