package otlp

import (
	"encoding/hex"
	"strconv"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// metricFields are the columns of data points, in their order.
var metricFields = append([]decode.Field{
	{Name: "time", Type: instant}, {Name: "start_time", Type: instant}, {Name: "name", Type: text}, {Name: "kind", Type: text},
	{Name: "unit", Type: text}, {Name: "description", Type: text}, {Name: "value", Type: double}, {Name: "int_value", Type: whole},
	{Name: "count", Type: whole}, {Name: "sum", Type: double}, {Name: "min", Type: double}, {Name: "max", Type: double},
	{Name: "temporality", Type: text}, {Name: "monotonic", Type: boolean}, {Name: "buckets", Type: nested},
	{Name: "attributes", Type: nested}, {Name: "flags", Type: whole}, {Name: "exemplars", Type: nested},
}, originFields...)

// Metrics gives a row for each data point, numbered through the request.
func Metrics(request []*metrics.ResourceMetrics) []*decode.Chunk {
	b := &batch{fields: metricFields}
	for _, from := range request {
		for _, scope := range from.GetScopeMetrics() {
			o := origin(from.GetResource(), scope.GetScope())
			for _, metric := range scope.GetMetrics() {
				b.metric(metric, &o)
			}
		}
	}
	return b.chunks
}

// metric adds the data points of a metric.
func (b *batch) metric(m *metrics.Metric, o *row) {
	var about row
	about.text("name", m.GetName())
	about.text("unit", m.GetUnit())
	about.text("description", m.GetDescription())
	about.with(o)
	switch data := m.GetData().(type) {
	case *metrics.Metric_Gauge:
		for _, p := range data.Gauge.GetDataPoints() {
			b.add(numberRow(p, "gauge", &about))
		}
	case *metrics.Metric_Sum:
		for _, p := range data.Sum.GetDataPoints() {
			r := numberRow(p, "sum", &about)
			r.temporality(data.Sum.GetAggregationTemporality())
			r.boolean("monotonic", data.Sum.GetIsMonotonic())
			b.add(r)
		}
	case *metrics.Metric_Histogram:
		for _, p := range data.Histogram.GetDataPoints() {
			r := histogramRow(p, &about)
			r.temporality(data.Histogram.GetAggregationTemporality())
			b.add(r)
		}
	case *metrics.Metric_ExponentialHistogram:
		for _, p := range data.ExponentialHistogram.GetDataPoints() {
			r := exponentialRow(p, &about)
			r.temporality(data.ExponentialHistogram.GetAggregationTemporality())
			b.add(r)
		}
	case *metrics.Metric_Summary:
		for _, p := range data.Summary.GetDataPoints() {
			b.add(summaryRow(p, &about))
		}
	}
}

// point is what the data points of all kinds have.
type point interface {
	GetTimeUnixNano() uint64
	GetStartTimeUnixNano() uint64
	GetAttributes() []*common.KeyValue
	GetFlags() uint32
}

func pointRow(p point, kind string, about *row) *row {
	r := &row{}
	r.time("time", p.GetTimeUnixNano())
	r.time("start_time", p.GetStartTimeUnixNano())
	r.text("kind", kind)
	r.attributes("attributes", p.GetAttributes())
	if f := p.GetFlags(); f != 0 {
		r.whole("flags", int64(f))
	}
	r.with(about)
	return r
}

func numberRow(p *metrics.NumberDataPoint, kind string, about *row) *row {
	r := pointRow(p, kind, about)
	switch v := p.GetValue().(type) {
	case *metrics.NumberDataPoint_AsDouble:
		r.double("value", v.AsDouble)
	case *metrics.NumberDataPoint_AsInt:
		r.double("value", float64(v.AsInt)) // rounded beyond 2^53; int_value is exact
		r.whole("int_value", v.AsInt)
	}
	r.exemplars(p.GetExemplars())
	return r
}

func histogramRow(p *metrics.HistogramDataPoint, about *row) *row {
	r := pointRow(p, "histogram", about)
	r.count("count", p.GetCount())
	r.optional("sum", p.Sum)
	r.optional("min", p.Min)
	r.optional("max", p.Max)
	if len(p.GetBucketCounts()) > 0 {
		r.name("buckets")
		r.dst = append(r.dst, `{"bounds":[`...)
		for i, bound := range p.GetExplicitBounds() {
			r.comma(i)
			r.dst = decode.AppendDouble(r.dst, bound)
		}
		r.dst = append(r.dst, `],"counts":`...)
		r.counts(p.GetBucketCounts())
		r.dst = append(r.dst, '}')
	}
	r.exemplars(p.GetExemplars())
	return r
}

func exponentialRow(p *metrics.ExponentialHistogramDataPoint, about *row) *row {
	r := pointRow(p, "exponential_histogram", about)
	r.count("count", p.GetCount())
	r.optional("sum", p.Sum)
	r.optional("min", p.Min)
	r.optional("max", p.Max)
	r.name("buckets")
	r.dst = strconv.AppendInt(append(r.dst, `{"scale":`...), int64(p.GetScale()), 10)
	r.dst = strconv.AppendUint(append(r.dst, `,"zero_count":`...), p.GetZeroCount(), 10)
	r.dst = decode.AppendDouble(append(r.dst, `,"zero_threshold":`...), p.GetZeroThreshold())
	for _, side := range []struct {
		name    string
		buckets *metrics.ExponentialHistogramDataPoint_Buckets
	}{{"positive", p.GetPositive()}, {"negative", p.GetNegative()}} {
		r.name(side.name)
		r.dst = strconv.AppendInt(append(r.dst, `{"offset":`...), int64(side.buckets.GetOffset()), 10)
		r.dst = append(r.dst, `,"counts":`...)
		r.counts(side.buckets.GetBucketCounts())
		r.dst = append(r.dst, '}')
	}
	r.dst = append(r.dst, '}')
	r.exemplars(p.GetExemplars())
	return r
}

func summaryRow(p *metrics.SummaryDataPoint, about *row) *row {
	r := pointRow(p, "summary", about)
	r.count("count", p.GetCount())
	r.double("sum", p.GetSum())
	if len(p.GetQuantileValues()) > 0 {
		r.name("buckets")
		r.dst = append(r.dst, `{"quantiles":[`...)
		for i, q := range p.GetQuantileValues() {
			r.comma(i)
			r.dst = decode.AppendDouble(append(r.dst, `{"quantile":`...), q.GetQuantile())
			r.dst = append(decode.AppendDouble(append(r.dst, `,"value":`...), q.GetValue()), '}')
		}
		r.dst = append(r.dst, "]}"...)
	}
	return r
}

func (r *row) comma(i int) {
	if i > 0 {
		r.dst = append(r.dst, ',')
	}
}

func (r *row) optional(name string, v *float64) {
	if v != nil {
		r.double(name, *v)
	}
}

func (r *row) counts(counts []uint64) {
	r.dst = append(r.dst, '[')
	for i, n := range counts {
		r.comma(i)
		r.dst = strconv.AppendUint(r.dst, n, 10)
	}
	r.dst = append(r.dst, ']')
}

func (r *row) temporality(t metrics.AggregationTemporality) {
	switch t {
	case metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA:
		r.text("temporality", "delta")
	case metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE:
		r.text("temporality", "cumulative")
	default: // unspecified, or a kind that is yet to come
	}
}

// exemplars adds the measurements that stand for a point.
func (r *row) exemplars(list []*metrics.Exemplar) {
	if len(list) == 0 {
		return
	}
	r.name("exemplars")
	r.dst = append(r.dst, '[')
	for i, e := range list {
		r.comma(i)
		var one row
		one.time("time", e.GetTimeUnixNano())
		switch v := e.GetValue().(type) {
		case *metrics.Exemplar_AsDouble:
			one.double("value", v.AsDouble)
		case *metrics.Exemplar_AsInt:
			one.whole("value", v.AsInt)
		}
		one.text("trace_id", hex.EncodeToString(e.GetTraceId()))
		one.text("span_id", hex.EncodeToString(e.GetSpanId()))
		one.attributes("attributes", e.GetFilteredAttributes())
		if one.fault != "" {
			r.fault = one.fault
		}
		if len(one.dst) > 0 {
			one.dst[0] = '{'
			r.dst = append(append(r.dst, one.dst...), '}')
		} else {
			r.dst = append(r.dst, "{}"...)
		}
	}
	r.dst = append(r.dst, ']')
}
