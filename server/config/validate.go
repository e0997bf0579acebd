package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// leastMemory is the least that a memory option may be: below it not even one request's decoded rows would fit.
const leastMemory = mebibyte

// maxQueryLog keeps the log of queries, with its texts of up to 4 KiB, below half a GiB.
const maxQueryLog = 100_000

// maxFlushInterval is more than anyone would give up for speed.
const maxFlushInterval = time.Minute

// maxTimerSlack is where answers would wait for it.
const maxTimerSlack = 10 * time.Millisecond

// maxLogFile bounds what is copied after a crash.
const maxLogFile = 4 * gibibyte

// leastTotal is the least memory of the whole process that leaves each of its parts something to work with.
const leastTotal = 64 * mebibyte

// Validate reports everything that is wrong with the configuration, joined, or nil.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(strings.TrimSpace(c.Data) != "", "data: name a directory")
	faults = append(faults, checkLoopback("listen", c.Listen), checkLoopback("admin_listen", c.AdminListen))
	check(c.Listen != c.AdminListen || strings.HasSuffix(c.Listen, ":0"),
		"admin_listen: %s is taken by listen; choose another port", c.AdminListen)
	check(c.SealRows > 0, "seal_rows: must be at least 1, not %d", c.SealRows)
	check(c.SealBytes >= leastMemory, "seal_bytes: must be at least %s, not %s", leastMemory, c.SealBytes)
	check(c.SealAge > 0, "seal_age: must be more than 0, not %s", c.SealAge)
	check(c.CompactCPU >= 1 && c.CompactCPU <= 100, "compact_cpu: must be from 1 to 100, not %d", c.CompactCPU)
	check(c.ArchiveAfter >= 0, "archive_after: must be 0 (never) or more, not %s", c.ArchiveAfter)
	check(c.QueryMemory >= leastMemory, "query_memory: must be at least %s, not %s", leastMemory, c.QueryMemory)
	check(c.Memory == 0 || c.Memory >= leastTotal, "memory: must be 0 (three quarters of what there is) or at least %s, not %s",
		leastTotal, c.Memory)
	check(c.ScrubRate >= 0, "scrub_rate: must be 0 (files are not read for damage) or more, not %s", c.ScrubRate)
	check(c.SpillSpace >= 0, "spill_space: must be 0 (no temporary files) or more, not %s", c.SpillSpace)
	check(c.QueryTimeout >= 0, "query_timeout: must be 0 (no limit) or more, not %s", c.QueryTimeout)
	check(c.MaxRows > 0, "max_rows: must be at least 1, not %d", c.MaxRows)
	check(c.QueryLog >= 0 && c.QueryLog <= maxQueryLog, "query_log: must be from 0 to %d, not %d", maxQueryLog, c.QueryLog)
	check(c.SlowQuery >= 0, "slow_query: must be 0 (never) or more, not %s", c.SlowQuery)
	check(c.IngestMemory >= leastMemory, "ingest_memory: must be at least %s, not %s", leastMemory, c.IngestMemory)
	check(c.TimerSlack >= 0 && c.TimerSlack <= maxTimerSlack, "timer_slack: must be between 0 and %s, not %s", maxTimerSlack, c.TimerSlack)
	check(c.FlushInterval > 0 && c.FlushInterval <= maxFlushInterval, "flush_interval: must be more than 0 and at most %s, not %s",
		maxFlushInterval, c.FlushInterval)
	check(c.LogFile >= leastMemory && c.LogFile <= maxLogFile, "log_file: must be from %s to %s, not %s", leastMemory, maxLogFile, c.LogFile)
	check(c.DedupMemory >= leastMemory, "dedup_memory: must be at least %s, not %s", leastMemory, c.DedupMemory)
	check(c.DedupKeyMemory >= leastMemory, "dedup_key_memory: must be at least %s, not %s", leastMemory, c.DedupKeyMemory)
	check(c.LogFormat == "text" || c.LogFormat == "json", "log_format: must be text or json, not %q", c.LogFormat)
	return errors.Join(faults...)
}

// checkLoopback keeps an unprotected server off the network: it has neither tokens nor TLS, so whoever reaches the port can
// read and write everything.
func checkLoopback(key, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: %q is not an address; write host:port, as in 127.0.0.1:7373", key, address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s: %q is not a port; use a number from 0 to 65535", key, port)
	}
	if strings.EqualFold(host, "localhost") {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s: %q is reachable from other machines, which needs tokens and TLS; this version has neither: "+
		"listen on 127.0.0.1, ::1 or localhost", key, address)
}
