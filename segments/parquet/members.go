package parquet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
	"github.com/tidemarkdb/tidemark/segments/members"
)

// Member is a member of the documents of a JSONB column that has a column of its own, behind those of the schema. Its values are exactly what
// the operator -> yields along Path: the text of the value as it stands in the document, and NULL where there is none.
type Member struct {
	// ID is the field id of its column.
	ID event.FieldID `json:"id"`
	// Column is the field id of the column of documents.
	Column event.FieldID `json:"column"`
	Path   []string      `json:"path"`
	// Absent are the row groups, ascending, in which the column says nothing: all of it is NULL, whatever the documents have.
	Absent []int `json:"absent,omitempty"`
}

// firstMember is the field id of the first member. Columns of streams count from 1, and hidden ones lie far above.
const firstMember event.FieldID = 1 << 30

// documentMembers are the members of one column of documents.
type documentMembers struct {
	set     *jsonscan.Paths
	members []Member
	columns []event.Column
}

// memberChunks are the columns of members of one row group.
type memberChunks struct {
	chunks  []format.ColumnChunk
	indexes []chunkIndex
}

// writeMembers writes the members of a column of documents behind it, of which values are the rows of the row group.
func (w *fileWriter) writeMembers(column int, values arrow.Array, cuts []int, out *memberChunks) error {
	if !w.layout.Members || w.columns[column].Type.Kind != event.JSONB {
		return nil
	}
	texts := newDocuments(values)
	if len(w.footer.RowGroups) == 0 {
		w.chooseMembers(column, texts)
	}
	d := w.documents[column]
	if d == nil {
		return nil
	}
	taken := takeMembers(d.set, texts)
	for i, c := range d.columns {
		rows := taken[i].array(texts.rows)
		if taken[i].dropped {
			d.members[i].Absent = append(d.members[i].Absent, len(w.footer.RowGroups))
		}
		taken[i] = memberColumn{} // it may be large
		var index chunkIndex
		chunk, _, err := w.writeChunk(c, rows, cuts, &index)
		if err != nil {
			return err
		}
		out.chunks, out.indexes = append(out.chunks, chunk), append(out.indexes, index)
	}
	return nil
}

// chooseMembers decides which members of a column the file has.
func (w *fileWriter) chooseMembers(column int, texts documents) {
	set := members.Choose(texts.rows, texts.at)
	if set == nil {
		return
	}
	taken := map[string]bool{}
	id := firstMember
	for _, c := range w.columns {
		taken[strings.ToLower(c.Name)] = true
	}
	for _, d := range w.documents {
		if d != nil {
			for _, c := range d.columns {
				taken[strings.ToLower(c.Name)] = true
				id++
			}
		}
	}
	d := &documentMembers{set: set}
	for i, path := range set.Paths() {
		name := w.columns[column].Name + "->" + strings.Join(path, "->")
		for taken[strings.ToLower(name)] {
			name += "~"
		}
		taken[strings.ToLower(name)] = true
		d.columns = append(d.columns, event.Column{ID: id + event.FieldID(i), Name: name, Type: event.Type{Kind: event.JSONB}})
		d.members = append(d.members, Member{ID: id + event.FieldID(i), Column: w.columns[column].ID, Path: path})
	}
	w.documents[column] = d
}

// describeMembers adds the columns of members to the footer.
func (w *fileWriter) describeMembers() error {
	var all []Member
	for _, d := range w.documents {
		if d == nil {
			continue
		}
		all = append(all, d.members...)
		for _, c := range d.columns {
			element, err := leafElement(c)
			if err != nil {
				return err
			}
			w.footer.Schema = append(w.footer.Schema, element)
			w.footer.ColumnOrders = append(w.footer.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
		}
	}
	if len(all) == 0 {
		return nil
	}
	w.footer.Schema[0].NumChildren.V += int32(len(all))
	value, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode members: %w", err)
	}
	for i := range w.footer.KeyValueMetadata {
		if w.footer.KeyValueMetadata[i].Key == keyFormat {
			w.footer.KeyValueMetadata[i].Value = strconv.Itoa(membersVersion)
		}
	}
	w.footer.KeyValueMetadata = append(w.footer.KeyValueMetadata, format.KeyValue{Key: keyMembers, Value: string(value)})
	return nil
}

