package app

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const clientsFolder = "../../bench/clients"

// runClient runs a program of bench/clients, or skips the test where its libraries are not installed.
func runClient(t *testing.T, s *instance, script string, arguments ...string) {
	t.Helper()
	if os.Getenv("TIDEMARK_CLIENTS") == "" {
		t.Skip("make test installs the clients' libraries and runs this")
	}
	runner, ready := "node", clientsFolder+"/node_modules/.installed"
	if strings.HasSuffix(script, ".py") {
		python := filepath.Join(os.Getenv("TIDEMARK_CLIENTS"), "python")
		runner, ready = filepath.Join(python, "bin", "python"), filepath.Join(python, ".installed")
	}
	if _, err := os.Stat(ready); err != nil {
		t.Skip("the client's library could not be installed: make clients says why")
	}
	command := exec.CommandContext(t.Context(), runner, append([]string{filepath.Join(clientsFolder, script), s.URL()}, arguments...)...)
	command.Env = append(os.Environ(), "PYTHONWARNINGS=ignore")
	said, err := command.CombinedOutput()
	require.NoError(t, err, string(said))
	require.Empty(t, string(said), "a client that cannot send says so and goes on")
}

// TestOpenTelemetryInOtherLanguages sends with the exporters that OpenTelemetry publishes for Node.js, in both encodings, and for Python.
func TestOpenTelemetryInOtherLanguages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		service, script, encoding string
		// count is what int_value and value hold of a counter: JavaScript has doubles only.
		count string
	}{
		{"node-http", "otlp.mjs", "http", "null,5"}, {"node-proto", "otlp.mjs", "proto", "null,5"}, {"python", "otlp.py", "", "5,5"},
	} {
		t.Run(c.service, func(t *testing.T) {
			t.Parallel()
			s := start(t, t.TempDir())
			runClient(t, s, c.script, c.encoding)
			from := `"` + c.service + `","inventory","1.2",{"pid":7,"service.name":"` + c.service + `"}]` + "\n"
			require.Equal(t, `["2026-03-01T09:00:00.123000Z",13,"WARN","stock is \"low\" 😀",{"item":42,"ratio":0.5,"tags":["a","b"]},`+from+
				`["2026-03-01T09:00:00.123000Z",null,null,"{\"nested\":{\"list\":[1,\"two\",true]}}",null,`+from+
				`["2026-03-01T09:00:00.123000Z",null,null,"",null,`+from,
				s.query("SELECT time, severity_number, severity_text, body, attributes, service_name, scope_name, "+
					"scope_version, resource FROM otel_logs ORDER BY _offset").text())
			require.Equal(t, `["latency","histogram","ms",null,null,2,110,10,100,{"bounds":[20,200],"counts":[1,1,0]},null,null]`+"\n"+
				`["orders","sum","1",`+c.count+`,null,null,null,null,null,{"route":"/"},true]`+"\n",
				s.query(`SELECT name, kind, unit, int_value, value, count, "sum", "min", "max", buckets, attributes, monotonic FROM otel_metrics ORDER BY name`).text())
		})
	}
}

// TestInfluxDBInOtherLanguages writes with the clients that InfluxData publishes for Node.js and Python.
func TestInfluxDBInOtherLanguages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ language, script string }{{"node", "influx.mjs"}, {"python", "influx.py"}} {
		t.Run(c.language, func(t *testing.T) {
			t.Parallel()
			s := start(t, t.TempDir())
			runClient(t, s, c.script)
			require.Equal(t, `[1000,499500,"2026-03-01T09:00:00.000000Z","2026-03-01T09:00:00.999000Z"]`+"\n",
				s.query("SELECT count(*), sum(n), min(time), max(time) FROM "+c.language+"_batched").text())
			require.Equal(t, `["2026-03-01T09:00:00.000000Z","a b,c=d",21.5,9007199254740991,true,"say \"hi\" \\ bye"]`+"\n",
				s.query("SELECT time, room, celsius, count, open, note FROM "+c.language+"_types").text())
		})
	}
}

// TestElasticsearchInOtherLanguages sends with Elastic's own clients for Node.js and Python, in bulk and a document at a time, and with the
// transport of pino, a logger, that uses the first.
func TestElasticsearchInOtherLanguages(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]map[string]string{
		"elastic.mjs": {"node_bulk": `[1200,1200,"2026-03-01T09:00:00.000000Z","say \"hi\" \\ 😀"]`, "node_pino": `[20,20,"shop","stock is low"]`,
			"node_docs": `[3,3,"a",1]`},
		"elastic.py": {"python_bulk": `[1200,1200,"2026-03-01T09:00:00.000000Z","say \"hi\" \\ 😀"]`, "python_parallel": "[1200,1200,1199,0]", "python_docs": `[3,3,"a",1]`},
	} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			s := start(t, t.TempDir())
			runClient(t, s, script)
			columns := map[string]string{"node_pino": "min(service), min(msg)", "python_parallel": "max(n), min(n)"}
			columns["node_docs"] = "max(_id) FILTER (WHERE n = 1), min(n)"
			columns["python_docs"] = columns["node_docs"]
			for stream, row := range want {
				shown := cmp.Or(columns[stream], `min("@timestamp"), min(note)`)
				require.Equal(t, row+"\n", s.query("SELECT count(*), count(DISTINCT n), "+shown+" FROM "+stream).text(), stream)
			}
		})
	}
}
