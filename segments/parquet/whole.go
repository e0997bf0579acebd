package parquet

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
)

const (
	// keySum is the last entry of a segment's metadata: the CRC32C of the whole file, with noSum in the place of its digits. The manifest has
	// checksums of its own; this one is for when there is no manifest.
	keySum = "tidemark.crc32c"
	noSum  = "00000000"
	// summedBy is what files with that entry say they were written by, so that its loss is not taken for a file from before it.
	summedBy = "tidemark version 2"
	// verifyBytes is how much of a file is read at a time.
	verifyBytes = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// placeOfSum finds the digits of the checksum in an encoded footer, or gives -1. In the compact protocol a short string is a field header, which
// is 0x18 here, its length, and its bytes.
func placeOfSum(footer []byte) int {
	head := keySum + "\x18" + string(rune(len(noSum)))
	at := bytes.LastIndex(footer, []byte(head))
	if at < 0 || at+len(head)+len(noSum) > len(footer) {
		return -1
	}
	return at + len(head)
}

// VerifyFile reads the whole file and holds it against the checksum in it. Files that were written before there was one are taken as they are.
func (r *Reader) VerifyFile(ctx context.Context) error {
	footer, err := r.footerBytes()
	if err != nil {
		return err
	}
	at := placeOfSum(footer)
	if at < 0 {
		if r.summed {
			return corrupt(r.name, "it lacks its checksum")
		}
		return nil
	}
	place := r.size - footerEnd - int64(len(footer)) + int64(at)
	sum := uint32(0)
	for offset := int64(0); offset < r.size; offset += verifyBytes {
		if err := ctx.Err(); err != nil {
			return err
		}
		part, err := r.read(offset, min(verifyBytes, r.size-offset))
		if err != nil {
			return err
		}
		for i := range int64(len(noSum)) {
			if p := place + i - offset; p >= 0 && p < int64(len(part)) {
				part[p] = '0'
			}
		}
		sum = crc32.Update(sum, castagnoli, part)
	}
	if got := fmt.Sprintf("%0*x", len(noSum), sum); got != string(footer[at:at+len(noSum)]) {
		return corrupt(r.name, "its checksum is %s, not %s", got, footer[at:at+len(noSum)])
	}
	return nil
}
