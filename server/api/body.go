package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/query/spill"
)

const (
	// zstdWindow bounds the memory that a zstd body may ask for.
	zstdWindow = 8 << 20
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
	// part counts what has come of a chunk that is not complete; nil for bodies that ask for their memory in another way.
	part *partial
}

// partial counts what a body that is taken in as it comes holds of the present chunk. It may be read ahead by another goroutine.
type partial struct {
	ingest *ingest.Engine
	stream string
	held   atomic.Int64
}

// add asks for memory for what has come.
func (p *partial) add(bytes int64) error {
	if p == nil || bytes == 0 {
		return nil
	}
	if err := p.ingest.HoldPart(p.stream, bytes); err != nil {
		return err
	}
	p.held.Add(bytes)
	return nil
}

// taken gives all of it back.
func (p *partial) taken() {
	if p == nil {
		return
	}
	if held := p.held.Swap(0); held > 0 {
		p.ingest.ReleasePart(p.stream, held)
	}
}

// chunk says that all that came so far has been taken.
func (b *body) chunk() {
	b.paced.chunk()
	b.part.taken()
}

// openBody opens the body of a request under its Content-Encoding. limit bounds what it may be when it is decompressed; 0 for a body that
// is taken in as it comes.
func (s *Server) openBody(w http.ResponseWriter, r *http.Request, limit int64) (*body, error) {
	paced := newPaced(w, r, s.Now)
	packed := &byteCounter{src: paced}
	out := &body{packed: packed, paced: paced, limit: limit, close: func() {}}
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		out.plain, out.packed = paced, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(packed)
		if err != nil {
			return nil, event.Errorf(event.CodeBadRequest, "the body is not gzip: %v", err)
		}
		out.plain, out.close = z, func() { _ = z.Close() } // it only reports errors that Read has reported
	case "zstd":
		z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, event.Errorf(event.CodeBadRequest, "the body is not zstd: %v", err)
		}
		out.plain, out.close = z, z.Close
	default:
		return nil, event.Errorf(event.CodeMediaType, "Content-Encoding %q is not known", encoding).WithHint("use gzip, zstd or none")
	}
	return out, nil
}

// ahead reads ahead of a body whose client may be at work on the rest of it. One that declares its length has it at hand.
func (b *body) ahead() io.Reader {
	if !b.paced.open {
		return b
	}
	p, rest := newPump(b), b.close
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
	if fault := b.part.add(int64(n)); fault != nil {
		return 0, fault
	}
	if b.packed != nil && b.read > growsFree && b.read > growsTimes*b.packed.n {
		return n, event.Errorf(event.CodeTooLarge, "the body has grown to more than %d times its size by being decompressed", growsTimes).
			WithHint("send it in parts, or not compressed")
	}
	return n, err
}

// mistaken says what is wrong with a body that begins like none of the formats but like something well known.
func (b *body) mistaken(begin []byte) error {
	for _, known := range []struct{ magic, encoding string }{{"\x1f\x8b", "gzip"}, {"\x28\xb5\x2f\xfd", "zstd"}} {
		if bytes.HasPrefix(begin, []byte(known.magic)) {
			return event.Errorf(event.CodeBadRequest, "the body is compressed with %s, and no Content-Encoding says so", known.encoding).
				WithHint("send it with 'Content-Encoding: %s'", known.encoding)
		}
	}
	if bytes.HasPrefix(begin, []byte("\xff\xfe")) || bytes.HasPrefix(begin, []byte("\xfe\xff")) || everyOtherIsZero(begin) {
		return event.Errorf(event.CodeBadRequest, "the body is UTF-16").WithHint("send UTF-8")
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

// wholeTotal bounds what all bodies that are held as a whole take together.
const wholeTotal = 512 << 20

// wholes counts what bodies that are held as a whole take. The zero value has counted none.
type wholes struct{ used atomic.Int64 }

// holder counts what one body takes.
type holder struct {
	wholes *wholes
	held   int64
}

func (w *wholes) holder() *holder { return &holder{wholes: w} }

// hold asks for memory, or gives some back.
func (h *holder) hold(bytes int64) error {
	if h.wholes.used.Add(bytes) > wholeTotal && bytes > 0 {
		h.wholes.used.Add(-bytes)
		return errManyLarge()
	}
	h.held += bytes
	return nil
}

// release gives everything back.
func (h *holder) release() { h.wholes.used.Add(-h.held); h.held = 0 }

func errManyLarge() error {
	return event.Errorf(event.CodeTooBusy, "too many large bodies are being read").WithHint("send the request again in a moment")
}

// read reads a body to its end, or until it has more than most bytes, which may be none. What it takes grows with what has come, whatever the
// request declares.
func (h *holder) read(src io.Reader, most int) (body []byte, whole bool, err error) {
	for most == 0 || len(body) <= most {
		if len(body) == cap(body) {
			grown := make([]byte, len(body), max(firstWhole, cap(body)+min(cap(body), wholeStep)))
			if err := h.hold(int64(cap(grown) - cap(body))); err != nil {
				return nil, false, err
			}
			copy(grown, body)
			body = grown
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
func (s *Server) gather(src io.Reader, held *holder) (body []byte, file *spill.Bytes, err error) {
	most := 0
	if s.Spool != nil {
		most = spoolBytes
	}
	body, whole, err := held.read(src, most)
	if err != nil || whole {
		return body, nil, err
	}
	if file, err = s.Spool.CreateBytes(); err != nil {
		return nil, nil, err
	}
	if err = spool(file, body, src); err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	held.release()
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
