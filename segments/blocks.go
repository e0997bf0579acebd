package segments

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/cache"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// castagnoli is the polynomial of CRC32C, which processors compute.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// blockKey names a block of a file.
type blockKey struct {
	segment uint64
	block   int
}

// blockCache keeps verified blocks.
type blockCache = cache.Cache[blockKey, []byte]

func newBlockCache(limit int64) *blockCache { return cache.New[blockKey, []byte](limit) }

// checksumWriter computes the checksum of every block of what passes through it.
type checksumWriter struct {
	to     io.Writer
	blocks []uint32
	sum    uint32
	filled int // bytes of the block at hand
}

func (w *checksumWriter) Write(data []byte) (int, error) {
	for rest := data; len(rest) > 0; {
		n := min(len(rest), manifest.BlockBytes-w.filled)
		w.sum = crc32.Update(w.sum, castagnoli, rest[:n])
		w.filled += n
		rest = rest[n:]
		if w.filled == manifest.BlockBytes {
			w.blocks, w.sum, w.filled = append(w.blocks, w.sum), 0, 0
		}
	}
	return w.to.Write(data)
}

// checksums are those of all blocks, the last one included.
func (w *checksumWriter) checksums() []uint32 {
	if w.filled == 0 {
		return w.blocks
	}
	return append(w.blocks, w.sum)
}

// verifiedFile reads a segment through the cache. It returns no byte that was not checked against the manifest.
type verifiedFile struct {
	file    vfs.File
	segment *manifest.Segment
	cache   *blockCache
}

// ReadAt implements io.ReaderAt.
func (f *verifiedFile) ReadAt(p []byte, offset int64) (int, error) {
	done := 0
	for done < len(p) && offset+int64(done) < f.segment.Bytes {
		at := offset + int64(done)
		first := int(at / manifest.BlockBytes)
		last := int(min(offset+int64(len(p)), f.segment.Bytes)-1) / manifest.BlockBytes
		block, err := f.block(first, last)
		if err != nil {
			return done, err
		}
		done += copy(p[done:], block[at-int64(first)*manifest.BlockBytes:])
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// block takes a block from the cache, or loads it together with those up to last that are not cached either, in one read.
func (f *verifiedFile) block(first, last int) ([]byte, error) {
	if block, ok := f.cache.Get(blockKey{f.segment.ID, first}); ok {
		return block, nil
	}
	end := first + 1
	for end <= last && end-first < maxReadBlocks {
		if _, ok := f.cache.Get(blockKey{f.segment.ID, end}); ok {
			break
		}
		end++
	}
	return f.load(first, end)
}

// maxReadBlocks bounds one read to a megabyte.
const maxReadBlocks = 16

// load reads blocks first..end, verifies them, caches them and returns the first.
func (f *verifiedFile) load(first, end int) ([]byte, error) {
	from := int64(first) * manifest.BlockBytes
	data := make([]byte, min(int64(end)*manifest.BlockBytes, f.segment.Bytes)-from)
	if n, err := f.file.ReadAt(data, from); n < len(data) {
		if err == nil || errors.Is(err, io.EOF) {
			return nil, f.corrupt(from+int64(n), "it ends there")
		}
		return nil, fmt.Errorf("read segment file %s at %d: %w", f.segment.File, from, err)
	}
	for i := first; i < end; i++ {
		at := (i - first) * manifest.BlockBytes
		block := data[at:min(len(data), at+manifest.BlockBytes)]
		if i >= len(f.segment.Blocks) {
			return nil, f.corrupt(from+int64(at), "the manifest has no checksum for it")
		}
		if crc32.Checksum(block, castagnoli) != f.segment.Blocks[i] {
			return nil, f.corrupt(from+int64(at), "the block's checksum is wrong")
		}
	}
	for i := first + 1; i < end; i++ {
		at := (i - first) * manifest.BlockBytes
		f.put(i, data[at:min(len(data), at+manifest.BlockBytes)])
	}
	block := data[:min(len(data), manifest.BlockBytes)]
	f.put(first, block)
	return block, nil
}

// put caches a copy of a block that shares no memory with its neighbours, which would otherwise live as long as it does.
func (f *verifiedFile) put(i int, block []byte) {
	f.cache.Put(blockKey{f.segment.ID, i}, append(make([]byte, 0, len(block)), block...), int64(len(block)))
}

func (f *verifiedFile) corrupt(offset int64, why string) error {
	return event.Errorf(event.CodeCorrupt, "segment file %s is damaged at byte %d: %s", f.segment.File, offset, why)
}
