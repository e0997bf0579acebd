package linebody

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// parts gives a body in pieces.
type parts [][]byte

func (p *parts) Next() ([]byte, error) {
	if len(*p) == 0 {
		return nil, io.EOF
	}
	part := (*p)[0]
	*p = (*p)[1:]
	return part, nil
}

// readAll gives the rows, the refused among them, a line each.
func readAll(t require.TestingT, body *parts, options Options) (out []string) {
	r := NewReader(body, options)
	for {
		chunk, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		refused := chunk.Refused
		for place, row := 0, 0; place < chunk.Rows+len(chunk.Refused); place++ {
			if len(refused) > 0 && refused[0].Line == place {
				out, refused = append(out, "refused: "+refused[0].Reason), refused[1:]
				continue
			}
			at := "-"
			if times := chunk.Columns[0].(*array.Timestamp); !times.IsNull(row) {
				at = event.FormatTimestamp(int64(times.Value(row)))
			}
			out = append(out, fmt.Sprintf("%s %q", at, chunk.Columns[1].(*array.String).Value(row)))
			row++
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/lines", func(t *testing.T, d *datadriven.TestData) string {
		body := strings.NewReplacer("<CR>", "\r", "<BOM>", "\ufeff", "<E9>", "\xe9", "<TAB>", "\t").Replace(d.Input)
		switch d.Cmd {
		case "read":
			return strings.Join(readAll(t, &parts{[]byte(body)}, Options{}), "\n") + "\n"
		case "time":
			var out strings.Builder
			for line := range strings.Lines(body) {
				out.WriteString(strings.Join(readAll(t, &parts{[]byte(line)}, Options{}), "") + "\n")
			}
			return out.String()
		case "looks":
			return fmt.Sprintln(LooksLike([]byte(body)))
		default:
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		}
	})
}

func TestTimesGoToTheColumnThatTheStreamHas(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": "time", "ts": "ts"} {
		r := NewReader(&parts{[]byte("x\n")}, Options{Time: func() string { return name }})
		chunk, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, want, chunk.Fields[0].Name)
	}
}

// TestLinesAreCutAsTheyCome reads the same lines in other pieces: the rows are the same, chunks are bounded, and memory is given back once.
func TestLinesAreCutAsTheyCome(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "", " ", "2026-03-01 09:00:00 x", "\xff", "\r"}), 0, 20).Draw(t, "lines")
		lines = append([]string{"2026-03-01 08:00:00"}, lines...)
		whole, split := parts{[]byte(strings.Join(lines, "\n"))}, parts{}
		for _, line := range lines {
			split = append(split, []byte(line+"\n"))
		}
		recycled, pieces := 0, len(split)
		options := Options{Recycle: func([]byte) { recycled++ }}
		require.Equal(t, readAll(t, &whole, Options{}), readAll(t, &split, options))
		require.Equal(t, pieces, recycled)
	})
}

func TestChunksOfShortLinesAreBounded(t *testing.T) {
	t.Parallel()
	r := NewReader(&parts{[]byte(strings.Repeat("x\n", 2*decode.MaxChunkRows+1))}, Options{})
	var rows []int
	for {
		chunk, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		rows = append(rows, chunk.Rows)
	}
	require.Equal(t, []int{decode.MaxChunkRows, decode.MaxChunkRows, 1}, rows)
}

func TestALineThatIsTooLongIsRefused(t *testing.T) {
	t.Parallel()
	got := readAll(t, &parts{[]byte(strings.Repeat("x", decode.MaxRowBytes+1)), []byte("y\n")}, Options{})
	require.Equal(t, []string{"refused: the row has more than the 1048576 bytes allowed", `- "y"`}, got)
}

func FuzzLineTime(f *testing.F) {
	for _, seed := range []string{"", "<34>1 2026-03-01T09:00:00Z h", "[", "time=", " [01/Mar/2026:09:00:00 +0000]", "1772355600.5 x", "a\tb|c]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := string(line)
		decode.LineTime(line)
		LooksLike(line)
		require.Equal(t, before, string(line))
	})
}
