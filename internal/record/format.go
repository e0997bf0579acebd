// Package record is the one frame in which Tidemark keeps anything that is appended: events, definitions, edits of the list
// of segments. A file is a header and frames; docs/formats.md describes both byte by byte.
//
// What always holds: every byte of a file is under a checksum; a frame of another file, or of a former life of the same one,
// is not taken for a frame of this one (the salt); a frame says how much of the file was durable when it was written, so that
// a tail torn by a power cut, which may be dropped, can be told from damage to what had been promised, which may not.
//
// A Writer and a Scanner belong to one goroutine each; several Scanners may read a file while it is written. The package
// knows nothing of what bodies mean, and it does not decide when to sync.
package record

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"hash/crc32"
)

// Content says what a file holds, so that a file in the wrong place is noticed. The numbers are part of the format.
type Content uint8

// The contents.
const (
	EventLog Content = 1 // the events of one partition
	Journal  Content = 2 // updates of the store's own state
	Snapshot Content = 3 // the whole of that state
	Dedup    Content = 4 // what is known of requests that may come again

	Changelog  Content = 5 // what a materialized view has changed, step by step
	Checkpoint Content = 6 // the state of a materialized view after some step
)

// MaxBody is the size limit of a frame's body. It bounds what a reader must hold in memory for one frame.
const MaxBody = 64 << 20

// KindMark is the kind of the frames that this package writes itself, with an empty body: they only say how much is durable.
const KindMark uint8 = 0

const (
	fileHeaderSize  = 20
	frameHeaderSize = 28
	formatVersion   = 1
	frameVersion    = 1
)

var (
	fileMagic  = []byte("TDMK")
	frameMagic = []byte{0xF5, 0x7D} // no UTF-8 text contains F5, so a search for frames rarely stops inside one
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// NewSalt draws the number that tells one file's frames from every other's.
func NewSalt() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it crashes the program instead
	return binary.LittleEndian.Uint64(b[:])
}

func appendFileHeader(dst []byte, content Content, salt uint64) []byte {
	start := len(dst)
	dst = append(dst, fileMagic...)
	dst = binary.LittleEndian.AppendUint16(dst, formatVersion)
	dst = append(dst, byte(content), 0)
	dst = binary.LittleEndian.AppendUint64(dst, salt)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// fileHeader is a decoded header of a file.
type fileHeader struct {
	version uint16
	content Content
	salt    uint64
}

// parseFileHeader reports false for bytes that are not a whole and undamaged header.
func parseFileHeader(b []byte) (fileHeader, bool) {
	if len(b) < fileHeaderSize || !bytes.Equal(b[:4], fileMagic) {
		return fileHeader{}, false
	}
	if crc32.Checksum(b[:16], castagnoli) != binary.LittleEndian.Uint32(b[16:]) {
		return fileHeader{}, false
	}
	return fileHeader{
		version: binary.LittleEndian.Uint16(b[4:]), content: Content(b[6]), salt: binary.LittleEndian.Uint64(b[8:]),
	}, true
}

// frameHeader is a decoded header of a frame.
type frameHeader struct {
	version uint8
	kind    uint8
	length  int64
	salt    uint64
	durable int64
	crc     uint32
}

// putFrameHeader writes a header into b, whose first frameHeaderSize bytes are the header's and whose rest is the body. sum is what is known of
// its checksum.
func putFrameHeader(b []byte, kind uint8, salt uint64, durable int64, sum Sum) {
	copy(b, frameMagic)
	b[2], b[3] = frameVersion, kind
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-frameHeaderSize))
	binary.LittleEndian.PutUint64(b[8:], salt)
	binary.LittleEndian.PutUint64(b[16:], uint64(durable))
	if sum.Bytes < leastCombined {
		sum = Sum{}
	}
	body := b[frameHeaderSize:]
	crc := checksum(b[:24], body[:len(body)-sum.Bytes])
	binary.LittleEndian.PutUint32(b[24:], combine(crc, sum))
}

// parseFrameHeader decodes the first frameHeaderSize bytes of b and reports whether they look like a frame of the file that
// has the salt. The checksum remains to be checked.
func parseFrameHeader(b []byte, salt uint64) (frameHeader, bool) {
	h := frameHeader{
		version: b[2],
		kind:    b[3],
		length:  int64(binary.LittleEndian.Uint32(b[4:])),
		salt:    binary.LittleEndian.Uint64(b[8:]),
		durable: int64(binary.LittleEndian.Uint64(b[16:])),
		crc:     binary.LittleEndian.Uint32(b[24:]),
	}
	ok := bytes.Equal(b[:2], frameMagic) && h.version == frameVersion && h.salt == salt && h.length <= MaxBody && h.durable >= 0
	return h, ok
}

// checksum covers a frame's header, less the checksum itself, and its body.
func checksum(header, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(header, castagnoli), castagnoli, body)
}
