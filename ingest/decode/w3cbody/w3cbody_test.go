package w3cbody

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/fieldbody"
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
	for r := fieldbody.NewReader(&body, &Form{}, fieldbody.Options{}); ; {
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
		body := strings.NewReplacer(" | ", "\t", "<FF>", "\xff", "<CR>", "\r", "<BOM>", "\ufeff").Replace(d.Input)
		if d.Cmd == "looks" {
			return fmt.Sprintln(LooksLike([]byte(body+"\n"), d.HasArg("all")))
		}
		return strings.Join(readAll(parts{[]byte(body)}), "\n") + "\n"
	})
}

// TestLogsAreCutAsTheyCome reads a log in other pieces, of texts alone: the rows are the same, and each is an object that decode takes.
func TestLogsAreCutAsTheyCome(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.SampledFrom([]string{"-", "x", `"`, `"a b"`, `"a`, "\xff", `""`, "2026-03-01", "é", `\`})
		separator := rapid.SampledFrom([]string{" ", "\t", ","}).Draw(t, "separator")
		lines := []string{"#Fields: a,b", "text" + separator + "text"}
		if separator != "," {
			lines[0] = "#Fields: a b"
		}
		for range rapid.IntRange(0, 10).Draw(t, "rows") {
			lines = append(lines, cell.Draw(t, "a")+separator+cell.Draw(t, "b"))
		}
		split := parts{}
		for _, line := range lines {
			split = append(split, []byte(line+"\n"))
		}
		rows := readAll(parts{[]byte(strings.Join(lines, "\n"))})
		require.Len(t, rows, len(lines)-1)
		require.Equal(t, rows, readAll(split))
		for _, row := range rows {
			if !strings.HasPrefix(row, "refused") {
				require.True(t, decode.IsJSON([]byte(row)), row)
			}
		}
	})
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("#Date: 2026-03-01\n#Fields: time a b\n09:00:01 - \"x y\"\n"))
	f.Add([]byte("#Fields: date,time,a\n2026-03-01,09:00:01,\"x\"\"y\"\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, row := range readAll(parts{body}) {
			if !strings.HasPrefix(row, "refused") && !strings.HasPrefix(row, "error") {
				require.True(t, decode.IsJSON([]byte(row)), row)
			}
		}
	})
}
