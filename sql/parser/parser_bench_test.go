package parser

import "testing"

func BenchmarkParse(b *testing.B) {
	sql := `SELECT time_bucket('1 minute', ts) AS t, region, sum(amount) AS total FROM orders
		WHERE ts >= '2026-01-01' AND region IN ('EU', 'US') GROUP BY t, region ORDER BY t, total DESC LIMIT 10`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(sql); err != nil {
			b.Fatal(err)
		}
	}
}
