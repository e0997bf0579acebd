package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/seal"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// wording is how a row that has a text is written in a format.
type wording struct {
	format string
	head   string // stands before the first row
	action string // stands before each row and is no part of it
	// before and behind stand around the text, which becomes the column.
	before, behind, column string
	// pieces are what texts are made of: how each is written and what it stands for.
	pieces [][2]string
}

var (
	plain    = [][2]string{{"x", "x"}, {"é", "é"}, {" ", " "}}
	escapes  = append([][2]string{{`\"`, `"`}, {`\\`, `\`}}, plain...)
	ofJSON   = append([][2]string{{`\u00e9`, "é"}, {"\U0001f600", "\U0001f600"}, {"}", "}"}, {"]", "]"}}, escapes...)
	ofCR     = append([][2]string{{"\r", "\r"}, {"\r\r", "\r\r"}}, plain...)
	doubled  = append([][2]string{{`""`, `"`}}, plain...)
	wordings = []wording{
		{format: "ndjson", before: `{"a":"`, behind: `"}`, column: "a", pieces: ofJSON},
		{format: "json", before: `{"a":"`, behind: `"}`, column: "a", pieces: ofJSON},
		{format: "csv", head: "a,b\n", before: `1,"`, behind: `"`, column: "b", pieces: append([][2]string{{"\n", "\n"}, {"\r\n", "\r\n"}, {",", ","}}, doubled...)},
		{format: "tsv", head: "a\tb\n", before: "1\t", column: "b", pieces: ofCR},
		{format: "lines", column: "line", pieces: ofCR},
		{format: "zeek", head: "#separator \\x09\n#fields\ta\tb\n#types\tcount\tstring\n", before: "1\t", column: "b", pieces: append([][2]string{{`\x41`, "A"}}, ofCR...)},
		{format: "w3c", head: "#Fields: a b\n", before: `1 "`, behind: `"`, column: "b", pieces: append(ofCR, doubled...)},
		{format: "logfmt", before: `a=1 b="`, behind: `"`, column: "b", pieces: append(ofCR, escapes...)},
		{format: "influx", before: `m a="`, behind: `" 1`, column: "a", pieces: escapes},
		{format: "bulk", action: `{"index":{}}` + "\n", before: `{"a":"`, behind: `"}`, column: "a", pieces: ofJSON},
	}
)

// openedBody reads a body as a request's is, with a key or without one.
type openedBody struct {
	engine *ingest.Engine
	form   format
	key    string
}

// refusedRow begins what is told of a row that was refused.
const refusedRow = "refused: "

// read gives what became of each row: its text, or why it was refused.
func (o openedBody) read(t require.TestingT, src io.Reader) (out []string) {
	in, err := o.engine.Begin("s", ingest.BodyOptions{Key: o.key})
	require.NoError(t, err)
	rows, err := o.form.open(src, url.Values{}, in)
	require.NoError(t, err)
	var all outcomes
	for {
		chunk, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		all.add(t, chunk)
	}
	for i := range int64(len(all)) {
		row, ok := all[i]
		require.True(t, ok, "a row is lost")
		out = append(out, row)
	}
	return out
}

// outcomes are what became of rows, by their numbers.
type outcomes map[int64]string

const byteOrderMark = "\ufeff"

func (o *outcomes) add(t require.TestingT, chunk *decode.Chunk) {
	if *o == nil {
		*o = outcomes{}
	}
	first, refused := int64(len(*o)), map[int64]bool{}
	note := func(number int64, what string) {
		_, twice := (*o)[number]
		require.False(t, twice, "a row came twice")
		(*o)[number] = what
	}
	for _, r := range chunk.Refused {
		number := int64(r.Line)
		if chunk.Numbers == nil {
			number += first
		}
		refused[number] = true
		note(number, refusedRow+r.Reason)
	}
	texts := decode.Chunk{Lines: chunk.Lines, Texts: chunk.RowTexts()}
	if texts.Empty() {
		return
	}
	schema, err := texts.Infer("")
	require.NoError(t, err)
	rows, err := texts.Decode(schema, decode.Options{Mode: catalog.Strict}, 0)
	require.NoError(t, err)
	judged := map[int]string{}
	for i, line := range rows.Lines {
		judged[line] = string(rows.Raw[i])
	}
	for _, r := range rows.Rejected {
		judged[r.Line] = refusedRow + r.Reason
	}
	number := first
	for i := range len(judged) {
		for refused[number] && chunk.Numbers == nil {
			number++
		}
		if chunk.Numbers != nil {
			number = chunk.Numbers[i]
		}
		note(number, judged[i])
		number++
	}
}

// newEngine takes events into memory.
func newEngine(t *testing.T) *ingest.Engine {
	t.Helper()
	fs, streams, m := vfs.NewMem(), catalog.New(), manifest.New()
	log, err := journal.Open(fs, "journal", map[journal.Kind]journal.State{journal.KindStream: streams, journal.KindSegment: m})
	require.NoError(t, err)
	streams.Use(log)
	store, err := segments.Open(fs, log, m, segments.Options{})
	require.NoError(t, err)
	engine, err := ingest.Open(fs, streams, store, ingest.Options{
		PendingBytes: 64 << 20, TailBytes: 1 << 30, DedupBytes: 64 << 20, RowKeyBytes: 64 << 20,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler), Seal: seal.Limits{Rows: 1 << 40, Bytes: 1 << 40, Age: time.Hour},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, errors.Join(engine.Close(), store.Close(), log.Close()))
	})
	return engine
}

// arrivals are ways in which a body comes: at once, in halves, and with a break at a place.
func arrivals(t *rapid.T, body []byte, place int) io.Reader {
	switch rapid.IntRange(0, 2).Draw(t, "arrival") {
	case 0:
		return bytes.NewReader(body)
	case 1:
		return iotest.HalfReader(bytes.NewReader(body))
	default:
		cut := min(max(place+rapid.IntRange(-4, 4).Draw(t, "break"), 0), len(body))
		return iotest.DataErrReader(io.MultiReader(bytes.NewReader(body[:cut]), bytes.NewReader(body[cut:])))
	}
}

// text draws a text of so many bytes, as it is written and what it stands for.
func (w wording) text(t *rapid.T, size int) (written, value string) {
	often, last := rapid.SampledFrom(w.pieces).Draw(t, "often"), rapid.SampledFrom(w.pieces).Draw(t, "last")
	times, filled := 0, 0
	if room := size - len(last[0]) - 1; room > 0 {
		times, filled = room/len(often[0]), room%len(often[0])
	}
	filler := strings.Repeat("x", filled)
	return filler + strings.Repeat(often[0], times) + last[0] + "x", filler + strings.Repeat(often[1], times) + last[1] + "x"
}

// row writes a row of a text, with its ending.
func (w wording) row(text, ending string) string {
	return w.action + w.before + text + w.behind + ending
}

// value is the text of a row that was taken.
func (w wording) value(t require.TestingT, row string) string {
	var members map[string]any
	require.NoError(t, json.Unmarshal([]byte(row), &members))
	require.IsType(t, "", members[w.column])
	return members[w.column].(string)
}

// opened is a format's reader, with a key or without.
func (w wording) opened(engine *ingest.Engine, key string) openedBody {
	return openedBody{engine, formats[slices.IndexFunc(formats, func(f format) bool { return f.name == w.format })], key}
}

// endings are how lines end.
var endings = rapid.SampledFrom([]string{"\n", "\r\n"})

// keys are those of requests.
var keys = rapid.SampledFrom([]string{"", "key"})

// TestRowsNearTheLimitAreCut writes a row of about as many bytes as one may have between two others: it is taken as a whole or refused as a whole, and
// the others are taken, however the body comes.
func TestRowsNearTheLimitAreCut(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	rapid.Check(t, func(t *rapid.T) {
		w, ending := rapid.SampledFrom(wordings).Draw(t, "wording"), endings.Draw(t, "ending")
		leads := []string{"", " ", strings.Repeat(" ", decode.MaxRowBytes+1), byteOrderMark}
		if w.format == "json" { // which may have a mark at its beginning alone
			leads = leads[:3]
		}
		lead := leads[rapid.IntRange(0, len(leads)-1).Draw(t, "lead")]
		text, value := w.text(t, decode.MaxRowBytes-len(w.before)-len(w.behind)+rapid.IntRange(-5, 5).Draw(t, "beyond"))
		row := w.row("x", ending)
		head := w.head + row + w.action
		body := []byte(head + lead + w.before + text + w.behind + ending + row)
		got := w.opened(engine, keys.Draw(t, "key")).read(t, arrivals(t, body, len(head)+decode.MaxRowBytes))
		require.Len(t, got, 3)
		require.Equal(t, "x", w.value(t, got[0]))
		require.Equal(t, "x", w.value(t, got[2]))
		if !strings.HasPrefix(got[1], refusedRow) {
			require.True(t, strings.HasSuffix(w.value(t, got[1]), value), "what was taken is not what was written")
			require.LessOrEqual(t, len(w.before)+len(text)+len(w.behind), decode.MaxRowBytes)
		}
	})
}

// TestALineThatIsTooLongIsNoShorterOne has lines that were cut where what is left would be a row, or nothing, once it is trimmed.
func TestALineThatIsTooLongIsNoShorterOne(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	for _, w := range wordings {
		if w.format == "json" || w.format == "influx" || w.format == "csv" || w.format == "tsv" { // where a row does not end with its line, or begins with its spaces
			continue
		}
		room := decode.MaxRowBytes - len(w.before) - len(w.behind)
		row := w.row("x", "\n")
		for name, long := range map[string]string{
			"return": w.before + strings.Repeat("x", room) + w.behind + "\rxyz",
			"mark":   byteOrderMark + w.before + strings.Repeat("x", room-2) + w.behind + "xyz",
			"spaces": strings.Repeat(" ", decode.MaxRowBytes+1) + w.before + "x" + w.behind,
			"behind": w.before + "x" + w.behind + strings.Repeat(" ", decode.MaxRowBytes) + "xyz",
		} {
			for _, key := range []string{"", "key"} {
				got := w.opened(engine, key).read(t, strings.NewReader(w.head+row+w.action+long+"\n"+row))
				require.Len(t, got, 3, "%s %s", w.format, name)
				require.Contains(t, got[1], "more than the 1048576", "%s %s", w.format, name)
			}
		}
	}
}

// TestChunksAreCutBetweenRows writes rows of pieces that may not be cut until they are two chunks, whose end lies in any place of them.
func TestChunksAreCutBetweenRows(t *testing.T) {
	t.Parallel()
	const bodyBytes = 300 << 10
	engine := newEngine(t)
	rapid.Check(t, func(t *rapid.T) {
		w, ending := rapid.SampledFrom(wordings).Draw(t, "wording"), endings.Draw(t, "ending")
		first, value := w.text(t, rapid.IntRange(1, 100).Draw(t, "first"))
		body, values := []byte(w.head+w.row("-"+first, ending)), []string{"-" + value}
		text, value := w.text(t, rapid.SampledFrom([]int{30, 3000, bodyBytes}).Draw(t, "size"))
		for len(body) < bodyBytes {
			body, values = append(body, w.row("-"+text, ending)...), append(values, "-"+value)
		}
		place := rapid.SampledFrom([]int{2 << 10, 8 << 10, 256 << 10}).Draw(t, "place")
		got := w.opened(engine, keys.Draw(t, "key")).read(t, arrivals(t, body, place))
		require.Len(t, got, len(values))
		for i, row := range got {
			require.True(t, values[i] == w.value(t, row), "row %d: %.80q", i, row)
		}
	})
}
