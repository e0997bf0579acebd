package eventlog

import (
	"bytes"
	"hash/crc32"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
)

func sample() *Entry {
	return &Entry{
		First:  12345,
		Times:  []int64{1_700_000_000_000, 1_699_999_999_000, 1_800_000_000_000, 0},
		Values: [][]byte{[]byte(`{"a":1}`), {}, nil, bytes.Repeat([]byte("x"), 300)},
	}
}

// reseal makes the batch's length, and its checksum if asked, right again after a change.
func reseal(b []byte) []byte {
	crc := crc32.Checksum(b[atAttributes:], castagnoli)
	b[atCRC], b[atCRC+1], b[atCRC+2], b[atCRC+3] = byte(crc>>24), byte(crc>>16), byte(crc>>8), byte(crc)
	return b
}

func TestBatchAsKafkaReadsIt(t *testing.T) {
	t.Parallel()
	e := sample()
	raw := batchBytes(e)
	var batch kmsg.RecordBatch
	require.NoError(t, batch.ReadFrom(raw))
	require.Equal(t, raw, batch.AppendTo(nil))
	require.Equal(t, int64(12345), batch.FirstOffset)
	require.Equal(t, int32(len(raw)-12), batch.Length)
	require.Equal(t, int32(-1), batch.PartitionLeaderEpoch)
	require.Equal(t, int8(2), batch.Magic)
	require.Equal(t, crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)), uint32(batch.CRC))
	require.Zero(t, batch.Attributes)
	require.Equal(t, int32(3), batch.LastOffsetDelta)
	require.Equal(t, e.Times[0], batch.FirstTimestamp)
	require.Equal(t, e.Times[2], batch.MaxTimestamp)
	require.Equal(t, int64(-1), batch.ProducerID)
	require.Equal(t, int16(-1), batch.ProducerEpoch)
	require.Equal(t, int32(-1), batch.FirstSequence)
	require.Equal(t, int32(4), batch.NumRecords)

	rest := batch.Records
	for i := range e.Values {
		var r kmsg.Record
		require.NoError(t, r.ReadFrom(rest))
		size := len(r.AppendTo(nil))
		require.Equal(t, size-varintSize(int64(r.Length)), int(r.Length))
		rest = rest[size:]
		require.Equal(t, int32(i), r.OffsetDelta)
		require.Equal(t, e.Times[i], batch.FirstTimestamp+r.TimestampDelta64)
		require.Nil(t, r.Key)
		require.Equal(t, e.Values[i], r.Value)
		require.Empty(t, r.Headers)
	}
	require.Empty(t, rest)
}

func TestBatchOfAKafkaClient(t *testing.T) {
	t.Parallel()
	batch := kmsg.RecordBatch{
		FirstOffset: 7, PartitionLeaderEpoch: -1, Magic: 2, LastOffsetDelta: 1, FirstTimestamp: 1000, MaxTimestamp: 1500,
		ProducerID: 9, ProducerEpoch: 1, FirstSequence: 40, NumRecords: 2,
	}
	for i, value := range []string{"one", "two"} {
		r := kmsg.Record{
			TimestampDelta64: int64(500 * i), OffsetDelta: int32(i), Key: []byte("key"), Value: []byte(value),
			Headers: []kmsg.Header{{Key: "h", Value: []byte("v")}, {Key: "null"}},
		}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // a length below 64 takes one byte
		batch.Records = r.AppendTo(batch.Records)
	}
	raw := batch.AppendTo(nil)
	batch.Length = int32(len(raw) - 12)
	raw = reseal(batch.AppendTo(nil))

	var e Entry
	require.NoError(t, parseBatch(raw, &e))
	require.Equal(t, Entry{
		First: 7, Times: []int64{1000, 1500}, Values: [][]byte{[]byte("one"), []byte("two")}, Producer: &Producer{ID: 9, Epoch: 1, Sequence: 40},
	}, e)
}

func TestBatchRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"short":          {func(b []byte) []byte { return b[:60] }, "incomplete"},
		"old magic":      {func(b []byte) []byte { b[atMagic] = 1; return b }, "magic 1"},
		"longer":         {func(b []byte) []byte { return append(b, 0) }, "another length"},
		"flipped":        {func(b []byte) []byte { b[100] ^= 1; return b }, "checksum"},
		"compressed":     {func(b []byte) []byte { b[atAttributes+1] = 4; return reseal(b) }, "attributes 0x4"},
		"control":        {func(b []byte) []byte { b[atAttributes+1] = 0x20; return reseal(b) }, "control batch of a type"},
		"no records":     {func(b []byte) []byte { b[atCount+3] = 0; return reseal(b) }, "0 records"},
		"many records":   {func(b []byte) []byte { b[atCount] = 0x7f; return reseal(b) }, "records cannot be"},
		"fewer records":  {func(b []byte) []byte { b[atCount+3], b[atLastDelta+3] = 3, 2; return reseal(b) }, "after the last"},
		"more records":   {func(b []byte) []byte { b[atCount+3], b[atLastDelta+3] = 5, 4; return reseal(b) }, "gaps"},
		"gap":            {func(b []byte) []byte { b[atLastDelta+3] = 9; return reseal(b) }, "gaps"},
		"negative first": {func(b []byte) []byte { b[0] = 0x80; return b }, "cannot begin"},
		"record length":  {func(b []byte) []byte { b[batchHeader] = 0x7e; return reseal(b) }, "malformed record"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, parseBatch(c.change(batchBytes(sample())), &Entry{}), c.want)
		})
	}
}

func TestExtremes(t *testing.T) {
	t.Parallel()
	e := &Entry{
		First: math.MaxInt64 - 2, Times: []int64{math.MinInt64, math.MaxInt64}, Values: [][]byte{nil, nil},
		Meta: Meta{Arrival: math.MinInt64, Watermark: math.MaxInt64, SchemaVersion: -1, HasWatermark: true},
	}
	raw := entryBytes(e)
	require.LessOrEqual(t, len(raw), 2+metaSize+batchHeader+2*recordOverhead)
	got, err := parseEntry(record.Frame{Kind: frameBatch, Body: raw})
	require.NoError(t, err)
	e.Bytes = len(raw)
	require.Equal(t, e, got)
}

func TestMetaOfALaterVersionIsRead(t *testing.T) {
	t.Parallel()
	m := Meta{SchemaVersion: 3, Arrival: 4, HasWatermark: true, Watermark: 5}
	raw := append(appendMeta(nil, &m), 200, 3, 0, 'n', 'e', 'w') // a section
	raw[0] = metaSectionsVersion + 1
	var got Meta
	require.NoError(t, parseMeta(raw, &got))
	require.Equal(t, m, got)
	require.Error(t, parseMeta(raw[:metaSize-1], &got))
	require.Error(t, parseMeta(raw[:len(raw)-1], &got))
}

func FuzzParseEntry(f *testing.F) {
	f.Add(entryBytes(sample()))
	f.Add(entryBytes(&Entry{Times: []int64{1}, Values: [][]byte{nil}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2+metaSize+batchHeader { // past the checksum, where the parsing is
			at := 2 + int(b[0]) + int(b[1])<<8
			if at+batchHeader <= len(b) {
				batch := b[at:]
				n := len(batch) - atLeaderEpoch
				batch[atLength], batch[atLength+1], batch[atLength+2], batch[atLength+3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
				reseal(batch)
			}
		}
		e, err := parseEntry(record.Frame{Kind: frameBatch, Body: b})
		if err != nil {
			return
		}
		require.NotEmpty(t, e.Values)
		require.Len(t, e.Times, len(e.Values))
		back, err := parseEntry(record.Frame{Kind: frameBatch, Body: entryBytes(e)})
		require.NoError(t, err)
		require.Equal(t, event.Offset(len(e.Values)), back.End()-back.First)
		e.Bytes = back.Bytes
		require.Equal(t, e, back)
	})
}

func TestIdleMarkerAsKafkaReadsIt(t *testing.T) {
	t.Parallel()
	raw := batchBytes(&Entry{First: 77, Times: []int64{1_700_000_000_000}, Idle: &Idle{Watermark: -5}})
	var batch kmsg.RecordBatch
	require.NoError(t, batch.ReadFrom(raw))
	require.Equal(t, int64(77), batch.FirstOffset)
	require.Equal(t, int16(0x20), batch.Attributes, "a control batch")
	require.Equal(t, int32(1), batch.NumRecords)
	require.Equal(t, crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)), uint32(batch.CRC))
	var r kmsg.Record
	require.NoError(t, r.ReadFrom(batch.Records))
	var key kmsg.ControlRecordKey
	require.NoError(t, key.ReadFrom(r.Key))
	require.Equal(t, int16(0), key.Version)
	require.Equal(t, controlIdle, int(key.Type))
	var e Entry
	require.NoError(t, parseBatch(raw, &e))
	require.Equal(t, int64(-5), e.Idle.Watermark)
	require.Equal(t, event.Offset(78), e.End())
}

func batchBytes(e *Entry) []byte {
	out, _ := appendBatch(nil, e)
	return out
}

func entryBytes(e *Entry) []byte {
	out, _ := appendEntry(nil, e)
	return out
}
