package zeekbody

import (
	"errors"
	"io"
	"strings"
	"testing"

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

// readAll gives the rows, the refused among them, and what is wrong with the body.
func readAll(body parts) (out []string) {
	for r := NewReader(&body); ; {
		chunk, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		var fault *event.Error
		if errors.As(err, &fault) {
			return append(out, "error: "+fault.Detail)
		}
		refused, texts := chunk.Refused, chunk.Texts
		for place := range len(refused) + len(texts) {
			if len(refused) > 0 && refused[0].Line == place {
				out, refused = append(out, "refused: "+refused[0].Reason), refused[1:]
				continue
			}
			out, texts = append(out, string(texts[0])), texts[1:]
		}
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/logs", func(_ *testing.T, d *datadriven.TestData) string {
		body := strings.NewReplacer(" | ", "\t", "<FF>", "\xff", "<CR>", "\r").Replace(d.Input)
		return strings.Join(readAll(parts{[]byte(body)}), "\n") + "\n"
	})
}

// TestLogsAreCutAsTheyCome reads a log in other pieces: the rows are the same, and each is an object that decode takes.
func TestLogsAreCutAsTheyCome(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.SampledFrom([]string{"-", "(empty)", "1", "T", `\x09`, `a\`, "x,-,y", `"`, "\xff", "", `\\x`, `\xff`})
		lines := []string{`#separator \x09`, "#fields\ta\tb", "#types\t" + rapid.SampledFrom([]string{"string\tcount", "set[int]\tbool", "vector[string]\taddr"}).Draw(t, "types")}
		for range rapid.IntRange(0, 10).Draw(t, "rows") {
			lines = append(lines, cell.Draw(t, "a")+"\t"+cell.Draw(t, "b"))
		}
		split := parts{}
		for _, line := range lines {
			split = append(split, []byte(line+"\n"))
		}
		rows := readAll(parts{[]byte(strings.Join(lines, "\n"))})
		require.Equal(t, rows, readAll(split))
		for _, row := range rows {
			if !strings.HasPrefix(row, "refused") {
				require.True(t, decode.IsJSON([]byte(row)), row)
			}
		}
	})
}

func TestASeparatorIsNamed(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"error: #separator names none"}, readAll(parts{[]byte("#separator \n#fields\ta\n")}))
}

func TestChunksOfShortRowsAreBounded(t *testing.T) {
	t.Parallel()
	body := parts{[]byte("#fields\ta\n" + strings.Repeat("x\n", decode.MaxChunkRows+1))}
	r := NewReader(&body)
	for _, want := range []int{decode.MaxChunkRows, 1} {
		chunk, err := r.Next()
		require.NoError(t, err)
		require.Len(t, chunk.Texts, want)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("#separator \\x09\n#fields\ta\n#types\tset[count]\n1,-\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, row := range readAll(parts{body}) {
			if !strings.HasPrefix(row, "refused") && !strings.HasPrefix(row, "error") {
				require.True(t, decode.IsJSON([]byte(row)), row)
			}
		}
	})
}
