package plan

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Shape writes what a node or an expression computes as a term that two programs of different versions write alike: it is kept with state on
// disk, and compared. It follows how plans are built and not how they print. Of a struct it has the fields that are not zero, so that a field
// which a later version adds changes nothing where it is not used; fields tagged `shape:"-"`, as names, are no part of what is computed.
type Shape struct {
	// Column writes a column of the input by its index.
	Column func(index int) string
	// Input writes a node below; nil leaves them out.
	Input func(Node) string
}

// Of writes a node, an expression, or a part of either, as a SortKey.
func (s Shape) Of(v any) string {
	var b strings.Builder
	s.write(&b, reflect.ValueOf(v))
	return b.String()
}

// OfAll writes each of some expressions.
func (s Shape) OfAll(exprs []Expr) []string {
	out := make([]string, len(exprs))
	for i, e := range exprs {
		out[i] = s.Of(e)
	}
	return out
}

func (s Shape) write(b *strings.Builder, v reflect.Value) {
	if kind := v.Kind(); (kind == reflect.Pointer || kind == reflect.Interface) && v.IsNil() { // an element of a list
		b.WriteString("nil")
		return
	}
	if s.writeTerm(b, v.Interface()) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		s.write(b, v.Elem())
	case reflect.Struct:
		s.writeStruct(b, v)
	case reflect.Slice, reflect.Array:
		b.WriteString("[")
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(" ")
			}
			s.write(b, v.Index(i))
		}
		b.WriteString("]")
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	case reflect.Bool:
		fmt.Fprint(b, v.Bool())
	case reflect.Uint8: // one of a few, whatever it prints as
		fmt.Fprint(b, v.Uint())
	default:
		fmt.Fprint(b, v.Int())
	}
}

// writeTerm writes what does not stand as it is built; false for all else.
func (s Shape) writeTerm(b *strings.Builder, v any) bool {
	switch v := v.(type) {
	case *ColumnRef:
		b.WriteString(s.Column(v.Index))
	case *OuterRef:
		fmt.Fprintf(b, "outer.%d", v.Index)
	case *Literal:
		b.WriteString(v.Typ.Declared() + " " + literalShape(v))
	case *Call:
		s.write(b, reflect.ValueOf(v.Fn))
		b.WriteString("(" + strings.Join(s.OfAll(v.Args), ", ") + ")")
	case *Function:
		b.WriteString(v.Name + ":" + v.Result.Declared())
	case event.Type:
		b.WriteString(v.Declared())
	default:
		return false
	}
	return true
}

// literalShape is the value of a constant with all its digits.
func literalShape(l *Literal) string {
	if l.Value.IsNull(0) {
		return "NULL"
	}
	if v, ok := l.Value.(*array.MonthDayNanoInterval); ok {
		parts := v.Value(0)
		return fmt.Sprintf("%d %d %d", parts.Months, parts.Days, parts.Nanoseconds)
	}
	out, err := event.AppendJSONValue(nil, l.Value, 0, l.Typ)
	if err != nil { // of a type that no column has
		return l.Value.ValueStr(0)
	}
	return string(out)
}

func (s Shape) writeStruct(b *strings.Builder, v reflect.Value) {
	b.WriteString("(" + v.Type().Name())
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if !field.IsExported() || value.IsZero() || field.Tag.Get("shape") == "-" {
			continue
		}
		if s.Input == nil && (field.Type == nodeType || field.Type == nodesType) {
			continue
		}
		b.WriteString(" " + field.Name + "=")
		switch field.Type {
		case nodeType:
			b.WriteString(s.Input(value.Interface().(Node)))
		case nodesType:
			for i := range value.Len() {
				b.WriteString("," + s.Input(value.Index(i).Interface().(Node)))
			}
		default:
			s.write(b, value)
		}
	}
	b.WriteString(")")
}

var (
	nodeType  = reflect.TypeFor[Node]()
	nodesType = reflect.TypeFor[[]Node]()
)
