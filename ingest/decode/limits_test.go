package decode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
		"fields": {fields(2048), fields(2049), "the row has more than 2048 fields"},
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
					if name == "fields" {
						require.True(t, tooLarge(err))
						continue
					}
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

// TestColumnLimit allows a stream 2,048 columns and no more.
func TestColumnLimit(t *testing.T) {
	t.Parallel()
	schema, err := decode.Infer([]byte(fields(2048)), "")
	require.NoError(t, err)
	require.Len(t, schema.Columns, 2048)
	same, err := decode.Evolve([]byte(fields(2048)), schema, nil)
	require.NoError(t, err)
	require.Same(t, schema, same)
	_, err = decode.Evolve([]byte(`{"one_more":1}`), schema, nil)
	require.True(t, tooLarge(err))
	_, err = decode.Infer([]byte(`{"f":0}`+"\n"+fields(2048)), "")
	require.True(t, tooLarge(err))
}

// TestUnstorable refuses a schema with a type that no JSON value is.
func TestUnstorable(t *testing.T) {
	t.Parallel()
	_, err := decode.NDJSON([]byte("{}"), declare(t, "v INTERVAL"), decode.Options{})
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
