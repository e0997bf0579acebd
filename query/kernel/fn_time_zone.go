package kernel

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerTimeZones(r registry) {
	r.strict("timezone(TEXT, TIMESTAMPTZ)", wallClock)
	r.strict("from_wall_clock(TEXT, TIMESTAMPTZ)", fromWallClock)
	r.strict("date_trunc(TEXT, TIMESTAMPTZ, TEXT)", dateTruncInZone)
	r.strict("time_bucket(INTERVAL, TIMESTAMPTZ, TEXT)", timeBucketInZone)
}

// zones finds time zones by name. A column has few, so each is loaded once per batch.
type zones struct {
	names texts
	known map[string]*time.Location
}

func zonesOf(o Operand) *zones {
	return &zones{names: textsOf(o), known: map[string]*time.Location{}}
}

func (z *zones) at(i int) (*time.Location, error) {
	name := z.names.at(i)
	if location, ok := z.known[name]; ok {
		return location, nil
	}
	location, ok := event.LoadZone(name)
	if !ok {
		return nil, event.Errorf(event.CodeInvalidValue, "there is no time zone %q", name).
			WithHint("a name of the IANA database, such as Europe/Berlin, America/New_York or UTC")
	}
	z.known[name] = location
	return location, nil
}

// toWall is the time that clocks in a zone show at a moment, as if they stood in UTC.
func toWall(micros int64, zone *time.Location) (int64, bool) {
	_, offset := time.UnixMicro(micros).In(zone).Zone()
	return addInt64(micros, int64(offset)*microsPerSecond)
}

func wallClock(c *call) (arrow.Array, error) {
	names, times := zonesOf(c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		zone, err := names.at(i)
		if err != nil {
			return 0, err
		}
		wall, ok := toWall(times.at(i), zone)
		if !ok {
			return 0, errSpanRange(times.at(i))
		}
		return wall, nil
	})
}

// fromWallClock is the moment at which clocks in a zone show a time.
func fromWallClock(c *call) (arrow.Array, error) {
	names, times := zonesOf(c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		zone, err := names.at(i)
		if err != nil {
			return 0, err
		}
		return event.Moment(times.at(i), zone), nil
	})
}

// inZone floors a time as clocks in a zone show it.
func inZone(micros int64, zone *time.Location, find func(micros int64) (span, bool)) (int64, error) {
	wall, ok := toWall(micros, zone)
	if !ok {
		return 0, errSpanRange(micros)
	}
	found, ok := find(wall)
	if !ok {
		return 0, errSpanRange(micros)
	}
	return event.FromWall(found.start, zone), nil
}

func dateTruncInZone(c *call) (arrow.Array, error) {
	units, times, names := textsOf(c.args[0]), fixed[int64](c.args[1]), zonesOf(c.args[2])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		find, err := truncation(units.at(i))
		if err != nil {
			return 0, err
		}
		zone, err := names.at(i)
		if err != nil {
			return 0, err
		}
		return inZone(times.at(i), zone, find)
	})
}

func timeBucketInZone(c *call) (arrow.Array, error) {
	widths, times, names := fixed[arrow.MonthDayNanoInterval](c.args[0]), fixed[int64](c.args[1]), zonesOf(c.args[2])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		buckets, err := newBuckets(widths.at(i), nil)
		if err != nil {
			return 0, err
		}
		zone, err := names.at(i)
		if err != nil {
			return 0, err
		}
		return inZone(times.at(i), zone, buckets.find)
	})
}
