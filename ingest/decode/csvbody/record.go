package csvbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// firstBytes is what a body starts with: most are small.
	firstBytes = 2 << 10
	// maxCells bounds the cells of one record; far more than a stream may have columns.
	maxCells = 1 << 16
	// likelyCells is how many most have at most.
	likelyCells = 16
)

// cell is one value as it was written, without quotes.
type cell struct {
	text   []byte
	quoted bool
}

// record is one row of cells; fault says why they cannot be used.
type record struct {
	cells []cell
	raw   []byte // without the line break; cut where it is too long
	fault string
}

// state says where in a record the search for its end is.
type state uint8

const (
	cellStart state = iota
	plain           // in a cell without quotes, or behind the end of one with
	inQuotes
	afterQuote  // behind a quote inside of quotes: the end of the cell, or the first of two that stand for one
	afterEscape // behind what takes its meaning from a quote inside of quotes
)

// records cuts a body into records. Blank lines are passed over.
type records struct {
	src       io.Reader
	delimiter byte            // 0 before the first record, if that is to tell it
	escape    byte            // takes its meaning from a quote inside of quotes, and from itself; 0 where only a second quote does
	width     int             // how many cells records are said to have; 0 if nobody says
	rows      bool            // the first record is no header
	end       byte            // of a line: LF, or CR where the first line has that alone; 0 before that is known
	buf       []byte          // what was read and not given away; bytes before len are never written again
	memory    []*decode.Block // where buf lies, and what was given away and is not left yet
	before    []byte          // what buf was before the last line was taken off
	searched  int             // how much of buf is known to hold no end of a record
	state     state           // at searched
	block     int             // how much memory was asked for last
	most      int             // how much is asked for at most
	skipping  bool            // the rest of a record that was too long is passed over
	cells     []cell          // of the last record
	err       error
	holding   decode.Holding
	beside    func() int64 // what is made of the records so far takes
}

// next returns the next record, or io.EOF. Its texts are never written again; the list of its cells is good until the next one.
func (r *records) next() (record, error) {
	if r.end == 0 {
		r.tellEnd()
	}
	if r.delimiter == 0 {
		r.tellDelimiter()
	}
	for {
		line, whole, err := r.line()
		if err != nil {
			return record{}, err
		}
		switch {
		case r.skipping:
			r.skipping = !whole
		case len(line) > decode.MaxRowBytes:
			r.skipping = !whole
			return record{raw: line[:decode.MaxRowBytes], fault: fmt.Sprintf("the row has more than the %d bytes allowed", decode.MaxRowBytes)}, nil
		case len(line) > 0:
			return r.checked(line), nil
		}
	}
}

// tellEnd finds how the first line ends, reading as far as it has to.
func (r *records) tellEnd() {
	for r.end == 0 {
		if r.end = r.firstEnd(); r.end != 0 {
			return
		}
		if r.err != nil || len(r.buf) > decode.MaxRowBytes {
			r.end = '\n'
			return
		}
		r.fill()
	}
}

// firstEnd is how the first line of what was read ends; 0 where that cannot be told yet.
func (r *records) firstEnd() byte {
	at := cellStart
	for i, c := range r.buf {
		switch {
		case at == afterEscape:
			at = inQuotes
		case at == inQuotes && c == r.escape:
			at = afterEscape
		case c == '"' && at == inQuotes:
			at = afterQuote
		case c == '"' && at != plain:
			at = inQuotes
		case at == inQuotes:
		case c == '\n':
			return c
		case c == '\r' && i+1 == len(r.buf) && r.err == nil: // a LF may follow
			return 0
		case c == '\r' && (i+1 == len(r.buf) || r.buf[i+1] != '\n'):
			return c
		case strings.IndexByte(delimiters, c) >= 0, c == r.delimiter:
			at = cellStart
		default:
			at = plain
		}
	}
	return 0
}

// back makes the record that was given last the next one again. It must have been whole, and without a fault.
func (r *records) back() { r.buf, r.searched, r.state = r.before, 0, cellStart }

