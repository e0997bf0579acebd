package decode_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// fields makes a row of n fields.
func fields(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"f%d":%d`, i, i)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// nested makes a row that is n deep, itself included.
func nested(n int) string {
	return `{"j":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}"
}

// sized makes a row of n bytes.
func sized(n int) string {
	return `{"s":"` + strings.Repeat("x", n-len(`{"s":""}`)) + `"}`
}

// TestLimits tries each limit of a row at its edge and one beyond.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ within, beyond, reason string }{
		"fields": {fields(1 << 16), fields(1<<16 + 1), "the row has more than 65536 fields"},
		"depth":  {nested(64), nested(65), "nested more than 64 deep at byte 69"},
		"bytes":  {sized(1 << 20), sized(1<<20 + 1), "the row has 1048577 bytes, more than the 1048576 allowed"},
		"name": {
			`{"` + strings.Repeat("n", 255) + `":1}`, `{"` + strings.Repeat("n", 256) + `":1}`,
			`field "` + strings.Repeat("n", 60) + `..." has a name longer than 255 bytes`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema := declare(t, "s TEXT\nj JSONB")
			for _, mode := range []catalog.SchemaMode{catalog.Ignore, catalog.Evolve} {
				rows, err := decode.NDJSON([]byte(test.within+"\n"+test.beyond), schema, decode.Options{Mode: mode})
				require.NoError(t, err)
				if rows.Drift {
					schema, err = decode.Evolve([]byte(test.within+"\n"+test.beyond), schema, nil)
					require.NoError(t, err)
					rows, err = decode.NDJSON([]byte(test.within+"\n"+test.beyond), schema, decode.Options{Mode: mode})
					require.NoError(t, err)
				}
				require.Equal(t, 1, rows.Count)
				require.Len(t, rows.Rejected, 1)
				require.Equal(t, 1, rows.Rejected[0].Line)
				require.Equal(t, test.reason, rows.Rejected[0].Reason)
			}
		})
	}
}

// TestLinesThatAreTooLongAreNoRows holds that spaces count for the length of a line: one that was cut may be a row without those it has left.
func TestLinesThatAreTooLongAreNoRows(t *testing.T) {
	t.Parallel()
	const most = decode.MaxRowBytes
	for _, line := range []string{
		"  " + sized(most)[:most-1], `{"s":1}` + strings.Repeat(" ", most-6), strings.Repeat(" ", most+1), "\t" + sized(most), sized(most) + "\r",
	} {
		schema := declare(t, "s TEXT")
		for _, chunk := range []*decode.Chunk{{Lines: []byte(line + "\n{\"s\":\"x\"}\n")}, {Texts: [][]byte{[]byte(line), []byte(`{"s":"x"}`)}}} {
			rows, err := chunk.Decode(schema, decode.Options{Mode: catalog.Ignore}, 0)
			require.NoError(t, err)
			require.Equal(t, 1, rows.Count)
			require.Len(t, rows.Rejected, 1)
			require.Equal(t, 0, rows.Rejected[0].Line)
			require.Equal(t, "the row has 1048577 bytes, more than the 1048576 allowed", rows.Rejected[0].Reason)
		}
	}
}

// TestColumnLimit gives a stream 2,048 columns, and one for all fields beyond them.
func TestColumnLimit(t *testing.T) {
	t.Parallel()
	schema, err := decode.Infer([]byte(fields(2048)), "")
	require.NoError(t, err)
	require.Len(t, schema.Columns, 2048)
	same, err := decode.Evolve([]byte(fields(2048)), schema, nil)
	require.NoError(t, err)
	require.Same(t, schema, same)

	more := []byte(`{"one_more":1}` + "\n" + `{"f7":7,"two":[2 , {"three":null}],"three":null}`)
	next, err := decode.Evolve(more, schema, nil)
	require.NoError(t, err)
	require.Len(t, next.Columns, 2049)
	require.Equal(t, event.Column{ID: 2049, Name: "_extra", Type: event.Type{Kind: event.JSONB}, Since: 2}, next.Columns[2048])
	require.Equal(t, event.FieldID(2049), next.Overflow)
	rows, err := decode.NDJSON(more, next, decode.Options{Mode: catalog.Evolve})
	require.NoError(t, err)
	require.False(t, rows.Drift)
	require.Equal(t, `{"one_more":1}`, valueAt(rows.Columns[2048], 0))
	require.Equal(t, `{"two":[2,{"three":null}]}`, valueAt(rows.Columns[2048], 1))
	require.Equal(t, int64(7), valueAt(rows.Columns[7], 1))

	schema, err = decode.Infer([]byte(fields(10_000)+"\n"+`{"_extra":1,"when":"2024-05-01"}`), "when")
	require.NoError(t, err)
	require.Len(t, schema.Columns, 2049)
	require.Equal(t, "when", schema.Columns[2047].Name, "the event time has its column in any case")
	require.Equal(t, "_extra2", schema.Columns[2048].Name)
}

