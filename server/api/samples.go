package api

import (
	"fmt"
	"strconv"
	"strings"
)

// Sample is one number of a metric.
type Sample struct {
	Name, Kind, Help string
	Labels           map[string]string
	Value            float64
}

// Samples reads every metric. A histogram gives its count, its sum and its buckets, named as Prometheus names them.
func (m *Metrics) Samples() ([]Sample, error) {
	families, err := m.Registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather metrics: %w", err)
	}
	var out []Sample
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range metric.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			sample := Sample{
				Name: family.GetName(), Kind: strings.ToLower(family.GetType().String()), Help: family.GetHelp(), Labels: labels,
			}
			add := func(suffix string, value float64, labels map[string]string) {
				s := sample
				s.Name, s.Value, s.Labels = s.Name+suffix, value, labels
				out = append(out, s)
			}
			switch {
			case metric.GetCounter() != nil:
				add("", metric.GetCounter().GetValue(), labels)
			case metric.GetGauge() != nil:
				add("", metric.GetGauge().GetValue(), labels)
			case metric.GetUntyped() != nil:
				add("", metric.GetUntyped().GetValue(), labels)
			case metric.GetSummary() != nil:
				add("_count", float64(metric.GetSummary().GetSampleCount()), labels)
				add("_sum", metric.GetSummary().GetSampleSum(), labels)
			case metric.GetHistogram() != nil:
				h := metric.GetHistogram()
				add("_count", float64(h.GetSampleCount()), labels)
				add("_sum", h.GetSampleSum(), labels)
				for _, b := range h.GetBucket() {
					add("_bucket", float64(b.GetCumulativeCount()), withBound(labels, b.GetUpperBound()))
				}
			}
		}
	}
	return out, nil
}

// withBound adds the upper bound of a bucket to the labels.
func withBound(labels map[string]string, bound float64) map[string]string {
	out := map[string]string{"le": strconv.FormatFloat(bound, 'g', -1, 64)}
	for name, value := range labels {
		out[name] = value
	}
	return out
}
