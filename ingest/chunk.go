package ingest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// chunkBytes is how much of a body is decoded and committed at a time, and largeBytes of one that has shown to be large: enough for vectors
// that need not be joined to others, small enough that it does not hold up small bodies. maxRowBytes bounds one row.
const (
	chunkBytes  = 256 << 10
	largeBytes  = 1 << 20
	maxRowBytes = 1 << 20
	// firstBytes is what a body starts with: most are small, and one that comes slowly should not hold more than it has sent.
	firstBytes = 2 << 10
	// growBy is how many times as large it becomes when it is full.
	growBy = 4
)

// Chunks cuts a body into chunks of whole lines. A line longer than a row may be comes as a chunk of its own, cut after the
// first byte too many, so that the decoder turns it away and memory stays bounded.
type Chunks struct {
	body io.Reader
	// rest is the start of a line whose end has not been read yet.
	rest []byte
	// whole is what is left of whole lines that are too many for a chunk.
	whole []byte
	// skipping is true while the remainder of a line that was too long is passed over.
	skipping bool
	// large is true behind a chunk that was full: a body that has shown to be large.
	large   bool
	err     error
	holding decode.Holding
}

// NewChunks reads from body. hold is asked for the memory that it takes until Next returns, and may be nil: see decode.Holding.
func NewChunks(body io.Reader, hold func(bytes int64) error) *Chunks {
	return &Chunks{body: body, holding: decode.Holding{Hold: hold}}
}

// flushWait is how long whole lines wait for more to come before they are given, where the body can tell: with each of a fast client's
// bytes the wait is anew, and a client that sends a row now and then has it stored at once.
const flushWait = 100 * time.Millisecond

// prompt is a body that knows whether a Read would return within a time.
type prompt interface {
	Soon(wait time.Duration) bool
}

// Next returns the next chunk, which belongs to the caller until it is recycled, or io.EOF after the last. After any other error the body is broken off;
// lines that were complete before have been returned.
func (c *Chunks) Next() ([]byte, error) {
	if len(c.whole) > 0 {
		return c.part()
	}
	for {
		if c.err != nil && len(c.rest) <= maxRowBytes { // a broken body's last line is incomplete and left out
			return nil, c.err
		}
		first, full := c.sizes()
		buffer, err := c.grown(c.rest, max(first, 2*len(c.rest)))
		if err != nil {
			return nil, err
		}
		full = max(full, 2*len(c.rest))
		buffer = c.fill(buffer, full)
		c.large = len(buffer) >= full
		if c.whole = c.cut(buffer); len(c.whole) > 0 {
			return c.part()
		}
	}
}

// part gives as many of the whole lines as a chunk may have: what is made of a row, or said of one that is turned away, takes far more than a short one.
func (c *Chunks) part() ([]byte, error) {
	chunk := c.whole
	if end := endOfRows(chunk, decode.MaxChunkRows); end < len(chunk) {
		chunk, c.whole = chunk[:end:end], chunk[end:]
	} else {
		c.whole = nil
	}
	return chunk, c.holding.Set(int64(cap(c.rest) + cap(c.whole)))
}

// endOfRows is where the first so many lines end, or all of them.
func endOfRows(lines []byte, rows int) int {
	if len(lines) <= rows || bytes.Count(lines, []byte{'\n'}) <= rows {
		return len(lines)
	}
	at := 0
	for range rows {
		at += bytes.IndexByte(lines[at:], '\n') + 1
	}
	return at
}

// sizes are how large a buffer begins and how large it may become: small for the first of a body, and where no more came at a time, more once the body has
// shown to be large.
func (c *Chunks) sizes() (first, full int) {
	if c.large {
		return chunkBytes, largeBytes
	}
	return firstBytes, chunkBytes
}

// grown is a copy of bytes with room for so many.
func (c *Chunks) grown(bytes []byte, size int) ([]byte, error) {
	if err := c.holding.Set(int64(size + cap(c.rest))); err != nil {
		c.err = err
		return nil, err
	}
	return append(newBuffer(size), bytes...), nil
}

// bufferSizes are those through which the buffer of a body grows, and largeBytes.
var bufferSizes = [...]int{firstBytes, growBy * firstBytes, growBy * growBy * firstBytes, growBy * growBy * growBy * firstBytes, chunkBytes, largeBytes}

// Buffers of these sizes are used again: a chunk's memory is a good part of what an event takes while it is stored, and new memory has to be found, cleared
// and collected.
var buffers [len(bufferSizes)]sync.Pool // of the first of so many bytes

// newBuffer is an empty buffer with room for so many bytes.
func newBuffer(size int) []byte {
	if at := slices.Index(bufferSizes[:], size); at >= 0 {
		if first, ok := buffers[at].Get().(*byte); ok {
			return unsafe.Slice(first, size)[:0]
		}
	}
	return make([]byte, 0, size)
}

// Recycle takes back a chunk that Next has returned, whose bytes nothing may refer to any more.
func Recycle(chunk []byte) {
	if at := slices.Index(bufferSizes[:], cap(chunk)); at >= 0 {
		buffers[at].Put(unsafe.SliceData(chunk))
	}
}

// fill reads until the buffer holds size bytes, growing it as they come, or whole lines and nothing more for now, or the body
// ends. io.ReadFull would not do: it says
// io.ErrUnexpectedEOF at the ordinary end too, which is what a body says that was broken off.
func (c *Chunks) fill(buffer []byte, size int) []byte {
	known, tells := c.body.(prompt)
	for len(buffer) < size && c.err == nil {
		if tells && !known.Soon(flushWait) && bytes.IndexByte(buffer, '\n') >= 0 {
			return buffer
		}
		if len(buffer) == cap(buffer) {
			grown, err := c.grown(buffer, min(growBy*cap(buffer), size))
			if err != nil {
				return buffer // what is whole of it is given
			}
			Recycle(buffer)
			buffer = grown
		}
		var n int
		n, c.err = c.body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
	}
	return buffer
}

// cut takes the whole lines off what was read and keeps the rest. The last line of a body needs no newline, and goes with those before it:
// a small body is one chunk, and so is stored as one.
func (c *Chunks) cut(read []byte) []byte {
	if c.skipping {
		end := bytes.IndexByte(read, '\n')
		if end < 0 {
			c.rest = nil
			return nil
		}
		c.skipping, read = false, read[end+1:]
	}
	end := bytes.LastIndexByte(read, '\n')
	chunk, rest := read[:end+1], read[end+1:]
	if errors.Is(c.err, io.EOF) && len(rest) <= maxRowBytes {
		c.rest = nil
		return read
	}
	if len(chunk) == 0 && len(rest) > maxRowBytes {
		c.skipping, c.rest = true, nil
		return rest[:maxRowBytes+1]
	}
	c.rest = bytes.Clone(rest)
	return chunk
}
