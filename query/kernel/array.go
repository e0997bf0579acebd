package kernel

import (
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// arrayImplementations map the name and the letters of the arguments of each of plan.ArrayForms to what makes the function of the types
// at hand.
var arrayImplementations = buildArrayImplementations()

// arrayMaker makes the function for one combination of types.
type arrayMaker func(f *plan.Function) Func

type arrayRegistry map[string]arrayMaker

// strict adds a kernel that never sees NULLs among its arguments; elements may be NULL all the same.
func (r arrayRegistry) strict(form string, k func(f *plan.Function) kernel) {
	r[form] = func(f *plan.Function) Func { return strict(f.Result, k(f)) }
}

// lax adds a function that sees NULLs, over columns that are all as long as the batch. Constants alone give a constant.
func (r arrayRegistry) lax(form string, compute func(f *plan.Function, args []arrow.Array, rows int) (arrow.Array, error)) {
	r[form] = func(f *plan.Function) Func {
		return func(_ *Context, args []Operand, rows int) (Operand, error) {
			constant := true
			for _, a := range args {
				constant = constant && a.Const
			}
			if constant {
				rows = 1
			}
			columns := make([]arrow.Array, len(args))
			for i, a := range args {
				columns[i] = Decode(a.Expand(rows))
				if columns[i].DataType().ID() == arrow.NULL {
					columns[i] = event.NewNulls(f.Args[i], rows)
				}
			}
			out, err := compute(f, columns, rows)
			return Operand{Array: out, Const: constant}, err
		}
	}
}

func buildArrayImplementations() arrayRegistry {
	r := arrayRegistry{}
	registerArrayMaking(r)
	registerArrayAccess(r)
	registerArrayChange(r)
	registerArrayTests(r)
	registerArrayText(r)
	registerArrayJSON(r)
	registerJSONChange(r)
	return r
}

// lookupArray finds the implementation of a function over arrays by its name and what its arguments are.
func lookupArray(f *plan.Function) (Func, bool) {
	for _, form := range plan.FormsOf(f.Name) {
		if len(f.Args) != len(form.Args) && !form.Variadic || !fits(form, f) {
			continue
		}
		maker, ok := arrayImplementations[form.Name+"/"+form.Args]
		if !ok {
			return nil, false
		}
		return maker(f), true
	}
	return nil, false
}

// fits reports whether a function is a form for some type of elements.
func fits(form plan.ArrayForm, f *plan.Function) bool {
	var first *event.Type // of the arrays, which are all of one type
	for i, t := range f.Args {
		want, fixed := plan.LetterType(form.Parameter(i))
		switch letter := form.Parameter(i); {
		case letter == 0, fixed && !want.Equal(t), letter == 'a' && t.Kind != event.Array:
			return false
		case letter == 'a' && first != nil && !first.Equal(t):
			return false
		case letter == 'a':
			first = &t
		case letter == 'e' && t.Kind == event.Array && !nests(f, form):
			return false
		}
	}
	return true
}

// nests reports whether the elements of the arrays of f are arrays themselves.
func nests(f *plan.Function, form plan.ArrayForm) bool {
	if form.Name == "array" || form.Name == "array_fill" {
		return true
	}
	for i, t := range f.Args {
		if form.Parameter(i) == 'a' {
			return t.Elem.Kind == event.Array
		}
	}
	return false
}

// lists is access to an array operand.
type lists struct {
	column *array.List
	values arrow.Array // the elements of all rows
	mask   int
}

func listsOf(o Operand) lists {
	column := o.Array.(*array.List)
	return lists{column: column, values: column.ListValues(), mask: o.mask()}
}

// span is where the elements of row i are among the values.
func (l *lists) span(i int) (from, to int) {
	start, end := l.column.ValueOffsets(i & l.mask)
	return int(start), int(end)
}

// column is argument i written out for every row.
func (c *call) column(i int) arrow.Array { return Decode(c.args[i].Expand(c.rows)) }

// listBuilder puts arrays together from elements that lie in other columns.
type listBuilder struct {
	offsets []int32
	picks   []int32 // places of the elements in the source; negative for NULL
	valid   event.Bitmap
	rows    int
}

func newListBuilder(rows int, valid event.Bitmap) *listBuilder {
	return &listBuilder{offsets: make([]int32, 1, rows+1), valid: valid, rows: rows}
}

// pick adds an element to the row being built.
func (b *listBuilder) pick(at int) { b.picks = append(b.picks, int32(at)) }

// pickSpan adds the elements from from to before to.
func (b *listBuilder) pickSpan(from, to int) {
	for at := from; at < to; at++ {
		b.pick(at)
	}
}

// end ends the row; null makes it NULL.
func (b *listBuilder) end(null bool) {
	if null {
		if b.valid == nil {
			b.valid = allValid(b.rows)
		}
		b.valid.Clear(len(b.offsets) - 1)
	}
	b.offsets = append(b.offsets, int32(len(b.picks)))
}

// finish makes the arrays, of elements of the source.
func (b *listBuilder) finish(source arrow.Array) (arrow.Array, error) {
	if len(b.picks) > math.MaxInt32 {
		return nil, errTooManyElements()
	}
	return event.NewLists(b.offsets, Decode(TakeOrNull(source, b.picks)), b.valid), nil
}

func errTooManyElements() error {
	return event.Errorf(event.CodeTooLarge, "the arrays computed for one batch have too many elements")
}

// arrayOrdering compares arrays element by element; of two of which one begins the other the shorter is less. A NULL is equal to another
// and above all else.
func arrayOrdering(a, b Operand, elem event.Type) func(i, j int) int {
	x, y := listsOf(a), listsOf(b)
	compare := elementOrdering(x.values, y.values, elem)
	return func(i, j int) int {
		xFrom, xTo := x.span(i)
		yFrom, yTo := y.span(j)
		for k := range min(xTo-xFrom, yTo-yFrom) {
			if c := compare(xFrom+k, yFrom+k); c != 0 {
				return c
			}
		}
		return (xTo - xFrom) - (yTo - yFrom)
	}
}

// elementOrdering compares elements of which each may be NULL.
func elementOrdering(x, y arrow.Array, elem event.Type) func(i, j int) int {
	var compare func(i, j int) int
	return func(i, j int) int {
		switch xNull, yNull := x.IsNull(i), y.IsNull(j); {
		case xNull && yNull:
			return 0
		case xNull:
			return 1
		case yNull:
			return -1
		}
		if compare == nil {
			compare = Comparer(x, y, elem)
		}
		return compare(i, j)
	}
}

// ArrayKey appends the elements of row i in a form that is the same for arrays which are equal.
func ArrayKey(t event.Type) func(column arrow.Array) (func(dst []byte, i int) []byte, error) {
	return func(column arrow.Array) (func(dst []byte, i int) []byte, error) {
		l := listsOf(Operand{Array: column})
		write, err := elementKey(l.values, *t.Elem)
		if err != nil {
			return nil, err
		}
		return func(dst []byte, i int) []byte {
			from, to := l.span(i)
			for at := from; at < to; at++ {
				if l.values.IsNull(at) {
					dst = append(dst, 'n')
					continue
				}
				dst = write(append(dst, 'v'), at)
			}
			return append(dst, 'e')
		}, nil
	}
}

// elementKey writes the key of one element, of a length that is fixed or written before it.
func elementKey(values arrow.Array, elem event.Type) (func(dst []byte, i int) []byte, error) {
	if elem.Kind == event.Array {
		return ArrayKey(elem)(values)
	}
	keys, err := keysOfValues(values, elem)
	if err != nil {
		return nil, err
	}
	if keys.integers != nil || values.Len() == 0 {
		return func(dst []byte, i int) []byte {
			v := uint64(keys.integers[i])
			return append(dst, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56))
		}, nil
	}
	return func(dst []byte, i int) []byte {
		s := keys.texts.at(i)
		n := len(s)
		return append(append(dst, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)), strings.Clone(s)...)
	}, nil
}
