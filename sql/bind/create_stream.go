package bind

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// storedKinds are the kinds that columns can have.
var storedKinds = map[event.Kind]bool{
	event.Boolean: true, event.BigInt: true, event.Double: true, event.Text: true, event.TimestampTZ: true, event.JSONB: true,
	event.SmallInt: true, event.Integer: true, event.Real: true, event.Numeric: true, event.Date: true, event.UUID: true, event.Bytea: true,
}

// createStream makes the definition of a stream. What the statement leaves open takes the defaults of package catalog; the schema
// mode is strict, because someone who writes the columns down means these.
func (b *binder) createStream(s *ast.CreateStream) (Bound, error) {
	name, err := streamName(s.Name)
	if err != nil {
		return nil, err
	}
	d := catalog.Stream{
		Name: name, Partitions: catalog.DefaultPartitions, Bound: catalog.DefaultBound, IdleTimeout: catalog.DefaultIdleTimeout,
		FutureLimit: catalog.DefaultFutureLimit, LogRetention: catalog.DefaultLogRetention, SchemaMode: catalog.Strict,
	}
	if d.Schema, err = bindColumns(s); err != nil {
		return nil, err
	}
	if err := b.bindWatermark(s.Watermark, &d); err != nil {
		return nil, err
	}
	if err := bindPartitions(s, &d); err != nil {
		return nil, err
	}
	if err := b.bindDedup(s.Dedup, &d); err != nil {
		return nil, err
	}
	if err := b.bindOptions(s.Options, &d); err != nil {
		return nil, err
	}
	return CreateStream{Definition: d, IfNotExists: s.IfNotExists}, nil
}

// streamName checks the name of a new stream. Without quotes it is in lower case, however it is written.
func streamName(n ast.Name) (string, error) {
	name := n.Text
	if !n.Quoted {
		name = strings.ToLower(name)
	}
	if strings.HasSuffix(name, catalog.RejectedSuffix) {
		return "", event.Errorf(event.CodeBadRequest, "the name %q ends in %s, which is reserved for rejected rows", name, catalog.RejectedSuffix).
			At(n.Pos)
	}
	if err := catalog.ValidateName(name); err != nil {
		return "", at(err, n.Pos)
	}
	return name, nil
}

func bindColumns(s *ast.CreateStream) (*event.Schema, error) {
	schema := &event.Schema{Version: 1, NextID: 1}
	seen := map[string]bool{}
	for _, c := range s.Columns {
		if seen[c.Name.Text] {
			return nil, event.Errorf(event.CodeBadRequest, "column %q is declared twice", c.Name.Text).At(c.Name.Pos)
		}
		seen[c.Name.Text] = true
		if err := notHidden(c.Name); err != nil {
			return nil, err
		}
		t, err := storedType(c.Type)
		if err != nil {
			return nil, err
		}
		column := event.Column{ID: schema.NextID, Name: c.Name.Text, NotNull: c.NotNull, Since: schema.Version}
		column.Declare(t)
		schema.Columns = append(schema.Columns, column)
		schema.NextID++
	}
	if len(schema.Columns) == 0 {
		return nil, event.Errorf(event.CodeBadRequest, "stream %q has no columns", s.Name.Text).At(s.Name.Pos)
	}
	return schema, nil
}

// storedType reads the type of a column.
func storedType(n ast.TypeName) (event.Type, error) {
	t, err := valueType(n)
	if err == nil && !storedKinds[event.StoredAs(t).Kind] {
		return t, typeNotSupported(n, t)
	}
	return t, err
}

// bindWatermark reads the WATERMARK clause. Without one the time of arrival is the event time.
func (b *binder) bindWatermark(w *ast.Watermark, d *catalog.Stream) error {
	if w == nil {
		return nil
	}
	c, err := declared(d.Schema, w.Column)
	if err != nil {
		return err
	}
	if c.Type.Kind != event.TimestampTZ {
		return event.Errorf(event.CodeTypeMismatch, "the event time must be TIMESTAMPTZ, and %q is %s", c.Name, c.Type).At(w.Column.Pos)
	}
	d.Schema.TimeColumn = c.ID
	if d.Bound, err = b.bound(w.As, d.Schema, c); err != nil {
		return err
	}
	if w.IdleTimeout != nil {
		if d.IdleTimeout, err = b.duration(w.IdleTimeout, "IDLE TIMEOUT"); err != nil {
			return err
		}
	}
	if w.FutureLimit != nil {
		d.FutureLimit, err = b.duration(w.FutureLimit, "FUTURE LIMIT")
	}
	return err
}

