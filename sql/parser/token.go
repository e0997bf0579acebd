package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
)

// The kinds of token. Their values are the text as written, quotes included, so that a literal of the grammar never matches a
// string or a quoted name.
const (
	tokenKeyword lexer.TokenType = iota + 1 // a reserved word
	tokenIdent
	tokenQuoted // "name" or `name`
	tokenString // '...' or E'...'
	tokenNumber
	tokenParam // $1 or :name
	tokenSymbol
	tokenDuration // a number with a unit: 15m
)

// keywords are the reserved words: those that could be taken for a name where the grammar goes on with a clause or an operator.
// All other words of the dialect can be names.
var keywords = wordSet(`
	ALL AND AS ASC BETWEEN BY CASE CAST CREATE CROSS DESC DISTINCT ELSE END EXCEPT FALSE FETCH FROM FULL GROUP HAVING
	ILIKE IN INNER INTERSECT INTO IS JOIN LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER RIGHT SELECT THEN TRUE
	UNION USING WHEN WHERE WITH`)

// notAliases are the words that begin a clause of the dialect after a table or a select item, so that they are aliases only after AS.
var notAliases = wordSet(`ASOF AT COLLATE EMIT ESCAPE FILL FILTER FOR LATE LATEST MATCH_CONDITION OVER QUALIFY SAMPLE TABLESAMPLE WINDOW WITHIN`)

// operators are the symbols of more than one character, longest first. Some are not in the dialect: they are read as one so that
// the error can name them.
var operators = []string{
	"!~~*", "||/", "->>", "!~*", "!~~", "~~*", "#>>", "<=>", "::", "->", "||", "<>", "!=", "<=", ">=", "=>", "==", "~*", "~~", "!~", "@>", "<@", "#>",
	"&&", "<<", ">>", "**", "^@", "|/", "#-", "?|", "?&", "@?", "@@",
}

func position(p lexer.Position) event.Position { return event.Position{Line: p.Line, Column: p.Column} }
