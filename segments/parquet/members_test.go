package parquet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// documented are rows with two columns of documents, the second of which has the first's name in its members.
func documented(n int) (*event.Schema, []arrow.Array) {
	schema := &event.Schema{Version: 1, TimeColumn: 1, NextID: 5, Columns: []event.Column{
		{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, NotNull: true},
		{ID: 2, Name: "doc", Type: event.Type{Kind: event.JSONB}},
		{ID: 3, Name: "Doc->Kind", Type: event.Type{Kind: event.Text}},
		{ID: 4, Name: "few", Type: event.Type{Kind: event.JSONB}},
	}}
	times, numbers := make([]int64, n), make([]int64, n)
	doc, other := make([]string, n), make([]string, n)
	for i := range n {
		times[i], numbers[i] = 1_700_000_000_000_000+int64(i), int64(i)
		doc[i] = documentOf(i)
		other[i] = fmt.Sprint("t", i)
	}
	return schema, []arrow.Array{
		event.NewTimestamps(times, nil), someTexts(doc), textsOf(other),
		event.NewDictionary(make([]int32, n), textsOf([]string{`{"a":[1,"x"],"b":{"c":12.50}}`}), nil), event.NewInt64s(numbers, nil),
		event.NewInt64s(numbers, nil), event.NewTimestamps(times, nil), event.NewTimestamps(times, nil),
	}
}

// someTexts are texts of which every seventh is NULL.
func someTexts(values []string) arrow.Array {
	offsets, data, valid := make([]int32, 1, len(values)+1), []byte{}, event.NewBitmap(len(values))
	for i, v := range values {
		if i%7 != 0 {
			valid.Set(i)
			data = append(data, v...)
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid)
}

func documentOf(i int) string {
	switch i % 9 {
	case 3:
		return `[{"kind":"in an array"}]`
	case 5:
		return `{"kind":"first","nested":{"n":1}, "k\u0069nd" : null,"nested":{}}`
	default:
		return fmt.Sprintf(`{"kind":"k%d","nested":{"n":%d.0,"id":"x\u00e9%d"},"rest":%q}`, i%3, i%5, i, strings.Repeat("y", 30))
	}
}

// requireMembers reads every member of a file and holds it against the documents that it has.
func requireMembers(t testing.TB, file []byte) (r *Reader) {
	t.Helper()
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", NewCaches(0))
	require.NoError(t, err)
	for _, m := range r.Members() {
		for group := range r.RowGroups() {
			id, ok := r.Member(group, m.Column, m.Path)
			if !ok {
				continue
			}
			read, _, err := r.Read(context.Background(), []event.FieldID{m.Column, id}, group, 0, r.Rows(group), nil)
			require.NoError(t, err)
			documents, values := event.PlainText(read[0]), event.PlainText(read[1])
			for i := range documents.Len() {
				require.Equal(t, memberOf(documents, i, m.Path), memberOf(values, i, nil), "%q of row %d", m.Path, i)
			}
		}
	}
	return r
}

// memberOf is what the standard library finds in a document, and no text where there is nothing.
func memberOf(documents arrow.Array, row int, path []string) string {
	if documents.IsNull(row) {
		return ""
	}
	value := json.RawMessage(event.StringAt(documents, row))
	for _, name := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil {
			return ""
		}
		value = object[name]
	}
	return strings.TrimSpace(string(value))
}

func writeDocumented(t testing.TB, n int, layout Layout) []byte {
	t.Helper()
	layout.Members = true
	schema, columns := documented(n)
	var file bytes.Buffer
	info, err := Write(&file, schema, columns, testMeta(), layout)
	require.NoError(t, err)
	require.Len(t, info.Stats, len(schema.All()), "members are no columns of the schema")
	return file.Bytes()
}

func TestMembersAreWrittenBesideTheirDocuments(t *testing.T) {
	t.Parallel()
	for _, codec := range []Codec{Fresh, Archive} {
		r := requireMembers(t, writeDocumented(t, 700, Layout{PageRows: 90, RowGroupRows: 300, Codec: codec}))
		require.Equal(t, 3, r.RowGroups())
		var got []string
		for _, c := range r.Columns()[8:] {
			got = append(got, fmt.Sprint(c.ID-firstMember, " ", c.Name))
		}
		require.Equal(t, []string{
			"0 doc->kind~", "1 doc->nested->id", "2 doc->nested->n", "3 doc->rest", "4 few->a", "5 few->b->c",
		}, got, "a column of the stream has the name of the first")
	}
}

