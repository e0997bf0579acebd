package views

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// A checkpoint is the whole state of a view after a frame: what its machine knows and the rows that no segment holds. The two newest
// are kept, so that a damaged one costs nothing but time: the changelog reaches back to the older.
const (
	// stateDir holds a directory of checkpoints for each generation of a view.
	stateDir = "state"
	// checkpointSuffix ends the name of a checkpoint, which is the number of the next frame in twenty digits.
	checkpointSuffix = ".state"
	// machinePart is how much of a machine's state goes into one record.
	machinePart = 1 << 20
	// keptCheckpoints is how many checkpoints stay.
	keptCheckpoints = 2
)

// The kinds of a checkpoint's records, in the order in which they stand.
const (
	kindHeader  uint8 = 1 // checkpointHeader as JSON
	kindMachine uint8 = 2 // the machine's state, cut in parts
	kindFinal   uint8 = 3 // final rows that no segment held, as an Arrow stream
	kindLive    uint8 = 4 // live rows likewise
)

// checkpointHeader is the first record of a checkpoint.
type checkpointHeader struct {
	Version int `json:"v"`
	// Next is the number of the frame that follows.
	Next uint64 `json:"next"`
	// Reads are the columns that the operators read, with their types, in a checkpoint of a version whose state did not say that itself.
	Reads  string `json:"reads,omitempty"`
	Marks  []Mark `json:"marks"`
	Closed int64  `json:"closed"`
	Final  int64  `json:"final"`
	Late   int64  `json:"late"`
	Lost   []Loss `json:"lost,omitempty"`
	// Sent are the marks up to which late rows have gone to their stream.
	Sent []Mark `json:"sent,omitempty"`
	// FinalNext is the number of the final row that follows, and FinalRows how many of those before are in this file.
	FinalNext event.Offset `json:"final_next"`
	FinalRows []int        `json:"final_rows"`
	LiveRows  []int        `json:"live_rows"`
}

// captured is a checkpoint to be: all of it stays as it is while the view goes on, so it can be written from another goroutine.
type captured struct {
	header  checkpointHeader
	schema  *event.Schema
	machine *continuous.State
	final   []rows
	live    []*chunk
}

// checkpointName is the file of the checkpoint before a frame.
func checkpointName(dir string, next uint64) string {
	return path.Join(dir, fmt.Sprintf("%020d%s", next, checkpointSuffix))
}

// capture takes down what a checkpoint holds. It costs a copy of the machine's state; the rows are shared.
func capture(h checkpointHeader, machine *continuous.Machine, c *content) (*captured, error) {
	state, err := machine.Capture()
	if err != nil {
		return nil, err
	}
	h.Version, h.FinalNext = frameVersion, c.next
	out := &captured{header: h, schema: c.definition.Schema, machine: state, live: c.live.share()}
	for _, b := range c.final {
		out.final = append(out.final, rows{columns: b.Record.Columns()[:len(c.definition.Schema.Columns)], count: b.Rows()})
	}
	return out, nil
}

// write writes the checkpoint under its name, complete and durable.
func (c *captured) write(fs vfs.FS, dir string) error {
	final, live := split(c.final), []rows(nil)
	for _, s := range c.live {
		if s.alive == 0 {
			continue
		}
		left, err := s.loadLeft()
		if err != nil {
			return err
		}
		live = append(live, split([]rows{left})...)
	}
	for _, r := range final {
		c.header.FinalRows = append(c.header.FinalRows, r.count)
	}
	for _, r := range live {
		c.header.LiveRows = append(c.header.LiveRows, r.count)
	}
	schema := arrowSchema(c.schema, false)
	name := checkpointName(dir, c.header.Next)
	return record.WriteFile(fs, name, record.Checkpoint, func(w *record.Writer) error {
		header, err := json.Marshal(c.header)
		if err != nil {
			return err
		}
		if err := addRecord(w, kindHeader, header); err != nil {
			return err
		}
		parts := &partWriter{to: w}
		if err := errors.Join(c.machine.Write(parts), parts.flush()); err != nil {
			return err
		}
		return errors.Join(addRows(w, kindFinal, schema, final), addRows(w, kindLive, schema, live))
	})
}

// split cuts rows so that each part fits into a record.
func split(list []rows) []rows {
	var out []rows
	for _, r := range list {
		size := max(1, int(partBytes/(r.bytes()/int64(max(r.count, 1))+1)))
		for from := 0; from < r.count; from += size {
			part := rows{columns: make([]arrow.Array, len(r.columns)), count: min(size, r.count-from)}
			for i, c := range r.columns {
				part.columns[i] = array.NewSlice(c, int64(from), int64(from+part.count))
			}
			out = append(out, part)
		}
	}
	return out
}

func addRows(w *record.Writer, kind uint8, schema *arrow.Schema, list []rows) error {
	for _, r := range list {
		body, err := appendArrow(nil, schema, r.columns, r.count)
		if err != nil {
			return err
		}
		if err := addRecord(w, kind, body); err != nil {
			return err
		}
	}
	return nil
}

// syncBytes is how much of a checkpoint is written between two syncs. Without them the disk would have all of it to write when the log of a
// stream next syncs, and acknowledgements would wait for that.
const syncBytes = 8 << 20

