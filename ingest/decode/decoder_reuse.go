package decode

import (
	"sync"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
)

// A decoder for the rows of a schema takes longer to make than a row to read. So those of small requests are used again, with what they expect of rows:
// what comes next, and how it is spelled. What they expect changes how long a row takes, and never what becomes of it.

const (
	// mostReused bounds the columns of decoders that are used again, and mostScratch the memory that they keep.
	mostReused, mostScratch = 256, 16 << 10
	// decoderPools spread decoders by their schemas, so that streams that take turns find their own.
	decoderPools = 16
)

var freeDecoders [decoderPools]sync.Pool // of *decoder

func decodersOf(schema *event.Schema) *sync.Pool {
	const aligned = 6 // schemas are larger than that, and do not begin at every place
	return &freeDecoders[uintptr(unsafe.Pointer(schema))>>aligned%decoderPools]
}

// takeDecoder gives a decoder with labels, new or used.
func takeDecoder(schema *event.Schema, options Options) (*decoder, error) {
	if d, ok := decodersOf(schema).Get().(*decoder); ok && d.names.schema == schema && d.mode == options.Mode {
		d.arrival, d.memory, d.most, d.out = options.Arrival, options.Memory, options.MostRejected, &Rows{}
		return d, nil
	}
	d, err := newDecoder(schema, options)
	if err != nil {
		return nil, err
	}
	d.label(schema)
	return d, nil
}

// release lets the decoder be used again. What it has decoded is given away.
func (d *decoder) release() {
	if len(d.columns) > mostReused || cap(d.scratch) > mostScratch || cap(d.gathered) > mostScratch {
		return
	}
	d.scanner, d.members, d.limits = scanner{}, memberReader{}, limits{}
	d.ahead, d.memory, d.gathered, d.out, d.line = nil, nil, d.gathered[:0], nil, 0
	for i := range d.columns {
		d.columns[i].forget()
	}
	decodersOf(d.names.schema).Put(d)
}

// forget readies the column for another decode.
func (c *column) forget() {
	c.label.learned = 0
	if !c.reserved {
		return
	}
	c.reserved, c.rows, c.valid, c.bits, c.coded = false, 0, nil, nil, nil
	c.ints, c.floats, c.offsets, c.data, c.words = nil, nil, nil, nil, nil
}
