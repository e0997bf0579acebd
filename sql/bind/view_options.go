package bind

import (
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// viewOptions reads WITH and EMIT.
func (b *binder) viewOptions(s *ast.CreateView, to *catalog.ViewOptions) error {
	to.Start = catalog.StartBeginning
	if s.Emit != nil {
		to.OnClose = s.Emit.OnClose
		if s.Emit.Interval != nil {
			var err error
			if to.Interval, err = b.duration(s.Emit.Interval, "EMIT ... WITH BATCH"); err != nil {
				return err
			}
		}
	}
	seen := map[string]bool{}
	for _, o := range s.Options {
		name := strings.ToLower(o.Name.Text)
		if seen[name] {
			return event.Errorf(event.CodeBadRequest, "option %s is given twice", name).At(o.Name.Pos)
		}
		seen[name] = true
		if err := b.viewOption(name, o, to); err != nil {
			return err
		}
	}
	return b.checkTTL(s)
}

func (b *binder) viewOption(name string, o ast.Option, to *catalog.ViewOptions) error {
	a, err := b.constants("an option").argument(o.Value)
	if err != nil {
		return err
	}
	text, isText := literalText(a.expr)
	switch name {
	case "start_from":
		return b.startFrom(a, text, to)
	case "memory":
		bytes, ok := parseBytes(text)
		if !isText || !ok || bytes == 0 {
			return event.Errorf(event.CodeBadRequest, "memory takes a size, as in '256MB'").At(a.pos)
		}
		to.Memory = bytes
		return nil
	case "ttl":
		return b.readTTL(o)
	case "swap":
		if !isText || !strings.EqualFold(text, "when_caught_up") {
			return event.Errorf(event.CodeBadRequest, "swap takes 'when_caught_up', which is how views are always replaced").At(a.pos)
		}
		return nil
	case "timescaledb.continuous", "timescaledb.materialized_only":
		return alwaysCurrent(name, o)
	default:
		return event.Errorf(event.CodeBadRequest, "there is no option %q", o.Name.Text).At(o.Name.Pos).
			WithHint("the options of a view are start_from, memory, ttl and swap")
	}
}

// alwaysCurrent takes the options by which TimescaleDB makes a view what every view is here: kept up with its events, and read with the newest.
func alwaysCurrent(name string, o ast.Option) error {
	if flag, ok := o.Value.(*ast.Bool); ok && flag.Value == (name == "timescaledb.continuous") {
		return nil
	}
	return event.Errorf(event.CodeNotSupported, "%s = %s", name, o.Value).At(o.Name.Pos).WithHint("leave it out: a materialized view is always current")
}

// startFrom reads 'beginning', 'now' or a time.
func (b *binder) startFrom(a argument, text string, to *catalog.ViewOptions) error {
	switch strings.ToLower(text) {
	case "beginning":
		to.Start = catalog.StartBeginning
		return nil
	case "now":
		to.Start = catalog.StartNow
		return nil
	}
	value, err := coerce(a, timestamptz)
	if literal, ok := value.(*plan.Literal); err == nil && ok && !literal.Value.IsNull(0) {
		to.Start, to.StartTime = catalog.StartTime, int64(literal.Value.(*array.Timestamp).Value(0))
		return nil
	}
	return event.Errorf(event.CodeBadRequest, "start_from takes 'beginning', 'now' or a timestamp").At(a.pos)
}

// byteUnits are the units of sizes: with an i they are powers of 1024.
var byteUnits = map[string]int64{
	"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30,
}

// parseBytes reads a size such as 256MB.
func parseBytes(text string) (int64, bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	digits := strings.TrimRight(text, " BIKMG")
	unit, known := byteUnits[strings.TrimSpace(text[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !known || err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}
