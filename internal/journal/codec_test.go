package journal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzParseUpdate(f *testing.F) {
	f.Add(appendUpdate(nil, 7, []Record{{Kind: KindStream, Body: []byte("a")}, {Kind: KindSegment, Body: nil}}))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		number, records, err := parseUpdate(b)
		if err != nil {
			return
		}
		again, back, err := parseUpdate(appendUpdate(nil, number, records))
		require.NoError(t, err)
		require.Equal(t, number, again)
		require.Equal(t, records, back)
	})
}
