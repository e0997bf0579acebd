// Package ast holds parsed SQL: statements and expressions as the text says them, with positions and without meaning.
//
// Statements, tables and expressions are closed sets: every switch over them names each case. A tree is immutable once the
// parser has made it and may be read from any goroutine. Printing a tree gives SQL that parses back to the same tree. The
// package knows no streams, types or functions; package bind does.
package ast

import "github.com/tidemarkdb/tidemark/event"

// Name is an identifier as written. Quotes are taken off, and letters keep their case.
type Name struct {
	Text   string
	Quoted bool
	Pos    event.Position
}

// Statement is one of Select, CreateStream, AlterStream, DropStream, ShowStreams, ShowTable, Describe, Summarize, Explain, KillQuery, Insert and
// the statements about views in view.go.
type Statement interface {
	// Position is where the statement begins.
	Position() event.Position
	// String prints the statement as SQL.
	String() string
	statement()
}

// Select is a query. Set and Rows stand in place of SELECT and the clauses as far as HAVING, which are then empty.
type Select struct {
	Pos  event.Position
	With []CTE
	// Recursive says that queries of With may name themselves.
	Recursive bool
	// Set combines two queries; nil for one.
	Set *SetOperation
	// Rows are those of VALUES, at least one; nil for other queries.
	Rows     [][]Expr
	Distinct bool
	// DistinctOn is empty for a plain DISTINCT.
	DistinctOn []Expr
	// Items may be empty under EXISTS alone.
	Items []Item
	// From is nil for a query without FROM.
	From Table
	// Stream is the window behind FROM; nil where not given.
	Stream *StreamWindow
	Where  Expr
	// Latest is nil where the clause is not given.
	Latest     *Latest
	GroupByAll bool
	// GroupByDistinct takes each set of groups once.
	GroupByDistinct bool
	// GroupBy may hold elements of type *Grouping.
	GroupBy []Expr
	// Sample and Fill are nil where not given.
	Sample *Sample
	Fill   *Fill
	Having Expr
	// Windows are those of the WINDOW clause. Qualify and Late are nil where not given.
	Windows []NamedWindow
	Qualify Expr
	Late    *Late
	OrderBy []Order
	// Limit and Offset are nil where not given; LIMIT ALL is as none.
	Limit Expr
	// Ties asks for the rows besides that are equal to the last of Limit in ORDER BY.
	Ties   bool
	Offset Expr
}

// CTE is one named query of WITH.
type CTE struct {
	Name    Name
	Columns []Name
	Query   *Select
}

// Item is one entry of a select list. Alias is nil where none is given.
type Item struct {
	Expr  Expr
	Alias *Name
}

// Order is one key of ORDER BY.
type Order struct {
	Expr       Expr
	Descending bool
	Nulls      NullsOrder
}

// NullsOrder says where an ORDER BY key puts NULLs.
type NullsOrder uint8

// The orders of NULLs.
const (
	NullsDefault NullsOrder = iota // last when ascending, first when descending
	NullsFirst
	NullsLast
)

// Table is what FROM reads: a StreamTable, a Subquery, a Join or a WindowTable.
type Table interface {
	Position() event.Position
	String() string
	table()
}

// StreamTable is a stream or a query of WITH, or with a schema in front a table that the server keeps of itself. Schema and Alias are
// nil where not given. Columns are new names for its first columns.
type StreamTable struct {
	Schema *Name
	Name   Name
	// SystemTime is the time of FOR SYSTEM_TIME AS OF, nil where that is not given.
	SystemTime Expr
	Alias      *Name
	Columns    []Name
}

// Subquery is a query in parentheses. Alias is nil where none is given. Columns are new names for its first columns. A Lateral one can
// name the columns of the tables before it.
type Subquery struct {
	Lateral bool
	Pos     event.Position
	Query   *Select
	Alias   *Name
	Columns []Name
}

// CreateStream is CREATE STREAM.
type CreateStream struct {
	Pos         event.Position
	IfNotExists bool
	Name        Name
	Columns     []ColumnDef
	// Watermark is nil where the clause is not given.
	Watermark   *Watermark
	PartitionBy []Name
	// Partitions is nil where the clause is not given.
	Partitions *Number
	// Dedup is nil where the clause is not given.
	Dedup   *DedupKey
	Options []Option
}

// DedupKey is DEDUP KEY (columns) WITHIN interval.
type DedupKey struct {
	Pos     event.Position
	Columns []Name
	Within  Expr
}

// ColumnDef declares a column.
type ColumnDef struct {
	Name    Name
	Type    TypeName
	NotNull bool
}

// Watermark is WATERMARK FOR column AS expression. IdleTimeout and FutureLimit are nil where not given.
type Watermark struct {
	Pos         event.Position
	Column      Name
	As          Expr
	IdleTimeout Expr
	FutureLimit Expr
}

// Option is one name = value of WITH (...).
type Option struct {
	Name  Name
	Value Expr
}

// TypeName is a type as written, for event.ParseType to read.
type TypeName struct {
	Text string
	Pos  event.Position
}

// ShowStreams is SHOW STREAMS.
type ShowStreams struct{ Pos event.Position }

// Describe is DESCRIBE stream, or DESCRIBE query where Query is not nil. Schema is nil where the name has one part.
type Describe struct {
	Pos    event.Position
	Schema *Name
	Stream Name
	Query  *Select
}

// Explain is EXPLAIN query. Analyze runs it to see what each step costs.
type Explain struct {
	Pos           event.Position
	Analyze, JSON bool
	Query         *Select
}

// Insert is INSERT INTO stream. Exactly one of Rows and Query is set.
type Insert struct {
	Pos    event.Position
	Stream Name
	// Columns is empty where no list is given.
	Columns []Name
	Rows    [][]Expr
	Query   *Select
}

func (*Select) statement()       {}
func (*CreateStream) statement() {}
func (*ShowStreams) statement()  {}
func (*Describe) statement()     {}
func (*Explain) statement()      {}
func (*Insert) statement()       {}

func (*StreamTable) table() {}
func (*Subquery) table()    {}

// Position is that of SELECT or WITH.
func (s *Select) Position() event.Position { return s.Pos }

// Position is that of CREATE.
func (s *CreateStream) Position() event.Position { return s.Pos }

// Position is that of SHOW.
func (s *ShowStreams) Position() event.Position { return s.Pos }

// Position is that of DESCRIBE.
func (s *Describe) Position() event.Position { return s.Pos }

// Position is that of EXPLAIN.
func (s *Explain) Position() event.Position { return s.Pos }

// Position is that of INSERT.
func (s *Insert) Position() event.Position { return s.Pos }

// Position is that of the name.
func (t *StreamTable) Position() event.Position {
	if t.Schema != nil {
		return t.Schema.Pos
	}
	return t.Name.Pos
}

// Position is that of the opening parenthesis.
func (t *Subquery) Position() event.Position { return t.Pos }
