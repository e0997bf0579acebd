// Package doctor examines data directories that no server has open, and mends them.
//
// Verify changes nothing and reads every byte that is under a checksum. Repair removes nothing: what is damaged moves below
// trash/, under the name that it had. Both need the lock of the directory, which is for the caller to take. Neither starts a goroutine.
package doctor

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Kind says what a finding means.
type Kind string

// The kinds.
const (
	// Damage is something that was durable and is not what it was.
	Damage Kind = "damage"
	// Known is damage that has been accepted as lost.
	Known Kind = "known"
	// Note is something unusual that costs nothing: the next start sees to it.
	Note Kind = "note"
)

// Finding is one thing that Verify met.
type Finding struct {
	Kind Kind `json:"kind"`
	// File is relative to the data directory.
	File string `json:"file"`
	// From is the first byte, and To the one after the last; both 0 where the whole file is meant.
	From   int64  `json:"from,omitempty"`
	To     int64  `json:"to,omitempty"`
	Detail string `json:"detail"`
}

// String is one line for people.
func (f Finding) String() string {
	if f.To == 0 {
		return fmt.Sprintf("%s: %s: %s", f.Kind, f.File, f.Detail)
	}
	return fmt.Sprintf("%s: %s: bytes %d to %d: %s", f.Kind, f.File, f.From, f.To-1, f.Detail)
}

// Report is what Verify found.
type Report struct {
	// Files and Bytes are how much was read.
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	Findings []Finding `json:"findings"`
}

// Damaged reports whether anything is damaged that nobody has accepted as lost.
func (r *Report) Damaged() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind == Damage })
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	damaged := 0
	for _, f := range r.Findings {
		if f.Kind == Damage {
			damaged++
		}
	}
	_, err := fmt.Fprintf(w, "%d files of %d bytes verified, %d places damaged\n", r.Files, r.Bytes, damaged)
	return err
}

func (r *Report) note(kind Kind, file, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Kind: kind, File: file, Detail: fmt.Sprintf(format, args...)})
}

func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.From, b.From)) })
}
