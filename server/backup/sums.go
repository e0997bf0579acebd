package backup

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/crc32"

	"github.com/tidemarkdb/tidemark/segments/manifest"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// summer hashes what is written to it, as a whole and by blocks.
type summer struct {
	whole, blocks hash.Hash
	block         uint32
	filled        int
}

func newSummer() *summer { return &summer{whole: sha256.New(), blocks: sha256.New()} }

// Write implements io.Writer.
func (s *summer) Write(data []byte) (int, error) {
	s.whole.Write(data)
	for rest := data; len(rest) > 0; {
		n := min(len(rest), manifest.BlockBytes-s.filled)
		s.block = crc32.Update(s.block, castagnoli, rest[:n])
		s.filled += n
		rest = rest[n:]
		if s.filled == manifest.BlockBytes {
			s.end()
		}
	}
	return len(data), nil
}

func (s *summer) end() {
	s.blocks.Write(binary.LittleEndian.AppendUint32(nil, s.block))
	s.block, s.filled = 0, 0
}

// sums are the hashes of a File. Nothing can be written afterwards.
func (s *summer) sums() (whole, blocks string) {
	if s.filled > 0 {
		s.end()
	}
	return hex.EncodeToString(s.whole.Sum(nil)), hex.EncodeToString(s.blocks.Sum(nil))
}

// blocksPrint is the hash by blocks of a file whose checksums are known.
func blocksPrint(crcs []uint32) string {
	sum := sha256.New()
	for _, crc := range crcs {
		sum.Write(binary.LittleEndian.AppendUint32(nil, crc))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