// TestOverflowLosesNothing holds what a row's columns and its overflow column say together against the row as the standard library reads it,
// also when the row is replayed under a later schema.
func TestOverflowLosesNothing(t *testing.T) {
	t.Parallel()
	schema := declare(t, "a BIGINT\n_extra JSONB overflow\nb TEXT")
	later, err := decode.Evolve([]byte(`{"a":"text","b":1}`), schema, nil)
	require.NoError(t, err)
	value := rapid.SampledFrom([]string{`1`, `"x"`, `null`, `{"k": [1, "\u0041"]}`, `[]`, `-0.50`, `true`, `"a \"quoted\" text"`})
	name := rapid.SampledFrom([]string{"c", "d", `e\u0041`, "a b", "Ä"})
	rapid.Check(t, func(t *rapid.T) {
		members := []string{`"a":5`, `"b":"text"`}
		for range rapid.IntRange(0, 8).Draw(t, "members") {
			members = append(members, `"`+name.Draw(t, "name")+`" : `+value.Draw(t, "value"))
		}
		text := "{" + strings.Join(rapid.Permutation(members).Draw(t, "order"), ", ") + "}"
		rows, err := decode.NDJSON([]byte(text), schema, decode.Options{Mode: catalog.Evolve})
		if err != nil || rows.Count != 1 {
			t.Fatalf("%s: %v, %+v", text, err, rows)
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(want, func(name string, v any) bool { return v == nil || name == "a" || name == "b" })
		got := map[string]any{}
		if extra, ok := valueAt(rows.Columns[1], 0).(string); ok {
			if err := json.Unmarshal([]byte(extra), &got); err != nil {
				t.Fatalf("%s: %s: %v", text, extra, err)
			}
		}
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("%s: %v, want %v", text, got, want)
		}
		replayed, err := decode.Replay(rows.Raw, later, 1, arrival)
		if err != nil || !array.Equal(rows.Columns[1], replayed.Columns[1]) {
			t.Fatalf("%s: replayed %v: %v", text, replayed, err)
		}
	})
}

// TestUnstorable refuses a schema with a type that no JSON value is.
func TestUnstorable(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{Version: 1, NextID: 2, Columns: []event.Column{{ID: 1, Name: "v", Type: event.Type{Kind: event.Interval}, Since: 1}}}
	_, err := decode.NDJSON([]byte("{}"), schema, decode.Options{})
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, event.CodeNotSupported, e.Code)
	_, err = decode.NDJSON([]byte("{}"), declare(t, "ts TEXT time"), decode.Options{})
	require.ErrorContains(t, err, `time column "ts" is TEXT`)
}

// TestReplayCorrupt marks records that cannot be read as corrupt.
func TestReplayCorrupt(t *testing.T) {
	t.Parallel()
	schema := declare(t, "ts TIMESTAMPTZ time\ni BIGINT")
	for _, value := range []string{"", " ", "{", `{"i":"x"}`, `{"ts":"soon"}`, "[]"} {
		_, err := decode.Replay([][]byte{[]byte(`{"i":1}`), []byte(value)}, schema, 1, arrival)
		var e *event.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, event.CodeCorrupt, e.Code)
		require.Contains(t, e.Detail, "record 1")
	}
}

// TestReplayDecidesNothingAgain replays what was accepted before names and times of its kind were refused.
func TestReplayDecidesNothingAgain(t *testing.T) {
	t.Parallel()
	schema := declare(t, "ts TIMESTAMPTZ time\nd DATE")
	values := [][]byte{[]byte(`{"ts":"0000-12-31","d":"0000-12-31"}`), []byte(`{"ts":-62135596801,"_OFFSET":1}`)}
	rows, err := decode.Replay(values, schema, 1, arrival)
	require.NoError(t, err)
	require.Equal(t, []int64{event.EarliestTime - 86_400_000_000, event.EarliestTime - 1_000_000}, rows.Times)

	for _, value := range values {
		rows, err := decode.NDJSON(value, schema, decode.Options{Arrival: arrival, Mode: catalog.Ignore})
		require.NoError(t, err)
		require.Len(t, rows.Rejected, 1)
	}
}

// TestManyRows decodes more rows than are expected of a chunk, with values that come late and go early.
func TestManyRows(t *testing.T) {
	t.Parallel()
	const n = 20_000
	var chunk strings.Builder
	for i := range n {
		switch {
		case i < 6000:
			fmt.Fprintf(&chunk, `{"i":%d,"early":true,"s":"v%d"}`+"\n", i, i)
		case i < 12000:
			fmt.Fprintf(&chunk, `{"i":%d}`+"\n\n", i)
		default:
			fmt.Fprintf(&chunk, `{"i":%d,"late":false,"d":0.5,"j":{"n":%d}}`+"\n", i, i)
		}
	}
	schema := declare(t, "i BIGINT\nearly BOOLEAN\nlate BOOLEAN\ns TEXT\nd DOUBLE\nj JSONB\nnever TEXT")
	rows, err := decode.NDJSON([]byte(chunk.String()), schema, decode.Options{})
	require.NoError(t, err)
	require.Equal(t, n, rows.Count)
	for i := range n {
		want := []any{int64(i), nil, nil, nil, nil, nil, nil}
		if i < 6000 {
			want[1], want[3] = true, fmt.Sprintf("v%d", i)
		}
		if i >= 12000 {
			want[2], want[4], want[5] = false, 0.5, fmt.Sprintf(`{"n":%d}`, i)
		}
		for at, c := range rows.Columns {
			if got := valueAt(c, i); got != want[at] {
				t.Fatalf("row %d column %s: %v, want %v", i, schema.Columns[at].Name, got, want[at])
			}
		}
	}
}
