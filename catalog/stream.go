package catalog

import (
	"time"

	"github.com/tidemarkdb/tidemark/event"
)

// Stream is the definition of one stream. A published Stream never changes; a new version replaces it.
type Stream struct {
	Name       string        `json:"name"`
	Schema     *event.Schema `json:"schema"`
	Partitions int           `json:"partitions"`
	// PartitionBy are the columns whose hash chooses the partition; none means that batches go round.
	PartitionBy []string `json:"partition_by,omitempty"`
	// Bound, IdleTimeout and FutureLimit are the WATERMARK clause.
	Bound       time.Duration `json:"bound"`
	IdleTimeout time.Duration `json:"idle_timeout"`
	FutureLimit time.Duration `json:"future_limit"`
	// DedupKey are the columns by which a row is known again, and DedupWithin how far apart in event time two such rows may be.
	DedupKey    []string      `json:"dedup_key,omitempty"`
	DedupWithin time.Duration `json:"dedup_within,omitempty"`
	// Retention is how long rows can be queried, by event time; 0 is for ever.
	Retention time.Duration `json:"retention,omitempty"`
	// LogRetention is how long raw records can be re-read after they are sealed, by arrival time.
	LogRetention time.Duration `json:"log_retention"`
	// LogRetentionBytes is how much of raw records can be re-read after they are sealed, all partitions together; 0 is no limit.
	LogRetentionBytes int64 `json:"log_retention_bytes,omitempty"`
	// Quarantined are the ranges of offsets that damage to the log has taken.
	Quarantined []Quarantine `json:"quarantined,omitempty"`
	SchemaMode  SchemaMode   `json:"schema_mode"`
	// SortBy are the columns that rows of one event time are sorted by in segments, before partition and offset.
	SortBy []string `json:"sort_by,omitempty"`
}

// SortColumns are the ids of SortBy.
func (s *Stream) SortColumns() []event.FieldID {
	var out []event.FieldID
	for _, name := range s.SortBy {
		for _, c := range s.Schema.Columns {
			if c.Name == name {
				out = append(out, c.ID)
			}
		}
	}
	return out
}

// Quarantine is a range of offsets of one partition that cannot be read.
type Quarantine struct {
	Partition event.Partition `json:"partition"`
	// From is the first offset, and To the one after the last.
	From event.Offset `json:"from"`
	To   event.Offset `json:"to"`
	// File is where the damage was found, at a byte, and Reason what it looks like.
	File   string    `json:"file"`
	Byte   int64     `json:"byte"`
	Reason string    `json:"reason"`
	Found  time.Time `json:"found"`
	// Accepted says that the loss was taken note of: queries go on without the rows.
	Accepted bool `json:"accepted,omitempty"`
}

// SchemaMode says what becomes of a field that the stream does not have.
type SchemaMode string

// The modes.
const (
	Strict SchemaMode = "strict" // the row is rejected
	Evolve SchemaMode = "evolve" // the column is added, and existing ones widen
	Ignore SchemaMode = "ignore" // the field is left out
)

// Defaults of a stream that does not say otherwise.
const (
	DefaultPartitions   = 1
	DefaultBound        = 5 * time.Second
	DefaultIdleTimeout  = 30 * time.Second
	DefaultFutureLimit  = 24 * time.Hour
	DefaultLogRetention = 24 * time.Hour
)
