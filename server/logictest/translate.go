package logictest

import (
	"regexp"
	"strings"
)

// inapplicable are statements about things that a stream does not have, by their first words.
var inapplicable = []string{
	"CREATE INDEX", "CREATE UNIQUE INDEX", "DROP INDEX", "REINDEX", "CREATE TEMP VIEW", "CREATE TEMPORARY VIEW",
	"CREATE TRIGGER", "DROP TRIGGER", "CREATE SCHEMA", "DROP SCHEMA", "CREATE SEQUENCE",
	"CREATE TYPE", "CREATE MACRO", "UPDATE", "DELETE", "REPLACE", "PRAGMA", "SET", "RESET", "BEGIN", "START", "COMMIT", "ROLLBACK",
	"ANALYZE", "VACUUM", "CHECKPOINT", "ALTER TABLE", "COPY", "LOAD", "INSTALL", "ATTACH", "DETACH", "USE",
}

var createTable = regexp.MustCompile(
	`(?is)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\s+|TEMPORARY\s+)?TABLE\s+(IF\s+NOT\s+EXISTS\s+)?("?[\w.]+"?)\s*\((.*)\)\s*;?\s*$`)

var dropTable = regexp.MustCompile(`(?i)^\s*DROP\s+TABLE\b`)

// translate writes a statement as this engine takes it; skip, if not empty, says why that is not possible.
func translate(sql string) (translated, skip string) {
	words := strings.Join(strings.Fields(strings.ToUpper(sql)), " ") + " "
	for _, prefix := range inapplicable {
		if strings.HasPrefix(words, prefix+" ") {
			return "", prefix
		}
	}
	if m := createTable.FindStringSubmatch(sql); m != nil {
		return "CREATE STREAM " + m[1] + m[2] + " (" + strings.Join(columns(m[3]), ", ") + ")", ""
	}
	if dropTable.MatchString(sql) {
		return dropTable.ReplaceAllString(sql, "DROP STREAM"), ""
	}
	return sql, ""
}

// constraints begin an element of a table that is no column, or end the type of one that is.
var constraints = regexp.MustCompile(
	`(?i)\b(PRIMARY\s+KEY|UNIQUE|FOREIGN\s+KEY|CHECK|CONSTRAINT|REFERENCES|DEFAULT|COLLATE|AUTOINCREMENT|NOT\s+NULL|GENERATED|NULL)\b`)

// columns are the columns of a table with their types, without what is said about their values.
func columns(elements string) []string {
	var out []string
	for _, element := range splitTopLevel(elements) {
		if at := constraints.FindStringIndex(element); at != nil {
			element = element[:at[0]]
		}
		name, typ, _ := strings.Cut(strings.TrimSpace(element), " ")
		if name != "" {
			out = append(out, name+" "+columnType(typ))
		}
	}
	return out
}

// splitTopLevel cuts at commas that stand in no parentheses.
func splitTopLevel(s string) []string {
	var out []string
	depth, start := 0, 0
	for i, c := range s {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, s[start:i])
				start = i + 1
			}
		}
	}
	return append(out, s[start:])
}

// types maps what tables call their types in many dialects.
var types = map[string]string{
	"": "TEXT", "INT": "BIGINT", "INTEGER": "BIGINT", "TINYINT": "BIGINT", "SMALLINT": "BIGINT", "BIGINT": "BIGINT", "HUGEINT": "BIGINT",
	"UINTEGER": "BIGINT", "UBIGINT": "BIGINT", "USMALLINT": "BIGINT", "UTINYINT": "BIGINT", "INT4": "BIGINT", "INT8": "BIGINT",
	"FLOAT": "DOUBLE PRECISION", "REAL": "DOUBLE PRECISION", "DOUBLE": "DOUBLE PRECISION", "DOUBLE PRECISION": "DOUBLE PRECISION",
	"NUMERIC": "DOUBLE PRECISION", "DECIMAL": "DOUBLE PRECISION",
	"VARCHAR": "TEXT", "CHAR": "TEXT", "STRING": "TEXT", "TEXT": "TEXT", "CHARACTER VARYING": "TEXT",
	"BOOL": "BOOLEAN", "BOOLEAN": "BOOLEAN", "TIMESTAMP": "TIMESTAMPTZ", "TIMESTAMPTZ": "TIMESTAMPTZ", "DATETIME": "TIMESTAMPTZ",
}

func columnType(written string) string {
	name, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(written)), "(")
	if known, ok := types[strings.TrimSpace(name)]; ok {
		return known
	}
	return written
}
