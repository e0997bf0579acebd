package decode

import "github.com/tidemarkdb/tidemark/event"

// Holding is what the reader of a body holds in memory, of which it tells somebody who may refuse it more. It is used by one goroutine.
type Holding struct {
	// Hold is asked for so many bytes more, or given some back by a negative number, which never fails. nil is never asked.
	Hold func(bytes int64) error

	held int64
}

// Set says how much the reader holds, before it takes what is more. Where that is refused, it holds what it held.
func (h *Holding) Set(bytes int64) error {
	if h.Hold == nil || bytes == h.held {
		return nil
	}
	if err := h.Hold(bytes - h.held); err != nil {
		return err
	}
	h.held = bytes
	return nil
}

const (
	// sliceBytes is what a slice takes beside its values, and refusedBytes what a refused row takes beside its text, with a reason of ordinary length.
	sliceBytes   = 24
	refusedBytes = 128
)

// Held is the memory that the chunk keeps, and so what letting go of it gives back: unlike Bytes, which is what of it are values of rows.
func (c *Chunk) Held() int64 {
	n := c.Kept + int64(cap(c.Lines)) + sliceBytes*int64(cap(c.Texts)) + 8*int64(cap(c.Numbers)) + heldRefused(c.Refused)
	for _, values := range c.Columns {
		n += event.HeldBytes(values)
	}
	if c.Kept == 0 {
		for _, text := range c.Texts {
			n += int64(len(text))
		}
	}
	for _, part := range c.joined {
		n += part.Held()
	}
	return n
}

func heldRefused(refused []Rejected) int64 {
	n := int64(0)
	for _, r := range refused {
		n += refusedBytes + int64(len(r.Raw))
	}
	return n
}

// Held is the memory that the rows keep beside that of the chunk they were decoded from; of columns that were taken as they came, that is all there is.
func (r *Rows) Held() int64 {
	n := sliceBytes*int64(cap(r.Raw)) + 8*int64(cap(r.Lines)) + refusedBytes*int64(len(r.Rejected))
	n += event.ColumnsHeld(r.Columns)
	if r.ownTimes {
		n += 8 * int64(cap(r.Times))
	}
	return n
}

// Held is the memory that the columns take so far.
func (c *Cells) Held() int64 {
	n := int64(0)
	for _, to := range c.columns {
		n += to.held()
	}
	return n
}

func (c *column) held() int64 {
	n := cap(c.valid) + 8*cap(c.ints) + 8*cap(c.floats) + cap(c.bits) + 4*cap(c.offsets) + cap(c.data) + 16*cap(c.words)
	if c.coded != nil {
		n += 4 * cap(c.coded.codes)
	}
	return int64(n)
}
