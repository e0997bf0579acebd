package demo

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/shell"
)

// sparkSeconds is the length of the sparkline.
const sparkSeconds = 60

// render lays one round of answers out as lines. All of it fits a terminal of 24 rows and 80 columns.
func (v *view) render(a *answers, now time.Time) []string {
	up := now.Sub(v.started).Truncate(time.Second)
	lines := []string{
		fmt.Sprintf("tidemark demo   %s   up %s", v.db.URL(), up),
		streamLine(a.streams),
		fmt.Sprintf("QUERIES   %d for this view: %.1f ms of server time, %s rows read", a.queries, a.elapsedMS, shell.Thousands(a.rowsRead)),
	}
	if a.failure != nil {
		lines = append(lines, "", "not answered: "+shell.Cell(a.failure.Error()))
	}
	if v.flights {
		lines = append(append(lines, ""), v.flightLines(a, now)...)
	}
	return append(append(lines, ""), telemetryLines(a)...)
}

func (v *view) flightLines(a *answers, now time.Time) []string {
	totals := a.flightTotals
	if value(totals, 0, 4) == nil {
		return []string{"FLIGHTS", "  waiting for the first departures"}
	}
	lines := []string{
		fmt.Sprintf("FLIGHTS   the clock stands at %s, %gx", shortClock(text(totals, 0, 4)), v.speed),
		fmt.Sprintf("  %s/s over 10 s, %s/s over 1 min   %s %% over 15 min late   average delay %s min",
			number(totals, 0, 0, 0), number(totals, 0, 1, 0), number(totals, 0, 3, 1), number(totals, 0, 2, 1)),
		"  " + sparkline(a.flightSeconds, now) + "  each second",
		fmt.Sprintf("  %-8s %12s %14s   from the materialized view departures", "origin", "departures", "average delay"),
	}
	if a.topOrigins != nil {
		for i := range a.topOrigins.Rows {
			lines = append(lines, fmt.Sprintf("  %-8s %12s %10s min",
				shell.Cell(text(a.topOrigins, i, 0)), number(a.topOrigins, i, 1, 0), number(a.topOrigins, i, 2, 1)))
		}
	}
	return lines
}

// gauge is a line of the telemetry: its name and how its value is written.
type gauge struct {
	name  string
	write func(float64) string
}

// gauges follow the order of the columns of the telemetry queries.
var gauges = []gauge{
	{"cpu", func(f float64) string { return fmt.Sprintf("%.1f %%", f) }},
	{"memory used", bytesOf},
	{"load", func(f float64) string { return fmt.Sprintf("%.2f", f) }},
	{"disk read", perSecond},
	{"disk written", perSecond},
	{"net received", perSecond},
	{"net sent", perSecond},
}

func telemetryLines(a *answers) []string {
	if a.telemetryNow == nil || len(a.telemetryNow.Rows) == 0 {
		return []string{"THIS MACHINE", "  waiting for the first reading"}
	}
	lines := []string{
		"THIS MACHINE   " + shell.Cell(text(a.telemetryNow, 0, len(gauges))),
		fmt.Sprintf("  %-14s %14s %14s   from the materialized view machine", "", "now", "1 min average"),
	}
	for i, g := range gauges {
		lines = append(lines, fmt.Sprintf("  %-14s %14s %14s", g.name, g.of(a.telemetryNow, i), g.of(a.telemetryMinute, i)))
	}
	return lines
}

func (g gauge) of(result *client.Result, column int) string {
	if f, ok := client.Float(value(result, 0, column)); ok {
		return g.write(f)
	}
	return "-"
}

// streamLine lists what has been taken in so far.
func streamLine(streams *client.Result) string {
	if streams == nil || len(streams.Rows) == 0 {
		return "STREAMS   none yet"
	}
	nameAt, rowsAt := columnOf(streams, "name"), columnOf(streams, "rows")
	parts := make([]string, len(streams.Rows))
	for i := range streams.Rows {
		parts[i] = fmt.Sprintf("%s %s rows", shell.Cell(text(streams, i, nameAt)), number(streams, i, rowsAt, 0))
	}
	return "STREAMS   " + strings.Join(parts, " · ")
}

// columnOf is the place of a column, or one past the last.
func columnOf(result *client.Result, name string) int {
	for i, c := range result.Columns {
		if c.Name == name {
			return i
		}
	}
	return len(result.Columns)
}

// number writes a numeric cell with separators and as many decimals, or a dash.
func number(result *client.Result, row, column, decimals int) string {
	f, ok := client.Float(value(result, row, column))
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) > 1e15 {
		return "-"
	}
	if decimals == 0 {
		return shell.Thousands(int64(math.Round(f)))
	}
	return fmt.Sprintf("%.*f", decimals, f)
}

// sparkline draws a count per second for the minute before now; a second without a row counts as none. The second under way
// is left out, for it would always look like a fall.
func sparkline(result *client.Result, now time.Time) string {
	counts := make([]float64, sparkSeconds)
	end := now.Truncate(time.Second)
	most := 0.0
	for i := 0; result != nil && i < len(result.Rows); i++ {
		second, err := time.Parse(time.RFC3339, text(result, i, 0))
		n, ok := client.Float(value(result, i, 1))
		place := sparkSeconds - int(end.Sub(second)/time.Second)
		if err == nil && ok && place >= 0 && place < sparkSeconds {
			counts[place] = n
			most = max(most, n)
		}
	}
	levels := []rune(" ▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, n := range counts {
		level := 0
		if n > 0 {
			level = max(1, int(math.Round(n/most*float64(len(levels)-1))))
		}
		b.WriteRune(levels[level])
	}
	return b.String()
}

// shortClock shortens a timestamp to the minute.
func shortClock(timestamp string) string {
	t, err := time.Parse(time.RFC3339, timestamp)
	if err != nil {
		return shell.Cell(timestamp)
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func perSecond(f float64) string { return bytesOf(f) + "/s" }

// bytesOf writes bytes with a binary unit and three digits or so.
func bytesOf(f float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	unit := 0
	for math.Abs(f) >= 1000 && unit < len(units)-1 {
		f /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%.0f B", f)
	}
	return fmt.Sprintf("%.1f %s", f, units[unit])
}
