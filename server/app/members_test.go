package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/segments"
)

// memberNames are few, so that paths and documents meet.
var memberNames = []string{"a", "b", "k", "", "é", "x y", "0", `q\"`, `\u0061`}

// memberScalars are values that are easily taken for others.
var memberScalars = []string{
	`"x"`, `"\u0078"`, `"a"`, `"1"`, "1", "1.0", "12.50", "-0", "1e400", "123456789012345678901234567890", "null", `"null"`, "true", `""`, `"é"`,
	`"\ud83d\ude00"`, `"{\"a\":1}"`, `"say \"x\""`, `"b\\"`, "[]", `[1,"x"]`, "{}",
}

// document makes a document; documents of one kind have mostly the same members.
func document(r *rand.Rand, depth int) string {
	if r.IntN(12) == 0 {
		return memberScalars[r.IntN(len(memberScalars))]
	}
	var members []string
	for _, name := range memberNames {
		value := memberScalars[r.IntN(len(memberScalars))]
		switch {
		case r.IntN(3) == 0:
			continue
		case depth < 3 && (name == "a" || name == "k") && r.IntN(4) > 0:
			value = document(r, depth+1)
		case name == "b":
			value = memberScalars[r.IntN(3)]
		}
		space := []string{"", " "}[r.IntN(2)]
		members = append(members, `"`+name+`"`+space+":"+space+value)
	}
	r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, ", ") + "}"
}

// memberPath is a path in one of its spellings.
func memberPath(r *rand.Rand, column string) string {
	steps := make([]string, 1+r.IntN(4))
	for i := range steps {
		steps[i] = []string{"a", "b", "k", "a", "k", "", "é", "x y", "0", `q"`}[r.IntN(10)]
	}
	text := []string{"", ">"}[min(r.IntN(3), 1)]
	switch r.IntN(5) {
	case 0:
		quoted := make([]string, len(steps))
		for i, s := range steps {
			encoded, _ := json.Marshal(s)
			quoted[i] = string(encoded)
		}
		return fmt.Sprintf("(%s #>%s '{%s}')", column, text, strings.Join(quoted, ","))
	case 1:
		name := map[string]string{"": "json_extract_path", ">": "jsonb_extract_path_text"}[text]
		return fmt.Sprintf("%s(%s, '%s')", name, column, strings.Join(steps, "', '"))
	default:
		out := column
		for _, s := range steps[:len(steps)-1] {
			out += " -> '" + s + "'"
		}
		return fmt.Sprintf("(%s ->%s '%s')", out, text, steps[len(steps)-1])
	}
}

func memberQuery(r *rand.Rand) string {
	p, q := memberPath(r, "doc"), memberPath(r, "doc")
	value := []string{"x", "a", "1", "1.0", "null", "", "é", `say "x"`, "12.50"}[r.IntN(9)]
	asText := "(" + p + ")::TEXT"
	switch r.IntN(9) {
	case 0:
		return fmt.Sprintf("SELECT id, %s AS p, %s AS q FROM docs", p, q)
	case 1:
		return fmt.Sprintf("SELECT %s AS p, count(*), count(%s), min(id) FROM docs GROUP BY 1", p, q)
	case 2:
		return fmt.Sprintf("SELECT id, %s AS q FROM docs WHERE %s = '%s'", q, asText, value)
	case 3:
		return fmt.Sprintf("SELECT id, doc FROM docs WHERE %s IS NULL AND id %% 3 = 0", p)
	case 4:
		return fmt.Sprintf("SELECT count(DISTINCT %s), count(*) FILTER (WHERE %s = '%s'), max(%s) FROM docs WHERE id > 100", asText, asText, value, asText)
	case 5:
		return fmt.Sprintf("SELECT l.id, r.id AS other, %s AS q FROM docs l JOIN (SELECT * FROM docs WHERE id %% 40 = 7) r ON %s::TEXT = %s::TEXT",
			memberPath(r, "r.doc"), memberPath(r, "l.doc"), memberPath(r, "r.doc"))
	case 6:
		return fmt.Sprintf("SELECT id, CASE WHEN %s = '%s' THEN %s ELSE NULL END AS c FROM docs ORDER BY id LIMIT 300", asText, value, q)
	case 7:
		return fmt.Sprintf("SELECT id, row_number() OVER (PARTITION BY %s ORDER BY id) AS n FROM docs WHERE %s IS NOT NULL", asText, q)
	default:
		return fmt.Sprintf("SELECT id, %s AS v FROM (SELECT id, doc -> 'a' AS c FROM docs) x WHERE %s IS NOT NULL", memberPath(r, "c"), memberPath(r, "c"))
	}
}

