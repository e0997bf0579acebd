package event

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// ArrayOf is the type of arrays of elements.
func ArrayOf(elem Type) Type { return Type{Kind: Array, Elem: &elem} }

// NewLists wraps values as arrays: those of row i are values[offsets[i]:offsets[i+1]]. The values of a row that is NULL are not looked
// at. values must not be a dictionary.
func NewLists(offsets []int32, values arrow.Array, valid Bitmap) arrow.Array {
	n := len(offsets) - 1
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes(offsets))}
	nulls := valid.Nulls(n)
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	data := array.NewData(arrow.ListOf(values.DataType()), n, buffers, []arrow.ArrayData{values.Data()}, nulls, 0)
	return array.NewListData(data)
}

// appendJSONList appends the array of row i as JSON.
func appendJSONList(dst []byte, values *array.List, i int, elem Type) ([]byte, error) {
	dst = append(dst, '[')
	start, end := values.ValueOffsets(i)
	inner := values.ListValues()
	for at := start; at < end; at++ {
		if at > start {
			dst = append(dst, ',')
		}
		if inner.IsNull(int(at)) {
			dst = append(dst, "null"...)
			continue
		}
		var err error
		if dst, err = AppendJSONValue(dst, inner, int(at), elem); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// ListItem is one element of an array written as text.
type ListItem struct {
	Text string
	Null bool
}

// ParseList takes an array apart that is written as PostgreSQL writes it: {1,NULL,"a b"}. Elements that are arrays keep their braces. ok
// is false for other text.
func ParseList(s string) (items []ListItem, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
		return nil, false
	}
	rest := strings.TrimSpace(s[1 : len(s)-1])
	if rest == "" {
		return nil, true
	}
	for {
		var item ListItem
		if item, rest, ok = nextItem(rest); !ok {
			return nil, false
		}
		items = append(items, item)
		if rest == "" {
			return items, true
		}
		if rest[0] != ',' {
			return nil, false
		}
		rest = strings.TrimLeft(rest[1:], " \t\n\r")
	}
}

// nextItem reads the element that s begins with and returns what follows it.
func nextItem(s string) (item ListItem, rest string, ok bool) {
	var b strings.Builder
	quoted, depth, i := false, 0, 0
	inQuotes := false
scan:
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			if depth > 0 {
				b.WriteByte(c)
			}
			i++
			b.WriteByte(s[i])
			quoted = true
			continue
		case c == '"':
			inQuotes, quoted = !inQuotes, true
			if depth == 0 {
				continue
			}
		case inQuotes:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth < 0 {
				return item, "", false
			}
		case c == ',' && depth == 0:
			break scan
		}
		b.WriteByte(c)
	}
	if inQuotes || depth > 0 {
		return item, "", false
	}
	item.Text = b.String()
	if !quoted {
		item.Text = strings.TrimSpace(item.Text)
		item.Null = strings.EqualFold(item.Text, "null")
		if item.Text == "" {
			return item, "", false
		}
	}
	return item, s[i:], true
}

// AppendListItem appends an element of an array as text, in quotes where it needs them.
func AppendListItem(dst []byte, s string) []byte {
	if s != "" && !strings.EqualFold(s, "null") && !strings.ContainsAny(s, "{},\"\\ \t\n\r\v\f") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
