package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// declaredTypes are the types that columns have only by declaration, NUMERIC in both of its stored forms.
var declaredTypes = []event.Type{
	{Kind: event.SmallInt}, {Kind: event.Integer}, {Kind: event.Real}, {Kind: event.Date}, {Kind: event.UUID}, {Kind: event.Bytea},
	{Kind: event.Numeric, Precision: 18, Scale: 2}, {Kind: event.Numeric, Precision: 38, Scale: 10},
}

func drawDeclared(t *rapid.T, typ event.Type, n int, valid event.Bitmap) arrow.Array {
	switch typ.Kind {
	case event.SmallInt:
		return event.NewFixed(typ.Arrow(), rapid.SliceOfN(rapid.Int16(), n, n).Draw(t, "smallint"), valid)
	case event.Integer, event.Date:
		return event.NewFixed(typ.Arrow(), rapid.SliceOfN(rapid.Int32(), n, n).Draw(t, "integer"), valid)
	case event.Real:
		return event.NewFixed(typ.Arrow(), rapid.SliceOfN(rapid.Float32(), n, n).Draw(t, "real"), valid)
	case event.Bytea:
		return event.AsBinary(drawTexts(t, n, valid).(*array.String))
	default: // 16 bytes
	}
	words := make([]decimal128.Num, n)
	for i := range words {
		high := rapid.Int64().Draw(t, "high")
		if typ.Kind == event.Numeric {
			high = rapid.Int64Range(-1<<60, 1<<60).Draw(t, "digits")
		}
		words[i] = decimal128.New(high, rapid.Uint64().Draw(t, "low"))
		if typ.Kind == event.Numeric && typ.Precision <= wordPrecision {
			words[i] = decimal128.FromI64(high % 1e18)
		}
	}
	return event.NewFixed(typ.Arrow(), words, valid)
}
