package nearest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	t.Parallel()
	known := strings.Fields("format delimiter header columns null from to a ack amount account")
	for name, want := range map[string]string{
		"fromat": "format from", "Format": "format", "delim": "", "delimeter": "delimiter", "headers": "header", "frm": "from", "b": "", "": "", "t": "",
		"acount": "amount account", "nothing like it": "",
	} {
		require.Equal(t, want, strings.Join(Names(name, known), " "), name)
	}
}
