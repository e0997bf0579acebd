package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// kind is what a column holds.
type kind uint8

const (
	integers kind = iota
	doubles
	booleans
	texts
	times     // microseconds since 1970
	documents // JSON as it came
)

// field is a member of the rows of a shape, and where a row's struct has it.
type field struct {
	name   string
	kind   kind
	offset uintptr
}

// fieldsOf takes a struct apart. The option "time" of a field's tag says that its text is one.
func fieldsOf(row reflect.Type) []field {
	out := make([]field, row.NumField())
	for i := range out {
		f := row.Field(i)
		out[i] = field{name: f.Tag.Get("json"), offset: f.Offset}
		switch {
		case f.Tag.Get("is") == "time":
			out[i].kind = times
		case f.Type == reflect.TypeFor[json.RawMessage]():
			out[i].kind = documents
		default:
			out[i].kind = map[reflect.Kind]kind{
				reflect.Int64: integers, reflect.Float64: doubles, reflect.Bool: booleans, reflect.String: texts,
			}[f.Type.Kind()]
		}
	}
	return out
}

// column has the values of one member, and a zero or nothing where a row lacks it: which those are the libraries need not find out.
type column struct {
	ints   []int64
	floats []float64
	bools  []bool
	ends   []int32
	data   []byte
	rows   int
	// coded are texts that are held as codes of the distinct ones; nil for others, and for those of the libraries.
	coded *array.Dictionary
}

type columns []column

func (c *column) addInt(v int64)     { c.ints = append(c.ints, v); c.rows++ }
func (c *column) addFloat(v float64) { c.floats = append(c.floats, v); c.rows++ }
func (c *column) addBool(v bool)     { c.bools = append(c.bools, v); c.rows++ }
func (c *column) addText(v string) {
	c.data = append(c.data, v...)
	c.ends = append(c.ends, int32(len(c.data)))
	c.rows++
}

// table gathers columns.
type table struct {
	fields []field
	byName map[string]int
	// last are the columns of the chunk before, from which those of the next one take their size.
	last columns
}

func newTable(s *shape) table {
	t := table{fields: s.fields(), byName: map[string]int{}}
	t.last = make(columns, len(t.fields))
	for i, f := range t.fields {
		t.byName[f.name] = i
	}
	return t
}

// begin makes columns for the next chunk. They are new each time, as they are given away in the end.
func (t *table) begin() columns {
	out := make(columns, len(t.fields))
	for i, c := range t.last {
		out[i] = column{
			ints: room(c.ints), floats: room(c.floats), bools: room(c.bools), ends: room(c.ends), data: room(c.data),
		}
	}
	return out
}

// room is an empty slice for an eighth more values than another one has.
func room[T any](like []T) []T { return make([]T, 0, len(like)+len(like)/8) }

func (t *table) end(c columns) columns {
	t.last = c
	return c
}

// addStruct adds a row that a library has filled in.
func (t *table) addStruct(to columns, row unsafe.Pointer) error {
	for i := range t.fields {
		f, c := &t.fields[i], &to[i]
		at := unsafe.Add(row, f.offset)
		switch f.kind {
		case integers:
			c.addInt(*(*int64)(at))
		case doubles:
			c.addFloat(*(*float64)(at))
		case booleans:
			c.addBool(*(*bool)(at))
		case texts:
			c.addText(*(*string)(at))
		case documents:
			c.addText(text(*(*json.RawMessage)(at)))
		case times:
			if err := c.addTime(*(*string)(at)); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill gives each column that the row lacks a zero.
func (t *table) fill(to columns, rows int) {
	for i := range to {
		if c := &to[i]; c.rows < rows {
			switch t.fields[i].kind {
			case integers, times:
				c.addInt(0)
			case doubles:
				c.addFloat(0)
			case booleans:
				c.addBool(false)
			case texts, documents:
				c.addText("")
			}
		}
	}
}

// text is bytes as a string, for as long as nobody changes them.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

var errTime = errors.New("not a time with a fraction of three or six digits")

// addTime reads 2006-01-02T15:04:05 with three or six digits of a fraction and a Z by hand: it is not the libraries' concern, and the standard
// library's way would cost more than all else of a short row. The date counts days by the civil calendar.
func (c *column) addTime(s string) error {
	if len(s) != len("2006-01-02T15:04:05.000Z") && len(s) != len("2006-01-02T15:04:05.000000Z") || s[len(s)-1] != 'Z' {
		return errTime
	}
	year, month, day := number(s[0:4]), number(s[5:7]), number(s[8:10])
	if month <= 2 {
		year, month = year-1, month+12
	}
	days := 365*year + year/4 - year/100 + year/400 + (153*month-457)/5 + day - 719469
	fraction := number(s[20 : len(s)-1])
	if len(s) == len("2006-01-02T15:04:05.000Z") {
		fraction *= 1000
	}
	c.addInt(((days*24+number(s[11:13]))*60+number(s[14:16]))*60e6 + number(s[17:19])*1e6 + fraction)
	return nil
}

func number(digits string) (v int64) {
	for i := range len(digits) {
		v = v*10 + int64(digits[i]-'0')
	}
	return v
}

// differs is nil if the columns hold the same.
func (c columns) differs(want columns) error {
	if len(c) != len(want) {
		return fmt.Errorf("%d columns, not %d", len(c), len(want))
	}
	for i := range c {
		a, b := c[i].plain(), want[i].plain()
		if a.rows != b.rows || !slices.Equal(a.ints, b.ints) || !slices.Equal(a.floats, b.floats) || !slices.Equal(a.bools, b.bools) ||
			!slices.Equal(a.ends, b.ends) || !bytes.Equal(a.data, b.data) {
			return fmt.Errorf("column %d differs: %s", i, strings.Join([]string{a.start(), b.start()}, " is not "))
		}
	}
	return nil
}

// plain are the values without codes.
func (c *column) plain() *column {
	if c.coded == nil {
		return c
	}
	out := view(event.PlainText(c.coded))
	return &out
}

// start shows the first values.
func (c *column) start() string {
	return fmt.Sprintf("{%d rows, %v %v %v %q}", c.rows, c.ints[:min(3, len(c.ints))], c.floats[:min(3, len(c.floats))],
		c.bools[:min(3, len(c.bools))], c.data[:min(40, len(c.data))])
}
