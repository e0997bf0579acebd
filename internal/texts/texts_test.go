package texts

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTableStaysExactAsItGrows(t *testing.T) {
	t.Parallel()
	table := New()
	for round := range 2 {
		for i := range 5000 {
			require.EqualValues(t, i, table.Insert(fmt.Sprint(i)), "round %d", round)
		}
	}
	require.Equal(t, 5000, table.Len())
	for i := range 5000 {
		require.Equal(t, fmt.Sprint(i), string(table.At(uint32(i))))
		require.EqualValues(t, i+1, table.Find(fmt.Sprint(i)))
	}
	require.Zero(t, table.Find("5000"))
	data, ends := table.Layout()
	require.Equal(t, len(data), ends[4999])
	require.GreaterOrEqual(t, table.Bytes(), int64(len(data)))
}

// Texts of up to 11 bytes are told apart by their slots alone.
func TestTableTellsSimilarTextsApart(t *testing.T) {
	t.Parallel()
	table, want := New(), map[string]uint32{}
	for length := range 14 {
		for at := range max(length, 1) {
			for _, c := range []byte{0, 'a', 0xff} {
				text := bytes.Repeat([]byte{'a'}, length)
				if length > 0 {
					text[at] = c
				}
				if _, ok := want[string(text)]; !ok {
					want[string(text)] = uint32(len(want))
				}
				require.Equal(t, want[string(text)], table.Insert(string(text)), "%q", text)
			}
		}
	}
	require.Equal(t, len(want), table.Len())
	for text, number := range want {
		require.Equal(t, text, string(table.At(number)))
	}
}

// TestInsertAllIsInsertForEach also where a text comes twice in one group, and where the table grows in the middle of one.
func TestInsertAllIsInsertForEach(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	texts, want := make([]string, 20_000), make([]uint32, 20_000)
	one, all, numbers := New(), New(), make([]uint32, len(texts))
	for i := range texts {
		texts[i] = strings.Repeat("x", random.IntN(2)*12) + fmt.Sprint(random.IntN(1+i/2))
		want[i] = one.Insert(texts[i])
	}
	for from := 0; from < len(texts); {
		to := min(len(texts), from+random.IntN(50))
		all.InsertAll(texts[from:to], numbers[from:to])
		from = to
	}
	require.Equal(t, want, numbers)
	require.Equal(t, one.TextBytes(), all.TextBytes())
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("a\x00b\x00a\x00aaaaaaaaaaaaaaaa"), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, separator byte) {
		table, want := New(), map[string]uint32{}
		var texts []string
		var numbers []uint32
		for _, text := range bytes.Split(data, []byte{separator}) {
			number, ok := want[string(text)]
			if !ok {
				number = uint32(len(want))
				want[string(text)] = number
			}
			require.Equal(t, number, table.Insert(string(text)))
			texts, numbers = append(texts, string(text)), append(numbers, number)
		}
		require.Equal(t, len(want), table.Len())
		table, found := New(), make([]uint32, len(texts))
		table.InsertAll(texts, found)
		require.Equal(t, numbers, found)
	})
}

func BenchmarkInsert(b *testing.B) {
	for _, format := range []string{"u%06d", "a-longer-name-%06d"} {
		b.Run(format, func(b *testing.B) {
			names := make([]string, 200_000)
			for i := range names {
				names[i] = fmt.Sprintf(format, (i*7919)%len(names))
			}
			for b.Loop() {
				table := New()
				for range 5 {
					for _, name := range names {
						table.Insert(name)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(5*len(names)), "ns/text")
		})
	}
}
