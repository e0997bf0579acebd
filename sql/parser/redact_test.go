package parser

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT 'plain', 1 -- kept":                            "SELECT 'plain', 1 -- kept",
		"CREATE SECRET hook AS 'https://example.com/key'":      "CREATE SECRET hook AS '***'",
		"select 1; create secret k as E'a\\'b' ; SELECT 'x'":   "select 1; create secret k as '***' ; SELECT 'x'",
		"ERASE FROM orders WHERE customer = 'Ada' AND id > 17": "ERASE FROM orders WHERE customer = '***' AND id > '***'",
		"ERASE FROM orders":                                    "ERASE FROM orders",
		"SELECT 'see https://a:b@example.com/k?x=1' AS é, 'ü'": "SELECT 'see https://***' AS é, 'ü'",
		"NOTIFY WEBHOOK ops URL E'http://example.com/\\'q'":    "NOTIFY WEBHOOK ops URL 'http://***'",
		"SELECT 'never ends":                                   "",
		"":                                                     "",
	} {
		require.Equal(t, want, Redact(text), text)
	}
}
