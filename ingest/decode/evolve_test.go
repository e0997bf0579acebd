package decode_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// FuzzEvolve takes a stream through its first chunk and a second one. The inferred schema must hold the first, the evolved one the
// second, and replaying the first under the evolved schema must give what widening its columns gives.
func FuzzEvolve(f *testing.F) {
	rows := []string{
		`{"ts":"2024-05-01","a":1,"b":0.5,"c":true,"d":"x","e":"2024-05-01T10:00:00.000000Z","f":[1]}`,
		`{"ts":1714557600,"a":0.5,"b":9007199254740993,"c":0,"d":2,"e":"soon","f":null,"g":1}`,
		"{\"a\":9223372036854775807}\n{\"a\":9223372036854775808,\"b\":1e400}\n{\"ts\":\"soon\",\"new\":1}\n{\"a\":1",
		`{"a":-0,"a":1.50,"b":100000000000000000000}`,
		``,
	}
	for _, first := range rows {
		for _, second := range rows {
			f.Add([]byte(first), []byte(second))
		}
	}
	options := decode.Options{Arrival: arrival, Mode: catalog.Evolve}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		schema, err := decode.Infer(first, "")
		if tooLarge(err) {
			return
		}
		require.NoError(t, err)
		before, err := decode.NDJSON(first, schema, options)
		require.NoError(t, err)
		require.False(t, before.Drift, "inferred %s", describe(schema))

		next, err := decode.Evolve(second, schema, exactIn(schema, before))
		if tooLarge(err) {
			return
		}
		require.NoError(t, err)
		probe, err := decode.NDJSON(second, schema, options)
		require.NoError(t, err)
		require.Equal(t, probe.Drift, next != schema)
		after, err := decode.NDJSON(second, next, options)
		require.NoError(t, err)
		require.False(t, after.Drift, "evolved %s", describe(next))
		again, err := decode.Evolve(second, next, nil)
		require.NoError(t, err)
		require.Same(t, next, again)
		requireReplay(t, before, schema, next)
		requireReplay(t, after, next, next)
	})
}

func tooLarge(err error) bool {
	var e *event.Error
	return errors.As(err, &e) && e.Code == event.CodeTooLarge
}

// exactIn tells of which BIGINT columns every value is exact as a float64.
func exactIn(schema *event.Schema, rows *decode.Rows) func(event.FieldID) bool {
	return func(id event.FieldID) bool {
		for at, c := range schema.Columns {
			values, ok := rows.Columns[at].(*array.Int64)
			if c.ID != id || !ok {
				continue
			}
			for _, v := range values.Int64Values() {
				if v > 1<<53 || v < -1<<53 {
					return false
				}
			}
			return true
		}
		return false
	}
}

// requireReplay holds the replay of rows decoded under one schema against the same rows widened to the next.
func requireReplay(t *testing.T, rows *decode.Rows, schema, next *event.Schema) {
	t.Helper()
	replayed, err := decode.Replay(rows.Raw, next, schema.Version, arrival)
	require.NoError(t, err)
	require.Equal(t, rows.Count, replayed.Count)
	require.True(t, slices.Equal(rows.Times, replayed.Times))
	fields := make([]arrow.Field, len(schema.Columns))
	for i, c := range schema.Columns {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: true}
	}
	columns := make([]arrow.Array, len(rows.Columns))
	for i, values := range rows.Columns {
		columns[i] = event.PlainText(values)
	}
	for _, c := range event.Hidden {
		fields = append(fields, arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: true})
		columns = append(columns, event.NewNulls(c.Type, rows.Count))
	}
	batch := event.Batch{Schema: schema, Record: array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(rows.Count))}
	wanted := make([]event.FieldID, len(next.Columns))
	for i, c := range next.Columns {
		wanted[i] = c.ID
	}
	widened, err := batch.Conform(next, wanted)
	require.NoError(t, err)
	for i, c := range next.Columns {
		require.True(t, array.Equal(widened[i], event.PlainText(replayed.Columns[i])), "column %s: %s and %s", c.Name, widened[i], replayed.Columns[i])
	}
}
