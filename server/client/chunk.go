package client

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	// chunkBytes is the size of a request of a load: large enough that a sync per request costs little, small enough that a
	// few in flight fit easily into the server's memory for events that are not yet durable.
	chunkBytes = 4 << 20
	// longestLine bounds the memory that one line may take.
	longestLine = 64 << 20
)

// chunk is a run of whole lines.
type chunk struct {
	lines []byte
	// firstLine numbers the first line within its file, from 1.
	firstLine int64
}

// lineOf is the line in the file of the row'th line of the chunk that is not blank, counted from 0.
func (c chunk) lineOf(row int64) int64 {
	at := c.firstLine
	for line := range bytes.Lines(c.lines) {
		if len(bytes.TrimSpace(line)) > 0 {
			if row == 0 {
				break
			}
			row--
		}
		at++
	}
	return at
}

// chunker cuts a reader into chunks of whole lines.
type chunker struct {
	src   io.Reader
	size  int
	rest  []byte
	line  int64
	ended bool
}

// firstBytes is how much room a file's first chunk has at first: most files are small.
const firstBytes = 64 << 10

func newChunker(src io.Reader, size int) *chunker { return &chunker{src: src, size: size, line: 1} }

// next returns the following chunk, or io.EOF. A last line without a line feed counts as whole. The chunk's bytes are its own.
func (c *chunker) next() (chunk, error) {
	room := max(c.size, 2*len(c.rest))
	if c.line == 1 {
		room = min(room, firstBytes)
	}
	buf := append(make([]byte, 0, room), c.rest...)
	for searched := 0; ; searched = len(buf) {
		if err := c.fill(&buf); err != nil {
			return chunk{}, err
		}
		switch cut := bytes.LastIndexByte(buf[searched:], '\n'); {
		case c.ended && len(buf) == 0:
			return chunk{}, io.EOF
		case c.ended:
			return c.cut(buf, len(buf)), nil
		case cut >= 0:
			return c.cut(buf, searched+cut+1), nil
		case len(buf) >= longestLine:
			return chunk{}, fmt.Errorf("line %d is longer than %d MiB; is this newline-delimited JSON?", c.line, longestLine>>20)
		}
		buf = append(make([]byte, 0, min(2*cap(buf), longestLine)), buf...)
	}
}

// fill reads until buf has as much as a chunk and no room left, or the source ends.
func (c *chunker) fill(buf *[]byte) error {
	for !c.ended {
		if len(*buf) == cap(*buf) {
			if cap(*buf) >= c.size {
				return nil
			}
			*buf = append(make([]byte, 0, min(4*cap(*buf), c.size)), *buf...)
		}
		n, err := c.src.Read((*buf)[len(*buf):cap(*buf)])
		*buf = (*buf)[:len(*buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			c.ended = true
		case err != nil:
			return err
		}
	}
	return nil
}

func (c *chunker) cut(buf []byte, end int) chunk {
	out := chunk{lines: buf[:end:end], firstLine: c.line}
	c.rest = buf[end:]
	c.line += int64(bytes.Count(out.lines, []byte{'\n'}))
	return out
}

// Decompress looks at the first bytes and undoes gzip or zstd. Names do not matter, so standard input works as well.
func Decompress(r io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	magic, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		decoder, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return decoder.IOReadCloser(), nil
	default:
		return io.NopCloser(buffered), nil
	}
}
