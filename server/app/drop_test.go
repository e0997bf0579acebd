package app

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDropStream(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", orders)
	s.seal("orders")
	s.ingest("orders", orders)
	require.Equal(t, http.StatusMethodNotAllowed, s.do("GET", "/v1/sql?q=DROP+STREAM+orders", "").status, "GET only reads")
	require.Equal(t, `["stream orders dropped"]`+"\n", s.query("DROP STREAM Orders").text())
	require.Equal(t, http.StatusNotFound, s.do("POST", "/v1/sql", "SELECT 1 FROM orders").status)
	require.Equal(t, http.StatusNotFound, s.do("POST", "/v1/sql", "DROP STREAM orders").status)
	require.Equal(t, `["there is no stream orders"]`+"\n", s.query("DROP STREAM IF EXISTS orders").text())
	s.ingest("orders", `{"n":1}`)
	require.Equal(t, "[1,1]\n", s.query("SELECT count(*), sum(n) FROM orders").text())
	s = s.restart()
	require.Equal(t, "[1,1]\n", s.query("SELECT count(*), sum(n) FROM orders").text())
	require.Equal(t, "[0]\n", s.query("DROP STREAM orders; CREATE STREAM orders (n BIGINT); SELECT count(*) FROM orders").text())
}
