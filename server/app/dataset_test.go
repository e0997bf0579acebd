package app

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/racing"
)

// recordings are folders of real events beside the project; testdata holds small ones of the same shapes for where they are absent.
const recordings = "../../../shared/data"

// maxValues bounds the columns that are grouped by: those with few values say most about right and wrong counts.
const maxValues = 200

// TestFilesAreAnsweredAsAScriptWould posts whole files and compares counts, times and group-bys over top-level and nested fields
// with what encoding/json says about the same lines: in the tail, sealed, and after a restart. Sealed rows are asked for everything.
// Under the race detector files are cut short, and the other two stages are asked for a sample, as the same rows give the same answers.
func TestFilesAreAnsweredAsAScriptWould(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.ndjson")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, folder := range []string{"security", "weblogs", "tsbs", "nab"} {
		found, err := filepath.Glob(filepath.Join(recordings, folder, "*.ndjson.gz"))
		require.NoError(t, err)
		files = append(files, found...)
	}
	if _, err := os.Stat(recordings); err != nil {
		t.Logf("%s is absent: only the small files in testdata are read", recordings)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			body := firstLines(readRecording(t, file), raced(2<<20, everything))
			want := survey(t, body)
			s := start(t, t.TempDir())
			in := s.ingest("f", string(body))
			require.EqualValues(t, want.rows, in.Accepted)
			require.Zero(t, in.Rejected)
			sample := raced(6, everything)
			want.check(t, s, sample)
			s.seal("f")
			want.check(t, s, everything)
			want.check(t, s.restart(), sample)
		})
	}
}

// everything is a sample that leaves nothing out.
const everything = math.MaxInt

// raced is how much of something is done: less under the race detector, which makes it ten times slower, other than where TIDEMARK_STRESS is
// set. `make test` runs the tests that ask for it in both ways.
func raced(less, all int) int {
	if racing.Less() {
		return less
	}
	return all
}

// firstLines cuts a recording short.
func firstLines(body []byte, most int) []byte {
	if len(body) <= most {
		return body
	}
	return body[:bytes.LastIndexByte(body[:most], '\n')+1]
}

func readRecording(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	if !strings.HasSuffix(file, ".gz") {
		return data
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = out.ReadFrom(z)
	require.NoError(t, err)
	return out.Bytes()
}

// facts are what a script finds in a file.
type facts struct {
	rows int
	// groups maps an SQL expression to its values, each with its number of rows.
	groups   map[string]map[string]int64
	timeName string
	min, max int64
}

func survey(t *testing.T, body []byte) *facts {
	t.Helper()
	f := &facts{groups: map[string]map[string]int64{}}
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var row map[string]any
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&row))
		f.add(t, row)
	}
	require.NoError(t, lines.Err())
	return f
}

func (f *facts) add(t *testing.T, row map[string]any) {
	t.Helper()
	if f.rows == 0 {
		for _, name := range []string{"ts", "time", "timestamp", "@timestamp", "event_time"} {
			if _, ok := row[name]; ok && f.timeName == "" {
				f.timeName = name
			}
		}
	}
	f.rows++
	if f.timeName != "" {
		at := timeOf(t, row[f.timeName])
		if f.rows == 1 {
			f.min, f.max = at, at
		}
		f.min, f.max = min(f.min, at), max(f.max, at)
	}
	for name, value := range row {
		if name == f.timeName {
			continue
		}
		f.count(identifier(name), value)
		members, ok := value.(map[string]any)
		if !ok {
			continue
		}
		for member, inner := range members {
			if text, scalar := asText(inner); scalar {
				f.count(fmt.Sprintf("%s->>'%s'", identifier(name), member), text)
			}
		}
	}
}

func (f *facts) count(expression string, value any) {
	counts, ok := f.groups[expression]
	if !ok {
		counts = map[string]int64{}
		f.groups[expression] = counts
	}
	if len(counts) <= maxValues && value != nil {
		counts[canonical(value)]++
	}
}

// identifier quotes a name for SQL.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// asText is what ->> gives for a scalar member.
func asText(v any) (any, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	default:
		return nil, false
	}
}

func timeOf(t *testing.T, v any) int64 {
	t.Helper()
	if number, ok := v.(json.Number); ok {
		milliseconds, err := number.Int64()
		require.NoError(t, err)
		return milliseconds * 1000
	}
	micros, ok := event.ParseTimestamp(v.(string))
	require.True(t, ok, v)
	return micros
}

// canonical gives equal text to equal JSON values, whatever the spelling of their numbers and the order of their members.
func canonical(v any) string {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return strconv.FormatInt(n, 10)
		}
		exact, _ := new(big.Rat).SetString(v.String())
		return exact.RatString()
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = canonical(e)
		}
		return "[" + strings.Join(parts, ",") + "]"
	default:
		text, _ := json.Marshal(v)
		return string(text)
	}
}

// check asks the server for the facts, as many expressions at random as sample says at most.
func (f *facts) check(t *testing.T, s *instance, sample int) {
	t.Helper()
	require.Equal(t, fmt.Sprintf("[%d]\n", f.rows), s.query("SELECT count(*) FROM f").text())
	if f.timeName != "" {
		got := s.query(fmt.Sprintf(`SELECT min(%[1]s), max(%[1]s) FROM f`, identifier(f.timeName))).text()
		require.Equal(t, fmt.Sprintf("[%q,%q]\n", event.FormatTimestamp(f.min), event.FormatTimestamp(f.max)), got)
	}
	checked := 0
	for _, expression := range f.shuffled(t) {
		if checked == sample {
			break
		}
		want := f.groups[expression]
		answer := s.query(fmt.Sprintf("SELECT %s AS k, count(*) AS n FROM f WHERE %s IS NOT NULL GROUP BY k", expression, expression))
		got := map[string]int64{}
		for _, row := range answer.Rows {
			n, err := row[1].(json.Number).Int64()
			require.NoError(t, err)
			got[canonical(row[0])] += n
		}
		require.Equal(t, want, got, expression)
		checked++
	}
	require.Positive(t, checked)
}

// shuffled lists the expressions to group by in random order. A field that is always null makes no column.
func (f *facts) shuffled(t *testing.T) []string {
	t.Helper()
	var out []string
	for expression, want := range f.groups {
		if len(want) > 0 && len(want) <= maxValues {
			out = append(out, expression)
		}
	}
	slices.Sort(out)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
