package kernel

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

func registerBytes(r registry) {
	r.strict("||(BYTEA, BYTEA)", asBytea(concatenate))
	r.strict("length(BYTEA)", byteCount)
	r.strict("octet_length(BYTEA)", byteCount)
	r.strict("encode(BYTEA, TEXT)", encodeBytes)
	r.strict("decode(TEXT, TEXT)", asBytea(decodeBytes))
	r.strict("convert_to(TEXT, TEXT)", asBytea(textAs("convert_to")))
	r.strict("convert_from(BYTEA, TEXT)", textAs("convert_from"))
	registerBytesWithin(r)
}

// asBytea turns a kernel that gives text into one that gives the same bytes as BYTEA.
func asBytea(k kernel) kernel {
	return func(c *call) (arrow.Array, error) {
		out, err := k(c)
		if err != nil {
			return nil, err
		}
		return event.AsBinary(Decode(out).(*array.String)), nil
	}
}

func byteCount(c *call) (arrow.Array, error) {
	values := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) { return int64(len(values.at(i))), nil })
}

func encodeBytes(c *call) (arrow.Array, error) {
	values, formats := textsOf(c.args[0]), textsOf(c.args[1])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		switch format := strings.ToLower(formats.at(i)); format {
		case "hex":
			return hex.AppendEncode(dst, []byte(values.at(i))), nil
		case "base64":
			return base64.StdEncoding.AppendEncode(dst, []byte(values.at(i))), nil
		default:
			return nil, errByteFormat("encode", formats.at(i))
		}
	})
}

func decodeBytes(c *call) (arrow.Array, error) {
	values, formats := textsOf(c.args[0]), textsOf(c.args[1])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		var out []byte
		var err error
		switch format := strings.ToLower(formats.at(i)); format {
		case "hex":
			out, err = hex.AppendDecode(dst, []byte(values.at(i)))
		case "base64":
			out, err = base64.StdEncoding.AppendDecode(dst, []byte(values.at(i)))
		default:
			return nil, errByteFormat("decode", formats.at(i))
		}
		if err != nil {
			return nil, event.Errorf(event.CodeInvalidValue, "decode: %s is not %s", quoted(values.at(i)), formats.at(i))
		}
		return out, nil
	})
}

// textAs gives texts as their bytes, or bytes as the text that they are, in UTF-8 alone.
func textAs(function string) kernel {
	return func(c *call) (arrow.Array, error) {
		values, encodings := textsOf(c.args[0]), textsOf(c.args[1])
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			switch s := values.at(i); strings.ToUpper(encodings.at(i)) {
			default:
				return nil, event.Errorf(event.CodeInvalidValue, "%s: unknown encoding %q", function, encodings.at(i)).WithHint("UTF8 is the one there is")
			case "UTF8", "UTF-8":
				if !utf8.ValidString(s) {
					return nil, event.Errorf(event.CodeInvalidValue, "%s: the bytes are no text in UTF-8", function)
				}
				return append(dst, s...), nil
			}
		})
	}
}

func errByteFormat(function, format string) error {
	return event.Errorf(event.CodeInvalidValue, "%s: unknown format %q", function, format).WithHint("hex or base64")
}
