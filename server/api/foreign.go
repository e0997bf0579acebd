package api

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/tidemarkdb/tidemark/ingest/decode/linebody"
	"github.com/tidemarkdb/tidemark/ingest/decode/logfmtbody"
)

// foreign is a format that is often sent as JSON, how a line of it looks, and what to do about it.
type foreign struct {
	line *regexp.Regexp
	hint string
}

// foreigners are told by the first line that says something, in this order.
var foreigners = []foreign{
	{
		regexp.MustCompile(`^# (HELP|TYPE|UNIT) [a-zA-Z_:]|^[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\]|\\.)*",? ?)*\})? +([-+]?[\d.][\d.eE+-]*|NaN|[-+]Inf)( +\d+)?$`),
		"the body looks like metrics of Prometheus; have Telegraf (inputs.prometheus) or the OpenTelemetry Collector (receiver prometheus) ask for them and " +
			"send them on",
	},
	{
		regexp.MustCompile(`^[^\s:|]+:[-+]?[\d.]+(:[-+]?[\d.]+)*\|(c|g|ms|h|s|m|d)(\||$)`),
		"the body looks like metrics of StatsD; have Telegraf (inputs.statsd) or the OpenTelemetry Collector (receiver statsd) take them and send them on",
	},
	{
		regexp.MustCompile(`^[\w-]+(\.[\w-]+)+(;[\w.-]+=[^\s;]+)* +[-+]?[\d.][\d.eE+-]*( +-?\d+(\.\d+)?)?$`),
		"the body looks like metrics of Graphite; have Telegraf (inputs.socket_listener with data_format = \"graphite\") take them and send them on",
	},
	{
		regexp.MustCompile(`^[^\s,={"\[][^\s,=]*(,[^\s,=]+=[^\s,=]+)* [^\s,="]+=(-?[\d.]+[iu]?|[tTfF]\w*|"([^"\\]|\\.)*")(,[^\s,="]+=\S+)*( -?\d+)?$`),
		"the body looks like line protocol of InfluxDB; send it with format=influx",
	},
	{
		regexp.MustCompile(`^(https?|h2|grpcs?|wss?) \d{4}-\d\d-\d\dT`),
		"the body looks like a log of an AWS load balancer; format=lines takes each line as a row, and format=csv&delimiter=%20&null=-&columns=type,time,elb,... " +
			"takes it apart",
	},
}

// linesHint is for those who send lines of a log as something else, csvHint for those whose lines are cells, and logfmtHint for those whose lines are pairs.
const (
	linesHint  = "the body looks like lines of a log; format=lines takes each as a row"
	csvHint    = "the body looks like CSV; send it as text/csv or with format=csv (tidemark load --format csv)"
	logfmtHint = "the body looks like logfmt; format=logfmt takes the pairs of each line as a row, and format=lines the line as it is"
)

// foreignBytes is how much of a line is looked at.
const foreignBytes = 4 << 10

// foreignHint says what to do about a body that is no JSON and begins as something well known; "" for any other.
func foreignHint(begin []byte) string {
	begin = bytes.TrimLeft(bytes.TrimPrefix(begin, []byte("\ufeff")), " \t\r\n")
	if len(begin) == 0 || begin[0] == '{' { // most bodies
		return ""
	}
	line, _, _ := bytes.Cut(begin, []byte{'\n'})
	line = bytes.TrimRight(line[:min(len(line), foreignBytes)], " \r")
	for _, f := range foreigners {
		if f.line.Match(line) {
			return f.hint
		}
	}
	switch {
	case logfmtbody.LooksLike(begin):
		return logfmtHint
	case linebody.LooksLike(begin):
		return linesHint
	case looksLikeCSV(begin):
		return csvHint
	default:
		return ""
	}
}

// csvNames is a header of two columns and more.
var csvNames = regexp.MustCompile(`^("[^"]+"|[\pL_@#][^",;\t|{}\[\]]*)([,;\t|]("[^"]*"|[\pL_@#][^",;\t|{}\[\]]*)?)+$`)

// looksLikeCSV reports whether a first line of names and the line behind it have as many of the characters that separate cells.
func looksLikeCSV(begin []byte) bool {
	names, rest, _ := bytes.Cut(begin, []byte{'\n'})
	row, _, _ := bytes.Cut(rest, []byte{'\n'})
	if len(names) > foreignBytes || !csvNames.Match(bytes.TrimRight(names, "\r")) {
		return false
	}
	return slices.ContainsFunc([]string{",", ";", "\t", "|"}, func(delimiter string) bool {
		n := bytes.Count(names, []byte(delimiter))
		return n > 0 && n == bytes.Count(row, []byte(delimiter))
	})
}
