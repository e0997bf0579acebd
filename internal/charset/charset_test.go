package charset

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

func read(t require.TestingT, name, text string, wrap func(io.Reader) io.Reader) string {
	set, err := Find(name)
	require.NoError(t, err)
	out, err := io.ReadAll(NewReader(wrap(strings.NewReader(text)), set))
	require.NoError(t, err)
	little, err := io.ReadAll(iotest.OneByteReader(NewReader(wrap(strings.NewReader(text)), set)))
	require.NoError(t, err)
	require.Equal(t, out, little)
	return string(out)
}

// ways are ways for bytes to come.
var ways = []func(io.Reader) io.Reader{
	func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader,
}

func TestTextsAsUTF8(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"", "plain é", "plain é"},
		{"UTF-8", "a", "a"},
		{"us-ascii", "", ""},
		{"", "\xff\xfea\x00\xe9\x00", "aé"},
		{"", "\xfe\xff\x00a\x00\xe9", "aé"},
		{"utf-16", "\xfe\xff\x00a\x00\xe9", "aé"},
		{"windows-1252", "\xff\xfea\x00", "a"},
		{"UTF_16LE", "a\x00\x3d\xd8\x00\xde", "a😀"},
		{"utf-16be", "\xd8\x3d\xde\x00\x00a", "😀a"},
		{"utf-16le", "\x3d\xd8a\x00", "\xffa"},
		{"utf-16le", "a\x00\x3d\xd8", "a\xff"},
		{"utf-16le", "\x00\xdea\x00\x00", "\xffa\xff"},
		{"utf-16le", "\xfd\xff", "\ufffd"},
		{"", "\xff\xfe", ""},
		{"utf-16", "\xff\xfe\x00\x00a\x00", "\x00a"},
		{"", "\xff", "\xff"},
		{"", "\xff\xfe\x00\x00a\x00\x00\x00", "\xff\xfe\x00\x00a\x00\x00\x00"},
		{"latin1", "caf\xe9 \x80", "café \u0080"},
		{"ISO-8859-15", "\xa4", "€"},
		{"cp1252", "\x80\xe9", "€é"},
		{"Windows-1251", "\xcf", "П"},
		{"koi8-r", "\xcf", "о"},
		{"cp437", "\x82", "é"},
		{"iso-8859-7", "\xae", "\xff"},
	} {
		for i, way := range ways {
			require.Equal(t, c.want, read(t, c.name, c.text, way), "%s %q %d", c.name, c.text, i)
		}
	}
	for _, name := range []string{"klingon", "utf-32", "utf-7"} {
		_, err := Find(name)
		require.ErrorContains(t, err, "is not known", name)
	}
}

// TestTextsOfOthers decodes what another implementation has encoded.
func TestTextsOfOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.TrimLeft(rapid.String().Draw(t, "text"), "\ufeff") // it would be the mark
		way := rapid.SampledFrom(ways).Draw(t, "way")
		for name, endian := range map[string]unicode.Endianness{"utf-16le": unicode.LittleEndian, "utf-16be": unicode.BigEndian} {
			for _, mark := range []unicode.BOMPolicy{unicode.IgnoreBOM, unicode.UseBOM} {
				encoded, err := unicode.UTF16(endian, mark).NewEncoder().String(text)
				require.NoError(t, err)
				require.Equal(t, text, read(t, name, encoded, way))
			}
		}
		bytes := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		want, err := charmap.Windows1252.NewDecoder().String(bytes)
		require.NoError(t, err)
		if strings.HasPrefix(bytes, string(littleMark)) || strings.HasPrefix(bytes, string(bigMark)) {
			return
		}
		require.Equal(t, strings.ReplaceAll(want, "\ufffd", "\xff"), read(t, "windows-1252", bytes, way))
	})
}
