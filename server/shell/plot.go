package shell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"

	"github.com/tidemarkdb/tidemark/server/client"
)

const (
	// plotHeight leaves room on a small terminal for the legend and the next prompt.
	plotHeight = 15
	// plotWidth is that of a terminal whose width is not known.
	plotWidth = 80
	// axisWidth is what labels of the vertical axis take at most.
	axisWidth = 14
	// leastWidth is drawn however narrow the terminal is.
	leastWidth = 20
	// maxSeries is how many lines can be told apart.
	maxSeries = 8
)

// plotColors tell series apart.
var plotColors = []asciigraph.AnsiColor{
	asciigraph.Blue, asciigraph.Red, asciigraph.Green, asciigraph.Orange, asciigraph.Purple, asciigraph.Cyan, asciigraph.Gold, asciigraph.Gray,
}

// plot runs a query and draws its numbers.
func (s *Shell) plot(ctx context.Context, args string) error {
	sql := strings.TrimRight(args, "; ")
	if sql == "" {
		sql = s.last
	}
	if sql == "" {
		return mistakef(`run one first, or write it after \plot`, "no query to draw")
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	s.last = sql
	result, err := s.ask(ctx, sql)
	if err != nil {
		return err
	}
	width, _ := s.size()
	drawn, err := drawPlot(result, width, s.layout.Color && s.file == nil)
	if err != nil {
		return mistakef(`as in \plot SELECT time_bucket(INTERVAL '1 minute', ts) AS t, avg(x) FROM s GROUP BY t`, "%v", err)
	}
	fmt.Fprintln(s.answers, drawn)
	return nil
}

// point is a number at its place on the horizontal axis, from 0 to 1. A value that is no number is a gap.
type point struct{ at, value float64 }

// series is one line: points from left to right.
type series struct {
	name   string
	points []point
}

// drawPlot draws the numeric columns of an answer over its first column of times, else over its rows in order. Where there is a column
// of text, each of its values has lines of its own.
func drawPlot(result *client.Result, width int, color bool) (string, error) {
	times, texts, numbers := sortColumns(result)
	if len(numbers) == 0 || len(result.Rows) == 0 {
		return "", errors.New("there are no numbers to draw")
	}
	places, span := placesOf(result, times)
	lines := seriesOf(result, places, texts, numbers)
	if len(lines) == 0 {
		return "", errors.New("all values are NULL")
	}
	if len(lines) > maxSeries {
		return "", fmt.Errorf("%d lines are more than the %d that can be told apart", len(lines), maxSeries)
	}
	if width <= 0 {
		width = plotWidth
	}
	data, names := make([][]float64, len(lines)), make([]string, len(lines))
	for i, l := range lines {
		data[i], names[i] = l.drawn(max(leastWidth, width-axisWidth)), l.name
	}
	caption := strings.Join(names, ", ")
	options := []asciigraph.Option{asciigraph.Height(plotHeight)}
	if color {
		options = append(options, asciigraph.SeriesColors(plotColors[:len(lines)]...))
	}
	if color && len(lines) > 1 { // without colours a legend says nothing
		options = append(options, asciigraph.SeriesLegends(names...))
		caption = ""
	}
	if span != "" {
		caption = strings.TrimPrefix(caption+"   "+span, "   ")
	}
	return asciigraph.PlotMany(data, append(options, asciigraph.Caption(caption))...), nil
}

// drawn is a number for each column of characters: on the straight lines between neighbouring points, and none in gaps and beyond the
// ends.
func (l series) drawn(width int) []float64 {
	out := make([]float64, width)
	for i := range out {
		out[i] = math.NaN()
	}
	column := func(p point) int { return int(math.Round(p.at * float64(width-1))) }
	for i, p := range l.points {
		out[column(p)] = p.value
		if i == 0 || !isFinite(p.value) || !isFinite(l.points[i-1].value) {
			continue
		}
		before := l.points[i-1]
		from, to := column(before), column(p)
		for c := from + 1; c < to; c++ {
			out[c] = before.value + (p.value-before.value)*float64(c-from)/float64(to-from)
		}
	}
	if len(l.points) == 1 { // a line needs two ends
		at := min(column(l.points[0]), width-2)
		out[at], out[at+1] = l.points[0].value, l.points[0].value
	}
	return out
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// sortColumns finds the column of times, or -1, those of texts, and those of numbers.
func sortColumns(result *client.Result) (times int, texts, numbers []int) {
	times = -1
	for i, c := range result.Columns {
		base, _, _ := strings.Cut(c.Type, "(")
		switch {
		case (base == "TIMESTAMPTZ" || base == "DATE") && times < 0:
			times = i
		case base == "TEXT":
			texts = append(texts, i)
		case isNumber(base):
			numbers = append(numbers, i)
		}
	}
	return times, texts, numbers
}

// placesOf gives each row its place on the horizontal axis: that of its time, or without times that in the order of rows. A row without a
// time has none, which is NaN. span says from when to when the axis goes.
func placesOf(result *client.Result, times int) (places []float64, span string) {
	places = make([]float64, len(result.Rows))
	if times < 0 {
		for i := range places {
			places[i] = float64(i) / float64(max(1, len(places)-1))
		}
		return places, ""
	}
	var first, last time.Time
	read := make([]time.Time, len(places))
	for i, row := range result.Rows {
		t, ok := parseTime(row[times])
		if !ok {
			continue
		}
		read[i] = t
		if first.IsZero() || t.Before(first) {
			first = t
		}
		if last.IsZero() || t.After(last) {
			last = t
		}
	}
	for i, t := range read {
		places[i] = math.NaN()
		if !t.IsZero() {
			places[i] = t.Sub(first).Seconds() / max(1e-9, last.Sub(first).Seconds())
		}
	}
	return places, first.Format(time.DateTime) + " to " + last.Format(time.DateTime)
}

func parseTime(value any) (time.Time, bool) {
	text, ok := value.(string)
	if !ok {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// seriesOf makes a line of each numeric column, and of each combination of the texts beside it. Lines without a number are left out.
func seriesOf(result *client.Result, places []float64, texts, numbers []int) []series {
	var lines []series
	known := map[string]int{}
	for i, row := range result.Rows {
		if math.IsNaN(places[i]) {
			continue
		}
		for _, n := range numbers {
			name := nameOf(result, row, texts, n, len(numbers) > 1)
			at, ok := known[name]
			if !ok {
				at = len(lines)
				known[name] = at
				lines = append(lines, series{name: name})
			}
			v, ok := client.Float(row[n])
			if !ok || !isFinite(v) {
				v = math.NaN()
			}
			lines[at].points = append(lines[at].points, point{places[i], v})
		}
	}
	for _, l := range lines {
		slices.SortStableFunc(l.points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	}
	return slices.DeleteFunc(lines, func(l series) bool {
		return !slices.ContainsFunc(l.points, func(p point) bool { return isFinite(p.value) })
	})
}

// nameOf names a line by the texts of its rows, and by its column where there are several or no texts.
func nameOf(result *client.Result, row []any, texts []int, number int, several bool) string {
	var parts []string
	for _, t := range texts {
		parts = append(parts, Cell(row[t]))
	}
	if several || len(parts) == 0 {
		parts = append(parts, printable(result.Columns[number].Name))
	}
	return strings.Join(parts, " ")
}