// documents are the rows of a JSONB column in either of its forms.
type documents struct {
	rows  int
	codes []int32 // nil where the values stand in row order
	texts *array.String
	valid event.Bitmap
}

func newDocuments(values arrow.Array) documents {
	out := documents{rows: values.Len(), valid: event.ValidityOf(values)}
	if d, ok := values.(*array.Dictionary); ok {
		out.codes, out.texts = arrow.GetValues[int32](d.Indices().Data(), 1), d.Dictionary().(*array.String)
		return out
	}
	out.texts = values.(*array.String)
	return out
}

// at is the document of a row; ok is false for NULL.
func (d *documents) at(row int) (text string, ok bool) {
	if !d.valid.Valid(row) {
		return "", false
	}
	if d.codes != nil {
		row = int(d.codes[row])
	}
	return d.texts.Value(row), true
}

// memberColumn is a member of all rows of a row group.
type memberColumn struct {
	ends    []int32 // behind the text of each row
	data    []byte
	valid   event.Bitmap
	dropped bool
}

// takeMembers walks over the documents of a row group once. What it takes has no more text than the documents: where members would, as when their
// texts have become longer than in the sample, those with the most are dropped.
func takeMembers(set *jsonscan.Paths, texts documents) []memberColumn {
	out, values := make([]memberColumn, len(set.Paths())), make([]string, len(set.Paths()))
	for i := range out {
		out[i] = memberColumn{ends: make([]int32, 1, texts.rows+1), valid: event.NewBitmap(texts.rows)}
	}
	read, held := 0, 0
	for row := range texts.rows {
		text, ok := texts.at(row)
		if ok {
			read += len(text)
			set.Extract(text, values)
		} else {
			clear(values)
		}
		for i, value := range values {
			m := &out[i]
			if m.dropped {
				continue
			}
			if value != "" {
				m.valid.Set(row)
				m.data = append(m.data, value...)
				held += len(value)
			}
			m.ends = append(m.ends, int32(len(m.data)))
		}
		for held > read {
			held -= dropLargest(out)
		}
	}
	return out
}

// dropLargest lets go of the member with the most text, and is how much that was.
func dropLargest(columns []memberColumn) int {
	largest := 0
	for i := range columns {
		if len(columns[i].data) > len(columns[largest].data) {
			largest = i
		}
	}
	bytes := len(columns[largest].data)
	columns[largest] = memberColumn{dropped: true}
	return bytes
}

func (m *memberColumn) array(rows int) arrow.Array {
	if m.dropped {
		return event.NewStrings(make([]int32, rows+1), nil, event.NewBitmap(rows))
	}
	return event.NewStrings(m.ends, m.data, m.valid)
}

// parseMembers reads what describeMembers wrote, and holds it against the columns.
func (r *Reader) parseMembers(pairs []format.KeyValue) ([]Member, error) {
	at := slices.IndexFunc(pairs, func(p format.KeyValue) bool { return p.Key == keyMembers })
	if at < 0 {
		return nil, nil
	}
	var out []Member
	if err := json.Unmarshal([]byte(pairs[at].Value), &out); err != nil {
		return nil, fmt.Errorf("%s: %w", keyMembers, err)
	}
	for _, m := range out {
		column, ok := r.at[m.ID]
		if !ok || m.ID < firstMember || r.columns[column].Type.Kind != event.JSONB || r.columns[column].NotNull || len(m.Path) == 0 {
			return nil, fmt.Errorf("%s: column %d cannot be member %q of column %d", keyMembers, m.ID, m.Path, m.Column)
		}
	}
	return out, nil
}

// Members lists the members that have columns of their own.
func (r *Reader) Members() []Member { return r.members }

// Member finds the column of a member of the documents of a column, from which it is read by its id; ok is false where a row group has none.
func (r *Reader) Member(group int, column event.FieldID, path []string) (id event.FieldID, ok bool) {
	for i := range r.members {
		m := &r.members[i]
		if m.Column == column && slices.Equal(m.Path, path) {
			_, absent := slices.BinarySearch(m.Absent, group)
			return m.ID, !absent
		}
	}
	return 0, false
}
