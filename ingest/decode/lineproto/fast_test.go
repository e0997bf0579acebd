package lineproto

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// likeLine draws a line that is, or nearly is, like those before it.
var likeLine = rapid.Custom(func(t *rapid.T) string {
	series := rapid.SampledFrom([]string{"m", "m,host=a", "m,host=b,dc=x", `m,host=a\ b`, "n,host=a", "m,s=tag", "m,host=",
		"m,host=b=c,dc=a-value-of-more-than-sixteen-bytes", "m,host=ä", "m,host=\xff", "m,host=a\tb", "m,dc=x,host=b", "m,host=b,dc=", "m,host=b,", "m", "n", `n\,`}).Draw(t, "series")
	whole := rapid.SampledFrom([]string{
		"0i", "-0i", "7i", "-12i", "007i", "123456789012345678i", "1234567890123456789i", "-9223372036854775808i", "9u", "+1i", "-9u", "i", "7",
	})
	number := rapid.SampledFrom([]string{"1", "-1.5", "0.1", "123456.789012345", "12345678.90123456", "1.", ".5", "007", "-0", "1e3", "1x", "", "-", "3i"})
	flag := rapid.SampledFrom([]string{"t", "true", "False", "f", "false", "tru", "T"})
	text := rapid.SampledFrom([]string{`""`, `"a"`, `"seven b"`, `"eightbyt"`, `"eightby\"te and"`, `"a,b=c d"`, "\"two\nlines\"", `"ä"`, `"1234567ü90"`, "\"\xff\"", `"open`, `"a"b`, `1`})
	fields := []string{"i=" + whole.Draw(t, "i"), "d=" + number.Draw(t, "d"), "b=" + flag.Draw(t, "b"), "s=" + text.Draw(t, "s")}
	switch rapid.IntRange(0, 12).Draw(t, "shape") {
	case 0:
		fields = fields[:3]
	case 1:
		fields[0], fields[1] = fields[1], fields[0]
	case 2:
		fields = append(fields, "more=1")
	}
	const at = " 1772355600000000000\n"
	end := rapid.SampledFrom([]string{at, at, at, "\n", " 9999999999999999999\n", " -1\n", " 17\r\n", "  17\n", " x\n",
		" 1772355600123456789\n", " 17723556001234567x9\n", " 17723556x0123456789\n", " 177235560012345678\n", " 1772355600123456789\r\n"})
	return series + rapid.SampledFrom([]string{" ", " ", " ", "  "}).Draw(t, "space") + strings.Join(fields, ",") + end.Draw(t, "end")
})

// TestLinesLikeBefore holds lines that follow others to what each is alone, where nothing predicts it.
func TestLinesLikeBefore(t *testing.T) {
	t.Parallel()
	good := "m,host=a i=1i,d=2.5,b=t,s=\"x\" 1772355600000000000\n"
	rapid.Check(t, func(rt *rapid.T) {
		lines := append([]string{good}, rapid.SliceOfN(rapid.OneOf(rapid.Just(good), likeLine), 1, 30).Draw(rt, "lines")...)
		unit := rapid.SampledFrom([]Unit{1, 1e3, 1e6}).Draw(rt, "unit")
		if strings.Contains(strings.Join(lines, ""), `"open`) { // it would hold what comes after it
			lines = append(lines, `"`)
		}
		together, err := read(t, strings.NewReader(strings.Join(lines, "")), Options{Unit: unit})
		require.NoError(t, err)
		var alone strings.Builder
		if strings.Contains(strings.Join(lines, ""), `"open`) {
			return
		}
		for _, line := range lines {
			one, err := read(t, strings.NewReader(line), Options{Unit: unit})
			require.NoError(t, err)
			alone.WriteString(one)
		}
		require.ElementsMatch(t, unnumbered(alone.String()), unnumbered(together))
	})
}

// unnumbered are lines of read without the numbers of those refused: a refused line that holds a line break counts as two.
func unnumbered(text string) []string {
	return strings.Split(regexp.MustCompile(`(?m)(^|^[a-z_]+ )!\d+:`).ReplaceAllString(text, "$1!:"), "\n")
}

// TestMemoryIsUsedAgain reads bodies of several parts side by side, each of which gives its memory back as it goes on: none writes over what another holds.
func TestMemoryIsUsedAgain(t *testing.T) {
	t.Parallel()
	var group errgroup.Group
	for n := range 4 {
		group.Go(func() error {
			var body bytes.Buffer
			for i := range 20_000 {
				fmt.Fprintf(&body, "m%d,host=h%d s=\"%d of %d\",i=%di %d\n", i%2, i%7, i, n, i, i)
				if i%1000 == 0 {
					fmt.Fprintf(&body, "m%d,host=h bad%d of %d\nno point %d\n", i%2, i, n, i)
				}
			}
			reader, seen := NewReader(iotest.HalfReader(&body), Options{}), [2]int{}
			var refused []decode.Rejected
			for {
				parts, none, err := reader.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				refused = append(refused, none...)
				for _, part := range parts {
					at := part.Stream[1] - '0'
					for _, text := range part.Chunk.RowTexts() {
						i := 2*seen[at] + int(at)
						want := fmt.Sprintf(`{"time":"1970-01-01T00:00:00.%06dZ","host":"h%d","s":"%d of %d","i":%d}`, i/1000, i%7, i, n, i)
						if string(text) != want {
							return fmt.Errorf("%s, not %s", text, want)
						}
						seen[at]++
					}
					refused = append(refused, part.Chunk.Refused...)
					part.Chunk.Free()
				}
			}
			for _, r := range refused {
				if !bytes.HasSuffix(r.Raw, fmt.Appendf(nil, " of %d", n)) && !bytes.HasPrefix(r.Raw, []byte("no point ")) {
					return fmt.Errorf("a refused line is %q", r.Raw)
				}
			}
			if seen != [2]int{10_000, 10_000} || len(refused) != 40 {
				return fmt.Errorf("%v rows, %d refused", seen, len(refused))
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}
