package eventlog

import (
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// storedTypes are those that columns of a log have.
var storedTypes = []event.Type{
	{Kind: event.Boolean}, {Kind: event.SmallInt}, {Kind: event.Integer}, {Kind: event.BigInt}, {Kind: event.Real}, {Kind: event.Double},
	{Kind: event.Numeric, Precision: 38, Scale: 9}, {Kind: event.Text}, {Kind: event.Bytea}, {Kind: event.TimestampTZ}, {Kind: event.Date},
	{Kind: event.JSONB}, {Kind: event.UUID},
}

// drawArray makes any array of a stored type.
func drawArray(t *rapid.T, typ event.Type, rows int, nullable bool) arrow.Array {
	var valid event.Bitmap
	if nullable {
		valid = event.NewBitmap(rows)
		for i := range rows {
			if rapid.Bool().Draw(t, "valid") {
				valid.Set(i)
			}
		}
	}
	ints := rapid.SliceOfN(rapid.Int64(), rows, rows).Draw(t, "values")
	switch typ.Kind {
	case event.Boolean:
		bits := event.NewBitmap(rows)
		for i, v := range ints {
			if v&1 != 0 {
				bits.Set(i)
			}
		}
		return event.NewBooleans(bits, rows, valid)
	case event.SmallInt:
		return event.NewFixed(typ.Arrow(), narrow[int16](ints), valid)
	case event.Integer, event.Date:
		return event.NewFixed(typ.Arrow(), narrow[int32](ints), valid)
	case event.Real:
		return event.NewFixed(typ.Arrow(), narrow[float32](ints), valid)
	case event.Double:
		floats := narrow[float64](ints)
		floats[0] = math.Copysign(0, -1)
		return event.NewFloat64s(floats, valid)
	case event.Numeric, event.UUID:
		words := make([]decimal128.Num, rows)
		for i, v := range ints {
			words[i] = decimal128.New(v>>1, uint64(v))
		}
		return event.NewFixed(typ.Arrow(), words, valid)
	case event.Text, event.JSONB, event.Bytea:
		offsets, data := make([]int32, 1, rows+1), []byte{}
		for _, v := range ints {
			data = fmt.Appendf(data, "%0*d", uint64(v)%5, v%1000)
			offsets = append(offsets, int32(len(data)))
		}
		if typ.Kind == event.Bytea {
			return event.NewBinaries(offsets, data, valid)
		}
		return event.NewStrings(offsets, data, valid)
	case event.TimestampTZ:
		return event.NewTimestamps(ints, valid)
	default:
		return event.NewInt64s(ints, valid)
	}
}

func narrow[T int16 | int32 | float32 | float64](values []int64) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = T(v)
	}
	return out
}

// drawColumns makes rows of a schema of any columns, the first of which is the event time, if there is one. Some are parts of longer arrays.
func drawColumns(t *rapid.T) *Entry {
	rows := rapid.IntRange(1, 40).Draw(t, "rows")
	schema := &event.Schema{Version: 3}
	var values []arrow.Array
	if rapid.Bool().Draw(t, "has time") {
		schema.TimeColumn = 1
		schema.Columns = append(schema.Columns, event.Column{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}})
		values = append(values, drawArray(t, schema.Columns[0].Type, rows, false))
	}
	schema.Columns = append(schema.Columns, event.Column{ID: 2, Name: "wide", Type: event.Type{Kind: event.BigInt}})
	values = append(values, drawArray(t, event.Type{Kind: event.BigInt}, rows, false))
	for i := range rapid.IntRange(0, 6).Draw(t, "columns") {
		typ := rapid.SampledFrom(storedTypes).Draw(t, "type")
		schema.Columns = append(schema.Columns, event.Column{ID: event.FieldID(3 + i), Name: fmt.Sprintf("c%d", i), Type: typ})
		before := rapid.IntRange(0, 9).Draw(t, "before")
		whole := drawArray(t, typ, before+rows+3, rapid.Bool().Draw(t, "nullable"))
		values = append(values, array.NewSlice(whole, int64(before), int64(before+rows)))
	}
	e := &Entry{First: event.Offset(rapid.Int64Range(0, 1<<40).Draw(t, "first")), Columns: NewColumns(schema, values)}
	e.Meta.Arrival = rapid.Int64().Draw(t, "arrival")
	e.Times = milliseconds(e.Columns.Times(rows, e.Meta.Arrival))
	return e
}

func frameOf(e *Entry) record.Frame {
	return record.Frame{Kind: e.kind(), Body: entryBytes(e)}
}

