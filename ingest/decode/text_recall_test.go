package decode

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
)

// TestRecalledTexts mixes texts that begin alike, end alike, hold each other, or hold what JSON escapes, so that each is taken for another if a byte is not
// looked at.
func TestRecalledTexts(t *testing.T) {
	t.Parallel()
	var distinct []string
	for n := range 24 {
		same := strings.Repeat("x", n)
		distinct = append(distinct, same, same+"y", "y"+same)
	}
	const first = "sixteen bytes of" // as many as are looked at together
	for _, end := range []string{"", `"`, `\`, `\"`, `","t":"`, "\n", "\t", "é", "\x7f", "\u0001", " text", " texts", `\n`, "/"} {
		distinct = append(distinct, first+end, first+end+first, end+first, end)
	}
	var tails []string // alike but for what lies behind their first word
	for n := range 200 {
		tails = append(tails, fmt.Sprintf("one word%03d", n))
	}
	random := rand.New(rand.NewPCG(7, 8))
	for round := range 20 {
		some := distinct[:len(distinct)*(round%4+1)/4]
		if round%5 == 4 {
			some = tails
		}
		texts := make([]*string, leastCoded*4)
		for i := range texts {
			switch {
			case i < 2*surveyCodes: // so that it is seen that few differ
				texts[i] = &some[i%8]
			case random.IntN(20) > 0:
				texts[i] = &some[random.IntN(len(some))]
			}
		}
		got := decodeTexts(t, textRows(texts, round))
		requireTexts(t, texts, got)
		if len(some) < len(distinct)*3/4 { // of more, some may find no place
			require.Equal(t, arrow.DICTIONARY, got.DataType().ID(), fmt.Sprint(round))
		}
	}
}