// checked cuts a line into cells. Where its quotes are wrong and it holds line breaks, they may well have been none of its own: then only
// what lies before the first is refused, and what follows is looked at again.
func (r *records) checked(line []byte) record {
	out := r.split(line)
	if out.fault == "" {
		return out
	}
	end := bytes.IndexByte(line, r.end)
	if end < 0 {
		return out
	}
	r.buf, r.searched, r.state = r.before[end+1:], 0, cellStart
	return record{raw: r.trimmed(line[:end:end]), fault: out.fault}
}

// line gives the text up to the next line break outside of quotes. Of a line that is too long it gives what has been read of it.
func (r *records) line() (line []byte, whole bool, err error) {
	for {
		if r.search() {
			line = r.take(r.searched)
			r.buf = r.buf[1:]
			return r.trimmed(line), true, nil
		}
		switch {
		case len(r.buf) > decode.MaxRowBytes+1: // the last byte may be the CR before a LF
			state := r.state
			line = r.take(len(r.buf))
			r.state = state
			return line, false, nil
		case errors.Is(r.err, io.EOF) && r.skipping && r.state == inQuotes:
			r.err = event.Errorf(event.CodeBadRequest, "a quote is never closed, and what follows it is too long to be looked at again for rows")
			return nil, false, r.err
		case errors.Is(r.err, io.EOF) && len(r.buf) > 0:
			return r.trimmed(r.take(len(r.buf))), true, nil
		case r.err != nil: // the last line of a body that broke off is not whole
			return nil, false, r.err
		}
		r.fill()
	}
}

// unread is what was read and not looked at, from the beginning of a line on; nothing where that is not at hand, or lines end in CR.
func (r *records) unread() []byte {
	if r.searched != 0 || r.state != cellStart || r.skipping || r.end != '\n' {
		return nil
	}
	return r.buf
}

// pass takes a line off that was read elsewhere, whose line break ends before n.
func (r *records) pass(n int) []byte {
	line := r.trimmed(r.buf[: n-1 : n-1])
	r.buf = r.buf[n:]
	return line
}

// trimmed is a line without the CR that stands before a LF. Where CR ends lines, a LF is what is left of a line that ends in the usual way.
func (r *records) trimmed(line []byte) []byte {
	if r.end == '\r' {
		return bytes.TrimPrefix(line, []byte{'\n'})
	}
	return bytes.TrimSuffix(line, []byte{'\r'})
}

// take gives the first n bytes away, and starts the search anew behind them.
func (r *records) take(n int) []byte {
	r.before = r.buf
	line := r.buf[:n:n]
	r.buf, r.searched, r.state = r.buf[n:], 0, cellStart
	return line
}

// search moves searched to the next line break outside of quotes, or to the end; false without one.
func (r *records) search() bool {
	if r.searched == 0 && r.state == cellStart {
		if end := bytes.IndexByte(r.buf, r.end); end >= 0 && bytes.IndexByte(r.buf[:end], '"') < 0 {
			r.searched = end
			return true
		}
	}
	for i := r.searched; i < len(r.buf); i++ {
		c := r.buf[i]
		switch {
		case r.state == afterEscape:
			r.state = inQuotes
		case r.state == inQuotes:
			end := quoteOr(r.buf[i:], r.escape)
			if end < 0 {
				r.searched = len(r.buf)
				return false
			}
			if i += end; r.buf[i] == '"' {
				r.state = afterQuote
			} else {
				r.state = afterEscape
			}
		case c == '"' && r.state != plain:
			r.state = inQuotes
		case c == r.delimiter, r.delimiter == 0 && strings.IndexByte(delimiters, c) >= 0:
			r.state = cellStart
		case c == r.end:
			r.searched = i
			return true
		default:
			r.state = plain
		}
	}
	r.searched = len(r.buf)
	return false
}

// fill reads more. A byte order mark at the very start is passed over, however it comes.
func (r *records) fill() {
	first := r.block == 0
	for enough := false; !enough && r.err == nil; {
		if r.err = r.grow(); r.err != nil {
			return
		}
		n, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf, r.err = r.buf[:len(r.buf)+n], err
		enough = n > 0 && (!first || len(r.buf) >= len(byteOrderMark))
	}
	if first {
		r.buf = bytes.TrimPrefix(r.buf, []byte(byteOrderMark))
	}
}