// bound reads how far the watermark stays behind: the expression is the column, or the column minus an interval.
func (b *binder) bound(e ast.Expr, schema *event.Schema, c event.Column) (time.Duration, error) {
	column, behind := e, ast.Expr(nil)
	if minus, ok := e.(*ast.Binary); ok && minus.Op == "-" {
		column, behind = minus.Left, minus.Right
	}
	if name, ok := bareName(column); ok {
		if found, err := declared(schema, name); err == nil && found.ID == c.ID {
			if behind == nil {
				return 0, nil
			}
			return b.duration(behind, "the watermark")
		}
	}
	return 0, event.Errorf(event.CodeNotSupported, "a watermark that is not its column minus an interval: not supported").At(e.Position()).
		WithHint("write WATERMARK FOR %s AS %s - INTERVAL '5 seconds'", c.Name, c.Name)
}

// declared finds a column of the stream that is being created.
func declared(schema *event.Schema, n ast.Name) (event.Column, error) {
	sc := &scope{}
	for _, c := range schema.Columns {
		sc.columns = append(sc.columns, scopeColumn{name: c.Name})
	}
	i, matches := sc.find(n.Text)
	if len(matches) != 1 {
		return event.Column{}, sc.missing(n, matches)
	}
	return schema.Columns[i], nil
}

func bindPartitions(s *ast.CreateStream, d *catalog.Stream) error {
	for _, n := range s.PartitionBy {
		c, err := declared(d.Schema, n)
		if err != nil {
			return err
		}
		if c.As != nil {
			return event.Errorf(event.CodeBadRequest, "column %q is %s, by which a stream cannot be partitioned", c.Name, c.Shown()).At(n.Pos)
		}
		d.PartitionBy = append(d.PartitionBy, c.Name)
	}
	if s.Partitions == nil {
		return nil
	}
	n, err := strconv.Atoi(s.Partitions.Text)
	if err != nil || n < 1 || n > catalog.MaxPartitions {
		return event.Errorf(event.CodeBadRequest, "PARTITIONS takes a number from 1 to %d", catalog.MaxPartitions).At(s.Partitions.Pos)
	}
	d.Partitions = n
	return nil
}

func (b *binder) bindDedup(key *ast.DedupKey, d *catalog.Stream) (err error) {
	if key == nil {
		return nil
	}
	for _, n := range key.Columns {
		c, err := declared(d.Schema, n)
		if err != nil {
			return err
		}
		if c.As != nil { // one value has several spellings
			return event.Errorf(event.CodeBadRequest, "column %q is %s, which cannot be a key", c.Name, c.Shown()).At(n.Pos)
		}
		if slices.Contains(d.DedupKey, c.Name) {
			return event.Errorf(event.CodeBadRequest, "column %q is named twice", c.Name).At(n.Pos)
		}
		d.DedupKey = append(d.DedupKey, c.Name)
	}
	d.DedupWithin, err = b.duration(key.Within, "WITHIN")
	if err == nil && d.DedupWithin <= 0 {
		return event.Errorf(event.CodeBadRequest, "WITHIN takes an interval of more than 0").At(key.Within.Position())
	}
	return err
}

