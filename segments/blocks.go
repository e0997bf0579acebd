package segments

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/tidemarkdb/tidemark/event"
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

// verifiedFile reads a segment. It returns no byte that was not checked against the manifest: of whole blocks as they pass, of parts
// of a block through the cache, since the next read mostly wants the rest of it.
type verifiedFile struct {
	store   *Store
	segment *manifest.Segment
	cache   *blockCache
}

// ReadAt implements io.ReaderAt.
func (f *verifiedFile) ReadAt(p []byte, offset int64) (int, error) {
	done := 0
	for done < len(p) && offset+int64(done) < f.segment.Bytes {
		at := offset + int64(done)
		n, err := f.readWhole(p[done:], at)
		if err == nil && n == 0 {
			n, err = f.readPart(p[done:], at)
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// maxReadBlocks bounds one read to a megabyte.
const maxReadBlocks = 16

// readWhole fills p with the whole blocks that fit from offset on, none where a block does not start there.
func (f *verifiedFile) readWhole(p []byte, offset int64) (int, error) {
	n := min(len(p)/manifest.BlockBytes, maxReadBlocks) * manifest.BlockBytes
	if offset%manifest.BlockBytes != 0 || offset+int64(n) > f.segment.Bytes || n == 0 {
		return 0, nil
	}
	return n, f.load(p[:n], offset)
}

// readPart copies what p wants of the block at offset.
func (f *verifiedFile) readPart(p []byte, offset int64) (int, error) {
	block := int(offset / manifest.BlockBytes)
	from := int64(block) * manifest.BlockBytes
	key := blockKey{f.segment.ID, block}
	data, ok := f.cache.Get(key)
	if !ok {
		data = make([]byte, min(manifest.BlockBytes, f.segment.Bytes-from))
		if err := f.load(data, from); err != nil {
			return 0, err
		}
		f.cache.Put(key, data, int64(len(data)))
	}
	return copy(p, data[offset-from:]), nil
}

// load reads blocks from the start of one on and verifies them.
func (f *verifiedFile) load(data []byte, from int64) error {
	if n, err := f.store.handles.readAt(f.segment, data, from); n < len(data) {
		if err == nil || errors.Is(err, io.EOF) {
			return f.corrupt(from+int64(n), "it ends there")
		}
		return fmt.Errorf("read segment file %s at %d: %w", f.segment.File, from, err)
	}
	for i := int(from / manifest.BlockBytes); len(data) > 0; i++ {
		block := data[:min(len(data), manifest.BlockBytes)]
		at := int64(i) * manifest.BlockBytes
		if i >= len(f.segment.Blocks) {
			return f.corrupt(at, "the manifest has no checksum for it")
		}
		if crc32.Checksum(block, castagnoli) != f.segment.Blocks[i] {
			return f.corrupt(at, "the block's checksum is wrong")
		}
		data = data[len(block):]
	}
	return nil
}

func (f *verifiedFile) corrupt(offset int64, why string) error {
	err := event.Errorf(event.CodeCorrupt, "segment file %s is damaged at byte %d: %s", f.segment.File, offset, why)
	f.store.noteDamage(f.segment, err)
	return err
}
