package decode

// StreamChunk is rows of one stream, out of a body that has rows of several.
type StreamChunk struct {
	Stream string
	Chunk  *Chunk
}

// maxStreamName is the length of a stream's name.
const maxStreamName = 63

// StreamName is the stream for what another system calls a measurement or an index: its name in lower case, with an underscore for whatever a
// stream's name cannot have, cut after 63 characters, and m_ before a name that does not begin with a letter.
func StreamName(name string) string {
	out := make([]byte, 0, maxStreamName)
	for _, c := range []byte(name) {
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		case c >= 0x80 && c < 0xc0: // the further bytes of a character
			continue
		default:
			c = '_'
		}
		if len(out) == 0 && (c < 'a' || c > 'z') {
			out = append(out, "m_"...)
		}
		if out = append(out, c); len(out) >= maxStreamName {
			break
		}
	}
	return string(out[:min(len(out), maxStreamName)])
}
