package decode_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// TestRecorded takes recorded events through inference, decoding, evolution and replay, where they are at hand.
func TestRecorded(t *testing.T) {
	t.Parallel()
	const folder = "../../../shared/data"
	plain, err := filepath.Glob(filepath.Join(folder, "*", "*.ndjson"))
	require.NoError(t, err)
	zipped, err := filepath.Glob(filepath.Join(folder, "*", "*.ndjson.gz"))
	require.NoError(t, err)
	if len(plain)+len(zipped) == 0 {
		t.Skipf("no recorded events in %s", folder)
	}
	for _, path := range append(plain, zipped...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			takeIn(t, path)
		})
	}
}

// takeIn runs a file through as a stream would take it, in chunks of 1,000 rows, five at most.
func takeIn(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var reader io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		reader, err = gzip.NewReader(file)
		require.NoError(t, err)
	}
	lines := bufio.NewReaderSize(reader, 1<<16)
	var schema *event.Schema
	rows := 0
	for range 5 {
		chunk := nextChunk(t, lines)
		if len(chunk) == 0 {
			break
		}
		if schema == nil {
			schema, err = decode.Infer(chunk, "")
			require.NoError(t, err)
		}
		before := schema
		schema, err = decode.Evolve(chunk, schema, func(event.FieldID) bool { return true })
		require.NoError(t, err)
		decoded, err := decode.NDJSON(chunk, schema, decode.Options{Arrival: arrival, Mode: catalog.Evolve})
		require.NoError(t, err)
		require.False(t, decoded.Drift)
		require.Empty(t, decoded.Rejected)
		if before == schema {
			requireReplay(t, decoded, before, schema)
		}
		rows += decoded.Count
	}
	require.Positive(t, rows)
	t.Logf("%d rows, schema version %d with %d columns", rows, schema.Version, len(schema.Columns))
}

func nextChunk(t *testing.T, lines *bufio.Reader) []byte {
	t.Helper()
	var chunk []byte
	for range 1000 {
		line, err := lines.ReadBytes('\n')
		chunk = append(chunk, line...)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	return chunk
}
