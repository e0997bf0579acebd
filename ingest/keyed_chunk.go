package ingest

import (
	"bufio"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// keyedRows is how many rows a chunk of a keyed body has at most.
const keyedRows = 1000

// keyedBuffer is how much of a keyed body is read at a time.
const keyedBuffer = 4 << 10

// KeyedChunks cuts the body of a request with a key. Where it cuts depends on the bytes alone and not on how they come, so that a
// repetition is cut in the same places: after keyedRows lines, or after chunkBytes if that comes first. A line that is too long is cut
// after the first byte too many. What is left of a chunk when the body breaks off is not given.
type KeyedChunks struct {
	in      *bufio.Reader
	done    bool
	holding decode.Holding
}

// NewKeyedChunks reads from body. hold is as for NewChunks.
func NewKeyedChunks(body io.Reader, hold func(bytes int64) error) *KeyedChunks {
	return &KeyedChunks{in: bufio.NewReaderSize(body, keyedBuffer), holding: decode.Holding{Hold: hold}}
}

// Next returns the next chunk, which belongs to the caller, or io.EOF after the last.
func (c *KeyedChunks) Next() ([]byte, error) {
	if c.done {
		return nil, io.EOF
	}
	chunk := make([]byte, 0, firstBytes)
	for lines := 0; lines < keyedRows && len(chunk) < chunkBytes; lines++ {
		if err := c.holding.Set(int64(keyedBuffer + cap(chunk))); err != nil {
			return nil, err
		}
		var err error
		chunk, err = c.appendLine(chunk)
		if errors.Is(err, io.EOF) {
			c.done = true
			if len(chunk) == 0 {
				return nil, io.EOF
			}
			return chunk, c.holding.Set(0)
		}
		if err != nil {
			return nil, err
		}
	}
	return chunk, c.holding.Set(keyedBuffer)
}

// appendLine adds a line with its line break. io.EOF comes with what the body ends in.
func (c *KeyedChunks) appendLine(chunk []byte) ([]byte, error) {
	start := len(chunk)
	for {
		part, err := c.in.ReadSlice('\n')
		if room := maxRowBytes + 1 - (len(chunk) - start); len(part) > room {
			part = part[:max(room, 0)]
		}
		chunk = append(chunk, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == nil && len(chunk) > start && chunk[len(chunk)-1] != '\n' { // the line was cut
			chunk = append(chunk, '\n')
		}
		return chunk, err
	}
}
