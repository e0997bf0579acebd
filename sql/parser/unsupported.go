package parser

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// construct is something of the dialect, or of SQL, that this version does not have.
type construct struct{ name, hint string }

// unsupportedStatements are looked up by the first words of a statement, the longest match first.
var unsupportedStatements = map[string]construct{
	"ALTER TABLE":            {"ALTER TABLE", "write ALTER STREAM"},
	"REFRESH":                {"REFRESH", "a materialized view is always current"},
	"DROP TABLE":             {"DROP TABLE", "write DROP STREAM"},
	"DROP INDEX":             {"DROP INDEX", "streams have none"},
	"DROP ALERT":             {"DROP ALERT", ""},
	"DROP SECRET":            {"DROP SECRET", ""},
	"ERASE":                  {"ERASE", ""},
	"DELETE":                 {"DELETE", "events are never changed; a stream forgets them after its retention"},
	"UPDATE":                 {"UPDATE", "events are never changed; append a newer one and take the latest by time"},
	"TRUNCATE":               {"TRUNCATE", "events go after the stream's retention; DROP STREAM removes all"},
	"MERGE":                  {"MERGE", "events are never changed; append a newer one and take the latest by time"},
	"CREATE RECURSIVE VIEW":  {"CREATE RECURSIVE VIEW", "write CREATE VIEW name AS WITH RECURSIVE ..."},
	"CREATE ALERT":           {"CREATE ALERT", "run its query with SELECT"},
	"CREATE SECRET":          {"CREATE SECRET", ""},
	"CREATE TABLE":           {"CREATE TABLE", "events go into a stream: CREATE STREAM name (column TYPE, ...)"},
	"CREATE INDEX":           {"CREATE INDEX", "streams need none: they are sorted by time"},
	"TAIL":                   {"TAIL", "write SUBSCRIBE TO name, or run tidemark tail"},
	"BACKTEST":               {"BACKTEST", ""},
	"EXPLAIN ANALYZE INSERT": {"EXPLAIN ANALYZE INSERT", "explain its SELECT"},
	"EXPLAIN ALERT":          {"EXPLAIN ALERT", ""},
	"EXPLAIN INSERT":         {"EXPLAIN INSERT", "explain its SELECT"},
	"SHOW ALERTS":            {"SHOW ALERTS", ""},
	"BEGIN":                  {"a transaction", "every statement stands for itself"},
	"START":                  {"a transaction", "every statement stands for itself"},
	"COMMIT":                 {"a transaction", "every statement stands for itself"},
	"ROLLBACK":               {"a transaction", "every statement stands for itself"},
	"COPY":                   {"COPY", "files are read by tidemark load, and written by tidemark sql --format csv, arrow or parquet"},
	"SET":                    {"SET", "a request says what holds for it (timezone, timeout, max_rows); streams and views have ALTER ... SET"},
	"RESET":                  {"RESET", "nothing outlives a request"},
	"USE":                    {"USE", "there is one database"},
	"ATTACH":                 {"ATTACH", "there is one database; other data comes in by tidemark load"},
	"PRAGMA":                 {"PRAGMA", "SHOW SETTINGS lists the settings, DESCRIBE shows a stream"},
	"VACUUM":                 {"VACUUM", "leave it out: files are merged in the background"},
	"OPTIMIZE":               {"OPTIMIZE", "leave it out: files are merged in the background"},
	"ANALYZE":                {"ANALYZE", "leave it out: statistics are kept as rows come; EXPLAIN ANALYZE runs a query"},
	"GRANT":                  {"GRANT", ""},
	"REVOKE":                 {"REVOKE", ""},
	"CREATE SOURCE":          {"CREATE SOURCE", "events go into a stream: CREATE STREAM name (column TYPE, ...)"},
	"CREATE EXTERNAL":        {"CREATE EXTERNAL", "events go into a stream: CREATE STREAM name (column TYPE, ...)"},
	"CREATE RANDOM":          {"CREATE RANDOM", "events go into a stream: CREATE STREAM name (column TYPE, ...)"},
	"CREATE TEMPORARY":       {"CREATE TEMPORARY", "put the query into WITH, or write CREATE VIEW, and DROP VIEW at the end"},
	"CREATE TEMP":            {"CREATE TEMP", "put the query into WITH, or write CREATE VIEW, and DROP VIEW at the end"},
	"CREATE SINK":            {"CREATE SINK", "follow a view with SUBSCRIBE TO name, or read it over HTTP"},
	"CREATE CONTINUOUS VIEW": asView("CREATE CONTINUOUS VIEW"), "CREATE CONTINUOUS AGGREGATE": asView("CREATE CONTINUOUS AGGREGATE"),
	"CREATE LIVE VIEW": asView("CREATE LIVE VIEW"), "CREATE WINDOW VIEW": asView("CREATE WINDOW VIEW"), "CREATE DYNAMIC TABLE": asView("CREATE DYNAMIC TABLE"),
	"CREATE OR REPLACE STREAM": {"CREATE OR REPLACE STREAM", "a stream changes by ALTER STREAM"},
	"CREATE OR REPLACE TABLE":  {"CREATE OR REPLACE TABLE", "events go into a stream: CREATE STREAM name (column TYPE, ...)"},
	"SHOW CREATE":              {"SHOW CREATE", "DESCRIBE shows a stream; system.views has the definitions of views"},
	"SHOW COLUMNS":             {"SHOW COLUMNS", "DESCRIBE shows a stream"},
	"SHOW DATABASES":           {"SHOW DATABASES", "SHOW STREAMS lists the streams"},
	"EXPLAIN VERBOSE":          {"EXPLAIN VERBOSE", "EXPLAIN shows the plan"},
	"PREPARE":                  {"PREPARE", "statements take parameters: $1 or :name"},
}

