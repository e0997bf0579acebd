package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/query/spill"
)

const (
	// zstdWindow bounds the memory that a zstd body may ask for.
	zstdWindow = 8 << 20
	// What decompressing takes: gzipBytes for gzip, for zstd the window, as much again up to zstdAhead, and zstdBytes.
	gzipBytes = 48 << 10
	zstdAhead = 128 << 10
	zstdBytes = 64 << 10
	// wholeBytes bounds the bodies that are held in memory as a whole while they are read: Parquet, whose index is its end. Where there is a place
	// for files, those of more than spoolBytes are kept there, which has a bound of its own; copyBytes go there at a time.
	wholeBytes = 256 << 20
	spoolBytes = 16 << 20
	copyBytes  = 256 << 10
	// firstWhole is what holds such a body at first: a file of one row has a few KiB, and more for each request keeps the collector busy.
	firstWhole = 8 << 10
	// wholeStep is the most by which what holds such a body grows at a time.
	wholeStep = 64 << 20
	// A body may grow growsFree bytes when it is decompressed, and growsTimes its size beyond that. Events that repeat themselves shrink
	// to a hundredth; what shrinks to less is made to.
	growsFree  = 64 << 20
	growsTimes = 250
)

// body is the decompressed body of a request, which ends with an error once it has become too large.
type body struct {
	plain io.Reader
	close func()
	paced *paced
	// packed counts what came over the wire; nil for a body that is not compressed.
	packed *byteCounter
	// limit bounds plain; 0 means that there is none.
	limit, read int64
	account     *account
}

// chunk says that all that came so far has been taken, but for a chunk that a request with a key holds back.
func (b *body) chunk(keyed bool) {
	b.paced.chunk()
	b.account.taken(keyed)
}

// give says that chunks are about to be taken, and asks for their memory.
func (b *body) give(chunks ...*decode.Chunk) error {
	b.paced.give()
	return b.account.give(chunks...)
}

// openBody opens the body of a request for a stream under its Content-Encoding; the stream is "" for several. limit bounds what it may be when it is
// decompressed; 0 for a body that is taken in as it comes.
func (s *Server) openBody(w http.ResponseWriter, r *http.Request, stream string, limit int64) (*body, error) {
	paced := newPaced(w, r, s.Now)
	packed := &byteCounter{src: paced}
	out := &body{packed: packed, paced: paced, limit: limit, account: &account{ingest: s.Ingest, stream: stream}}
	out.close = out.account.close
	if err := out.unpack(strings.Join(r.Header.Values("Content-Encoding"), ", "), packed); err != nil {
		out.close()
		return nil, err
	}
	return out, nil
}

// unpack sets what gives the body as it was before it was compressed.
func (b *body) unpack(encoding string, packed io.Reader) error {
	switch strings.ToLower(encoding) {
	case "", "identity":
		b.plain, b.packed = b.paced, nil
	case "gzip", "x-gzip":
		if err := b.account.hold(gzipBytes); err != nil {
			return err
		}
		z, err := gzip.NewReader(packed)
		if err != nil {
			return event.Errorf(event.CodeBadRequest, "the body is not gzip: %v", err).WithHint(encodingHint)
		}
		b.plain = z
	case "zstd":
		frames := &zstdFrames{src: packed, hold: b.account.hold}
		z, err := zstd.NewReader(frames, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return event.Errorf(event.CodeBadRequest, "the body is not zstd: %v", err)
		}
		b.plain, b.close = &zstdBody{src: z}, func() { z.Close(); b.account.close() }
	default:
		return event.Errorf(event.CodeMediaType, "Content-Encoding %q is not known", encoding).WithHint("use one of gzip and zstd, or none")
	}
	return nil
}

// ahead reads ahead of a body whose client may be at work on the rest of it. One that declares its length has it at hand.
func (b *body) ahead() io.Reader {
	if !b.paced.open {
		return b
	}
	p, rest := newPump(b, b.account.hold), b.close
	b.close = func() {
		p.close(func() { b.paced.deadline(time.Unix(1, 0)) })
		b.paced.deadline(time.Time{}) // the server reads what is left of a short body, so that its client hears the answer
		rest()
	}
	return p
}

// Read reads on, within the limits.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.plain.Read(p)
	if b.read == 0 {
		if fault := b.mistaken(p[:n]); fault != nil {
			return 0, fault
		}
	}
	b.read += int64(n)
	if b.limit > 0 && b.read > b.limit {
		return n, event.Errorf(event.CodeTooLarge, "the body has more than %d MiB", b.limit>>20).
			WithHint("send it in parts; newline-delimited JSON and CSV may be of any length")
	}
	if b.packed != nil && b.read > growsFree && b.read > growsTimes*b.packed.n {
		return n, event.Errorf(event.CodeTooLarge, "the body has grown to more than %d times its size by being decompressed", growsTimes).
			WithHint("send it in parts, or not compressed")
	}
	return n, err
}

