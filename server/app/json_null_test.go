package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestJSONNullIsNotNull stores documents by INSERT, JSON null and NULL among them, beside values of every other type, and reads them back from
// the tail, from the log after a restart, and from a segment.
func TestJSONNullIsNotNull(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.query(`CREATE STREAM docs (id BIGINT, doc JSONB, s SMALLINT, i INTEGER, r REAL, d DOUBLE PRECISION, n NUMERIC(10, 2), x TEXT, b BYTEA, w TIMESTAMPTZ,
		day DATE, at TIME, span INTERVAL, u UUID, a INTEGER[], j JSONB[], t BOOLEAN)`)
	var want []string
	rapid.Check(t, func(rt *rapid.T) {
		texts := rapid.SliceOfN(rapid.SampledFrom([]string{"", "null", "1", `"x"`, "[null]", "{}", `{"a":null}`, `"null"`}), 1, 8).Draw(rt, "documents")
		rows := make([]string, len(texts))
		for k, text := range texts {
			document, id := "NULL", len(want)
			if text != "" {
				document = "'" + text + "'"
			}
			rows[k] = fmt.Sprintf(`(%d, %s, 7, %d, 0.1, 2.5, 1.25, 'it''s', '\x00ff', '2026-03-01T09:20:30.123456Z', '2026-03-01', '24:00', '1 mon 2 days 03:04:05.5',
				'00112233-4455-6677-8899-aabbccddeeff', ARRAY[1, NULL], ARRAY['null'::JSONB, '1'], NULL)`, id, document, id)
			shown, _ := json.Marshal([]any{id, text != "", text})
			want = append(want, string(shown))
		}
		s.query("INSERT INTO docs VALUES " + strings.Join(rows, ", "))
	})
	same := `SELECT count(*) FROM docs WHERE (s, i, r, d, n, x, b, w, day, at, span::TEXT, u, a::TEXT, t IS NULL) IS DISTINCT FROM (7, id, 0.1::REAL, 2.5, 1.25,
		'it''s', '\x00ff'::BYTEA, TIMESTAMPTZ '2026-03-01T09:20:30.123456Z', DATE '2026-03-01', TIME '24:00', '1 mon 2 days 03:04:05.5',
		'00112233-4455-6677-8899-aabbccddeeff'::UUID, '{1,NULL}', true)`
	look := func() {
		t.Helper()
		require.Equal(t, strings.Join(want, "\n")+"\n", s.query("SELECT id, doc IS NOT NULL, coalesce(doc::TEXT, '') FROM docs ORDER BY id").text())
		require.Equal(t, "[0]\n", s.query(same).text())
	}
	look()
	s = s.restart()
	look()
	s.do("POST", "/v1/streams/docs/seal", "")
	look()
	s.query("INSERT INTO docs (id, doc) SELECT id + 1000000, doc FROM docs WHERE jsonb_typeof(doc) = 'null' LIMIT 1")
	require.Equal(t, "[\"null\"]\n", s.query("SELECT jsonb_typeof(doc) FROM docs WHERE id >= 1000000").text())
	s.ingest("docs", `{"id": -1, "doc": null}`)
	require.Equal(t, "[true]\n", s.query("SELECT doc IS NULL FROM docs WHERE id = -1").text())
}
