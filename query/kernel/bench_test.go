package kernel

import (
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

const benchRows = 32_768

func benchmark(b *testing.B, e plan.Expr, columns ...arrow.Array) {
	b.Helper()
	p := compiled(b, e)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Eval(&Context{}, columns, benchRows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func integers() arrow.Array {
	values := make([]int64, benchRows)
	for i := range values {
		values[i] = int64(i*7919) % 1_000
	}
	return event.NewInt64s(values, nil)
}

func times() arrow.Array {
	values := make([]int64, benchRows)
	for i := range values {
		values[i] = bucketOrigin + int64(i)*37_000
	}
	return event.NewTimestamps(values, nil)
}

// lines makes text of which distinct values are distinct.
func lines(distinct int, dictionary bool, form func(i int) string) arrow.Array {
	offsets, codes := []int32{0}, make([]int32, benchRows)
	var data []byte
	rows := distinct
	if !dictionary {
		rows = benchRows
	}
	for i := range rows {
		data = append(data, form(i%distinct)...)
		offsets = append(offsets, int32(len(data)))
	}
	text := event.NewStrings(offsets, data, nil)
	if !dictionary {
		return text
	}
	for i := range codes {
		codes[i] = int32(i % distinct)
	}
	return event.NewDictionary(codes, text, nil)
}

func BenchmarkAddBigint(b *testing.B) {
	benchmark(b, callOf(b, "+(BIGINT, BIGINT)", ref(0, bigintType), ref(1, bigintType)), integers(), integers())
}

func BenchmarkCompareBigint(b *testing.B) {
	benchmark(b, callOf(b, ">(BIGINT, BIGINT)", ref(0, bigintType), literal(b, bigintType, "500")), integers())
}

func BenchmarkEqualTextDictionary(b *testing.B) {
	column := lines(1_000, true, func(i int) string { return "host-" + strconv.Itoa(i) })
	benchmark(b, callOf(b, "=(TEXT, TEXT)", ref(0, textType), literal(b, textType, "host-7")), column)
}

func BenchmarkLikeDictionary(b *testing.B) {
	column := lines(1_000, true, func(i int) string { return "https://example.org/page/" + strconv.Itoa(i) })
	benchmark(b, callOf(b, "like(TEXT, TEXT)", ref(0, textType), literal(b, textType, "%page/7%")), column)
}

func BenchmarkLikePlain(b *testing.B) {
	column := lines(1_000, false, func(i int) string { return "https://example.org/page/" + strconv.Itoa(i) })
	benchmark(b, callOf(b, "like(TEXT, TEXT)", ref(0, textType), literal(b, textType, "%page/7%")), column)
}

func BenchmarkTimeBucket(b *testing.B) {
	width := literal(b, intervalType, "5 minutes")
	benchmark(b, callOf(b, "time_bucket(INTERVAL, TIMESTAMPTZ)", width, ref(0, timestampType)), times())
}

func BenchmarkDateTruncMonth(b *testing.B) {
	benchmark(b, callOf(b, "date_trunc(TEXT, TIMESTAMPTZ)", literal(b, textType, "month"), ref(0, timestampType)), times())
}

func BenchmarkJSONGetText(b *testing.B) {
	column := lines(1_000, false, func(i int) string {
		return `{"user":"u` + strconv.Itoa(i) + `","path":"/a/b","tags":["x","y"],"status":200,"region":"eu"}`
	})
	benchmark(b, callOf(b, "->>(JSONB, TEXT)", ref(0, jsonbType), literal(b, textType, "region")), column)
}

func BenchmarkFilterTwoConjuncts(b *testing.B) {
	columns := []arrow.Array{integers(), integers()}
	conjuncts := []*Program{
		compiled(b, callOf(b, ">(BIGINT, BIGINT)", ref(0, bigintType), literal(b, bigintType, "900"))),
		compiled(b, callOf(b, "<(BIGINT, BIGINT)", ref(1, bigintType), literal(b, bigintType, "950"))),
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Filter(&Context{}, conjuncts, columns, benchRows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}
