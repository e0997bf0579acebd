package journal

import (
	"encoding/binary"
	"errors"
)

var errMalformed = errors.New("malformed list of records")

// appendUpdate encodes the body of a frame: the number of the update and its records.
func appendUpdate(dst []byte, number uint64, records []Record) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, number)
	dst = binary.AppendUvarint(dst, uint64(len(records)))
	for _, r := range records {
		dst = append(dst, byte(r.Kind))
		dst = binary.AppendUvarint(dst, uint64(len(r.Body)))
		dst = append(dst, r.Body...)
	}
	return dst
}

// parseUpdate is the inverse of appendUpdate. The bodies are copies.
func parseUpdate(src []byte) (number uint64, records []Record, err error) {
	if len(src) < 8 {
		return 0, nil, errMalformed
	}
	number, src = binary.LittleEndian.Uint64(src), src[8:]
	count, n := binary.Uvarint(src)
	if n <= 0 || count > uint64(len(src)-n)/2 { // a record takes two bytes or more
		return 0, nil, errMalformed
	}
	src = src[n:]
	records = make([]Record, count)
	for i := range records {
		if len(src) < 2 {
			return 0, nil, errMalformed
		}
		size, n := binary.Uvarint(src[1:])
		if n <= 0 || size > uint64(len(src)-1-n) {
			return 0, nil, errMalformed
		}
		body := src[1+n : 1+n+int(size)]
		records[i] = Record{Kind: Kind(src[0]), Body: append([]byte(nil), body...)}
		src = src[1+n+int(size):]
	}
	if len(src) > 0 {
		return 0, nil, errMalformed
	}
	return number, records, nil
}
