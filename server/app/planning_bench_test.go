package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/sql/bind"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// longQuery has about 2 KB, as dashboards make them.
const longQuery = `
WITH recent AS (
  SELECT time_bucket(INTERVAL '1 minute', ts) AS minute, region, customer, amount, quantity, attrs ->> 'channel' AS channel,
    attrs ->> 'campaign' AS campaign, CASE WHEN amount >= 1000 THEN 'large' WHEN amount >= 100 THEN 'middle' ELSE 'small' END AS size
  FROM orders
  WHERE ts >= TIMESTAMPTZ '2026-03-01 00:00:00+00' AND ts < TIMESTAMPTZ '2026-03-02 00:00:00+00' AND paid
    AND region IN ('EU', 'US', 'APAC', 'LATAM') AND customer IS NOT NULL AND (attrs ->> 'channel') LIKE 'web%'
), by_minute AS (
  SELECT minute, region, channel, count(*) AS n, count(DISTINCT customer) AS customers, sum(amount) AS revenue,
    sum(amount * quantity) FILTER (WHERE size = 'large') AS large, avg(amount) AS mean, min(amount) AS least, max(amount) AS most,
    approx_percentile(amount, 0.95) AS p95
  FROM recent GROUP BY minute, region, channel HAVING count(*) > 3
), ranked AS (
  SELECT b.*, row_number() OVER (PARTITION BY region ORDER BY revenue DESC, minute) AS place,
    sum(revenue) OVER (PARTITION BY region, channel ORDER BY minute ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS of_ten,
    revenue - lag(revenue) OVER (PARTITION BY region, channel ORDER BY minute) AS change
  FROM by_minute b
)
SELECT r.minute, r.region, r.channel, r.n, r.customers, round(r.revenue::NUMERIC, 2) AS revenue, r.large, r.mean, r.least, r.most, r.p95, r.of_ten,
  r.change, t.total, round((100 * r.revenue / t.total)::NUMERIC, 1) AS share,
  (SELECT count(*) FROM recent x WHERE x.region = r.region AND x.minute = r.minute AND x.campaign = 'spring') AS spring
FROM ranked r
JOIN (SELECT region, sum(revenue) AS total, max(customers) AS customers FROM by_minute GROUP BY region) t ON t.region = r.region
LEFT JOIN (SELECT region, minute, max(amount) AS top FROM recent WHERE size = 'large' GROUP BY region, minute) l
  ON l.region = r.region AND l.minute = r.minute
WHERE r.place <= 10 AND (r.change IS NULL OR r.change > -1000.5) AND coalesce(l.top, 0) < 1000000
ORDER BY r.region, r.place, r.minute
LIMIT 100`

// BenchmarkPlanningOfAWideStream plans a query of all columns of a stream that has nearly as many as there may be.
func BenchmarkPlanningOfAWideStream(b *testing.B) {
	columns := make([]string, 2000)
	for i := range columns {
		columns[i] = fmt.Sprintf("c%d BIGINT", i)
	}
	known := definedStreams{}
	created := bindSQL(b, "CREATE STREAM wide (ts TIMESTAMPTZ NOT NULL, "+strings.Join(columns, ", ")+")", known).(bind.CreateStream)
	known["wide"] = &created.Definition
	for b.Loop() {
		statements, err := parser.Parse("SELECT * FROM wide WHERE c7 > 3 ORDER BY ts LIMIT 10")
		require.NoError(b, err)
		bound, err := bind.Bind(statements[0], known, bind.Params{})
		require.NoError(b, err)
		_, err = optimize.Optimize(bound.(bind.Query).Plan)
		require.NoError(b, err)
	}
}

// BenchmarkPlanning is what a query costs before its first row: parsing, binding and optimizing.
func BenchmarkPlanning(b *testing.B) {
	known := definedStreams{}
	created := bindSQL(b, `CREATE STREAM orders (order_id TEXT NOT NULL, customer TEXT, region TEXT, amount DOUBLE PRECISION, quantity BIGINT,
		paid BOOLEAN, attrs JSONB, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`, known).(bind.CreateStream)
	known["orders"] = &created.Definition
	b.SetBytes(int64(len(longQuery)))
	b.ReportAllocs()
	for b.Loop() {
		statements, err := parser.Parse(longQuery)
		require.NoError(b, err)
		bound, err := bind.Bind(statements[0], known, bind.Params{})
		require.NoError(b, err)
		_, err = optimize.Optimize(bound.(bind.Query).Plan)
		require.NoError(b, err)
	}
}
