package demo

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// readRows is how many rows are read at a time; rows are put in order within this many.
const readRows = 16 << 10

// flightRow is a row of the file. Every column may hold NULL.
type flightRow struct {
	Date        *int64  `parquet:"date"`
	Delay       *int64  `parquet:"delay"`
	Distance    *int64  `parquet:"distance"`
	Origin      *string `parquet:"origin"`
	Destination *string `parquet:"destination"`
}

// flight is a row with its date understood.
type flight struct {
	flightRow
	departed time.Time
}

// flightFile reads flights batch by batch, so that a file of any size needs little memory.
type flightFile struct {
	file   *os.File
	reader *parquet.GenericReader[flightRow]
	unit   time.Duration
	rows   []flightRow
}

// openFlights opens a file and checks that it has the columns.
func openFlights(path string) (*flightFile, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("flights file %s does not exist", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open flights: %w", err)
	}
	f, err := readFlights(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("flights file %s: %w", path, err), file.Close())
	}
	return f, nil
}

func readFlights(file *os.File) (*flightFile, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	parsed, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("not a Parquet file: %w", err)
	}
	schema := parsed.Schema()
	for name, kind := range map[string]parquet.Kind{
		"date": parquet.Int64, "delay": parquet.Int64, "distance": parquet.Int64,
		"origin": parquet.ByteArray, "destination": parquet.ByteArray,
	} {
		column, found := schema.Lookup(name)
		if !found || column.Node.Type().Kind() != kind {
			return nil, fmt.Errorf("column %q is missing or has another type; it needs date (timestamp), "+
				"delay and distance (64-bit integers), origin and destination (strings)", name)
		}
	}
	if parsed.NumRows() == 0 {
		return nil, errors.New("it has no rows")
	}
	date, _ := schema.Lookup("date")
	unit, err := timestampUnit(date.Node.Type())
	if err != nil {
		return nil, err
	}
	return &flightFile{
		file: file, unit: unit, rows: make([]flightRow, readRows),
		reader: parquet.NewGenericReader[flightRow](parsed),
	}, nil
}

func timestampUnit(t parquet.Type) (time.Duration, error) {
	if logical := t.LogicalType(); logical != nil {
		if stamp, ok := logical.Value.(*format.TimestampType); ok && stamp.Unit.Value != nil {
			return stamp.Unit.Value.Duration(), nil
		}
	}
	return 0, errors.New(`column "date" is not a timestamp`)
}

// next returns the following flights in order of time, or io.EOF. Rows without a date are left out. Order holds within a batch;
// a file whose rows are further out of place than that plays the strays when it meets them.
func (f *flightFile) next() ([]flight, error) {
	clear(f.rows) // the reader leaves what a NULL column held before
	n, err := f.reader.Read(f.rows)
	if n == 0 {
		return nil, cmp.Or(err, io.EOF)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read flights: %w", err)
	}
	flights := make([]flight, 0, n)
	for _, row := range f.rows[:n] {
		if row.Date != nil {
			flights = append(flights, flight{flightRow: row, departed: toTime(*row.Date, f.unit)})
		}
	}
	slices.SortStableFunc(flights, func(a, b flight) int { return a.departed.Compare(b.departed) })
	return flights, nil
}

// toTime avoids the overflow of nanoseconds since 1970, which end in 2262.
func toTime(n int64, unit time.Duration) time.Time {
	perSecond := int64(time.Second / unit)
	return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC()
}

func (f *flightFile) close() error { return errors.Join(f.reader.Close(), f.file.Close()) }

// checkFlights fails for a file that cannot be played.
func checkFlights(path string) error {
	f, err := openFlights(path)
	if err != nil {
		return err
	}
	return f.close()
}
