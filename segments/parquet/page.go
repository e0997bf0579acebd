package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxPageBytes bounds what a page may claim to decompress to. Pages are cut at 8 MiB of text, except that one row is never
	// split, and a row is far smaller than this.
	maxPageBytes = 1 << 30
	// levelsHead is the size of the length before the levels of a page of version 1.
	levelsHead = 4
)

// rawPage is a page whose checksum was right, decompressed. Readers share it and never change it.
type rawPage struct {
	// values start a buffer of their own, so that they are aligned and may become the array.
	values []byte
	levels []byte // which rows have a value; empty where all have
	rows   int
	nulls  int
	// encoding is that of values.
	encoding format.Encoding
}

// page takes a page from the cache or loads it.
func (r *Reader) page(c *chunk, p page) (rawPage, error) {
	key := place{r.name, p.offset}
	if raw, ok := r.caches.pages.Get(key); ok {
		return raw, nil
	}
	raw, err := r.loadPage(c, p)
	if err == nil {
		r.caches.pages.Put(key, raw, int64(len(raw.values)+len(raw.levels)))
	}
	return raw, err
}

// loadPage reads and verifies a page of values.
func (r *Reader) loadPage(c *chunk, p page) (rawPage, error) {
	header, body, err := r.readPage(p.span)
	if err != nil {
		return rawPage{}, err
	}
	if header.Type == format.DataPage {
		return r.splitPage(c, p, &header, body)
	}
	v2 := header.DataPageHeaderV2.V
	rows := p.end - p.first
	if !header.DataPageHeaderV2.Valid || header.Type != format.DataPageV2 || int(v2.NumRows) != rows || int(v2.NumValues) != rows {
		return rawPage{}, corrupt(r.name, "column %q, page at %d: not the data page of %d rows", c.column.Name, p.offset, rows)
	}
	levels := int(v2.DefinitionLevelsByteLength)
	if levels < 0 || levels > len(body) || v2.RepetitionLevelsByteLength != 0 || v2.NumNulls < 0 || int(v2.NumNulls) > rows ||
		(c.column.NotNull && (levels != 0 || v2.NumNulls != 0)) {
		return rawPage{}, corrupt(r.name, "column %q, page at %d: %d NULLs in %d bytes", c.column.Name, p.offset, v2.NumNulls, levels)
	}
	// Copies, so that neither the header nor compressed bytes stay in memory with the page.
	out := rawPage{levels: bytes.Clone(body[:levels]), rows: rows, nulls: int(v2.NumNulls), encoding: v2.Encoding}
	if c.codec != format.Uncompressed && (!v2.IsCompressed.Valid || v2.IsCompressed.V) {
		out.values, err = r.decompress(c, body[levels:], int(header.UncompressedPageSize)-levels, p.offset)
	} else {
		out.values = bytes.Clone(body[levels:])
	}
	return out, err
}

// splitPage is loadPage for a data page of version 1, in which levels and values are compressed together.
func (r *Reader) splitPage(c *chunk, p page, header *format.PageHeader, body []byte) (rawPage, error) {
	v1, rows := header.DataPageHeader.V, p.end-p.first
	nulls := v1.Statistics.NullCount
	if !header.DataPageHeader.Valid || int(v1.NumValues) != rows || nulls < 0 || nulls > int64(rows) || c.column.NotNull ||
		v1.DefinitionLevelEncoding != format.RLE {
		return rawPage{}, corrupt(r.name, "column %q, page at %d: not the data page of %d rows", c.column.Name, p.offset, rows)
	}
	plain, err := r.decompress(c, body, int(header.UncompressedPageSize), p.offset)
	if err != nil {
		return rawPage{}, err
	}
	if len(plain) < levelsHead || int64(binary.LittleEndian.Uint32(plain)) > int64(len(plain)-levelsHead) {
		return rawPage{}, corrupt(r.name, "column %q, page at %d: levels end early", c.column.Name, p.offset)
	}
	values := levelsHead + int(binary.LittleEndian.Uint32(plain))
	// Copies of the parts, so that values are aligned.
	return rawPage{
		levels: bytes.Clone(plain[levelsHead:values]), values: bytes.Clone(plain[values:]), rows: rows, nulls: int(nulls), encoding: v1.Encoding,
	}, nil
}

// readDictionaryPage reads and verifies a dictionary of n values.
func (r *Reader) readDictionaryPage(c *chunk) (plain []byte, n int, err error) {
	header, body, err := r.readPage(c.dictionary)
	if err != nil {
		return nil, 0, err
	}
	d := header.DictionaryPageHeader.V
	if !header.DictionaryPageHeader.Valid || header.Type != format.DictionaryPage || d.NumValues < 0 || d.Encoding != format.Plain {
		return nil, 0, corrupt(r.name, "column %q, page at %d: not a dictionary", c.column.Name, c.dictionary.offset)
	}
	if c.codec == format.Uncompressed {
		return body, int(d.NumValues), nil
	}
	plain, err = r.decompress(c, body, int(header.UncompressedPageSize), c.dictionary.offset)
	return plain, int(d.NumValues), err
}

// readPage reads a page and checks its checksum, which covers the body as it is stored.
func (r *Reader) readPage(s span) (header format.PageHeader, body []byte, err error) {
	data, err := r.read(s.offset, s.size)
	if err != nil {
		return header, nil, err
	}
	n, err := decodeThrift(data, &header)
	if err != nil {
		return header, nil, corrupt(r.name, "unreadable page header at %d: %v", s.offset, err)
	}
	body = data[n:]
	if int(header.CompressedPageSize) != len(body) {
		return header, nil, corrupt(r.name, "page at %d: %d bytes where its header says %d", s.offset, len(body), header.CompressedPageSize)
	}
	if sum := crc32.ChecksumIEEE(body); sum != uint32(header.CRC) {
		return header, nil, corrupt(r.name, "page at %d: checksum is %08x, not %08x", s.offset, sum, uint32(header.CRC))
	}
	return header, body, nil
}

// decompress expands a page to exactly want bytes.
func (r *Reader) decompress(c *chunk, body []byte, want int, offset int64) ([]byte, error) {
	out, err := expand(c.codec, body, want)
	if err != nil {
		return nil, corrupt(r.name, "page at %d: %v", offset, err)
	}
	return out, nil
}
