package spill

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// blockBytes is what of a Bytes has a checksum of its own.
const blockBytes = 64 << 10

// Bytes is a file of bytes in whatever order they are read. It is written by one goroutine, and read once it is written; then ReadAt may be
// called from any.
type Bytes struct {
	space *Space
	name  string
	file  vfs.File
	size  int64
	// written is how many bytes of the space it takes.
	written int64
	sums    []uint32 // of whole blocks, and of the last when it is whole or Flush was called
	block   []byte   // the last one, while it is not whole
}

// CreateBytes makes an empty file. The caller closes it.
func (s *Space) CreateBytes() (*Bytes, error) {
	name := path.Join(s.dir, strconv.FormatInt(s.next.Add(1), 10))
	file, err := s.fs.Create(name)
	if err != nil {
		return nil, fmt.Errorf("make temporary file: %w", diskFull(err))
	}
	return &Bytes{space: s, name: name, file: file}, nil
}

// Size is how many bytes were written.
func (b *Bytes) Size() int64 { return b.size }

// Write implements io.Writer.
func (b *Bytes) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if b.block == nil {
			b.block = make([]byte, 0, blockBytes)
		}
		part := p[:min(len(p), blockBytes-len(b.block))]
		b.block = append(b.block, part...)
		p, n, b.size = p[len(part):], n+len(part), b.size+int64(len(part))
		if len(b.block) == blockBytes {
			if err := b.Flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Flush writes the last block, after which nothing more is written.
func (b *Bytes) Flush() error {
	if len(b.block) == 0 {
		return nil
	}
	if err := b.space.take(int64(len(b.block))); err != nil {
		return err
	}
	b.written += int64(len(b.block))
	b.sums = append(b.sums, crc32.Checksum(b.block, castagnoli))
	if _, err := b.file.Write(b.block); err != nil {
		return fmt.Errorf("write temporary file: %w", diskFull(err))
	}
	b.block = b.block[:0]
	return nil
}

// ReadAt implements io.ReaderAt. It reads whole blocks, for their checksums.
func (b *Bytes) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 || at > b.size {
		return 0, io.EOF
	}
	block := make([]byte, min(blockBytes, b.size))
	for n < len(p) && at < b.size {
		number := at / blockBytes
		start := number * blockBytes
		whole := block[:min(blockBytes, b.size-start)]
		if _, err := b.file.ReadAt(whole, start); err != nil && !errors.Is(err, io.EOF) {
			return n, fmt.Errorf("read temporary file: %w", err)
		}
		if crc32.Checksum(whole, castagnoli) != b.sums[number] {
			return n, event.Errorf(event.CodeCorrupt, "temporary file: %d bytes at %d are damaged", len(whole), start)
		}
		got := copy(p[n:], whole[at-start:])
		n, at = n+got, at+int64(got)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Close removes the file and gives its space back.
func (b *Bytes) Close() error {
	b.space.used.Add(-b.written)
	b.written = 0
	return errors.Join(b.file.Close(), b.space.fs.Remove(b.name))
}