// TestMembersDoNotChangeAnswers asks for members of generated documents: in merged segments, whose members have columns and are not the same in
// each, in one that is only sealed, and in the tail. Without the rule the documents are read.
func TestMembersDoNotChangeAnswers(t *testing.T) {
	t.Parallel()
	statements, seed := 90, uint64(1)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		statements, seed = 5000, uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	i := start(t, t.TempDir())
	i.query("CREATE STREAM docs (ts TIMESTAMPTZ NOT NULL, id BIGINT, doc JSONB)")
	for part := range 10 {
		var body strings.Builder
		for n := range 100 {
			id := part*100 + n
			text := document(r, 0)
			if part < 4 && n%50 > 0 { // the first merge finds other members than the second
				text = `{"b":"x","k":{"b":"a"}}`
			}
			fmt.Fprintf(&body, `{"ts":"2026-03-01T00:00:%02dZ","id":%d,"doc":%s}`+"\n", part, id, text)
		}
		answer := i.do("POST", "/v1/streams/docs/events", body.String())
		require.Equal(t, http.StatusOK, answer.status, string(answer.body))
		if part < 9 {
			i.seal("docs")
		}
		if part == 3 || part == 7 {
			i.compact.Look(context.Background())
		}
	}
	require.Len(t, i.manifest.View("docs").Segments, 3)
	requireMembersKept(t, i)
	plain := i.serving(exec.Options{Workers: 2}, optimize.Without("read-members"))
	ways := map[string]*instance{
		"usual": i, "batches of 7": i.serving(exec.Options{Workers: 3, BatchRows: 7}, optimize.Optimize),
		"one batch": i.serving(exec.Options{Workers: 1, BatchRows: 64 << 10}, optimize.Optimize),
	}
	for range statements {
		sql := memberQuery(r)
		answer := plain.do("POST", "/v1/sql", sql)
		require.Equal(t, http.StatusOK, answer.status, "%s\n%s", sql, answer.body)
		var want table
		answer.decode(t, &want)
		for name, way := range ways {
			requireSameRows(t, name+": "+sql, want.Rows, way.query(sql).Rows)
		}
	}
}

// requireMembersKept makes sure that there is something to compare: two of the segments have members, which are not the same.
func requireMembersKept(t *testing.T, i *instance) {
	t.Helper()
	view := i.segments.View("docs")
	defer func() { require.NoError(t, view.Close()) }()
	stream, _ := i.catalog.Stream("docs")
	morsels, _, err := view.Scan(context.Background(), segments.ScanRequest{Schema: stream.Schema, Columns: []event.FieldID{stream.Schema.Columns[2].ID}})
	require.NoError(t, err)
	kept := map[string]int{}
	for _, m := range morsels {
		for _, path := range [][]string{{"b"}, {"k", "b"}, {"é"}, {"a", "b"}} {
			if m.HasMember(0, path) {
				kept[fmt.Sprint(path)]++
			}
		}
	}
	require.Equal(t, map[string]int{"[b]": 2, "[k b]": 2, "[é]": 1, "[a b]": 1}, kept)
}

// TestMembersAreReadAlone holds what is read of a merged segment against what its documents take.
func TestMembersAreReadAlone(t *testing.T) {
	t.Parallel()
	i := unmerged(t, t.TempDir())
	i.query("CREATE STREAM posts (ts TIMESTAMPTZ NOT NULL, doc JSONB)")
	for part := range 4 {
		var body strings.Builder
		for n := range 500 {
			fmt.Fprintf(&body, `{"ts":"2026-03-01T00:00:%02dZ","doc":{"kind":"k%d","commit":{"op":"o%d"},"text":"%d %s"}}`+"\n",
				part, n%3, n%2, part*500+n, strings.Repeat("z", 200))
		}
		require.Equal(t, http.StatusOK, i.do("POST", "/v1/streams/posts/events", body.String()).status)
		i.seal("posts")
	}
	const sql = "SELECT doc ->> 'kind' AS kind, count(*) FROM posts WHERE doc -> 'commit' ->> 'op' = 'o1' GROUP BY 1 ORDER BY 1"
	const want = `["k0",332]` + "\n" + `["k1",336]` + "\n" + `["k2",332]` + "\n"
	require.Equal(t, want, i.query(sql).text())
	require.NoError(t, i.Close())
	i = unmerged(t, i.data) // without what is cached
	before := bytesRead(i, sql)
	i = i.restart()
	i.compact.Look(context.Background())
	require.Len(t, i.manifest.View("posts").Segments, 1)
	require.Equal(t, want, i.query(sql).text())
	i = i.restart()
	after := bytesRead(i, sql)
	require.Greater(t, before, int64(400_000))
	require.Less(t, after, before/50)
	plan := fmt.Sprint(i.query("EXPLAIN " + sql).Rows)
	require.Contains(t, plan, "Scan posts columns=[] members=[doc->>kind, doc->commit->>op] filter=[(doc->commit->>op = 'o1')]")
}

// bytesRead is what a statement decodes.
func bytesRead(i *instance, sql string) int64 {
	i.t.Helper()
	var out struct {
		Stats struct {
			Bytes int64 `json:"bytes_scanned"`
		} `json:"stats"`
	}
	i.do("POST", "/v1/sql", sql).decode(i.t, &out)
	return out.Stats.Bytes
}