func requireColumns(t require.TestingT, want, got *Entry) {
	require.Equal(t, want.First, got.First)
	require.Equal(t, want.Times, got.Times)
	require.Equal(t, want.Meta, got.Meta)
	require.Equal(t, want.Columns.Fields, got.Columns.Fields)
	require.Equal(t, want.Columns.Time, got.Columns.Time)
	for i, values := range want.Columns.Values {
		require.True(t, array.Equal(values, got.Columns.Values[i]), "%s:\n%v\n%v", want.Columns.Fields[i].Name, values, got.Columns.Values[i])
	}
}

func TestColumnsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawColumns(t)
		require.NoError(t, want.check())
		frame := frameOf(want)
		require.Len(t, frame.Body, 2+want.Meta.size()+want.Columns.size(len(want.Times)))
		got, err := parseEntry(frame)
		require.NoError(t, err)
		requireColumns(t, want, got)
		clear(frame.Body)
		requireColumns(t, want, got) // in memory of their own
	})
}

// TestColumnsWithAFlippedByte reads columns of which any one byte has changed: no panic, and no more rows than their bytes can be.
func TestColumnsWithAFlippedByte(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		frame := frameOf(drawColumns(t))
		for at := range frame.Body {
			frame.Body[at] ^= 0xff
			readColumns(t, frame)
			frame.Body[at] ^= 0xff
		}
		for n := range frame.Body {
			_, err := parseEntry(record.Frame{Kind: frameColumns, Body: frame.Body[:n]})
			require.Error(t, err, "cut at %d", n)
		}
	})
}

// readColumns looks at every value of a frame, if it can be read.
func readColumns(t require.TestingT, frame record.Frame) {
	e, err := parseEntry(frame)
	if err != nil {
		return
	}
	require.LessOrEqual(t, len(e.Times)*leastRecord, len(frame.Body))
	for row := range e.Times {
		_, err := e.Columns.AppendJSON(nil, row)
		require.NoError(t, err)
	}
}

func FuzzParseColumns(f *testing.F) {
	schema := &event.Schema{TimeColumn: 1, Columns: []event.Column{
		{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}}, {ID: 2, Name: "s", Type: event.Type{Kind: event.Text}},
	}}
	f.Add(frameOf(&Entry{Times: []int64{0, 1}, Columns: NewColumns(schema, []arrow.Array{
		event.NewTimestamps([]int64{5, 1005}, nil), event.NewStrings([]int32{0, 1, 3}, []byte("abc"), event.Bitmap{2}),
	})}).Body)
	f.Fuzz(func(t *testing.T, b []byte) { readColumns(t, record.Frame{Kind: frameColumns, Body: b}) })
}

func TestColumnsRefuse(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{TimeColumn: 1, Columns: []event.Column{
		{ID: 1, Name: "t", Type: event.Type{Kind: event.TimestampTZ}}, {ID: 2, Name: "s", Type: event.Type{Kind: event.Text}},
	}}
	entry := func() *Entry {
		return &Entry{Times: []int64{0, 1}, Columns: NewColumns(schema, []arrow.Array{
			event.NewTimestamps([]int64{5, 1005}, nil), event.NewStrings([]int32{0, 1, 3}, []byte("abc"), nil),
		})}
	}
	const fields = columnsHeader
	const values = (columnsHeader + 2*(fieldHeader+1) + 7) / 8 * 8
	for name, c := range map[string]struct {
		at   int
		to   byte
		want string
	}{
		"no rows":           {atColumnsRows, 0, "rows cannot be"},
		"many rows":         {atColumnsRows + 2, 1, "rows cannot be"},
		"negative first":    {7, 0x80, "cannot begin"},
		"more columns":      {atColumnsCount, 200, "malformed"},
		"fewer columns":     {atColumnsCount, 1, "after the last column"},
		"no such time":      {atColumnsTime, 7, "event time"},
		"time that is text": {atColumnsTime, 1, "event time"},
		"no type":           {fields + 4, 0, "type 0"},
		"unknown type":      {fields + 4, 14, "type 14"},
		"number 0":          {fields, 0, "cannot be number 0"},
		"digits of a time":  {fields + 5, 3, "cannot be number"},
		"long name":         {fields + 12, 255, "malformed"},
		"other data":        {fields + fieldHeader + 1 + 8, 2, "not where their data"},
		"more data":         {fields + fieldHeader + 1 + 9, 2, "too early"},
		"offsets":           {values + 16, 1, "not where their data"},
		"overlap":           {values + 16 + 4, 9, "overlap"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := entry()
			body := appendColumns(nil, e)
			body[c.at] = c.to
			require.ErrorContains(t, parseColumns(body, &Entry{}), c.want)
		})
	}
	for name, change := range map[string]func(*Entry){
		"beside values":  func(e *Entry) { e.Values = [][]byte{nil, nil} },
		"of a producer":  func(e *Entry) { e.Producer = &Producer{} },
		"other length":   func(e *Entry) { e.Times = e.Times[:1] },
		"other type":     func(e *Entry) { e.Columns.Fields[1].Type = event.Type{Kind: event.BigInt} },
		"unstored type":  func(e *Entry) { e.Columns.Fields[1].Type = event.Type{Kind: event.Interval} },
		"arrays missing": func(e *Entry) { e.Columns.Values = e.Columns.Values[:1] },
		"NULL times": func(e *Entry) {
			e.Columns.Values[0] = event.NewTimestamps([]int64{1, 2}, event.Bitmap{1})
		},
	} {
		e := entry()
		require.NoError(t, e.check())
		change(e)
		require.Error(t, e.check(), name)
	}
}

