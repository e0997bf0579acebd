// Package config holds the server's options and reads them from the places they may be set in.
//
// Sources are applied in a fixed order, each overriding the one before: the defaults, the configuration file (YAML), the
// environment (TIDEMARK_*), the command line. A key has one name everywhere: seal_rows in the file is TIDEMARK_SEAL_ROWS in
// the environment and --seal-rows on the command line. A key that the file has and the server does not know is an error; all
// faults are reported together.
//
// A Config is a plain value: copy it freely. The package opens no sockets and no files but the configuration file.
package config

import (
	"log/slog"
	"time"
)

// Config is everything an operator can set. The help tags are what the command line and --print-config show.
type Config struct {
	// Data is the directory that holds the log, the segments and the catalog; it is made if it is missing.
	Data string `koanf:"data" placeholder:"DIR" help:"Directory of the data; made if missing."`
	// Listen is the loopback address of the HTTP API. Port 0 takes any free port.
	Listen string `koanf:"listen" placeholder:"ADDR" help:"Address of the HTTP API; a loopback address."`
	// AdminListen is the loopback address of metrics and profiles. Port 0 takes any free port.
	AdminListen string `koanf:"admin_listen" placeholder:"ADDR" help:"Address of metrics and profiles; a loopback address."`

	// SealRows is the number of rows after which a partition's tail is sealed into a segment.
	SealRows int64 `koanf:"seal_rows" placeholder:"N" help:"Rows after which a tail is sealed into a segment."`
	// SealBytes is the size in memory after which a partition's tail is sealed.
	SealBytes Bytes `koanf:"seal_bytes" placeholder:"SIZE" help:"Size in memory after which a tail is sealed."`
	// SealAge is the age of its oldest row after which a partition's tail is sealed, however small.
	SealAge time.Duration `koanf:"seal_age" placeholder:"DURATION" help:"Age of the oldest row after which a tail is sealed."`

	// CompactCPU is the part of one processor that merging segments may take while it keeps up, in per cent.
	CompactCPU int64 `koanf:"compact_cpu" placeholder:"PERCENT" help:"Part of one processor that merging segments may take while it keeps up, in per cent."`
	// ArchiveAfter is how long after its newest row arrived a segment is written anew to take less space; 0 means never.
	ArchiveAfter time.Duration `koanf:"archive_after" placeholder:"DURATION" help:"Time after its newest row came when a segment is packed tighter; 0 for never."`

	// ScrubRate is how many bytes of files are read in a second to find damage; 0 means that none are.
	ScrubRate Bytes `koanf:"scrub_rate" placeholder:"SIZE" help:"Bytes of files read in a second to find damage; 0 for none."`

	// Memory is what the process should stay within; half of it is for queries and an eighth for what was read of segments. 0 is three
	// quarters of what the machine or the container has.
	Memory Bytes `koanf:"memory" placeholder:"SIZE" help:"Memory of the whole process; 0 for three quarters of what there is."`
	// QueryMemory bounds what one query may hold for grouping, sorting and the like; beyond it queries use temporary files.
	QueryMemory Bytes `koanf:"query_memory" placeholder:"SIZE" help:"Memory one query may use; beyond it temporary files."`
	// SpillSpace bounds the temporary files of all queries together; 0 means none, so that queries fail beyond their memory.
	SpillSpace Bytes `koanf:"spill_space" placeholder:"SIZE" help:"Disk space for temporary files of queries; 0 for none."`
	// QueryTimeout ends a query that runs longer; 0 means no limit.
	QueryTimeout time.Duration `koanf:"query_timeout" placeholder:"DURATION" help:"Longest run of one query; 0 for no limit."`
	// MaxRows is where an answer is cut when the request names no max_rows of its own.
	MaxRows int64 `koanf:"max_rows" placeholder:"N" help:"Rows after which an answer is cut unless the request says otherwise."`

	// QueryLog is how many queries that have ended are remembered for system.query_log.
	QueryLog int64 `koanf:"query_log" placeholder:"N" help:"Ended queries kept in memory for system.query_log."`
	// SlowQuery is the time from which on a query is logged as slow; 0 logs none.
	SlowQuery time.Duration `koanf:"slow_query" placeholder:"DURATION" help:"Time from which on a query is logged as slow; 0 for never."`

	// IngestMemory bounds the bytes of events accepted but not yet durable; requests beyond it are told to come back later.
	IngestMemory Bytes `koanf:"ingest_memory" placeholder:"SIZE" help:"Memory for events that are not yet durable."`

	// FlushInterval is how long rows of requests with ack=write may wait for their sync.
	FlushInterval time.Duration `koanf:"flush_interval" placeholder:"DURATION" help:"Time that rows of requests with ack=write may wait for their sync."`
	// LogFile is the size at which a partition's log goes on in a new file; a file is kept or removed as a whole.
	LogFile Bytes `koanf:"log_file" placeholder:"SIZE" help:"Size at which a partition's log begins a new file."`

	// DedupMemory bounds what is remembered of requests with an Idempotency-Key; the oldest are forgotten first.
	DedupMemory Bytes `koanf:"dedup_memory" placeholder:"SIZE" help:"Memory for the keys of requests that may be repeated."`
	// DedupKeyMemory bounds what is remembered of rows of streams with DEDUP KEY; beyond it those streams take no rows.
	DedupKeyMemory Bytes `koanf:"dedup_key_memory" placeholder:"SIZE" help:"Memory for the keys of rows under DEDUP KEY."`

	// TimerSlack is how much later than asked for the kernel may wake the process, which spares it wakes; 0 leaves what it was started with.
	TimerSlack time.Duration `koanf:"timer_slack" placeholder:"DURATION" help:"How late Linux may wake the process, which saves CPU; 0 to leave it."`

	// LogLevel is the least severe level that is logged.
	LogLevel slog.Level `koanf:"log_level" placeholder:"LEVEL" help:"Least level logged: debug, info, warn or error."`
	// LogFormat is the form of log lines: text or json.
	LogFormat string `koanf:"log_format" placeholder:"FORMAT" help:"Form of log lines: text or json."`
}

