// Package continuous keeps the answer of a plan current as its inputs grow.
//
// A Program is a compiled plan, a Machine is one running instance of it. A Machine is given the rows that its inputs gained and
// answers with the change of its output: rows that come with weight +1 and go with weight -1. Every operator maps changes of its
// inputs to the change of its output such that what it gave in all adds up to the plan's answer over what it was given in all
// (Z-sets: Budiu and others, DBSP, VLDB 2023). How the input was cut into steps therefore does not matter.
//
// Rules that always hold:
//   - The output after a step is a function of the input rows and of the watermark, and of nothing else: there is no clock, no
//     random number that shows, and the order of rows inside a step is of no consequence.
//   - It equals what package exec answers to Program.Plan over the same rows; where a program emits when windows close, that answer
//     restricted to rows whose Program.Time the watermark has passed; where frames reach rows ahead, that over the rows so far
//     which have them behind them. DOUBLE PRECISION sums may differ in their last digits.
//   - Lateness is a condition of the plan on the row itself (its hidden _watermark). The watermark given to a step only decides what
//     may be forgotten and what is complete: no row that is in time can change either.
//   - Snapshot and Restore keep all of that: a restored machine answers as the original would have.
//
// A Program never changes and may be used from any goroutine. A Machine belongs to one goroutine at a time; it starts none, takes no
// lock and does no I/O but for temporary files of Options.Spill. After an error of Step a Machine is not used again. The package
// knows nothing of SQL text, logs or files.
package continuous

import (
	"math"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// Emit says when a program's output shows a change.
type Emit uint8

// The ways to emit.
const (
	// OnUpdate shows the answer over all rows so far after every step.
	OnUpdate Emit = iota
	// OnWindowClose shows a row once the watermark has passed its Program.Time, and afterwards what corrects it.
	OnWindowClose
)

// Options tune a Program.
type Options struct {
	Emit Emit
	// MemoryBytes is what a Machine is meant to hold in memory; 0 means that no bound was asked for: then every operator's state must be
	// bounded by windows or by time, or Compile refuses and says what would help. Whoever runs a Machine compares Machine.Bytes with the
	// bound and decides what is to be done. What of a state was on disk is there again when the state is restored.
	MemoryBytes int64
	// Spill is where a Machine may keep a part of its state that memory has no room for; nil for nowhere.
	Spill *spill.Space
	// Horizon is how long after its end a window takes corrections: LATE RECOMPUTE WITHIN. The plan's own conditions let late
	// rows through accordingly.
	Horizon time.Duration
	// Marked says that the last column of the plan is the watermark that was before the event of each row, which is passed on to whoever
	// reads the output, and no part of the answer.
	Marked bool
}

// InputKind says how an input changes.
type InputKind uint8

// The kinds of input.
const (
	// StreamInput only gains rows. Its rows have the hidden columns _partition, _offset and _watermark.
	StreamInput InputKind = iota
	// ViewInput is another program's output: rows come and go.
	ViewInput
)

// InputInfo is what Compile has to know of what a scan reads.
type InputInfo struct {
	Kind InputKind
	// Time is the column that the input's watermark speaks of: a stream's event time, a view's Program.Time; 0 where there is none.
	Time event.FieldID
	// Watermark is, of a view whose rows are events of a stream, the column with the watermark before each of them: such rows can be late,
	// as those of a stream can. 0 of other views, whose changes are never late.
	Watermark event.FieldID
	// Key are, for a view, the columns that tell its rows apart; none where rows may repeat.
	Key []event.FieldID
	// AppendOnly says of a view that its rows never go again.
	AppendOnly bool
	// Generation tells a view from those that had its name before; 0 for a stream.
	Generation uint64
}

// watermark is the column with the watermark before a row; 0 where rows are never late.
func (i *InputInfo) watermark() event.FieldID {
	if i.Kind == StreamInput {
		return event.FieldWatermark
	}
	return i.Watermark
}

// Input is what a Machine has to be given of one stream or view.
type Input struct {
	Name   string
	Schema *event.Schema
	// Fields are the columns wanted, in the order in which Delta.Columns has them.
	Fields []event.FieldID
	// Generation is that of the view that the program was made for: what InputInfo says of another one may differ.
	Generation uint64
}

// Finality says when a row of the output can no longer change.
type Finality uint8

// The kinds of finality.
const (
	FinalNever  Finality = iota // any later step may take the row back
	FinalByTime                 // once Changes.Final has reached the row's Program.Time
	FinalAtOnce                 // the output only gains rows
)

// NoWatermark stands for a watermark before all times: nothing is closed yet.
const NoWatermark = math.MinInt64

// Column is one column of a program's output.
type Column struct {
	plan.Column
	// As is the type that the query gives the column, where that is stored as another; nil elsewhere.
	As *event.Type
	// Hidden columns are not part of the answer; they complete the key.
	Hidden bool
}