func (b *binder) bindOptions(options []ast.Option, d *catalog.Stream) error {
	seen := map[string]bool{}
	for _, o := range options {
		name := strings.ToLower(o.Name.Text)
		if seen[name] {
			return event.Errorf(event.CodeBadRequest, "option %s is given twice", name).At(o.Name.Pos)
		}
		seen[name] = true
		var err error
		switch name {
		case "retention":
			d.Retention, err = b.duration(o.Value, name)
		case "log_retention":
			d.LogRetention, err = b.duration(o.Value, name)
		case "log_retention_size":
			d.LogRetentionBytes, err = b.size(o.Value, name)
		case "schema":
			d.SchemaMode, err = b.schemaMode(o.Value)
		case "sort":
			d.SortBy, err = b.sortColumns(o.Value, d.Schema)
		default:
			err = event.Errorf(event.CodeBadRequest, "there is no option %q", o.Name.Text).At(o.Name.Pos).
				WithHint("the options are retention, log_retention, log_retention_size, schema and sort")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// size reads a number of bytes, as in '10GB'.
func (b *binder) size(e ast.Expr, name string) (int64, error) {
	a, err := b.constants("an option").argument(e)
	if err != nil {
		return 0, err
	}
	text, isText := literalText(a.expr)
	bytes, ok := parseBytes(text)
	if !isText || !ok {
		return 0, event.Errorf(event.CodeBadRequest, "%s takes a size, as in '10GB'", name).At(a.pos)
	}
	return bytes, nil
}

func (b *binder) schemaMode(e ast.Expr) (catalog.SchemaMode, error) {
	a, err := b.constants("an option").argument(e)
	if err != nil {
		return "", err
	}
	s, _ := literalText(a.expr)
	switch mode := catalog.SchemaMode(strings.ToLower(s)); mode {
	case catalog.Strict, catalog.Evolve, catalog.Ignore:
		return mode, nil
	default:
		return "", event.Errorf(event.CodeBadRequest, "schema takes 'strict', 'evolve' or 'ignore'").At(a.pos)
	}
}

// sortColumns reads a list of columns in a string, as in 'host, region'. A name with a comma or capitals in it is written in double quotes.
func (b *binder) sortColumns(e ast.Expr, schema *event.Schema) ([]string, error) {
	a, err := b.constants("an option").argument(e)
	if err != nil {
		return nil, err
	}
	list, ok := literalText(a.expr)
	if !ok {
		return nil, event.Errorf(event.CodeBadRequest, "sort takes a string of column names").At(a.pos).WithHint("as in sort = 'host, region'")
	}
	var out []string
	for rest := strings.TrimSpace(list); rest != ""; {
		var name string
		if name, rest, ok = cutName(rest); !ok {
			return nil, event.Errorf(event.CodeBadRequest, "%q is not a list of column names", list).At(a.pos)
		}
		c, err := declared(schema, ast.Name{Text: name, Pos: a.pos})
		if err != nil {
			return nil, err
		}
		if c.Type.Kind == event.JSONB || c.As != nil {
			return nil, event.Errorf(event.CodeBadRequest, "rows cannot be sorted by %q, which is %s", c.Name, c.Shown()).At(a.pos)
		}
		out = append(out, c.Name)
	}
	return out, nil
}

// cutName takes the first name off a list, with the comma behind it. A comma without a name after it is not a list.
func cutName(list string) (name, rest string, ok bool) {
	if quoted, isQuoted := strings.CutPrefix(list, `"`); isQuoted {
		if name, rest, ok = strings.Cut(quoted, `"`); !ok {
			return "", "", false
		}
	} else {
		end := strings.IndexByte(list+",", ',')
		name, rest = strings.TrimSpace(list[:end]), list[end:]
	}
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return name, "", name != ""
	}
	after, comma := strings.CutPrefix(rest, ",")
	after = strings.TrimSpace(after)
	return name, after, comma && name != "" && after != ""
}

// duration reads a constant interval, written as one or as a string. Months have no fixed length, so they are refused.
func (b *binder) duration(e ast.Expr, what string) (time.Duration, error) {
	a, err := b.constants(what).argument(e)
	if err != nil {
		return 0, err
	}
	bound, err := coerce(a, interval)
	if err != nil {
		return 0, err
	}
	lit, ok := bound.(*plan.Literal)
	if !ok || lit.Value.IsNull(0) {
		return 0, event.Errorf(event.CodeBadRequest, "%s takes a constant interval", what).At(a.pos)
	}
	v := lit.Value.(*array.MonthDayNanoInterval).Value(0)
	if v.Months != 0 {
		return 0, event.Errorf(event.CodeBadRequest, "%s cannot be in months, which differ in length", what).At(a.pos).
			WithHint("write it in days")
	}
	out, ok := durationOf(v)
	if !ok {
		return 0, event.Errorf(event.CodeBadRequest, "%s must be from 0 to about 292 years", what).At(a.pos)
	}
	return out, nil
}

// durationOf is an interval without months, with 24 hours to the day.
func durationOf(v arrow.MonthDayNanoInterval) (time.Duration, bool) {
	const day = int64(24 * time.Hour)
	days := int64(v.Days)
	if days > math.MaxInt64/day-1 || days < math.MinInt64/day+1 {
		return 0, false
	}
	sum := days*day + v.Nanoseconds
	if (v.Nanoseconds > 0 && sum < days*day) || sum < 0 {
		return 0, false
	}
	return time.Duration(sum), true
}

// at adds a position to an *event.Error that has none.
func at(err error, pos event.Position) error {
	var coded *event.Error
	if errors.As(err, &coded) && coded.Position == nil {
		return coded.At(pos)
	}
	return err
}
