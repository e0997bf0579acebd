package kernel

import (
	"github.com/tidemarkdb/tidemark/event"
)

func registerConcat(r registry) {
	r.lax("concat(TEXT...)", concat)
	r.lax("concat_ws(TEXT, TEXT...)", concatWithSeparator)
}

// concat joins its arguments and passes over NULLs.
func concat(_ *Context, args []Operand, rows int) (Operand, error) {
	return joined(args, rows, nil, func(dst []byte, i int, parts []texts, valid []event.Bitmap) ([]byte, error) {
		for k := range parts {
			if valid[k].Valid(i) {
				dst = append(dst, parts[k].at(i)...)
			}
		}
		return dst, nil
	})
}

// concatWithSeparator puts its first argument between the others, passing over those that are NULL.
func concatWithSeparator(_ *Context, args []Operand, rows int) (Operand, error) {
	return joined(args, rows, args[:1], func(dst []byte, i int, parts []texts, valid []event.Bitmap) ([]byte, error) {
		first := true
		for k := 1; k < len(parts); k++ {
			if !valid[k].Valid(i) {
				continue
			}
			if !first {
				dst = append(dst, parts[0].at(i)...)
			}
			dst, first = append(dst, parts[k].at(i)...), false
		}
		return dst, nil
	})
}

// joined builds a text for every row in which none of the needed arguments is NULL.
func joined(args []Operand, rows int, needed []Operand,
	build func(dst []byte, i int, parts []texts, valid []event.Bitmap) ([]byte, error),
) (Operand, error) {
	constant := true
	for _, a := range args {
		constant = constant && a.Const
	}
	if constant {
		rows = 1
	}
	parts, valid := make([]texts, len(args)), make([]event.Bitmap, len(args))
	for k, a := range args {
		valid[k] = a.validity(rows)
		if !a.Const || !isNull(a.Array) {
			parts[k] = textsOf(a)
		}
	}
	c := &call{rows: rows, valid: jointValidity(needed, rows)}
	out, err := mapText(c, func(dst []byte, i int) ([]byte, error) { return build(dst, i, parts, valid) })
	return Operand{Array: out, Const: constant}, err
}
