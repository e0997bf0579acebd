package decode_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const oracleColumns = `ts TIMESTAMPTZ time
b BOOLEAN
i BIGINT
d DOUBLE
s TEXT
j JSONB
t TIMESTAMPTZ`

var modes = []catalog.SchemaMode{catalog.Strict, catalog.Evolve, catalog.Ignore}

// FuzzNDJSON holds every verdict and every value against a reader made of the standard library.
func FuzzNDJSON(f *testing.F) {
	for _, seed := range []string{
		`{"ts":"2024-05-01T10:00:00Z","b":true,"i":12,"d":1.25,"s":"text","j":{"a":[1, "x"]},"t":"2024-05-01T10:00:00.000000Z"}`,
		"{\"s\":\"\\u00e9\\ud83d\\ude00\u00e9\\\"\",\"x\":null}\r\n\n  {\"i\":-9223372036854775808,\"d\":9007199254740993}",
		`{"i":1,"i":2,"s":"a","s":null,"y":[{"z":[]}]}` + "\n" + `{"d":123456789012345678901e-7,"ts":1714557600.25}`,
		`{"d":0.1e+5,"ts":1714557600123,"j":-0.0}` + "\n{\"d\":1e400}\n{}\n[1]\n{\"_offset\":1}\n{\"\":1}",
		"{\"s\":\"\\ud800\"}\n{\"s\":\"\xff\"}\n{\"i\":01}\n{\"i\":1}x\n{\"b\":tru}",
	} {
		for options := range byte(6) {
			f.Add([]byte(seed), options)
		}
	}
	f.Fuzz(func(t *testing.T, chunk []byte, options byte) {
		mode := modes[int(options)%len(modes)]
		schema := declare(t, oracleColumns)
		if options >= 3 {
			schema.Columns[0].NotNull = true
			schema.Columns[4].NotNull = true
		}
		rows, err := decode.NDJSON(chunk, schema, decode.Options{Arrival: arrival, Mode: mode})
		require.NoError(t, err)
		want := oracle{schema: schema, mode: mode}
		want.run(chunk)
		require.Equal(t, want.drift, rows.Drift)
		if !want.drift {
			want.compare(t, rows)
		}
	})
}

// oracle decides slowly what NDJSON should.
type oracle struct {
	schema     *event.Schema
	mode       catalog.SchemaMode
	rows       []map[string]any
	lines      []int
	rejected   []int
	duplicates int
	drift      bool
}

type verdict int

const (
	accepted verdict = iota
	rejected
	drifts
)

func (o *oracle) run(chunk []byte) {
	chunk = bytes.TrimPrefix(chunk, []byte("\ufeff"))
	line := 0
	for text := range bytes.SplitSeq(chunk, []byte("\n")) {
		text = bytes.Trim(text, " \t\r")
		if len(text) == 0 {
			continue
		}
		switch row, verdict := o.row(text); verdict {
		case accepted:
			o.rows, o.lines = append(o.rows, row), append(o.lines, line)
		case rejected:
			o.rejected = append(o.rejected, line)
		case drifts:
			o.drift = true
			return
		}
		line++
	}
}

