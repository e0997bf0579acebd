package event

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// FieldID names a column for good: it is never reused, also not after a change of the column's name or type.
type FieldID int32

// The hidden columns that every stream has, with ids at the far end of the range so that user columns never meet them.
const (
	FieldPartition  FieldID = math.MaxInt32 - 101 // _partition BIGINT
	FieldOffset     FieldID = math.MaxInt32 - 102 // _offset BIGINT
	FieldIngestedAt FieldID = math.MaxInt32 - 103 // _ingested_at TIMESTAMPTZ
	FieldWatermark  FieldID = math.MaxInt32 - 104 // _watermark TIMESTAMPTZ, NULL before the partition's first watermark
)

// Hidden are the columns kept beside the user's own, in the order in which a Batch carries them after those.
var Hidden = []Column{
	{ID: FieldPartition, Name: "_partition", Type: Type{Kind: BigInt}, NotNull: true},
	{ID: FieldOffset, Name: "_offset", Type: Type{Kind: BigInt}, NotNull: true},
	{ID: FieldIngestedAt, Name: "_ingested_at", Type: Type{Kind: TimestampTZ}, NotNull: true},
	{ID: FieldWatermark, Name: "_watermark", Type: Type{Kind: TimestampTZ}},
}

// Column is one column of a stream.
type Column struct {
	ID      FieldID `json:"id"`
	Name    string  `json:"name"`
	Type    Type    `json:"type"`
	NotNull bool    `json:"not_null,omitempty"`
	// Since is the schema version that added the column, under whatever type. Rows logged under an older version have no value for it.
	Since int `json:"since"`
	// Former lists what the column was before it widened, newest first. A batch or file holds the column under one of these ids.
	Former []FormerColumn `json:"former,omitempty"`
	// As is what expressions see of a column whose values are stored as those of another type; nil where that is Type: see StoredAs.
	As *Type `json:"as,omitempty"`
	// Inferred is set for a UUID column that nobody declared: it takes none but the usual spelling, and widens like any other.
	Inferred bool `json:"inferred,omitempty"`
}

// Shown is the type that the column has for whoever reads or describes it.
func (c Column) Shown() Type {
	if c.As != nil {
		return *c.As
	}
	return c.Type
}

// Declare gives a column the type that somebody declared for it.
func (c *Column) Declare(declared Type) {
	if c.Type = StoredAs(declared); !c.Type.Equal(declared) {
		c.As = &declared
	}
}

// StoredAs is the type as which values of a declared one lie in the log and in segments, where any reader of those makes something of
// them: INTERVAL and TIME as their text, arrays as JSON. All other types are stored as themselves.
func StoredAs(declared Type) Type {
	switch declared.Kind {
	case Interval, Time:
		return Type{Kind: Text}
	case Array:
		return Type{Kind: JSONB}
	default:
		return declared
	}
}

// FormerColumn is a narrower type that a column once had, under the id it then had.
type FormerColumn struct {
	ID   FieldID `json:"id"`
	Type Type    `json:"type"`
	// Until is the last schema version under which the column was this.
	Until int `json:"until,omitempty"`
}

// Schema is one version of a stream's columns. It never changes after it is published; package decode makes the next version and package catalog publishes it.
type Schema struct {
	Version int      `json:"version"`
	Columns []Column `json:"columns"`
	// TimeColumn is the id of the event-time column; 0 means that arrival time is the event time.
	TimeColumn FieldID `json:"time_column,omitempty"`
	// Overflow is the id of the JSONB column that takes the fields for which there is no column any more; 0 while all have one.
	Overflow FieldID `json:"overflow,omitempty"`
	// NextID is the id that the next new column takes.
	NextID FieldID `json:"next_id"`
}

// ErrUnknownColumn and ErrAmbiguousColumn are what Resolve wraps.
var (
	ErrUnknownColumn   = errors.New("unknown column")
	ErrAmbiguousColumn = errors.New("ambiguous column")
)

// All returns the user's columns followed by the hidden ones: the columns of a Batch, in order.
func (s *Schema) All() []Column {
	all := make([]Column, 0, len(s.Columns)+len(Hidden))
	return append(append(all, s.Columns...), Hidden...)
}

// Resolve finds a column, hidden ones included, by its exact name, else by the only name equal to it but for case.
func (s *Schema) Resolve(name string) (Column, error) {
	var folded []Column
	for _, c := range s.All() {
		if c.Name == name {
			return c, nil
		}
		if strings.EqualFold(c.Name, name) {
			folded = append(folded, c)
		}
	}
	switch len(folded) {
	case 0:
		return Column{}, fmt.Errorf("%w %q", ErrUnknownColumn, name)
	case 1:
		return folded[0], nil
	default:
		names := make([]string, len(folded))
		for i, c := range folded {
			names[i] = `"` + c.Name + `"`
		}
		return Column{}, fmt.Errorf("%w %q: it could be %s", ErrAmbiguousColumn, name, strings.Join(names, " or "))
	}
}

// ByID finds a column, hidden ones included, by its present id.
func (s *Schema) ByID(id FieldID) (Column, bool) {
	if at := int(id) - 1; at >= 0 && at < len(s.Columns) && s.Columns[at].ID == id {
		return s.Columns[at], true // where it was put first: few columns change
	}
	for _, columns := range [][]Column{s.Columns, Hidden} {
		for _, c := range columns {
			if c.ID == id {
				return c, true
			}
		}
	}
	return Column{}, false
}

// AsOf is the schema without the columns that versions after the given one added. Those it keeps are what they are now, under their present
// ids and types, and so is its Version: rows of all versions up to that can be brought to it.
func (s *Schema) AsOf(version int) *Schema {
	later := func(c Column) bool { return c.Since > version }
	if !slices.ContainsFunc(s.Columns, later) {
		return s
	}
	out := *s
	out.Columns = slices.DeleteFunc(slices.Clone(s.Columns), later)
	if _, ok := out.ByID(out.Overflow); !ok {
		out.Overflow = 0
	}
	return &out
}

// arrowSchema is the Arrow schema of a Schema.
type arrowSchema struct {
	of    *Schema
	arrow *arrow.Schema
}

// arrowSchemas are those that were asked for last, one for each remainder of a Schema's address: the batch of a request of one event takes less time
// to make than its Arrow schema does.
var arrowSchemas [32]atomic.Pointer[arrowSchema]

// Arrow is the Arrow schema of a Batch: All() in order. The Schema does not change any more once this is called.
func (s *Schema) Arrow() *arrow.Schema {
	const aligned = 6 // a Schema is larger than that, and does not begin at every place
	place := &arrowSchemas[uintptr(unsafe.Pointer(s))>>aligned%uintptr(len(arrowSchemas))]
	known := place.Load()
	if known == nil || known.of != s {
		known = &arrowSchema{s, s.makeArrow()}
		place.Store(known)
	}
	return known.arrow
}

func (s *Schema) makeArrow() *arrow.Schema {
	all := s.All()
	fields := make([]arrow.Field, len(all))
	for i, c := range all {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: !c.NotNull}
	}
	return arrow.NewSchema(fields, nil)
}
