package decode

import (
	"bytes"

	"github.com/tidemarkdb/tidemark/event"
)

// uuidLength is the length of a UUID as event.FormatUUID writes it.
const uuidLength = len("00112233-4455-6677-8899-aabbccddeeff")

// parseCanonicalUUID reads a UUID only if event.FormatUUID gives back the very text.
func parseCanonicalUUID(text string) (v [16]byte, ok bool) {
	if len(text) != uuidLength {
		return v, false
	}
	for i := range len(text) {
		if c := text[i]; c != '-' && !isDigit(c) && (c < 'a' || c > 'f') {
			return v, false
		}
	}
	return event.ParseUUID(text)
}

// isCanonicalUUID reports whether the text of a checked JSON string is a UUID in the usual spelling.
func isCanonicalUUID(text []byte) bool {
	inside := text[1 : len(text)-1]
	if len(inside) > uuidLength && bytes.IndexByte(inside, '\\') >= 0 {
		inside = appendUnescaped(nil, inside)
	}
	_, ok := parseCanonicalUUID(unsafeText(inside))
	return ok
}