// Names of a stream's columns may differ by case alone, and members' must differ from all of them and each other.
func TestNamesOfMembersAreTheirOwn(t *testing.T) {
	t.Parallel()
	schema, columns := documented(50)
	schema.Columns[3].Name = "DOC"
	columns[3] = columns[1]
	var file bytes.Buffer
	_, err := Write(&file, schema, columns, testMeta(), Layout{Members: true})
	require.NoError(t, err)
	r := requireMembers(t, file.Bytes())
	seen := map[string]bool{}
	for _, c := range r.Columns() {
		name := strings.ToLower(c.Name)
		require.False(t, seen[name] && name != "doc", c.Name)
		seen[name] = true
	}
	require.True(t, seen["doc->kind~"])
}

// Members are chosen by the first row group. Where they have more text later on than the documents, as one that lies in another one may, the
// largest has no column.
func TestMembersWithTooMuchTextAreAbsent(t *testing.T) {
	t.Parallel()
	documents := make([]string, 200)
	for i := range documents {
		switch {
		case i >= 100:
			documents[i] = fmt.Sprintf(`{"a":{"b":%q}}`, strings.Repeat("x", 100+i))
		case i%2 == 0:
			documents[i] = `{"a":1}`
		default:
			documents[i] = `{"a":{"b":2}}`
		}
	}
	schema, columns := documented(200)
	columns[1] = textsOf(documents)
	var file bytes.Buffer
	_, err := Write(&file, schema, columns, testMeta(), Layout{Members: true, RowGroupRows: 100})
	require.NoError(t, err)
	r := requireMembers(t, file.Bytes())
	require.Equal(t, Member{ID: firstMember, Column: 2, Path: []string{"a"}, Absent: []int{1}}, r.Members()[0])
	require.Equal(t, Member{ID: firstMember + 1, Column: 2, Path: []string{"a", "b"}}, r.Members()[1])
}

func TestFilesWithoutMembersKeepTheirFormat(t *testing.T) {
	t.Parallel()
	schema, columns := documented(50)
	columns[1], columns[3] = event.NewNulls(event.Type{Kind: event.JSONB}, 50), event.NewNulls(event.Type{Kind: event.JSONB}, 50)
	var without, asked bytes.Buffer
	_, err := Write(&without, schema, columns, testMeta(), Layout{})
	require.NoError(t, err)
	_, err = Write(&asked, schema, columns, testMeta(), Layout{Members: true})
	require.NoError(t, err)
	require.Equal(t, without.Bytes(), asked.Bytes())
}

// testdata/v4-fresh.parquet and testdata/v4.parquet were written by the first version that had members, and stay readable for ever.
func TestMembersOfTheFirstFormatWithThemStayReadable(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"testdata/v4-fresh.parquet", "testdata/v4.parquet"} {
		file, err := os.ReadFile(name)
		require.NoError(t, err)
		r := requireMembers(t, file)
		require.Len(t, r.Members(), 6)
		require.NoError(t, r.VerifyFile(context.Background()))
		_, columns := documented(40)
		groups, err := readAll(file)
		require.NoError(t, err)
		require.Len(t, groups, 2)
		for i := range columns {
			requireEqual(t, array.NewSlice(columns[i], 0, 25), groups[0][i])
			requireEqual(t, array.NewSlice(columns[i], 25, 40), groups[1][i])
		}
	}
}

func TestDamagedMembersAreSeen(t *testing.T) {
	t.Parallel()
	file := writeDocumented(t, 100, Layout{PageRows: 40, RowGroupRows: 80})
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", NewCaches(0))
	require.NoError(t, err)
	for _, g := range r.groups {
		for _, c := range g.chunks[8:] {
			for _, p := range c.pages {
				damaged := bytes.Clone(file)
				damaged[p.offset+p.size-1] ^= 0x10
				_, err := readAll(damaged)
				requireCorrupt(t, err)
			}
		}
	}
	at := bytes.Index(file, []byte(keyMembers))
	for end := at + 400; at < end; at++ {
		damaged := bytes.Clone(file)
		damaged[at] ^= 0x04
		checkDamaged(t, damaged)
	}
	// An id that no column has, and one that is no member's.
	for _, id := range []string{`"id":1073741899`, `"id":0000000002`} {
		_, err := readAll(bytes.Replace(file, []byte(`"id":1073741824`), []byte(id), 1))
		requireCorrupt(t, err)
	}
}
