package continuous

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// The layout of a snapshot: stateMagic, stateVersion, the program's identity as JSON, the inputs' watermarks in the program's order, then what
// each operator writes, every input before what reads it. Numbers are varints; columns are an Arrow IPC stream behind the number of
// rows, its CRC32C, for the decoder trusts what it reads, and its length.
const (
	stateMagic = "TMCQ"
	// stateVersion 2 adds, behind the groups of a grouping, those that were on disk, 3 the same for the rows of a join and for first rows, 4 for
	// panes, 5 for frames that slide, 6 for sessions, and 7 for all that keeps rows by key. 8 has the identity where the text was that EXPLAIN
	// printed, and the name of each input before its watermarks.
	stateVersion = 8
	// identityVersion is the first with an identity.
	identityVersion = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// State is what a machine knew at one moment. It shares nothing with the machine that changes, so it can be written while the machine goes
// on, from any goroutine.
type State struct {
	parts []statePart
	size  int64
}

// statePart is one piece of a state: bytes as they are written, columns still to be encoded, or columns still to be read from the disk.
type statePart struct {
	plain   []byte
	columns []arrow.Array
	rows    int
	read    func() ([]arrow.Array, error)
	release func() error
}

// encoded is the part as it is written.
func (p *statePart) encoded() ([]byte, error) {
	columns := p.columns
	switch {
	case p.read != nil:
		var err error
		if columns, err = p.read(); err != nil {
			return nil, err
		}
	case columns == nil:
		return p.plain, nil
	}
	return encodeColumns(columns, p.rows)
}

// Bytes is the memory that the state holds, about.
func (s *State) Bytes() int64 { return s.size }

// Close lets go of what the state needs of the disk. It may be called twice.
func (s *State) Close() error {
	var errs []error
	for i, p := range s.parts {
		if p.release != nil {
			errs = append(errs, p.release())
			s.parts[i].release = nil
		}
	}
	return errors.Join(errs...)
}

// Write writes the state: the same bytes for the same state. It is framed and checksummed by the caller.
func (s *State) Write(w io.Writer) error {
	for _, p := range s.parts {
		body, err := p.encoded()
		if err == nil {
			_, err = w.Write(body)
		}
		if err != nil {
			return fmt.Errorf("write state: %w", err)
		}
	}
	return nil
}

// stateWriter takes down a state. Columns are encoded later: to copy them is all that the machine has to wait for.
type stateWriter struct{ state State }

func (w *stateWriter) write(b []byte) {
	w.state.size += int64(len(b))
	if n := len(w.state.parts); n > 0 && w.state.parts[n-1].plain != nil {
		w.state.parts[n-1].plain = append(w.state.parts[n-1].plain, b...)
		return
	}
	w.state.parts = append(w.state.parts, statePart{plain: append([]byte(nil), b...)})
}

func (w *stateWriter) number(v int64) { w.write(binary.AppendVarint(nil, v)) }

func (w *stateWriter) flag(v bool) {
	if v {
		w.number(1)
	} else {
		w.number(0)
	}
}

func (w *stateWriter) text(s string) {
	w.number(int64(len(s)))
	w.write([]byte(s))
}

// begin writes what every snapshot starts with.
func (w *stateWriter) begin(m *Machine) {
	w.write([]byte(stateMagic))
	w.number(stateVersion)
	w.text(m.program.identity)
	for _, in := range m.program.inputs {
		at := m.marks[in.Name]
		w.text(in.Name)
		w.number(at.closed)
		w.number(at.final)
	}
}

// columns takes down arrays of the same number of rows, which must not change afterwards.
func (w *stateWriter) columns(columns []arrow.Array, rows int) error {
	for _, c := range columns {
		w.state.size += event.ArrayBytes(c)
	}
	w.state.parts = append(w.state.parts, statePart{columns: append(make([]arrow.Array, 0, len(columns)), columns...), rows: rows})
	return nil
}

// later takes down columns on disk, which stay there until release is called.
func (w *stateWriter) later(rows int, read func() ([]arrow.Array, error), release func() error) {
	w.state.parts = append(w.state.parts, statePart{rows: rows, read: read, release: release})
}

// encodeColumns is how columns stand in a snapshot.
func encodeColumns(columns []arrow.Array, rows int) ([]byte, error) {
	fields := make([]arrow.Field, len(columns))
	columns = decoded(columns)
	for i, c := range columns {
		columns[i] = blanked(c)
		fields[i] = arrow.Field{Name: fmt.Sprint(i), Type: c.DataType(), Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	// The head stands right before the columns, whose length it tells, so that neither is copied: a state may be most of a view's memory.
	const mostOfHead = 3 * binary.MaxVarintLen64
	out := bytes.NewBuffer(make([]byte, mostOfHead, mostOfHead+encodedBytes(columns)))
	writer := ipc.NewWriter(out, ipc.WithSchema(schema))
	if err := writer.Write(array.NewRecordBatch(schema, columns, int64(rows))); err != nil {
		return nil, fmt.Errorf("encode columns: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("encode columns: %w", err)
	}
	body := out.Bytes()[mostOfHead:]
	head := binary.AppendVarint(nil, int64(rows))
	head = binary.AppendVarint(head, int64(crc32.Checksum(body, castagnoli)))
	head = binary.AppendVarint(head, int64(len(body)))
	all := out.Bytes()[mostOfHead-len(head):]
	copy(all, head)
	return all, nil
}

// encodedBytes is about how much columns take in a snapshot. Of lists it counts none.
func encodedBytes(columns []arrow.Array) int {
	const ofMessages, ofColumn = 1 << 10, 1 << 8 // names, lengths and gaps, more than there are
	size := ofMessages
	for _, c := range columns {
		size += ofColumn + c.Len()/8
		if fixed, ok := c.DataType().(arrow.FixedWidthDataType); ok {
			size += (c.Len()*fixed.BitWidth() + 7) / 8
		} else if texts, ok := c.(array.BinaryLike); ok {
			size += 4*c.Len() + len(texts.ValueBytes())
		}
	}
	return size
}

// blanked has the same values, and under NULLs nothing left to chance.
func blanked(values arrow.Array) arrow.Array {
	if values.NullN() == 0 || values.DataType().ID() == arrow.LIST || values.DataType().ID() == arrow.NULL {
		return values
	}
	if values.NullN() == values.Len() {
		return array.MakeArrayOfNull(memory.DefaultAllocator, values.DataType(), values.Len())
	}
	rows, valid := make([]int32, values.Len()), event.ValidityOf(values)
	last := int32(0)
	for !valid.Valid(int(last)) {
		last++
	}
	for i := range rows {
		if valid.Valid(i) {
			last = int32(i)
		}
		rows[i] = last
	}
	return kernel.TakeValid(values, rows, valid)
}

// stateReader reads what a stateWriter wrote. What cannot be read is a corrupt error. It holds one piece of the state at a time.
type stateReader struct {
	r       *bufio.Reader
	version int64
	// of says what the state is of, nil of versions before identityVersion, and form the Version of what is read now.
	of   *meaning
	form int
}

// reading notes which operator reads what follows.
func (r *stateReader) reading(p *Program, n node) {
	if at, ok := p.keeps[n]; ok && r.of != nil {
		r.form = r.of.Keeps[at].Version
	} else {
		r.form = 1
	}
}

func newStateReader(r io.Reader) *stateReader { return &stateReader{r: bufio.NewReader(r)} }

func errState(format string, args ...any) error {
	return event.Errorf(event.CodeCorrupt, "state of a continuous query: "+format, args...)
}

func (r *stateReader) number() (int64, error) {
	v, err := binary.ReadVarint(r.r)
	if err != nil {
		return 0, errState("a number is cut off")
	}
	return v, nil
}

// size is a number of things, of which there may turn out to be fewer.
func (r *stateReader) size() (int, error) {
	v, err := r.number()
	if err == nil && (v < 0 || v > math.MaxInt32*8) {
		err = errState("%d is no number of things", v)
	}
	return int(v), err
}

func (r *stateReader) flag() (bool, error) {
	v, err := r.number()
	return v != 0, err
}

// take reads bytes behind their number. It makes room for those that are there, whatever the number says.
func (r *stateReader) take() ([]byte, error) {
	n, err := r.size()
	if err != nil {
		return nil, err
	}
	const atOnce = 1 << 20
	if n > atOnce {
		var out bytes.Buffer
		_, err = io.CopyN(&out, r.r, int64(n))
		return out.Bytes(), shortState(err)
	}
	out := make([]byte, n)
	_, err = io.ReadFull(r.r, out)
	return out, shortState(err)
}

// shortState says that a state ends too early.
func shortState(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errState("it is cut off")
	}
	return err
}

func (r *stateReader) begin(m *Machine) error {
	magic := make([]byte, len(stateMagic))
	if _, err := io.ReadFull(r.r, magic); err != nil || string(magic) != stateMagic {
		return errState("it does not begin with %s", stateMagic)
	}
	version, err := r.number()
	if err != nil {
		return err
	}
	if version < 1 || version > stateVersion {
		return errState("version %d; this program reads up to %d", version, stateVersion)
	}
	r.version = version
	program, err := r.take()
	if err != nil {
		return err
	}
	if r.of, err = m.program.owns(program, version); err != nil {
		return err
	}
	for _, in := range m.program.inputs {
		name := in.Name
		if version >= identityVersion {
			found, err := r.take()
			if err != nil {
				return err
			}
			name = string(found)
		}
		if _, ok := m.marks[name]; !ok {
			return errState("it has a watermark of %q, which the query does not read", name)
		}
		var at marks
		if at.closed, err = r.number(); err != nil {
			return err
		}
		if at.final, err = r.number(); err != nil {
			return err
		}
		m.marks[name] = at
	}
	return nil
}

// ErrOtherState marks the error of a state that another program has kept: it is whole, and of no use.
var ErrOtherState = errors.New("the state is that of another query, or of another version of its operators")

// owns says what a state is of that begins so, and fails where it is not the program's. What versions before identityVersion kept is known by the
// text that EXPLAIN printed then.
func (p *Program) owns(kept []byte, version int64) (of *meaning, err error) {
	difference := ""
	switch {
	case version < identityVersion:
		if string(kept) != p.String() {
			difference = "it is that of other operators"
		}
	default:
		strict := json.NewDecoder(bytes.NewReader(kept))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&of); err != nil || of == nil {
			return nil, errState("what it is of cannot be read: %v", err)
		}
		difference = of.differs(p)
	}
	if difference == "" {
		return of, nil
	}
	return nil, &event.Error{Code: event.CodeCorrupt, Detail: "state of a continuous query: " + difference, Cause: ErrOtherState}
}

// columns reads arrays of types.
func (r *stateReader) columns(types []arrow.DataType) ([]arrow.Array, int, error) {
	columns, rows, err := r.anyColumns()
	if err != nil {
		return nil, 0, err
	}
	if len(columns) != len(types) {
		return nil, 0, errState("%d columns, not %d", len(columns), len(types))
	}
	for i, t := range types {
		if !arrow.TypeEqual(columns[i].DataType(), t) {
			return nil, 0, errState("column %d is %s, not %s", i, columns[i].DataType(), t)
		}
	}
	return columns, rows, nil
}

// anyColumns reads arrays of whatever type.
func (r *stateReader) anyColumns() ([]arrow.Array, int, error) {
	rows, err := r.number()
	if err != nil {
		return nil, 0, err
	}
	sum, err := r.number()
	if err != nil {
		return nil, 0, err
	}
	encoded, err := r.take()
	if err != nil {
		return nil, 0, err
	}
	if int64(crc32.Checksum(encoded, castagnoli)) != sum {
		return nil, 0, errState("columns are damaged")
	}
	reader, err := ipc.NewReader(bytes.NewReader(encoded))
	if err != nil {
		return nil, 0, errState("%v", err)
	}
	if !reader.Next() {
		return nil, 0, errState("columns are missing: %v", reader.Err())
	}
	batch := reader.RecordBatch()
	for _, c := range batch.Columns() {
		if int64(c.Len()) != rows {
			return nil, 0, errState("%d rows, not %d", c.Len(), rows)
		}
	}
	return batch.Columns(), int(rows), nil
}

func (r *stateReader) close() error {
	if _, err := r.r.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.Join(errState("there are bytes too many"), err)
	}
	return nil
}
