package parser

import "github.com/tidemarkdb/tidemark/event"

// tokenKind is what a token is. The value of a token is its text as written, quotes included, so that a word of the grammar never
// matches a string or a quoted name.
type tokenKind uint8

const (
	tokenEnd     tokenKind = iota
	tokenKeyword           // a reserved word
	tokenIdent
	tokenQuoted // "name" or `name`
	tokenString // '...' or E'...'
	tokenNumber
	tokenParam // $1 or :name
	tokenSymbol
	tokenDuration // a number with a unit: 15m
)

// token is a piece of a text. It is small, since a text has one for every three of its bytes or so.
type token struct {
	Value string
	Pos   place
	Type  tokenKind
}

// place is where a token begins: bytes from the start, and the line and the column, which count from 1.
type place struct{ Offset, Line, Column int32 }

// EOF reports whether the token is the end of a statement.
func (t token) EOF() bool { return t.Type == tokenEnd }

func position(p place) event.Position {
	return event.Position{Line: int(p.Line), Column: int(p.Column)}
}

// keywords are the reserved words: those that could be taken for a name where the grammar goes on with a clause or an operator.
// All other words of the dialect can be names.
var keywords = wordSet(`
	ALL AND AS ASC BETWEEN BY CASE CAST CREATE CROSS DESC DISTINCT ELSE END EXCEPT FALSE FETCH FROM FULL GROUP HAVING
	ILIKE IN INNER INTERSECT INTO IS JOIN LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER RIGHT SELECT THEN TRUE
	UNION USING WHEN WHERE WITH`)

// longestKeyword has the most letters of the reserved words.
const longestKeyword = len("INTERSECT")

// notAliases are the words that begin a clause of the dialect after a table or a select item, so that they are aliases only after AS.
var notAliases = wordSet(`ASOF AT COLLATE EMIT ESCAPE FILL FILTER FOR LATE LATEST MATCH_CONDITION OVER QUALIFY SAMPLE SETTINGS TABLESAMPLE TIMESTAMP
	WATERMARK WINDOW WITHIN LT SPLICE HORIZON`)

// operators are the symbols of more than one character, longest first. Some are not in the dialect: they are read as one so that
// the error can name them.
var operators = []string{
	"!~~*", "||/", "->>", "!~*", "!~~", "~~*", "#>>", "<=>", "::", ":=", "->", "||", "<>", "!=", "<=", ">=", "=>", "==", "~*", "~~", "!~", "@>", "<@", "#>",
	"&&", "//", "<<", ">>", "**", "^@", "|/", "#-", "?|", "?&", "@?", "@@",
}