// row reads one row as a map from column to bool, int64, float64, string or time.
func (o *oracle) row(text []byte) (map[string]any, verdict) {
	names, values := oracleMembers(text)
	if values == nil || len(names) > 1<<16 {
		return nil, rejected
	}
	row, result, duplicates := map[string]any{}, accepted, 0
	columns := map[string]event.Column{}
	for _, c := range o.schema.Columns {
		columns[c.Name] = c
	}
	for _, name := range names {
		if _, known := columns[name]; known {
			duplicates++
		}
		switch {
		case name == "" || len(name) > 255, strings.EqualFold(name, "_offset"), strings.EqualFold(name, "_partition"),
			strings.EqualFold(name, "_ingested_at"), strings.EqualFold(name, "_watermark"):
			return nil, rejected
		}
	}
	for name, value := range values {
		c, known := columns[name]
		duplicates -= bit(known)
		if string(value) == "null" || !known && o.mode == catalog.Ignore {
			continue
		}
		isTime := known && c.ID == o.schema.TimeColumn
		v := oracleValue(c, value, isTime, isTime || o.mode != catalog.Evolve)
		switch {
		case v != nil:
			row[name] = v
		case o.mode != catalog.Evolve || isTime:
			return nil, rejected
		default:
			result = drifts
		}
	}
	for _, c := range o.schema.Columns {
		if value := string(values[c.Name]); c.NotNull && (value == "" || value == "null") {
			return nil, rejected
		}
		if _, ok := row[c.Name]; !ok && c.ID == o.schema.TimeColumn {
			row[c.Name] = int64(arrival)
		}
	}
	if result == accepted {
		o.duplicates += duplicates
	}
	return row, result
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// oracleMembers takes a row apart, nil if it is no valid object.
func oracleMembers(text []byte) (names []string, values map[string]json.RawMessage) {
	if !utf8.Valid(text) || !json.Valid(text) || text[0] != '{' || loneSurrogate(text) || depth(text) > 64 {
		return nil, nil
	}
	values = map[string]json.RawMessage{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	_, _ = decoder.Token()
	for decoder.More() {
		name, _ := decoder.Token()
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return nil, nil
		}
		names = append(names, name.(string))
		values[name.(string)] = value
	}
	return names, values
}

// loneSurrogate looks for escapes in valid JSON that are half of a pair.
func loneSurrogate(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if text[i] != 'u' {
			continue
		}
		r, _ := strconv.ParseUint(string(text[i+1:i+5]), 16, 16)
		i += 4
		if !utf16.IsSurrogate(rune(r)) {
			continue
		}
		if i+6 >= len(text) || text[i+1] != '\\' || text[i+2] != 'u' {
			return true
		}
		low, _ := strconv.ParseUint(string(text[i+3:i+7]), 16, 16)
		if utf16.DecodeRune(rune(r), rune(low)) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// depth is how deeply valid JSON nests.
func depth(text []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

var integerLiteral = regexp.MustCompile(`^-?[0-9]+$`)

// oracleValue is what a column should hold of a value, nil if it cannot.
func oracleValue(c event.Column, value []byte, isTime, anySpelling bool) any {
	text := string(value)
	isNumber := text[0] == '-' || '0' <= text[0] && text[0] <= '9'
	isInteger := integerLiteral.MatchString(text) && text != "-0"
	var s string
	isString := text[0] == '"' && json.Unmarshal(value, &s) == nil
	switch {
	case c.Type.Kind == event.JSONB:
		var compact bytes.Buffer
		if json.Compact(&compact, value) != nil {
			return nil
		}
		return compact.String()
	case c.Type.Kind == event.Boolean && (text == "true" || text == "false"):
		return text == "true"
	case c.Type.Kind == event.Text && isString:
		return s
	case c.Type.Kind == event.BigInt && isInteger:
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			return v
		}
	case c.Type.Kind == event.Double && isNumber:
		return oracleDouble(text, isInteger)
	case c.Type.Kind == event.TimestampTZ && isString:
		if v, ok := event.WrittenTimestamp(s); ok && event.InCalendar(v) && (anySpelling || event.FormatTimestamp(v) == s) {
			return v
		}
	case isTime && isNumber:
		return oracleEpoch(text)
	}
	return nil
}

func oracleDouble(text string, isInteger bool) any {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	if isInteger {
		exact, _ := new(big.Int).SetString(text, 10)
		rounded, _ := new(big.Float).SetFloat64(v).Int(nil)
		if exact.Cmp(rounded) != 0 {
			return nil
		}
	}
	return v
}

// anyTime stands for a time so oddly written that its last microseconds are not worth an oracle.
type anyTime struct{}

func oracleEpoch(text string) any {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(v) >= 9.2e18 {
		return nil
	}
	if len(text) > 19 || bytes.ContainsAny([]byte(text), "eE") {
		if v > -1e11 && v*1e6 < event.EarliestTime {
			return nil
		}
		return anyTime{}
	}
	exact, _ := new(big.Rat).SetString(text)
	magnitude := new(big.Rat).Abs(exact)
	scale := big.NewRat(1, 1000)
	for _, unit := range []struct{ below, scale int64 }{{1e17, 1}, {1e14, 1e3}, {1e11, 1e6}} {
		if magnitude.Cmp(big.NewRat(unit.below, 1)) < 0 {
			scale = big.NewRat(unit.scale, 1)
		}
	}
	exact.Mul(exact, scale)
	micros := new(big.Int).Div(exact.Num(), exact.Denom()).Int64() // Euclidean, and the denominator is positive: it rounds down
	if !event.InCalendar(micros) {
		return nil
	}
	return micros
}

func (o *oracle) compare(t *testing.T, rows *decode.Rows) {
	t.Helper()
	require.Equal(t, len(o.rows), rows.Count)
	require.Equal(t, o.duplicates, rows.DuplicateKeys)
	require.Len(t, rows.Raw, rows.Count)
	require.Len(t, rows.Times, rows.Count)
	require.Equal(t, o.lines, append([]int(nil), rows.Lines...))
	var lines []int
	for _, r := range rows.Rejected {
		require.NotEmpty(t, r.Reason)
		lines = append(lines, r.Line)
	}
	require.Equal(t, o.rejected, lines)
	for at, c := range o.schema.Columns {
		require.Equal(t, rows.Count, rows.Columns[at].Len())
		for i := range rows.Count {
			want, got := o.rows[i][c.Name], valueAt(rows.Columns[at], i)
			if _, free := want.(anyTime); !free {
				require.Equal(t, want, got, "row %d column %s", i, c.Name)
			}
			if c.ID == o.schema.TimeColumn {
				require.Equal(t, rows.Times[i], got)
			}
		}
	}
}

// valueAt is a value in the form that the oracle has it in; nil for NULL.
func valueAt(values arrow.Array, i int) any {
	if values.IsNull(i) {
		return nil
	}
	switch a := values.(type) {
	case *array.Boolean:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Float64:
		return a.Value(i)
	case *array.Timestamp:
		return int64(a.Value(i))
	default:
		return event.StringAt(values, i)
	}
}
