package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/racing"
)

// TestRecordingsInEveryFormat turns real events into every format that they can be turned into, by Tidemark, by DuckDB or by hand, and takes
// those in again: whatever the format, the rows are those of the lines, or what DuckDB finds in its own file.
func TestRecordingsInEveryFormat(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.ndjson")
	require.NoError(t, err)
	for _, folder := range []string{"security", "weblogs", "tsbs", "nab"} {
		found, err := filepath.Glob(filepath.Join(recordings, folder, "*.ndjson.gz"))
		require.NoError(t, err)
		files = append(files, found...)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			body := firstLines(readRecording(t, file), recordedBytes())
			s := start(t, t.TempDir())
			rows := s.ingest("lines", string(body)).Accepted
			columns := s.streamColumns("lines")
			objects := strings.FieldsFunc(string(body), func(r rune) bool { return r == '\n' || r == '\r' })
			s.requireSameRows("array", "["+strings.Join(objects, ",\n")+"]", "application/json", columns, rows)
			s.requireSameRows("objects", strings.Join(objects, ""), "application/json", columns, rows)
			for format, media := range map[string]string{"arrow": "application/vnd.apache.arrow.stream", "parquet": "application/vnd.apache.parquet", "ndjson": ""} {
				exported := s.do("POST", "/v1/sql?max_rows=1000000&format="+format, "SELECT "+strings.Join(columns, ", ")+" FROM lines ORDER BY _offset")
				require.Equal(t, http.StatusOK, exported.status)
				s.requireSameRows("from_"+format, string(exported.body), media, columns, rows)
			}
			s.compareWithDuckDB(t, body, rows)
		})
	}
}

// recordedBytes is how much of a recording is taken in every format where the whole would take too long.
func recordedBytes() int {
	if !racing.On && os.Getenv("TIDEMARK_STRESS") != "" {
		return everything
	}
	return raced(1<<17, 1<<20)
}

// streamColumns are the quoted names of a stream's own columns.
func (i *instance) streamColumns(stream string) []string {
	var out []string
	for _, row := range i.query("DESCRIBE " + stream).Rows {
		if row[3] != "hidden" {
			out = append(out, `"`+strings.ReplaceAll(row[0].(string), `"`, `""`)+`"`)
		}
	}
	return out
}

// requireSameRows sends the events of the stream lines in another format, and asks for the rows that are in one stream and not in the other.
func (i *instance) requireSameRows(stream, body, media string, columns []string, rows int64) {
	i.t.Helper()
	var headers []string
	if media != "" {
		headers = []string{"Content-Type", media}
	}
	require.Equal(i.t, rows, i.ingest(stream, body, headers...).Accepted, stream)
	texts := make([]string, len(columns))
	for at, c := range columns {
		texts[at] = c + "::TEXT"
	}
	list := strings.Join(texts, ", ")
	for _, pair := range [][2]string{{stream, "lines"}, {"lines", stream}} {
		sql := fmt.Sprintf("SELECT %s FROM %s EXCEPT ALL SELECT %s FROM %s LIMIT 2", list, pair[0], list, pair[1])
		require.Empty(i.t, i.query(sql).Rows, "%s but not %s", pair[0], pair[1])
	}
}

// compareWithDuckDB has DuckDB write the lines as CSV and as Parquet, and compares what it then finds in each column with what we do.
func (i *instance) compareWithDuckDB(t *testing.T, body []byte, rows int64) {
	t.Helper()
	if os.Getenv("TIDEMARK_DUCKDB") == "" {
		return // the comparisons without it are worth a run of their own
	}
	folder := i.t.TempDir()
	lines := filepath.Join(folder, "lines.ndjson")
	require.NoError(i.t, os.WriteFile(lines, body, 0o600))
	for format, read := range map[string]string{"csv": "read_csv('%s', all_varchar = true, max_line_size = 4000000)", "parquet": "read_parquet('%s')"} {
		file := filepath.Join(folder, "events."+format)
		duckDB(t, fmt.Sprintf("COPY (FROM read_json('%s', format = 'newline_delimited', sample_size = -1)) TO '%s' (FORMAT %s)", lines, file, format))
		content, err := os.ReadFile(file)
		require.NoError(i.t, err)
		stream := "duckdb_" + format
		got := i.do("POST", "/v1/streams/"+stream+"/events?format="+format, string(content))
		require.Equal(i.t, http.StatusOK, got.status, "%.500s", got.body)
		var in ingested
		got.decode(i.t, &in)
		require.Equal(i.t, rows, in.Accepted, "%s: %+v", stream, in.Errors)
		var counts []string
		for _, c := range i.streamColumns(stream) {
			counts = append(counts, "count("+c+")", "count(DISTINCT "+c+")")
		}
		list := strings.Join(counts, ", ")
		theirs := duckDB(t, "SELECT "+list+" FROM "+fmt.Sprintf(read, file)).text()
		require.Equal(i.t, theirs, i.query("SELECT "+list+" FROM "+stream).text(), stream)
	}
}
