package parquet

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// Codec says how pages are compressed.
type Codec uint8

// The codecs.
const (
	Fresh   Codec = iota // LZ4: quick to read, for data that is asked for often
	Archive              // Zstandard: less space for more time, for data that has grown old
)

func (c Codec) format() format.CompressionCodec {
	if c == Archive {
		return format.Zstd
	}
	return format.Lz4Raw
}

// leastSaving is the share of a page, one part in so many, that compression has to save: less is not worth decompressing it at
// every load, and a page that is as it is can be read in place.
const leastSaving = 8

// leastArchiveSaving is the same for the archive layout, whose point is space.
const leastArchiveSaving = 32

const (
	// lz4MaxRatio is the most that LZ4 can expand a byte to.
	lz4MaxRatio = 255
	// zstdMaxRatio is the most that Zstandard can: a block of 128 KiB of one value takes 4 bytes.
	zstdMaxRatio = 32 << 10
)

// zstdWindow is how far back Zstandard looks for what repeats, in bytes, of which it holds twice as many: a whole page. leanWindow takes less.
const (
	zstdWindow = 8 << 20
	leanWindow = 1 << 20
)

// compressor packs pages. It belongs to one goroutine.
type compressor struct {
	codec   Codec
	lz4     lz4.Compressor
	zstd    *zstd.Encoder // at its usual level
	best    *zstd.Encoder // at its highest one
	hard    bool          // best is to be used
	scratch []byte
}

func newCompressor(layout Layout) (*compressor, error) {
	c := &compressor{codec: layout.Codec}
	if c.codec != Archive {
		return c, nil
	}
	highest, window := zstd.SpeedBestCompression, zstdWindow
	if layout.Lean {
		highest, window = zstd.SpeedBetterCompression, leanWindow
	}
	var err, fault error
	c.zstd, err = newZstdEncoder(zstd.SpeedDefault, window)
	c.best, fault = newZstdEncoder(highest, window)
	return c, errors.Join(err, fault)
}

// newZstdEncoder makes an encoder. Literals are entropy coded at every level: without that identifiers in hexadecimal digits take twice the
// space. Pages have a checksum of their own.
func newZstdEncoder(level zstd.EncoderLevel, window int) (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithWindowSize(window), zstd.WithAllLitEntropyCompression(true),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
}

const (
	// levelSample is how many bytes tell whether the highest level pays.
	levelSample = 128 << 10
	// leastHardSaving is the part, one in so many, that it has to save: it takes several times as long. Reading takes the same.
	leastHardSaving = 16
	// leastHardBytes is how much of a column, as it is in memory, that is tried with: its tables are 50 MB to be made and cleared first, for the
	// sake of a few hundred bytes if there is less.
	leastHardBytes = 32 << 10
)

// chooseLevel sees which level is to be used for data like this.
func (c *compressor) chooseLevel(plain []byte) {
	plain = plain[:min(len(plain), levelSample)]
	c.hard = false
	if usual := len(c.compress(plain)); usual > 0 {
		c.hard = true
		hard := len(c.compress(plain))
		c.hard = hard > 0 && hard < usual-usual/leastHardSaving
	}
}

// compress returns nil where compression does not make the page smaller. The result is valid until the next call. LZ4 is at its
// fastest level: the slower ones cost several times the rest of a write for a few per cent of size.
func (c *compressor) compress(plain []byte) []byte {
	if c.codec == Archive {
		encoder := c.zstd
		if c.hard {
			encoder = c.best
		}
		c.scratch = encoder.EncodeAll(plain, c.scratch[:0])
		if len(c.scratch) >= len(plain) {
			return nil
		}
		return c.scratch
	}
	if need := lz4.CompressBlockBound(len(plain)); cap(c.scratch) < need {
		c.scratch = make([]byte, need)
	}
	n, err := c.lz4.CompressBlock(plain, c.scratch[:cap(c.scratch)])
	if err != nil || n == 0 || n >= len(plain) {
		return nil
	}
	return c.scratch[:n]
}

// pays reports whether a page is kept compressed.
func (c *compressor) pays(plain, body []byte) bool {
	saving := leastSaving
	if c.codec == Archive {
		saving = leastArchiveSaving
	}
	return body != nil && len(body) <= len(plain)-len(plain)/saving
}

// compressAnyway is compress for dictionary pages, which unlike data pages cannot say that they alone are not compressed.
func (c *compressor) compressAnyway(plain []byte) []byte {
	if body := c.compress(plain); body != nil {
		return body
	}
	if c.codec == Archive {
		return c.scratch
	}
	return lz4Literals(plain)
}

// lz4Literals makes an LZ4 block that is one run of literals: the form for what does not compress.
func lz4Literals(plain []byte) []byte {
	const longRun = 15
	n := len(plain)
	if n < longRun {
		return append([]byte{byte(n) << 4}, plain...)
	}
	out := append(make([]byte, 0, n+n/255+2), longRun<<4)
	for n -= longRun; n >= 255; n -= 255 {
		out = append(out, 255)
	}
	return append(append(out, byte(n)), plain...)
}

// zstdDecoder serves all readers: decoding whole pages keeps no state between calls.
var zstdDecoder = newZstdDecoder()

func newZstdDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPageBytes))
	if err != nil {
		panic(fmt.Sprintf("parquet: options of the decoder: %v", err)) // they are constant
	}
	return d
}

// expand undoes compress, into exactly want bytes, which the caller has not checked.
func expand(codec format.CompressionCodec, body []byte, want int) ([]byte, error) {
	ratio := lz4MaxRatio
	if codec == format.Zstd {
		ratio = zstdMaxRatio
	}
	if want < 0 || want > maxPageBytes || want > len(body)*ratio {
		return nil, fmt.Errorf("%d bytes cannot hold %d", len(body), want)
	}
	if want == 0 {
		return []byte{}, nil
	}
	out := make([]byte, want)
	var n int
	var err error
	if codec == format.Zstd {
		var plain []byte
		plain, err = zstdDecoder.DecodeAll(body, out[:0])
		if n = len(plain); n == want {
			out = plain
		}
	} else {
		n, err = lz4.UncompressBlock(body, out)
	}
	if err != nil || n != want {
		return nil, fmt.Errorf("decompresses to %d bytes, not %d: %v", n, want, err)
	}
	return out, nil
}
