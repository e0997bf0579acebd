package demo

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/tidemarkdb/tidemark/server/client"
)

const (
	// flightStream is where flights are sent.
	flightStream = "flights"
	// flightInterval is the pause between two requests.
	flightInterval = 200 * time.Millisecond
	// mostPerRequest bounds a request; a faster clock is served by more of them.
	mostPerRequest = 20_000
	// mostLag is how far playing may fall behind its clock before the clock is set back rather than chased.
	mostLag = 2 * time.Second
)

// flightEvent is a flight as it is sent.
type flightEvent struct {
	TS          string  `json:"ts"`
	Scheduled   string  `json:"scheduled"`
	Origin      *string `json:"origin"`
	Destination *string `json:"destination"`
	Delay       *int64  `json:"delay"`
	Distance    *int64  `json:"distance"`
}

// flightFeed plays a file over and over.
type flightFeed struct {
	path  string
	speed float64
}

func (f *flightFeed) run(ctx context.Context, db *client.Client) error {
	for ctx.Err() == nil {
		if err := f.playOnce(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

func (f *flightFeed) playOnce(ctx context.Context, db *client.Client) (err error) {
	file, err := openFlights(f.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.close()) }()
	p := &player{next: file.next, speed: f.speed}
	err = every(ctx, flightInterval, func(now time.Time) error {
		for {
			due, err := p.due(now)
			if err != nil {
				return err
			}
			if err := send(ctx, db, flightStream, due); err != nil {
				return err
			}
			// A full request means that more is due by the same clock.
			if len(due) < mostPerRequest || ctx.Err() != nil {
				return nil //nolint:nilerr // being told to stop is no failure
			}
		}
	})
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// player decides which flights are due: the first at the first call, each other as long after it as the original clock says,
// divided by the speed.
type player struct {
	next  func() ([]flight, error)
	speed float64

	waiting []flight
	// began and origin are the same moment on the wall's clock and on the flights'; latest is the last flight's own time.
	began, origin, latest time.Time
}

// due returns the flights due by now, at most mostPerRequest, stamped with the moments they were due at. It returns io.EOF
// when all have been played.
func (p *player) due(now time.Time) ([]flightEvent, error) {
	var out []flightEvent
	for len(out) < mostPerRequest {
		if err := p.refill(); err != nil {
			if errors.Is(err, io.EOF) && len(out) > 0 {
				return out, nil
			}
			return nil, err
		}
		f := p.waiting[0]
		if p.began.IsZero() {
			p.began, p.origin = now, f.departed
		}
		at := p.began.Add(time.Duration(float64(f.departed.Sub(p.origin)) / p.speed))
		if at.After(now) {
			break
		}
		if now.Sub(at) > mostLag {
			at = now
			// A flight out of order must not turn the clock back for those behind it.
			if !f.departed.Before(p.latest) {
				p.began, p.origin = now, f.departed
			}
		}
		if f.departed.After(p.latest) {
			p.latest = f.departed
		}
		out = append(out, f.event(at))
		p.waiting = p.waiting[1:]
	}
	return out, nil
}

func (p *player) refill() error {
	for len(p.waiting) == 0 {
		flights, err := p.next()
		if err != nil {
			return err
		}
		p.waiting = flights
	}
	return nil
}

func (f flight) event(at time.Time) flightEvent {
	return flightEvent{
		TS: at.UTC().Format(timeLayout), Scheduled: f.departed.Format(timeLayout),
		Origin: f.Origin, Destination: f.Destination, Delay: f.Delay, Distance: f.Distance,
	}
}
