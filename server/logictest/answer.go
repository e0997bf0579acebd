package logictest

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemarkdb/tidemark/server/client"
)

// renderRows gives every value as the files write it, by the letters that stand for the types of the columns.
func renderRows(letters string, result *client.Result) ([][]string, error) {
	if len(letters) != len(result.Columns) {
		return nil, fmt.Errorf("%d columns are expected, and there are %d", len(letters), len(result.Columns))
	}
	out := make([][]string, len(result.Rows))
	for i, row := range result.Rows {
		out[i] = make([]string, len(row))
		for k, value := range row {
			out[i][k] = renderValue(letters[k], value)
		}
	}
	return out, nil
}

func renderValue(letter byte, value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case bool:
		if letter == 'I' {
			return map[bool]string{true: "1", false: "0"}[v]
		}
		return strconv.FormatBool(v)
	case json.Number:
		return renderNumber(letter, v)
	case string:
		if f, ok := client.Float(v); ok && letter != 'T' {
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
		return printable(v)
	default:
		text, _ := json.Marshal(v) // what came from JSON goes back
		return printable(string(text))
	}
}

func renderNumber(letter byte, n json.Number) string {
	if letter == 'T' {
		return n.String()
	}
	if letter == 'I' {
		if _, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
			return n.String()
		}
	}
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	if letter == 'I' {
		return strconv.FormatFloat(math.Trunc(f), 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', 3, 64)
}

// printable shows an empty text as (empty) and what cannot be printed as @.
func printable(s string) string {
	if s == "" {
		return "(empty)"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return '@'
		}
		return r
	}, s)
}

// arrange sorts rows or values as the entry says and gives all values in one list.
func arrange(rows [][]string, sorting string) []string {
	if sorting == "rowsort" {
		slices.SortFunc(rows, slices.Compare[[]string])
	}
	values := slices.Concat(rows...)
	if sorting == "valuesort" {
		slices.Sort(values)
	}
	return values
}

func digest(values []string) string {
	sum := md5.New() //nolint:gosec // the files name answers by it
	for _, v := range values {
		sum.Write([]byte(v + "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

var hashed = regexp.MustCompile(`^(\d+) values hashing to ([0-9a-f]{32})$`)

// compare says how an answer differs from what is expected; empty if it does not.
func compare(values []string, columns int, sorting string, expected []string) string {
	if len(expected) == 1 {
		if m := hashed.FindStringSubmatch(expected[0]); m != nil {
			if m[1] != strconv.Itoa(len(values)) || m[2] != digest(values) {
				return fmt.Sprintf("%d values hashing to %s are expected, and there are %d, hashing to %s: %s",
					len(m[1]), m[2], len(values), digest(values), short(values))
			}
			return ""
		}
	}
	// DuckDB's files have a row on each line.
	if columns > 1 && len(expected)*columns == len(values) && len(expected) > 0 && strings.Contains(expected[0], "\t") {
		var rows [][]string
		for _, line := range expected {
			rows = append(rows, strings.Split(line, "\t"))
		}
		expected = arrange(rows, sorting)
	} else if columns == 1 && sorting != "nosort" {
		expected = slices.Sorted(slices.Values(expected))
	}
	if len(values) != len(expected) {
		return fmt.Sprintf("%d values are expected, and there are %d: %s", len(expected), len(values), short(values))
	}
	for i, v := range values {
		if !same(v, expected[i]) {
			return fmt.Sprintf("value %d is %s, and %s is expected", i+1, v, expected[i])
		}
	}
	return ""
}

// same compares a value with what is expected: as text, as a regular expression, or as numbers that agree to nine digits.
func same(got, expected string) bool {
	if got == expected {
		return true
	}
	if pattern, ok := strings.CutPrefix(expected, "<REGEX>:"); ok {
		re, err := regexp.Compile("(?s)^(?:" + pattern + ")$")
		return err == nil && re.MatchString(got)
	}
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(expected, 64)
	return errA == nil && errB == nil && (a == b || math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) ||
		got == strconv.FormatFloat(b, 'f', 3, 64))
}

// short shows the first values of an answer.
func short(values []string) string {
	const most = 12
	if len(values) > most {
		return strings.Join(values[:most], " ") + " ..."
	}
	return strings.Join(values, " ")
}