const encodingHint = "let Content-Encoding say what the body is compressed with, gzip or zstd, and leave it out where it is not"

const compressHint = "send it compressed with gzip or zstd, or not at all"

// mistaken says what is wrong with a body that begins like none of the formats but like something well known.
func (b *body) mistaken(begin []byte) error {
	for _, known := range []struct{ magic, encoding string }{{"\x1f\x8b", "gzip"}, {"\x28\xb5\x2f\xfd", "zstd"}} {
		if bytes.HasPrefix(begin, []byte(known.magic)) {
			return event.Errorf(event.CodeBadRequest, "the body is compressed with %s, and no Content-Encoding says so", known.encoding).
				WithHint("send it with 'Content-Encoding: %s'", known.encoding)
		}
	}
	for _, known := range []struct{ magic, name, hint string }{
		{"PK\x03\x04", "a zip archive, or a file of Excel", "take the files out of it, or save the sheet as CSV"},
		{"BZh", "compressed with bzip2", compressHint},
		{"\xfd7zXZ\x00", "compressed with xz", compressHint},
		{"Obj\x01", "an Avro file", "send it as Parquet, Arrow or JSON"},
		{"\xff\xfe\x00\x00", "UTF-32", "send UTF-8"},
	} {
		if bytes.HasPrefix(begin, []byte(known.magic)) {
			return event.Errorf(event.CodeBadRequest, "the body is %s", known.name).WithHint("%s", known.hint)
		}
	}
	if bytes.HasPrefix(begin, []byte("\xff\xfe")) || bytes.HasPrefix(begin, []byte("\xfe\xff")) { // of a route where no encoding can be named
		return event.Errorf(event.CodeBadRequest, "the body is UTF-16").WithHint("send UTF-8")
	}
	if everyOtherIsZero(begin) {
		return event.Errorf(event.CodeBadRequest, "the body is UTF-16 without a mark that says so").WithHint("send it with charset=utf-16le or charset=utf-16be")
	}
	return nil
}

// everyOtherIsZero reports whether a text begins as UTF-16 does without a mark.
func everyOtherIsZero(begin []byte) bool {
	if len(begin) < 4 {
		return false
	}
	a, b := begin[0]|begin[2], begin[1]|begin[3]
	return a == 0 && begin[1] != 0 && begin[3] != 0 || b == 0 && begin[0] != 0 && begin[2] != 0
}

// readWhole reads a body to its end, or until it has more than most bytes or there is no memory for more, unless most is 0. What it takes grows with what has
// come, whatever the request declares.
func (a *account) readWhole(src io.Reader, most int) (body []byte, whole bool, err error) {
	for most == 0 || len(body) <= most {
		if len(body) == cap(body) {
			size := max(firstWhole, cap(body)+min(cap(body), wholeStep))
			err := a.hold(int64(size - cap(body)))
			if err != nil && most > 0 && len(body) > 0 {
				return body, false, nil
			}
			if err != nil {
				return nil, false, err
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := src.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, true, nil
		}
		if err != nil {
			return nil, false, brokenOff(err)
		}
	}
	return body, false, nil
}

// gather reads a body that has to be there before it can be read: into memory, or a file where it is large and there is a place for one.
func (s *Server) gather(src io.Reader, held *account) (body []byte, file *spill.Bytes, err error) {
	most := 0
	if s.Spool != nil {
		most = spoolBytes
	}
	body, whole, err := held.readWhole(src, most)
	if err != nil || whole {
		return body, nil, err
	}
	if file, err = s.Spool.CreateBytes(); err != nil {
		return nil, nil, err
	}
	if err = spool(file, body, src); err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	_ = held.hold(-int64(cap(body))) // less is never refused
	return nil, file, nil
}

// spool writes what has come of a body, and what is to come, to a file.
func spool(file *spill.Bytes, begin []byte, src io.Reader) error {
	if _, err := file.Write(begin); err != nil {
		return err
	}
	for buffer := begin[:min(len(begin), copyBytes)]; ; {
		n, err := src.Read(buffer)
		if err != nil && !errors.Is(err, io.EOF) {
			return brokenOff(err)
		}
		if _, fault := file.Write(buffer[:n]); fault != nil {
			return fault
		}
		if err != nil {
			return file.Flush()
		}
	}
}

// byteCounter counts what is read.
type byteCounter struct {
	src io.Reader
	n   int64
}

func (c *byteCounter) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n += int64(n)
	return n, err
}
