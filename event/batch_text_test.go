package event

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
)

// TestConcatJoinsTextOfBothForms joins batches whose text is a dictionary, each another one, with others whose text is not.
func TestConcatJoinsTextOfBothForms(t *testing.T) {
	t.Parallel()
	s := &Schema{Version: 1, Columns: []Column{{ID: 1, Name: "t", Type: Type{Kind: Text}}}}
	first := int64(0)
	batchOf := func(text arrow.Array) *Batch {
		n := text.Len()
		offsets := make([]int64, n)
		for i := range offsets {
			offsets[i] = first
			first++
		}
		times := NewTimestamps(make([]int64, n), nil)
		b, err := NewBatch(s, 0, []arrow.Array{text, NewInt64s(make([]int64, n), nil), NewInt64s(offsets, nil), times, times})
		require.NoError(t, err)
		return b
	}
	ab, cab := NewStrings([]int32{0, 1, 2}, []byte("ab"), nil), NewStrings([]int32{0, 1, 2, 3}, []byte("cab"), nil)
	one := batchOf(NewDictionary([]int32{1, 0, 1}, ab, nil))
	two := batchOf(NewDictionary([]int32{2, 0, 1}, cab, Bitmap{0b101}))
	plain := batchOf(NewStrings([]int32{0, 2}, []byte("zz"), nil))
	for _, c := range []struct {
		batches []*Batch
		want    []string
		form    arrow.Type
	}{
		{[]*Batch{one, two}, []string{"b", "a", "b", "b", "", "a"}, arrow.DICTIONARY},
		{[]*Batch{one, two, plain}, []string{"b", "a", "b", "b", "", "a", "zz"}, arrow.STRING},
		{[]*Batch{plain, plain}, []string{"zz", "zz"}, arrow.STRING},
	} {
		joined, err := Concat(c.batches)
		require.NoError(t, err)
		text := joined.Record.Column(0)
		require.Equal(t, c.form, text.DataType().ID())
		require.True(t, arrow.TypeEqual(text.DataType(), joined.Record.Schema().Field(0).Type))
		for i, want := range c.want {
			require.Equal(t, want == "", text.IsNull(i))
			if want != "" {
				require.Equal(t, want, StringAt(text, i))
			}
		}
		wider := &Schema{Version: 2, Columns: []Column{
			{ID: 2, Name: "t", Type: Type{Kind: JSONB}, Former: []FormerColumn{{ID: 1, Type: Type{Kind: Text}, Until: 1}}},
		}}
		widened, err := joined.Conform(wider, []FieldID{2})
		require.NoError(t, err)
		require.IsType(t, &array.String{}, widened[0])
		require.Equal(t, `"`+c.want[0]+`"`, StringAt(widened[0], 0))
	}
}