var asViewHint = viewOfQuery("name")

func asView(name string) construct { return construct{name, asViewHint} }

func viewOfQuery(name string) string { return "write CREATE MATERIALIZED VIEW " + name + " AS query" }

// unsupportedClauses are words at which a statement cannot go on; they are looked up only when it does not.
var unsupportedClauses = map[string]construct{
	"LATE": {"LATE", ""}, "RECOMPUTE": {"LATE RECOMPUTE", ""},
	"EMIT":        {"EMIT at this place", "it belongs to CREATE MATERIALIZED VIEW; SUBSCRIBE TO (query) sends the changes of a query"},
	"WITHIN":      {"WITHIN", "bound the time in ON: b.ts BETWEEN a.ts - INTERVAL '10 seconds' AND a.ts + INTERVAL '10 seconds'"},
	"FOR":         {"FOR", ""},
	"TABLESAMPLE": {"TABLESAMPLE at this place", "it stands behind the name of a stream and its alias"},
	"PRIMARY":     {"PRIMARY KEY", "a stream keeps every event"}, "UNIQUE": {"UNIQUE", "a stream keeps every event"},
	"DEFAULT": {"DEFAULT", ""}, "CHECK": {"CHECK", ""}, "REFERENCES": {"REFERENCES", ""}, "GENERATED": {"GENERATED", ""},
	"COLLATE": {"COLLATE", ""}, "RETURNING": {"RETURNING", ""},
	"ONLY":     {"ONLY", ""},
	"=>":       {"a named argument", "pass arguments in order"},
	"APPEND":   {"APPEND ONLY", "leave it out: every stream is"},
	"SETTINGS": {"SETTINGS behind a query", "leave them out; a view's stand in WITH (...) before AS"},
	"TIMESTAMP": {"a TIMESTAMP clause", "CREATE STREAM says what the time is: WATERMARK FOR ts AS ts - INTERVAL '5 seconds'; " +
		"windows take any: TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1 minute')"},
	"WATERMARK": {"WATERMARK behind a table", "CREATE STREAM says it: WATERMARK FOR ts AS ts - INTERVAL '5 seconds'"},
	"REFRESH":   {"REFRESH of a view", "leave it out: a materialized view is always current"},
}

// unsupportedStatement recognizes statements of other SQL or of a later version by their first words.
func unsupportedStatement(tokens []token) error {
	var words string
	var found *construct
	for i := range min(len(tokens), 4) {
		if t := tokens[i]; t.Type != tokenIdent && t.Type != tokenKeyword {
			break
		}
		if i > 0 {
			words += " "
		}
		words += upper(tokens[i].Value)
		if c, ok := unsupportedStatements[words]; ok {
			found = &c
			if name := tokens[i+1]; c.hint == asViewHint && (name.Type == tokenIdent || name.Type == tokenQuoted) {
				found.hint = viewOfQuery(name.Value)
			}
		}
	}
	if name := ofQuery(tokens); name != "" {
		return notSupported(tokens[0], "a table or stream of a query", viewOfQuery(name))
	}
	if found == nil {
		return nil
	}
	if stream := asStream(tokens); stream != "" {
		return notSupported(tokens[0], found.name, "events go into a stream: "+stream)
	}
	return notSupported(tokens[0], found.name, found.hint)
}

// ofQuery is the name that CREATE TABLE or CREATE STREAM gives the answer of a query, empty for other statements.
func ofQuery(tokens []token) string {
	find := func(words ...string) int {
		return slices.IndexFunc(tokens, func(t token) bool {
			return t.Type != tokenQuoted && slices.ContainsFunc(words, func(word string) bool { return is(t, word) })
		})
	}
	kind, as := find("TABLE", "STREAM"), find("AS")
	if len(tokens) == 0 || !is(tokens[0], "CREATE") || kind < 1 || kind > 3 || as < kind+2 || as+1 >= len(tokens) || !is(tokens[as+1], "SELECT") {
		return ""
	}
	if is(tokens[kind+1], "IF") && as > kind+4 {
		kind += 3
	}
	return tokens[kind+1].Value
}

// unsupportedClause recognizes a construct by the token at which the grammar ended.
func unsupportedClause(t token) *event.Error {
	if t.Type != tokenIdent && t.Type != tokenKeyword && t.Type != tokenSymbol {
		return nil
	}
	c, ok := unsupportedClauses[upper(t.Value)]
	if !ok {
		return nil
	}
	return notSupported(t, c.name, c.hint)
}
