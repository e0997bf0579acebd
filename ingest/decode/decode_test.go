package decode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// arrival is 2020-01-01T00:00:00Z.
const arrival = 1_577_836_800_000_000

// TestFiles runs the files of testdata. Each begins without a schema; infer, declare and evolve set it, decode and replay use it.
//
//	declare                    one "name TYPE [not null] [time]" a line
//	infer [time=NAME]          the schema of the rows
//	evolve [exact=NAME,...]    the next schema; BIGINT columns named are exact as DOUBLE PRECISION
//	decode [mode=MODE]         the rows, or that they drift
//	replay version=N           the rows as records logged under schema version N
//
// In the input <TAB>, <CR>, <BOM>, <FF> and <SOH> stand for those bytes.
func TestFiles(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		t.Helper()
		var schema *event.Schema
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			chunk := []byte(placeholders.Replace(d.Input))
			var err error
			switch d.Cmd {
			case "declare":
				schema = declare(t, d.Input)
				return describe(schema)
			case "infer":
				var name string
				d.MaybeScanArgs(t, "time", &name)
				schema, err = decode.Infer(chunk, name)
			case "times":
				return strings.Join((&decode.Chunk{Lines: chunk}).PossibleTimes(), "\n")
			case "evolve":
				schema, err = decode.Evolve(chunk, schema, exactColumns(d, schema))
			case "decode":
				var mode string
				d.MaybeScanArgs(t, "mode", &mode)
				return decoded(decode.NDJSON(chunk, schema, decode.Options{Arrival: arrival, Mode: catalog.SchemaMode(mode)}))
			case "replay":
				var version int
				d.ScanArgs(t, "version", &version)
				return decoded(decode.Replay(records(chunk), schema, version, arrival))
			default:
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			if err != nil {
				return fmt.Sprintf("error: %v\n", err)
			}
			return describe(schema)
		})
	})
}

var placeholders = strings.NewReplacer("<TAB>", "\t", "<CR>", "\r", "<BOM>", "\ufeff", "<FF>", "\xff", "<SOH>", "\x01")

func records(chunk []byte) [][]byte {
	var out [][]byte
	for line := range strings.SplitSeq(strings.TrimSpace(string(chunk)), "\n") {
		out = append(out, []byte(line))
	}
	return out
}

func exactColumns(d *datadriven.TestData, schema *event.Schema) func(event.FieldID) bool {
	names := ""
	for _, arg := range d.CmdArgs {
		if arg.Key == "exact" {
			names = strings.Join(arg.Vals, ",")
		}
	}
	return func(id event.FieldID) bool {
		c, _ := schema.ByID(id)
		return strings.Contains(","+names+",", ","+c.Name+",")
	}
}

// declare makes a schema from lines of "name TYPE [not null] [time]".
func declare(t *testing.T, text string) *event.Schema {
	t.Helper()
	schema := &event.Schema{Version: 1, NextID: 1}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		line, isTime := strings.CutSuffix(line, " time")
		line, notNull := strings.CutSuffix(line, " not null")
		line, isOverflow := strings.CutSuffix(line, " overflow")
		name, typeName, _ := strings.Cut(line, " ")
		typ, err := event.ParseType(typeName)
		require.NoError(t, err)
		column := event.Column{ID: schema.NextID, Name: name, NotNull: notNull, Since: 1}
		column.Declare(typ)
		schema.Columns = append(schema.Columns, column)
		if isTime {
			schema.TimeColumn = schema.NextID
		}
		if isOverflow {
			schema.Overflow = schema.NextID
		}
		schema.NextID++
	}
	return schema
}

func describe(schema *event.Schema) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %d, next id %d\n", schema.Version, schema.NextID)
	for _, c := range schema.Columns {
		fmt.Fprintf(&b, "%d %s %s since %d", c.ID, c.Name, c.Type, c.Since)
		if c.NotNull {
			b.WriteString(" not null")
		}
		if c.ID == schema.TimeColumn {
			b.WriteString(" time")
		}
		if c.ID == schema.Overflow {
			b.WriteString(" overflow")
		}
		if c.Inferred {
			b.WriteString(" inferred")
		}
		for _, f := range c.Former {
			fmt.Fprintf(&b, ", was %d %s until %d", f.ID, f.Type, f.Until)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func decoded(rows *decode.Rows, err error) string {
	switch {
	case err != nil:
		return fmt.Sprintf("error: %v\n", err)
	case rows.Drift:
		return "drift\n"
	}
	var b strings.Builder
	for i := range rows.Count {
		fmt.Fprintf(&b, "%d:", rows.Lines[i])
		for _, c := range rows.Columns {
			b.WriteByte(' ')
			b.WriteString(show(c, i))
		}
		fmt.Fprintf(&b, " @ %s\n", event.FormatTimestamp(rows.Times[i]))
	}
	for _, r := range rows.Rejected {
		fmt.Fprintf(&b, "%d rejected: %s\n", r.Line, r.Reason)
	}
	if rows.DuplicateKeys > 0 {
		fmt.Fprintf(&b, "%d duplicate keys\n", rows.DuplicateKeys)
	}
	return b.String()
}

// show renders one value in a way that tells types and NULL apart.
func show(values arrow.Array, i int) string {
	if values.IsNull(i) {
		return "NULL"
	}
	switch a := values.(type) {
	case *array.Boolean:
		return fmt.Sprint(a.Value(i))
	case *array.Int64:
		return fmt.Sprint(a.Value(i))
	case *array.Float64:
		return "~" + string(event.AppendDouble(nil, a.Value(i)))
	case *array.Timestamp:
		return event.FormatTimestamp(int64(a.Value(i)))
	case *array.String:
		return fmt.Sprintf("<%s>", strings.ReplaceAll(a.Value(i), "\n", "\\n"))
	default:
		return values.ValueStr(i)
	}
}
