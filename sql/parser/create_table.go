package parser

import (
	"slices"
	"strings"
)

// maxStreamHint bounds a statement that is written out for another.
const maxStreamHint = 1000

// tableConstraints begin an element of CREATE TABLE that is no column.
var tableConstraints = []string{"PRIMARY", "UNIQUE", "CONSTRAINT", "CHECK", "FOREIGN", "INDEX", "KEY", "EXCLUDE", "LIKE"}

// columnConstraints end the type of a column.
var columnConstraints = []string{
	"NOT", "NULL", "PRIMARY", "UNIQUE", "CONSTRAINT", "CHECK", "REFERENCES", "DEFAULT", "GENERATED", "COLLATE", "AUTO_INCREMENT",
	"AUTOINCREMENT", "COMMENT", "AS", "ENCODE", "CODEC", "IDENTITY", "ON",
}

// streamTypes are what types of tables are as columns of a stream, where the dialect does not know their name.
var streamTypes = map[string]string{
	"SERIAL": "INTEGER", "BIGSERIAL": "BIGINT", "SMALLSERIAL": "SMALLINT", "NAME": "TEXT", "CHARACTER": "TEXT", "CHAR": "TEXT", "BPCHAR": "TEXT",
	"MEDIUMINT": "INTEGER", "HUGEINT": "NUMERIC(38,0)", "CLOB": "TEXT", "NVARCHAR": "TEXT", "MONEY": "NUMERIC(18,2)", "XML": "TEXT", "CITEXT": "TEXT",
}

// asStream writes CREATE TABLE as CREATE STREAM: its columns with their types and NOT NULL, without constraints and defaults. It is empty for
// a statement that has no list of columns, or a long one.
func asStream(tokens []token) string {
	at := slices.IndexFunc(tokens, func(t token) bool { return is(t, "(") })
	if at < 3 || !is(tokens[1], "TABLE") || (tokens[at-1].Type != tokenIdent && tokens[at-1].Type != tokenQuoted) {
		return ""
	}
	var columns []string
	for at++; at < len(tokens); at++ {
		end := elementEnd(tokens, at)
		if end == len(tokens) {
			return "" // the list has no end
		}
		element := tokens[at:end]
		if len(element) > 0 && !slices.Contains(tableConstraints, upper(element[0].Value)) {
			column := columnText(element)
			if column == "" {
				return ""
			}
			columns = append(columns, column)
		}
		if at = end; is(tokens[end], ")") {
			break
		}
	}
	name := tokens[slices.IndexFunc(tokens, func(t token) bool { return is(t, "(") })-1].Value
	out := "CREATE STREAM " + name + " (" + strings.Join(columns, ", ") + ")"
	if len(columns) == 0 || len(out) > maxStreamHint {
		return ""
	}
	return out
}

// elementEnd is the place of the comma or parenthesis that ends the element at a place.
func elementEnd(tokens []token, at int) int {
	depth := 0
	for ; at < len(tokens); at++ {
		switch t := tokens[at]; {
		case is(t, "("):
			depth++
		case is(t, ")") && depth > 0:
			depth--
		case depth == 0 && (is(t, ")") || is(t, ",")):
			return at
		}
	}
	return at
}

// columnText is a column as a stream has it; empty where that cannot be told.
func columnText(element []token) string {
	end := slices.IndexFunc(element, func(t token) bool {
		return t.Type != tokenQuoted && slices.Contains(columnConstraints, upper(t.Value))
	})
	rest := []token(nil)
	if end >= 0 {
		element, rest = element[:end], element[end:]
	}
	if len(element) < 2 || element[0].Type != tokenIdent && element[0].Type != tokenQuoted {
		return ""
	}
	out := element[0].Value + " " + streamType(element[1:])
	for i, t := range rest {
		if is(t, "PRIMARY") || is(t, "NOT") && i+1 < len(rest) && is(rest[i+1], "NULL") {
			return out + " NOT NULL"
		}
	}
	return out
}

// streamType writes out the tokens of a type.
func streamType(tokens []token) string {
	if other := streamTypes[upper(tokens[0].Value)]; other != "" && (len(tokens) < 2 || !is(tokens[1], "VARYING")) {
		return other
	}
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 && t.Type != tokenSymbol && !is(tokens[i-1], "(") && !is(tokens[i-1], ",") {
			b.WriteByte(' ')
		}
		b.WriteString(strings.ToUpper(t.Value))
	}
	return b.String()
}
