// Package nearest finds the names that a misspelled one may have been meant for. Its functions are pure.
package nearest

import (
	"slices"
	"strings"
)

const (
	maxNames = 3
	// maxDistance is how many letters may differ at most, however long a name is.
	maxDistance = 4
)

// Names gives those of the known names that are closest to an unknown one, at most three, in their order; none if none is close. Case does not count.
func Names(name string, known []string) (out []string) {
	closest := min(1+len(name)/3, maxDistance, len(name)-1)
	for _, k := range known {
		d := distance(strings.ToLower(name), strings.ToLower(k), closest)
		if d < closest {
			closest, out = d, out[:0]
		}
		if d <= closest && len(out) < maxNames {
			out = append(out, k)
		}
	}
	return slices.Clip(out)
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
