package dedup

import (
	"encoding/binary"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
)

const (
	// producersFrame is how many producers a frame of a snapshot holds.
	producersFrame = 16 << 10
	producerHead   = 4 + 8 + 2 + 8 + 1 // partition, id, epoch, arrival, number of batches
	batchSize      = 4 + 4 + 8         // sequence, records, first offset
)

// appendProducers encodes the producers that have batches, a frame's worth at a time. The lock is held.
func (s *State) appendProducers() (frames [][]byte) {
	var frame []byte
	count := 0
	for key, k := range s.mu.producers.known {
		if len(k.stored) == 0 {
			continue
		}
		frame = binary.LittleEndian.AppendUint32(frame, uint32(key.partition))
		frame = binary.LittleEndian.AppendUint64(frame, uint64(key.id))
		frame = binary.LittleEndian.AppendUint16(frame, uint16(k.epoch))
		frame = binary.LittleEndian.AppendUint64(frame, uint64(k.arrival))
		frame = append(frame, byte(len(k.stored)))
		for _, b := range k.stored {
			frame = binary.LittleEndian.AppendUint32(frame, uint32(b.sequence))
			frame = binary.LittleEndian.AppendUint32(frame, uint32(b.records))
			frame = binary.LittleEndian.AppendUint64(frame, uint64(b.first))
		}
		if count++; count == producersFrame {
			frames, frame, count = append(frames, frame), nil, 0
		}
	}
	if count > 0 {
		frames = append(frames, frame)
	}
	return frames
}

func saveProducers(w *record.Writer, frames [][]byte) error {
	for _, frame := range frames {
		if err := w.Add(frameProducers, func(dst []byte) []byte { return append(dst, frame...) }); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) readProducers(src []byte) (problem string) {
	for len(src) > 0 {
		if len(src) < producerHead || len(src) < producerHead+int(src[producerHead-1])*batchSize {
			return "a producer is cut short"
		}
		key := producerKey{event.Partition(binary.LittleEndian.Uint32(src)), int64(binary.LittleEndian.Uint64(src[4:]))}
		k := &producer{epoch: int16(binary.LittleEndian.Uint16(src[12:])), arrival: int64(binary.LittleEndian.Uint64(src[14:]))}
		count := int(src[producerHead-1])
		src = src[producerHead:]
		for range count {
			k.stored = append(k.stored, producedBatch{
				sequence: int32(binary.LittleEndian.Uint32(src)), records: int32(binary.LittleEndian.Uint32(src[4:])),
				first: event.Offset(binary.LittleEndian.Uint64(src[8:])),
			})
			src = src[batchSize:]
		}
		s.mu.producers.known[key] = k
	}
	return ""
}
