package eventlog

import (
	"encoding/binary"
	"errors"
)

// An idle marker is a Kafka control batch, which consumers skip: one record whose key is a version and a type, each an int16. Kafka's own
// types are small numbers; this one is far from them, so that a reader takes it for one it does not know.
const (
	controlBit     = 1 << 5 // of a batch's attributes
	controlVersion = 0
	controlIdle    = 0x544D
	controlKey     = 2 + 2
	idleVersion    = 0
	idleValue      = 2 + 8
)

// appendIdle encodes the one record of an idle marker.
func appendIdle(dst []byte, idle *Idle) []byte {
	dst = binary.AppendVarint(dst, 1+1+1+1+controlKey+1+idleValue+1)
	dst = append(dst, 0)              // attributes
	dst = binary.AppendVarint(dst, 0) // time delta
	dst = binary.AppendVarint(dst, 0) // offset delta
	dst = binary.AppendVarint(dst, controlKey)
	dst = binary.BigEndian.AppendUint16(dst, controlVersion)
	dst = binary.BigEndian.AppendUint16(dst, controlIdle)
	dst = binary.AppendVarint(dst, idleValue)
	dst = binary.BigEndian.AppendUint16(dst, idleVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(idle.Watermark))
	return append(dst, 0) // headers
}

// parseIdle decodes the key and value of a control record.
func parseIdle(key, value []byte) (*Idle, error) {
	if len(key) != controlKey || binary.BigEndian.Uint16(key[2:]) != controlIdle {
		return nil, errors.New("a control batch of a type that this program does not know")
	}
	if len(value) < idleValue || binary.BigEndian.Uint16(value) != idleVersion {
		return nil, errors.New("malformed idle marker")
	}
	return &Idle{Watermark: int64(binary.BigEndian.Uint64(value[2:]))}, nil
}
