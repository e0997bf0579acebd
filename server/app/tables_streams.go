package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/server/system"
)

func (a *App) streamsTable() system.Table {
	return system.Table{
		Name: "system.streams", Help: "Streams, with their settings and their size.",
		Columns: []system.Column{
			{Name: "name", Type: system.Text, Help: "The stream."},
			{Name: "columns", Type: system.BigInt, Help: "How many columns it has."},
			{Name: "partitions", Type: system.BigInt, Help: "How many partitions it has."},
			{Name: "partition_by", Type: system.Text, Help: "The columns whose hash chooses the partition."},
			{Name: "time_column", Type: system.Text, Help: "The event-time column; NULL where arrival is the event time."},
			{Name: "rows", Type: system.BigInt, Help: "Rows that queries see."},
			{Name: "tail_rows", Type: system.BigInt, Help: "Rows of these in memory and log, not yet in segments."},
			{Name: "segments", Type: system.BigInt, Help: "Parquet files."},
			{Name: "segment_bytes", Type: system.BigInt, Help: "Size of the files."},
			{Name: "schema_mode", Type: system.Text, Help: "What becomes of a field that the stream does not have."},
			{Name: "schema_version", Type: system.BigInt, Help: "How often the columns have changed, plus 1."},
			{Name: "bound", Type: system.Interval, Help: "How far the watermark stays behind the latest event time."},
			{Name: "retention", Type: system.Interval, Help: "How long rows can be queried; NULL for ever."},
			{Name: "log_retention", Type: system.Interval, Help: "How long the log is kept after sealing."},
			{Name: "log_retention_size", Type: system.BigInt, Help: "How many bytes of the log are kept after sealing at most; NULL without a limit."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, state := range a.streams() {
				writeStream(rows, state.Definition)
				rows.BigInt(state.Rows)
				rows.BigInt(state.Rows - state.SealedRows)
				rows.BigInt(int64(state.Segments))
				rows.BigInt(state.Bytes)
				writeRules(rows, state.Definition)
			}
			return nil
		},
	}
}

func writeStream(rows *system.Rows, d *catalog.Stream) {
	rows.Text(d.Name)
	rows.BigInt(int64(len(d.Schema.Columns)))
	rows.BigInt(int64(d.Partitions))
	rows.OptionalText(strings.Join(d.PartitionBy, ", "))
	rows.OptionalText(timeColumn(d))
}

func writeRules(rows *system.Rows, d *catalog.Stream) {
	rows.Text(string(d.SchemaMode))
	rows.BigInt(int64(d.Schema.Version))
	rows.Interval(d.Bound)
	if d.Retention > 0 {
		rows.Interval(d.Retention)
	} else {
		rows.Null()
	}
	rows.Interval(d.LogRetention)
	if d.LogRetentionBytes > 0 {
		rows.BigInt(d.LogRetentionBytes)
	} else {
		rows.Null()
	}
}

// timeColumn is the name of the event-time column; empty where arrival is the event time.
func timeColumn(d *catalog.Stream) string {
	i := slices.IndexFunc(d.Schema.Columns, func(c event.Column) bool { return c.ID == d.Schema.TimeColumn })
	if i < 0 {
		return ""
	}
	return d.Schema.Columns[i].Name
}

func (a *App) columnsTable() system.Table {
	return system.Table{
		Name: "system.columns", Help: "Columns of streams, hidden ones included.",
		Columns: []system.Column{
			{Name: "stream", Type: system.Text, Help: "The stream."},
			{Name: "position", Type: system.BigInt, Help: "Where the column stands, from 1."},
			{Name: "name", Type: system.Text, Help: "The column."},
			{Name: "type", Type: system.Text, Help: "Its type."},
			{Name: "nullable", Type: system.Boolean, Help: "Whether it may be NULL."},
			{Name: "hidden", Type: system.Boolean, Help: "Whether * leaves it out."},
			{Name: "extra", Type: system.Text, Help: "event time, partition key, dedup key or hidden."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, d := range a.catalog.Streams() {
				for i, c := range d.Schema.All() {
					rows.Text(d.Name)
					rows.BigInt(int64(i + 1))
					rows.Text(c.Name)
					rows.Text(c.Shown().String())
					rows.Boolean(!c.NotNull)
					rows.Boolean(i >= len(d.Schema.Columns))
					rows.OptionalText(note(d, c))
				}
			}
			return nil
		},
	}
}

func (a *App) partitionsTable() system.Table {
	return system.Table{
		Name: "system.partitions", Help: "Partitions of streams: how far they have been written and sealed.",
		Columns: []system.Column{
			{Name: "stream", Type: system.Text, Help: "The stream."},
			{Name: "partition", Type: system.BigInt, Help: "The partition, from 0."},
			{Name: "next_offset", Type: system.BigInt, Help: "The offset that the next row takes."},
			{Name: "sealed_offset", Type: system.BigInt, Help: "The first offset that is not in a segment."},
			{Name: "tail_rows", Type: system.BigInt, Help: "Rows from there on."},
			{Name: "max_event_time", Type: system.TimestampTZ, Help: "The latest event time that moved the watermark; NULL before the first."},
			{Name: "watermark", Type: system.TimestampTZ, Help: "That less the stream's bound."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, d := range a.catalog.Streams() {
				a.writePartitions(rows, d)
			}
			return nil
		},
	}
}

// writePartitions writes a stream's partitions; a stream that is being dropped has none.
func (a *App) writePartitions(rows *system.Rows, d *catalog.Stream) {
	view, err := a.ingest.Tail(d.Name)
	if err != nil {
		return
	}
	sealed := a.manifest.View(d.Name).Sealed.Next
	for p := range d.Partitions {
		next := view.Next.At(event.Partition(p))
		done := min(sealed.At(event.Partition(p)), next) // sealing may have gone on since the tail was looked at
		rows.Text(d.Name)
		rows.BigInt(int64(p))
		rows.BigInt(int64(next))
		rows.BigInt(int64(done))
		rows.BigInt(int64(next - done))
		if p >= len(view.Clocks) || !view.Clocks[p].Valid {
			rows.Null()
			rows.Null()
			continue
		}
		latest := view.Clocks[p].MaxEventTime
		rows.Micros(latest)
		rows.Micros(latest - d.Bound.Microseconds())
	}
}

func (a *App) segmentsTable() system.Table {
	return system.Table{
		Name: "system.segments", Help: "Parquet files of streams.",
		Columns: []system.Column{
			{Name: "stream", Type: system.Text, Help: "The stream."},
			{Name: "id", Type: system.BigInt, Help: "The number of the segment."},
			{Name: "file", Type: system.Text, Help: "The file, below the data directory."},
			{Name: "rows", Type: system.BigInt, Help: "Rows in it."},
			{Name: "bytes", Type: system.BigInt, Help: "Its size."},
			{Name: "min_time", Type: system.TimestampTZ, Help: "The earliest event time in it."},
			{Name: "max_time", Type: system.TimestampTZ, Help: "The latest."},
			{Name: "columns", Type: system.BigInt, Help: "Columns in it, hidden ones included."},
			{Name: "schema_version", Type: system.BigInt, Help: "The version of the columns that it was written under."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, name := range a.catalog.Names() {
				for _, s := range a.manifest.View(name).Segments {
					writeSegment(rows, s)
				}
			}
			return nil
		},
	}
}

func writeSegment(rows *system.Rows, s *manifest.Segment) {
	rows.Text(s.Stream)
	rows.BigInt(int64(s.ID))
	rows.Text(s.File)
	rows.BigInt(s.Rows)
	rows.BigInt(s.Bytes)
	rows.Time(time.UnixMicro(s.MinTime))
	rows.Time(time.UnixMicro(s.MaxTime))
	rows.BigInt(int64(len(s.Columns)))
	rows.BigInt(int64(s.SchemaVersion))
}
