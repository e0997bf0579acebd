package api

import (
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// renderList is an array as JSON, its elements as values of their own type are.
func (v jsonValues) renderList(elem event.Type, values *array.List) appender {
	render := v.appender(elem, values.ListValues())
	return func(dst []byte, i int) []byte {
		dst = append(dst, '[')
		from, to := values.ValueOffsets(i)
		for at := from; at < to; at++ {
			if at > from {
				dst = append(dst, ',')
			}
			dst = render(dst, int(at))
		}
		return append(dst, ']')
	}
}