// addRecord writes a record, and syncs now and then.
func addRecord(w *record.Writer, kind uint8, body []byte) error {
	if err := w.Add(kind, func(dst []byte) []byte { return append(dst, body...) }); err != nil {
		return err
	}
	before := w.Size()
	if err := w.Flush(); err != nil || before/syncBytes == w.Size()/syncBytes {
		return err
	}
	return w.Sync()
}

// partWriter cuts what is written into records.
type partWriter struct {
	to      *record.Writer
	pending []byte
}

// Write implements io.Writer.
func (p *partWriter) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := min(len(rest), machinePart-len(p.pending))
		p.pending, rest = append(p.pending, rest[:n]...), rest[n:]
		if len(p.pending) < machinePart {
			break
		}
		if err := p.flush(); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (p *partWriter) flush() error {
	err := addRecord(p.to, kindMachine, p.pending)
	p.pending = p.pending[:0]
	return err
}

// restored is what a checkpoint gives back.
type restored struct {
	checkpointHeader
	machine *continuous.Machine
	content *content
}

// readCheckpoint reads a checkpoint of a view, without a program its rows alone.
func readCheckpoint(fs vfs.FS, name string, program *continuous.Program, empty *content) (out *restored, err error) {
	file, err := fs.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	scanner, err := record.NewScanner(file, name, record.Checkpoint, record.ScanOptions{Whole: true})
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	r := &checkpointReader{scanner: scanner, name: name}
	out = &restored{content: empty}
	if err := r.header(&out.checkpointHeader); err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if program != nil {
		if out.Reads != "" && out.Reads != program.Reads() {
			return nil, continuous.ErrOtherState
		}
		if out.machine, err = program.Restore(r); err != nil {
			return nil, fmt.Errorf("read checkpoint %s: %w", name, err)
		}
	}
	if err := r.rows(out); err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	return out, nil
}

// checkpointReader reads records one after the other; as an io.Reader it gives the machine's state.
type checkpointReader struct {
	scanner *record.Scanner
	name    string
	part    []byte
	// ahead is a record that was read and belongs to what follows the machine's state.
	ahead *record.Frame
}

func (r *checkpointReader) header(h *checkpointHeader) error {
	f, err := r.scanner.Next()
	if err != nil {
		return err
	}
	if f.Kind != kindHeader {
		return record.Corrupt(r.name, f.Offset, "not the header of a checkpoint")
	}
	if err := json.Unmarshal(f.Body, h); err != nil {
		return record.Corrupt(r.name, f.Offset, "the header cannot be read: %v", err)
	}
	if h.Version != frameVersion {
		return event.Errorf(event.CodeNotSupported, "checkpoint %s has version %d and this program knows %d", r.name, h.Version, frameVersion)
	}
	return nil
}

// Read implements io.Reader over the machine's state.
func (r *checkpointReader) Read(p []byte) (int, error) {
	for len(r.part) == 0 {
		if r.ahead != nil {
			return 0, io.EOF
		}
		f, err := r.scanner.Next()
		if err != nil {
			return 0, err
		}
		if f.Kind != kindMachine {
			body := append([]byte(nil), f.Body...)
			r.ahead = &record.Frame{Kind: f.Kind, Offset: f.Offset, Body: body}
			return 0, io.EOF
		}
		r.part = append([]byte(nil), f.Body...)
	}
	n := copy(p, r.part)
	r.part = r.part[n:]
	return n, nil
}

// next is the next record that is not of the machine's state.
func (r *checkpointReader) next() (record.Frame, error) {
	for {
		if r.ahead != nil {
			f := *r.ahead
			r.ahead = nil
			return f, nil
		}
		f, err := r.scanner.Next()
		if err != nil || f.Kind != kindMachine {
			return f, err
		}
	}
}

// rows fills the content.
func (r *checkpointReader) rows(out *restored) error {
	first := out.FinalNext
	for _, n := range out.FinalRows {
		first -= event.Offset(n)
	}
	out.content.next = first
	read := func(kind uint8, count int) (rows, error) {
		f, err := r.next()
		if err != nil {
			return rows{}, err
		}
		if f.Kind != kind {
			return rows{}, record.Corrupt(r.name, f.Offset, "a record of kind %d stands where one of kind %d belongs", f.Kind, kind)
		}
		columns, err := parseArrow(f.Body, count)
		return rows{columns: columns, count: count}, err
	}
	for _, n := range out.FinalRows {
		part, err := read(kindFinal, n)
		if err != nil {
			return err
		}
		if err := out.content.settle(part); err != nil {
			return err
		}
	}
	for _, n := range out.LiveRows {
		part, err := read(kindLive, n)
		if err != nil {
			return err
		}
		out.content.live.insert(part)
	}
	return nil
}

// trimCheckpoints removes all but the newest checkpoints and gives the number of the first frame that those need.
func trimCheckpoints(fs vfs.FS, dir string) (needed uint64, err error) {
	numbers, err := listFiles(fs, dir, checkpointSuffix)
	if err != nil {
		return 0, fmt.Errorf("trim checkpoints: %w", err)
	}
	for len(numbers) > keptCheckpoints {
		if err := fs.Remove(checkpointName(dir, numbers[0])); err != nil {
			return 0, fmt.Errorf("trim checkpoints: %w", err)
		}
		numbers = numbers[1:]
	}
	return numbers[0], nil
}
