package demo

import (
	"context"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"

	"github.com/tidemarkdb/tidemark/server/client"
)

const (
	telemetryStream   = "telemetry"
	telemetryInterval = time.Second
	// telemetryLead is the time between the reading that rates are first reckoned from and the first event: without it that
	// event would lack the columns the view asks for.
	telemetryLead = 250 * time.Millisecond
)

// telemetryEvent is one reading of the machine. What the system does not tell is null.
type telemetryEvent struct {
	TS             string   `json:"ts"`
	CPUPercent     *float64 `json:"cpu_percent"`
	MemoryUsed     *int64   `json:"memory_used_bytes"`
	MemoryFree     *int64   `json:"memory_available_bytes"`
	Load1          *float64 `json:"load1"`
	DiskReadRate   *float64 `json:"disk_read_bytes_per_s"`
	DiskWriteRate  *float64 `json:"disk_write_bytes_per_s"`
	NetReceiveRate *float64 `json:"net_rx_bytes_per_s"`
	NetSendRate    *float64 `json:"net_tx_bytes_per_s"`
	Host           hostInfo `json:"host"`
}

// hostInfo is the nested part: what stays the same.
type hostInfo struct {
	Name string `json:"name"`
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
}

// counters are totals since the machine started; nil where the system does not tell.
type counters struct {
	busy, total                   *float64
	read, written, received, sent *float64
}

// telemetry turns totals into rates.
type telemetry struct {
	host   hostInfo
	before counters
	at     time.Time
}

func newTelemetry() *telemetry {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return &telemetry{host: hostInfo{Name: name, OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}}
}

func (t *telemetry) run(ctx context.Context, db *client.Client) error {
	t.rates(readCounters(ctx), time.Now())
	lead := time.NewTimer(telemetryLead)
	defer lead.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-lead.C:
	}
	return every(ctx, telemetryInterval, func(now time.Time) error {
		return send(ctx, db, telemetryStream, []telemetryEvent{t.sample(ctx, now)})
	})
}

// sample reads the machine once. The first sample has no rates.
func (t *telemetry) sample(ctx context.Context, now time.Time) telemetryEvent {
	e := t.rates(readCounters(ctx), now)
	e.TS, e.Host = now.UTC().Format(timeLayout), t.host
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		e.MemoryUsed, e.MemoryFree = new(int64(m.Used)), new(int64(m.Available))
	}
	if l, err := load.AvgWithContext(ctx); err == nil {
		e.Load1 = &l.Load1
	}
	return e
}

func (t *telemetry) rates(after counters, now time.Time) telemetryEvent {
	before, seconds := t.before, now.Sub(t.at).Seconds()
	t.before, t.at = after, now
	e := telemetryEvent{
		DiskReadRate: rate(before.read, after.read, seconds), DiskWriteRate: rate(before.written, after.written, seconds),
		NetReceiveRate: rate(before.received, after.received, seconds), NetSendRate: rate(before.sent, after.sent, seconds),
	}
	if share := rate(before.busy, after.busy, 1); share != nil {
		if all := rate(before.total, after.total, 1); all != nil && *all > 0 {
			e.CPUPercent = new(min(100, 100**share / *all))
		}
	}
	return e
}

// rate is nil for the first reading and for a counter that was set back.
func rate(before, after *float64, seconds float64) *float64 {
	if before == nil || after == nil || seconds <= 0 || *after < *before {
		return nil
	}
	return new((*after - *before) / seconds)
}

func readCounters(ctx context.Context) counters {
	var c counters
	if times, err := cpu.TimesWithContext(ctx, false); err == nil && len(times) == 1 {
		s := times[0]
		idle := s.Idle + s.Iowait
		// Guest time is part of user time already.
		c.total = new(s.User + s.Nice + s.System + s.Irq + s.Softirq + s.Steal + idle)
		c.busy = new(*c.total - idle)
	}
	if disks, err := disk.IOCountersWithContext(ctx); err == nil {
		c.read, c.written = new(0.0), new(0.0)
		for name, d := range disks {
			if wholeDisk(name, disks) {
				*c.read += float64(d.ReadBytes)
				*c.written += float64(d.WriteBytes)
			}
		}
	}
	if all, err := net.IOCountersWithContext(ctx, false); err == nil && len(all) == 1 {
		c.received, c.sent = new(float64(all[0].BytesRecv)), new(float64(all[0].BytesSent))
	}
	return c
}

// wholeDisk leaves out partitions and stacked devices, whose bytes their disk counts as well.
func wholeDisk(name string, disks map[string]disk.IOCountersStat) bool {
	for _, stacked := range []string{"loop", "ram", "dm-", "md", "zram"} {
		if strings.HasPrefix(name, stacked) {
			return false
		}
	}
	for other := range disks {
		if other != name && strings.HasPrefix(name, other) {
			return false
		}
	}
	return true
}
