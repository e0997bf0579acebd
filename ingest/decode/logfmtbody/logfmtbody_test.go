package logfmtbody

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
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

// readAll gives the rows, and the refused among them.
func readAll(t require.TestingT, body parts, options fieldbody.Options) (out []string) {
	for r := fieldbody.NewReader(&body, Form{}, options); ; {
		chunk, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
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

func TestLines(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{TimeColumn: 3, Columns: []event.Column{
		{ID: 1, Name: "id", Type: event.Type{Kind: event.Text}}, {ID: 2, Name: "n", Type: event.Type{Kind: event.BigInt}},
		{ID: 3, Name: "at", Type: event.Type{Kind: event.TimestampTZ}},
	}}
	datadriven.RunTest(t, "testdata/lines", func(t *testing.T, d *datadriven.TestData) string {
		body := strings.NewReplacer("<FF>", "\xff", "<BOM>", "\ufeff").Replace(d.Input)
		options := fieldbody.Options{}
		switch d.Cmd {
		case "looks":
			return fmt.Sprintln(LooksLike([]byte(body)))
		case "known":
			options.Schema = func() *event.Schema { return schema }
		}
		return strings.Join(readAll(t, parts{[]byte(body)}, options), "\n") + "\n"
	})
}

// TestWhatGoQuotesIsReadBack writes texts as programs in Go do.
func TestWhatGoQuotesIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]string{}
		line := ""
		for i, text := range rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "texts") {
			key := fmt.Sprintf("k%d", i)
			want[key], line = strings.ToValidUTF8(text, "?")+"x y", line+key+"="+strconv.Quote(strings.ToValidUTF8(text, "?")+"x y")+" "
		}
		rows := readAll(t, parts{[]byte(line)}, fieldbody.Options{})
		require.Len(t, rows, 1)
		var got map[string]string
		require.NoError(t, json.Unmarshal([]byte(rows[0]), &got), rows[0])
		require.Equal(t, want, got)
	})
}

// TestChunksAreBounded holds that lines which become far more than their bytes are given in more chunks, and none is lost.
func TestChunksAreBounded(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"fields": strings.Repeat("a=1 ", 100), "text": strings.Repeat(strings.Repeat("k", 200)+" ", 50) + "a=1", "rows": "a=1",
	} {
		body := parts{[]byte(strings.Repeat(line+"\n", 33_000))}
		held, most := int64(0), int64(0)
		r := fieldbody.NewReader(&body, Form{}, fieldbody.Options{Hold: func(bytes int64) error {
			held += bytes
			most = max(most, held)
			return nil
		}})
		rows := 0
		for {
			chunk, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			require.LessOrEqual(t, len(chunk.Texts), decode.MaxChunkRows, name)
			require.LessOrEqual(t, chunk.Held(), int64(4<<20), name)
			rows += len(chunk.Texts)
		}
		require.Equal(t, 33_000, rows, name)
		require.Less(t, most, int64(8<<20), name)
	}
}

func TestTooManyMembers(t *testing.T) {
	t.Parallel()
	rows := readAll(t, parts{[]byte(strings.Repeat("a=1 ", decode.MaxMembers+1) + "\nb=1\n")}, fieldbody.Options{})
	require.Equal(t, []string{"refused: the row has more than 65536 members", `{"b":1}`}, rows)
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("a=1 b=\"x\\n\" c d=\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, row := range readAll(t, parts{body}, fieldbody.Options{}) {
			if !strings.HasPrefix(row, "refused") {
				require.True(t, decode.IsJSON([]byte(row)), row)
			}
		}
		LooksLike(body)
	})
}