// TestNarrowRowsAreNoColumns keeps rows out of which a damaged file could have held more than records of its size.
func TestNarrowRowsAreNoColumns(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{Columns: []event.Column{{ID: 1, Name: "b", Type: event.Type{Kind: event.Boolean}}}}
	const rows = 1000
	e := &Entry{Times: make([]int64, rows), Columns: NewColumns(schema, []arrow.Array{event.NewBooleans(event.NewBitmap(rows), rows, nil)})}
	require.False(t, e.Columns.Fit(rows))
	require.Error(t, e.check())
	require.Error(t, parseColumns(appendColumns(nil, e), &Entry{}))
}

func TestColumnsUnderALaterSchema(t *testing.T) {
	t.Parallel()
	kind := func(k event.Kind) event.Type { return event.Type{Kind: k} }
	then := &event.Schema{Version: 1, Columns: []event.Column{
		{ID: 1, Name: "n", Type: kind(event.BigInt)}, {ID: 2, Name: "gone", Type: kind(event.Text)}, {ID: 3, Name: "null", Type: kind(event.Text)},
	}}
	c := NewColumns(then, []arrow.Array{
		event.NewInt64s([]int64{1, 2}, nil), event.NewStrings([]int32{0, 1, 2}, []byte("xy"), nil), event.NewNulls(kind(event.Text), 2),
	})
	require.Len(t, c.Fields, 2, "nothing is kept of a column of NULLs")
	now := &event.Schema{Version: 3, Columns: []event.Column{
		{ID: 5, Name: "m", Type: kind(event.JSONB), Former: []event.FormerColumn{
			{ID: 4, Type: kind(event.Double), Until: 2}, {ID: 1, Type: kind(event.BigInt), Until: 1},
		}},
		{ID: 3, Name: "null", Type: kind(event.Text)}, {ID: 6, Name: "gone", Type: kind(event.UUID)},
	}}
	columns, err := c.Under(now, 2)
	require.NoError(t, err)
	require.Equal(t, `["1" "2"]`, columns[0].String())
	require.Equal(t, 2, columns[1].NullN())
	require.Equal(t, 2, columns[2].NullN(), "another column of the same name")
	now.Columns[0].Former[1].Type = kind(event.Text)
	_, err = c.Under(now, 2)
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeCorrupt, fault.Code)
}

// TestFramesOfALaterProgramAreRefused opens and checks a log with a kind of frame that does not exist yet: it is neither damaged nor torn.
func TestFramesOfALaterProgramAreRefused(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	require.NoError(t, vfs.MkdirAllSync(fs, "log"))
	w, err := record.Create(fs, "log/00000000000000000000.log", record.EventLog, 7)
	require.NoError(t, err)
	require.NoError(t, w.Add(frameColumns+1, func(dst []byte) []byte { return append(dst, "whatever"...) }))
	require.NoError(t, w.Mark())
	require.NoError(t, w.Close())
	for _, salvage := range []bool{false, true} {
		_, err = Open(fs, "log", Options{Salvage: salvage})
		require.ErrorContains(t, err, "a frame of kind 3")
		var fault *event.Error
		require.ErrorAs(t, err, &fault)
		require.Equal(t, event.CodeNotSupported, fault.Code)
	}
	files, err := Check(fs, "log", nil)
	require.NoError(t, err)
	require.ErrorContains(t, files[0].Err, "a frame of kind 3")
	require.Empty(t, files[0].Damage)
}
