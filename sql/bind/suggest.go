package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

const maxSuggestions = 3

// suggest adds as a hint the known names that are closest to an unknown one, if any is close.
func suggest(err *event.Error, name string, known []string) *event.Error {
	type candidate struct {
		name     string
		distance int
	}
	var nearby []candidate
	most := min(1+len(name)/3, 4)
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k), most); d <= most && d < len(name) {
			nearby = append(nearby, candidate{k, d})
		}
	}
	slices.SortStableFunc(nearby, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, c := range nearby[:min(len(nearby), maxSuggestions)] {
		if c.distance == nearby[0].distance {
			names = append(names, c.name)
		}
	}
	if len(names) == 0 {
		return err
	}
	return err.WithHint("did you mean %s?", strings.Join(names, " or "))
}

// distance is the number of letters to add, leave out or change to get from a to b (Levenshtein); beyond most it is only known to
// be more.
func distance(a, b string, most int) int {
	if max(len(a)-len(b), len(b)-len(a)) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