const byteOrderMark = "\ufeff"

// grow makes room in another block where there is none left: records point into those before. It is taken to become values of about its own size.
func (r *records) grow() error {
	if len(r.buf) < cap(r.buf) {
		return nil
	}
	block := max(firstBytes, min(4*r.block, r.most))
	size := max(block, 2*len(r.buf))
	if err := r.holding.Set(decode.BlockBytes(r.memory) + r.beside() + 2*int64(size)); err != nil {
		return err
	}
	next := decode.NewBlock(size)
	r.block, r.buf, r.memory = block, append(next.Room(), r.buf...), append(r.memory, next)
	return nil
}

// leave lets go of all blocks but the one in which the next record begins, and gives how much it has let go of. What was given away may then be kept by
// decode.Keep alone.
func (r *records) leave() (bytes int64) {
	left := 1
	if errors.Is(r.err, io.EOF) && len(r.buf) == 0 {
		left, r.buf, r.before = 0, nil, nil
	}
	bytes = decode.BlockBytes(r.memory)
	for ; len(r.memory) > left; r.memory = r.memory[1:] {
		r.memory[0].Release()
	}
	kept := decode.BlockBytes(r.memory)
	_ = r.holding.Set(kept) // less is never refused
	return bytes - kept
}

// split cuts a line into cells.
func (r *records) split(line []byte) record {
	if r.cells == nil {
		r.cells = make([]cell, 0, likelyCells)
	}
	out := record{raw: line, cells: r.cells[:0]}
	rest := line
	for {
		if len(out.cells) == maxCells {
			return record{raw: line, fault: fmt.Sprintf("the row has more than %d cells", maxCells)}
		}
		var c cell
		if len(rest) > 0 && rest[0] == '"' {
			text, after, fault := unquote(rest, r.escape)
			if fault == "" && len(after) > 0 && after[0] != r.delimiter {
				fault = "text after the end of a quoted cell"
			}
			if fault != "" && r.escape == 0 && bytes.Contains(rest, []byte(`\"`)) {
				fault += BackslashFault
			}
			if fault != "" {
				return record{raw: line, fault: fmt.Sprintf("cell %d: %s", len(out.cells)+1, fault)}
			}
			c, rest = cell{text, true}, after
		} else {
			end := bytes.IndexByte(rest, r.delimiter)
			if end < 0 {
				end = len(rest)
			}
			c, rest = cell{text: rest[:end:end]}, rest[end:]
		}
		out.cells = append(out.cells, c)
		if len(rest) == 0 {
			r.cells = out.cells
			return out
		}
		rest = rest[1:]
	}
}

// BackslashFault ends the reason for which a record is refused that may have backslashes before its quotes.
const BackslashFault = `, and \" in the row`

// quoteOr is where the next quote is, or what escapes one; -1 if there is neither.
func quoteOr(text []byte, escape byte) int {
	end := bytes.IndexByte(text, '"')
	if escape == 0 {
		return end
	}
	before := text
	if end >= 0 {
		before = text[:end]
	}
	if at := bytes.IndexByte(before, escape); at >= 0 {
		return at
	}
	return end
}

// unquote reads the quoted cell that text starts with. An escape stands for itself, but before a quote or another escape.
func unquote(text []byte, escape byte) (inside, after []byte, fault string) {
	from, at, whole := 1, 1, true
	for {
		end := quoteOr(text[at:], escape)
		if end < 0 {
			return nil, nil, "the closing quote is missing"
		}
		end += at
		next := byte(0)
		if end+1 < len(text) {
			next = text[end+1]
		}
		switch escapes := text[end] != '"'; {
		case escapes && next != '"' && next != escape:
			at = end + 1
			continue
		case !escapes && next != '"' && whole:
			return text[1:end:end], text[end+1:], ""
		case !escapes && next != '"':
			return append(inside, text[from:end]...), text[end+1:], ""
		}
		inside, whole = append(append(inside, text[from:end]...), next), false
		from, at = end+2, end+2
	}
}
