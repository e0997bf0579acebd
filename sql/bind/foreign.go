package bind

// foreignFunctions says, by their names in lower case, how what functions of ClickHouse, InfluxDB, MySQL and others do is written here.
var foreignFunctions = map[string]string{
	"tostartofsecond": "date_trunc('second', ts)", "tostartofminute": "date_trunc('minute', ts)",
	"tostartofhour": "date_trunc('hour', ts)", "tostartofday": "date_trunc('day', ts)",
	"tostartofweek": "date_trunc('week', ts)", "tostartofmonth": "date_trunc('month', ts)", "tomonday": "date_trunc('week', ts)",
	"tostartofquarter": "date_trunc('quarter', ts)", "tostartofyear": "date_trunc('year', ts)",
	"tostartoffiveminutes": "time_bucket(INTERVAL '5 minutes', ts)", "tostartoffifteenminutes": "time_bucket(INTERVAL '15 minutes', ts)",
	"tostartofinterval": "time_bucket(INTERVAL '5 minutes', ts)", "time": "time_bucket(INTERVAL '1 hour', ts)",
	"timeslot": "time_bucket(INTERVAL '30 minutes', ts)", "toyyyymm": "to_char(ts, 'YYYYMM')",
	"toyear": "extract(year FROM ts)", "tomonth": "extract(month FROM ts)", "tohour": "extract(hour FROM ts)", "tominute": "extract(minute FROM ts)",
	"todayofweek": "extract(isodow FROM ts)", "todayofmonth": "extract(day FROM ts)", "tounixtimestamp": "extract(epoch FROM ts)",
	"unix_timestamp": "extract(epoch FROM ts)", "from_unixtime": "to_timestamp(seconds)", "fromunixtimestamp": "to_timestamp(seconds)",
	"str_to_date": "to_timestamp(text, 'YYYY-MM-DD')", "parsedatetimebesteffort": "text::TIMESTAMPTZ", "date_format": "to_char(ts, 'YYYY-MM-DD')",
	"formatdatetime": "strftime(ts, '%Y-%m-%d')", "today": "CURRENT_DATE", "curdate": "CURRENT_DATE", "getdate": "now()", "sysdate": "now()",
	"adddate": "ts + INTERVAL '1 day'", "subdate": "ts - INTERVAL '1 day'", "adddays": "ts + n * INTERVAL '1 day'",
	"subtractdays": "ts - n * INTERVAL '1 day'", "addhours": "ts + n * INTERVAL '1 hour'", "subtracthours": "ts - n * INTERVAL '1 hour'",
	"todate": "x::DATE", "todatetime": "x::TIMESTAMPTZ", "todatetime64": "x::TIMESTAMPTZ", "tostring": "x::TEXT", "toint32": "x::INTEGER",
	"toint64": "x::BIGINT", "touint32": "x::BIGINT", "touint64": "x::NUMERIC(20, 0)", "tofloat64": "x::DOUBLE PRECISION",
	"todecimal64": "x::NUMERIC(18, 4)", "isnull": "x IS NULL", "isnotnull": "x IS NOT NULL", "multiif": "CASE WHEN a THEN b ELSE c END",
	"uniq": "approx_count_distinct(x), or count(DISTINCT x)", "uniqexact": "count(DISTINCT x)", "uniqcombined": "approx_count_distinct(x)",
	"countif": "count(*) FILTER (WHERE condition)", "count_if": "count(*) FILTER (WHERE condition)",
	"sumif": "sum(x) FILTER (WHERE condition)", "avgif": "avg(x) FILTER (WHERE condition)", "minif": "min(x) FILTER (WHERE condition)",
	"maxif": "max(x) FILTER (WHERE condition)", "uniqif": "count(DISTINCT x) FILTER (WHERE condition)",
	"quantile": "percentile_cont(0.5) WITHIN GROUP (ORDER BY x)", "quantiles": "percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY x)",
	"quantileexact": "percentile_disc(0.5) WITHIN GROUP (ORDER BY x)", "percentile": "percentile_cont(0.5) WITHIN GROUP (ORDER BY x)",
	"approx_quantile": "approx_percentile(x, 0.5)", "approx_percentile_cont": "approx_percentile(x, 0.5)",
	"mean": "avg(x)", "spread": "max(x) - min(x)", "derivative": "rate(x, ts)", "non_negative_derivative": "rate(x, ts)",
	"difference": "x - lag(x) OVER (ORDER BY ts)", "non_negative_difference": "increase(x, ts)", "moving_average": "avg(x) OVER (ORDER BY ts ROWS 4 PRECEDING)",
	"cumulative_sum": "sum(x) OVER (ORDER BY ts)", "elapsed": "ts - lag(ts) OVER (ORDER BY ts)",
	"top": "approx_top_k(x, 5), or ORDER BY x DESC LIMIT 5", "topk": "approx_top_k(x, 5)", "grouparray": "array_agg(x)",
	"group_concat": "string_agg(x, ',')", "runningdifference": "x - lag(x) OVER (ORDER BY ts)",
	"neighbor": "lead(x) OVER (ORDER BY ts)", "any": "any_value(x)", "anylast": "last(x)", "jsonextractstring": "doc ->> 'member'",
	"jsonextractint": "(doc ->> 'member')::BIGINT", "json_extract": "doc -> 'member'", "json_value": "doc ->> 'member'",
	"json_extract_string": "doc ->> 'member'", "splitbychar": "string_to_array(x, ',')", "position": "position('part' IN x)",
	"charindex": "strpos(x, 'part')", "locate": "strpos(x, 'part')", "substring_index": "split_part(x, ',', 1)", "lengthutf8": "length(x)",
	"latest_by_offset": "last(x)", "earliest_by_offset": "first(x)", "latest": "last(x)", "earliest": "first(x)",
	"collect_list": "array_agg(x)", "collect_set": "array_agg(DISTINCT x)", "collect": "array_agg(x)", "count_distinct": "count(DISTINCT x)",
	"timestampadd": "ts + INTERVAL '1 second'", "timestampdiff": "date_diff('second', a, b)", "to_timestamp_ltz": "to_timestamp(seconds)",
	"approx_median": "approx_percentile(x, 0.5)", "var": "var_samp(x)", "current_row_timestamp": "_ingested_at",
	"topkdistinct": "array_agg(DISTINCT x ORDER BY x DESC)", "time_bucket_ng": "time_bucket(INTERVAL '1 hour', ts)",
	"date_bin_wallclock": "time_bucket(INTERVAL '1 day', ts, 'Europe/Berlin')", "counter_agg": "increase(x, ts)",
	"jsonb_path_query": jsonPathInstead, "jsonb_path_query_array": jsonPathInstead, "jsonb_path_query_first": jsonPathInstead,
	"jsonb_path_exists": jsonPathInstead, "jsonb_path_match": jsonPathInstead,
	"argmin": "arg_min(x, y)", "argmax": "arg_max(x, y)", "match": "x ~ 'pattern'",
}

// foreignColumns says, by their names in lower case, what stands here for columns that streams of other systems have, and for words before those
// that are selected.
var foreignColumns = map[string]string{
	"stream":     "SELECT STREAM: leave STREAM out: a SELECT ends, SUBSCRIBE TO (SELECT ...) and CREATE MATERIALIZED VIEW name AS SELECT ... go on",
	"_tp_time":   "the event time is the column that WATERMARK FOR names, and _ingested_at the time of arrival",
	"rowtime":    "the event time is the column that WATERMARK FOR names, and _ingested_at the time of arrival",
	"_rowtime":   "the event time is the column that WATERMARK FOR names, and _ingested_at the time of arrival",
	"_timestamp": "the event time is the column that WATERMARK FOR names, and _ingested_at the time of arrival",
}

// jsonPathInstead stands for the paths of SQL/JSON.
const jsonPathInstead = `doc #> '{a,0}', or doc @> '{"a": 1}' for a test, and jsonb_array_elements in FROM for a search of an array`
