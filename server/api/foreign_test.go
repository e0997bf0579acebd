package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCSVThatIsSentAsJSON is told as what it is, and text that only has commas is not.
func TestCSVThatIsSentAsJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"a,b\n1,2\n", "\ufeffts,\"user name\",n\r\n2026-03-01,ada,1\r\n", "\n\n@timestamp;größe\n1;2", "a\tb\tc\n\t\t\n", "id|name\n1|x\n", "#id,a.b,\n1,2,3\n",
	} {
		require.Equal(t, csvHint, foreignHint([]byte(body)), "%q", body)
	}
	for _, body := range []string{
		"", "a,b", "a,b\n", "a,b\n1\n", "Well, this is it.\nNo more.\n", "1,2\n3,4\n", `["a","b"]` + "\n" + `["c","d"]` + "\n", `{"a":1,"b":2}` + "\n" + `{"a":1,"b":2}`,
		"a\nb\n", "<a href=x,y>\n</a,b>\n",
	} {
		require.NotEqual(t, csvHint, foreignHint([]byte(body)), "%q", body)
	}
}
