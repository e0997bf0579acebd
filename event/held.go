package event

import "github.com/apache/arrow-go/v18/arrow"

// arrayBytes is what Go takes for an array beside its values: the array, its data and three buffers.
const arrayBytes = 512

// ColumnsHeld is the memory that columns keep from being collected, of which some may be one array.
func ColumnsHeld(columns []arrow.Array) int64 { return sumOnce(columns, HeldBytes) }

// HeldBytes is the memory that an array keeps from being collected, its spare room included. Buffers that it shares with others are counted as its own.
func HeldBytes(values arrow.Array) int64 {
	n := int64(arrayBytes)
	for _, buffer := range values.Data().Buffers() {
		if buffer != nil {
			n += int64(cap(buffer.Buf()))
		}
	}
	if a, ok := values.(interface{ Dictionary() arrow.Array }); ok {
		n += HeldBytes(a.Dictionary())
	}
	return n
}
