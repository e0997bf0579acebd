package segments

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// FileDamage is a range of bytes of a segment file that is not what was written.
type FileDamage struct {
	// From is the first byte, and To the one after the last.
	From, To int64
	Reason   string
}

// CheckFile holds every byte of a segment's file against the checksums of the manifest, and changes nothing. The error is of what kept it
// from that.
func CheckFile(ctx context.Context, files vfs.FS, segment *manifest.Segment) (out []FileDamage, err error) {
	file, err := files.Open(segment.File)
	if errors.Is(err, fs.ErrNotExist) {
		return []FileDamage{{To: segment.Bytes, Reason: "the file is missing"}}, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	if size > segment.Bytes {
		out = append(out, FileDamage{From: segment.Bytes, To: size, Reason: "the file is longer than it was written"})
	}
	block := make([]byte, manifest.BlockBytes)
	for i, at := 0, int64(0); at < min(size, segment.Bytes); i, at = i+1, at+manifest.BlockBytes {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		part := block[:min(manifest.BlockBytes, segment.Bytes-at, size-at)]
		if n, err := file.ReadAt(part, at); n < len(part) && !errors.Is(err, io.EOF) {
			out = append(out, FileDamage{From: at, To: at + int64(len(part)), Reason: fmt.Sprintf("it cannot be read: %v", err)})
			continue
		}
		end := at + int64(len(part))
		if i < len(segment.Blocks) && crc32.Checksum(part, castagnoli) == segment.Blocks[i] {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To == at && out[n-1].Reason == wrongChecksum {
			out[n-1].To = end
			continue
		}
		out = append(out, FileDamage{From: at, To: end, Reason: wrongChecksum})
	}
	if size < segment.Bytes {
		out = append(out, FileDamage{From: size, To: segment.Bytes, Reason: "the file ends before that"})
	}
	return out, nil
}

const wrongChecksum = "the checksum is wrong"

// readAll decodes every page of a file, so that each is held against its own checksum.
func readAll(ctx context.Context, reader *parquet.Reader) error {
	var ids []event.FieldID
	for _, c := range reader.Schema().All() {
		if reader.Has(c.ID) {
			ids = append(ids, c.ID)
		}
	}
	for _, m := range reader.Members() {
		ids = append(ids, m.ID)
	}
	for group := range reader.RowGroups() {
		from := 0
		for _, end := range reader.PageEnds(group) {
			if _, _, err := reader.Read(ctx, ids, group, from, end, nil); err != nil {
				return err
			}
			from = end
		}
	}
	return nil
}
