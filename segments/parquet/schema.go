package parquet

import (
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// Column is a column as a file holds it.
type Column struct {
	ID      event.FieldID
	Name    string
	Type    event.Type
	NotNull bool
}

// schemaElements renders a schema as Parquet has it: a root, then one leaf for each column.
func schemaElements(columns []event.Column) ([]format.SchemaElement, error) {
	out := []format.SchemaElement{{Name: "events", NumChildren: thrift.New(int32(len(columns)))}}
	for _, c := range columns {
		element, err := leafElement(c)
		if err != nil {
			return nil, err
		}
		out = append(out, element)
	}
	return out, nil
}

func leafElement(c event.Column) (format.SchemaElement, error) {
	element := format.SchemaElement{
		Name:           c.Name,
		FieldID:        int32(c.ID),
		RepetitionType: thrift.New(format.Optional),
	}
	if c.NotNull {
		element.RepetitionType = thrift.New(format.Required)
	}
	physical, ok := physicalType(c.Type)
	if !ok {
		return element, event.Errorf(event.CodeNotSupported, "column %q: segments do not store %s", c.Name, c.Type)
	}
	element.Type = thrift.New(physical)
	switch c.Type.Kind {
	case event.Text:
		element.LogicalType.Value = &format.StringType{}
		element.ConvertedType = thrift.New(deprecated.UTF8)
	case event.JSONB:
		element.LogicalType.Value = &format.JsonType{}
		element.ConvertedType = thrift.New(deprecated.Json)
	case event.TimestampTZ:
		unit := format.TimeUnit{Value: &format.MicroSeconds{}}
		element.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: unit}
		element.ConvertedType = thrift.New(deprecated.TimestampMicros)
	default:
		annotate(&element, c.Type)
	}
	return element, nil
}

// physicalType is how a type's values are stored; ok is false for a type that no stream has.
func physicalType(t event.Type) (physical format.Type, ok bool) {
	switch t.Kind {
	case event.Boolean:
		return format.Boolean, true
	case event.BigInt, event.TimestampTZ:
		return format.Int64, true
	case event.Double:
		return format.Double, true
	case event.Text, event.JSONB, event.Bytea:
		return format.ByteArray, true
	case event.SmallInt, event.Integer, event.Date:
		return format.Int32, true
	case event.Real:
		return format.Float, true
	case event.UUID:
		return format.FixedLenByteArray, true
	case event.Numeric:
		if t.Precision <= wordPrecision {
			return format.Int64, true
		}
		return format.FixedLenByteArray, true
	default:
		return 0, false
	}
}

// parseSchema reads the columns back from what schemaElements made.
func parseSchema(elements []format.SchemaElement) ([]Column, error) {
	if len(elements) == 0 || int(elements[0].NumChildren.V) != len(elements)-1 {
		return nil, fmt.Errorf("schema is not a flat list of columns")
	}
	out := make([]Column, 0, len(elements)-1)
	seen := map[event.FieldID]bool{}
	for _, e := range elements[1:] {
		t, err := parseType(e)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", e.Name, err)
		}
		c := Column{ID: event.FieldID(e.FieldID), Name: e.Name, Type: t, NotNull: e.RepetitionType.V == format.Required}
		if seen[c.ID] || e.RepetitionType.V == format.Repeated {
			return nil, fmt.Errorf("column %q: repeated field id or values", e.Name)
		}
		seen[c.ID] = true
		out = append(out, c)
	}
	return out, nil
}

func parseType(e format.SchemaElement) (event.Type, error) {
	if !e.Type.Valid {
		return event.Type{}, fmt.Errorf("nested")
	}
	switch e.LogicalType.Value.(type) {
	case *format.StringType:
		return checkPhysical(event.Text, e.Type.V)
	case *format.JsonType:
		return checkPhysical(event.JSONB, e.Type.V)
	case *format.TimestampType:
		return checkPhysical(event.TimestampTZ, e.Type.V)
	}
	if t, ok, err := parseAnnotated(e); ok || err != nil {
		return t, err
	}
	for _, kind := range []event.Kind{event.Boolean, event.BigInt, event.Double, event.Real, event.Bytea} {
		if physical, _ := physicalType(event.Type{Kind: kind}); physical == e.Type.V {
			return event.Type{Kind: kind}, nil
		}
	}
	return event.Type{}, fmt.Errorf("unexpected type %s", e.Type.V)
}

func checkPhysical(kind event.Kind, stored format.Type) (event.Type, error) {
	t := event.Type{Kind: kind}
	if physical, _ := physicalType(t); physical != stored {
		return t, fmt.Errorf("%s stored as %s", t, stored)
	}
	return t, nil
}
