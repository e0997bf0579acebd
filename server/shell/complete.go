package shell

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// keywords are offered while writing SQL.
var keywords = []string{
	"ALL", "ALTER STREAM", "AND", "AS", "ASC", "ASOF JOIN", "AVG", "BETWEEN", "BIGINT", "BOOLEAN", "BY", "CASE", "CAST", "COUNT",
	"CREATE MATERIALIZED VIEW", "CREATE STREAM", "CROSS JOIN", "CUMULATE", "DATE", "DESC", "DESCRIBE", "DESCRIPTOR", "DISTINCT", "DISTINCT ON",
	"DOUBLE PRECISION", "DROP", "ELSE", "EMIT ON UPDATE", "EMIT ON WINDOW CLOSE", "END", "EXCEPT", "EXISTS", "EXPLAIN", "EXPLAIN ANALYZE",
	"EXPLAIN WATERMARK", "FALSE", "FILL", "FILTER", "FROM", "FULL JOIN", "GROUP BY", "GROUPING SETS", "HAVING", "HOP", "ILIKE", "IN",
	"INSERT INTO", "INTEGER", "INTERSECT", "INTERVAL", "IS", "JOIN", "JSONB", "KILL QUERY", "LATEST ON", "LEFT JOIN", "LIKE", "LIMIT", "MAX",
	"MIN", "NOT", "NOW", "NULL", "NUMERIC", "OFFSET", "OR", "ORDER BY", "OVER", "PARTITION BY", "QUALIFY", "RANGE", "RIGHT JOIN", "ROLLUP", "ROWS",
	"SAMPLE BY", "SELECT", "SESSION", "SHOW LATE", "SHOW QUERIES", "SHOW SETTINGS", "SHOW STREAMS", "SHOW TABLES", "SHOW VIEWS", "STREAM", "SUM",
	"SUMMARIZE", "TEXT", "THEN", "TIMESTAMPTZ", "TIME_BUCKET", "TRUE", "TUMBLE", "UNION ALL", "VALUES", "WATERMARK FOR", "WHEN", "WHERE",
	"WINDOW", "WITH",
}

// leastForColumns is how many streams' columns are offered while the text names no stream yet.
const leastForColumns = 8

// completer finds what a word may become.
type completer struct {
	names *names
}

// candidates returns the start of the word before the cursor and its completions.
func (c *completer) candidates(line []rune, cursor int) (word string, found []string) {
	before := string(line[:min(max(cursor, 0), len(line))])
	word = lastWord(before)
	if rest := strings.TrimLeft(before, " "); strings.HasPrefix(rest, `\`) {
		return c.commandCandidates(rest, word)
	}
	if schema, ok := strings.CutSuffix(before[:len(before)-len(word)], "."); ok {
		return c.inSchema(lastWord(schema), word)
	}
	streams := c.names.streamNames()
	offered := slices.Clone(streams)
	for _, stream := range mentioned(string(line), streams) {
		offered = append(offered, c.names.columnNames(stream)...)
	}
	if word != "" { // hundreds of functions say nothing
		offered = append(offered, c.names.functionNames()...)
	}
	for _, table := range c.names.tableNames() {
		schema, _, _ := strings.Cut(table, ".")
		offered = append(offered, schema)
	}
	// A name that needs quotes would not fit the word being written.
	offered = slices.DeleteFunc(offered, func(name string) bool { return !isPlainName(name) })
	for _, keyword := range keywords {
		offered = append(offered, inCaseOf(word, keyword))
	}
	return word, matching(offered, word)
}

// inSchema offers what stands behind a name and a dot: system tables, or the columns of a stream.
func (c *completer) inSchema(schema, word string) (string, []string) {
	var offered []string
	for _, table := range c.names.tableNames() {
		if name, ok := strings.CutPrefix(table, strings.ToLower(schema)+"."); ok {
			offered = append(offered, name)
		}
	}
	if slices.Contains(c.names.streamNames(), schema) {
		offered = c.names.columnNames(schema)
	}
	return word, matching(offered, word)
}

func (c *completer) commandCandidates(rest, word string) (string, []string) {
	name, _, hasArgs := strings.Cut(rest, " ")
	if hasArgs {
		switch name {
		case `\d`:
			return word, matching(append(slices.Clone(c.names.streamNames()), c.names.tableNames()...), word)
		case `\df`:
			return word, matching(c.names.functionNames(), word)
		case `\format`:
			return word, matching(formats, word)
		default:
			return word, nil
		}
	}
	var all []string
	for _, cmd := range commands() {
		all = append(all, cmd.name)
	}
	return rest, matching(all, rest)
}

// mentioned returns the streams that the statement names, or the first few if it names none.
func mentioned(line string, streams []string) []string {
	words := strings.FieldsFunc(line, func(r rune) bool { return r < utf8.RuneSelf && !isWordByte(byte(r)) })
	var out []string
	for _, stream := range streams {
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, stream) }) {
			out = append(out, stream)
		}
	}
	if len(out) == 0 {
		return streams[:min(len(streams), leastForColumns)]
	}
	return out
}

func matching(all []string, word string) []string {
	var out []string
	for _, name := range all {
		if len(name) >= len(word) && strings.EqualFold(name[:len(word)], word) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func lastWord(text string) string {
	i := len(text)
	for i > 0 && isWordByte(text[i-1]) {
		i--
	}
	return text[i:]
}

// inCaseOf writes a keyword the way the user is writing.
func inCaseOf(word, keyword string) string {
	if word != "" && word == strings.ToLower(word) {
		return strings.ToLower(keyword)
	}
	return keyword
}