// Default is the configuration of a server that was told nothing.
func Default() Config {
	return Config{
		Data:        "./tidemark-data",
		Listen:      "127.0.0.1:7373",
		AdminListen: "127.0.0.1:7374",
		// A million rows make a segment large enough to compress and prune well and small enough to rewrite.
		SealRows:  1_000_000,
		SealBytes: 256 * mebibyte,
		// A minute bounds what a restart replays and how long a file-level reader waits for quiet streams.
		SealAge: time.Minute,
		// Half leaves more than half of the smallest machine to requests while segments are merged.
		CompactCPU: 50,
		// What is packed tighter takes more time to read: a week is what most panels and alerts look back over.
		ArchiveAfter: 7 * 24 * time.Hour,
		// A terabyte in three days, for one part in a hundred of what a slow disk can read.
		ScrubRate:    4 * mebibyte,
		QueryMemory:  gibibyte,
		SpillSpace:   64 * gibibyte,
		QueryTimeout: 5 * time.Minute,
		MaxRows:      100_000,
		// A thousand queries show a morning's work of a few people, and take a few MiB at most.
		QueryLog: 1000,
		// Ten seconds are more than anyone waits for a panel.
		SlowQuery:    10 * time.Second,
		IngestMemory: 256 * mebibyte,
		// What may be lost with the power is little, and the disk is asked for five syncs a second at most.
		FlushInterval: 200 * time.Millisecond,
		// Small enough to remove soon after it is sealed and to copy after a crash, large enough that a new one costs nothing per event.
		LogFile: 64 * mebibyte,
		// A request of one chunk takes some 120 bytes: this is room for about a million of them in a day.
		DedupMemory:    128 * mebibyte,
		DedupKeyMemory: 256 * mebibyte,
		// The runtime's own timers count whole milliseconds where they sleep.
		TimerSlack: time.Millisecond,
		LogLevel:   slog.LevelInfo,
		LogFormat:  "text",
	}
}
