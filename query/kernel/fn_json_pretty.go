package kernel

import (
	"strings"

	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

// prettyIndent is what stands before each item, per level, as in PostgreSQL.
const prettyIndent = "    "

// prettyJSON puts every member and element on a line of its own. What lies deeper than the functions here go stays as it stands.
func prettyJSON(document string) string {
	return string(appendPretty(nil, strings.TrimSpace(document), 0))
}

func appendPretty(dst []byte, value string, depth int) []byte {
	kind := kindOfJSON(value)
	if depth > maxJSONDepth || kind != jsonObject && kind != jsonArray {
		return append(dst, value...)
	}
	dst = append(dst, value[0])
	first := true
	for items := jsonscan.ItemsOf(value); items.Next(); first = false {
		if !first {
			dst = append(dst, ',')
		}
		dst = appendLine(dst, depth+1)
		if items.Key != "" {
			dst = append(append(dst, items.Key...), ": "...)
		}
		dst = appendPretty(dst, items.Value, depth+1)
	}
	return append(appendLine(dst, depth), value[len(value)-1])
}

func appendLine(dst []byte, depth int) []byte {
	dst = append(dst, '\n')
	for range depth {
		dst = append(dst, prettyIndent...)
	}
	return dst
}
