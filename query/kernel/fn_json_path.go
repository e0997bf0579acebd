package kernel

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

func registerJSONPaths(r registry) {
	for _, form := range []struct {
		operator, function string
		form               jsonForm
	}{{"#>", "jsonb_extract_path", appendJSON}, {"#>>", "jsonb_extract_path_text", appendJSONAsText}} {
		r.strict(form.operator+"(JSONB, TEXT)", followPaths(form.form))
		r.strict(form.function+"(JSONB, TEXT...)", followSteps(form.form))
	}
}

func followPaths(form jsonForm) kernel {
	return func(c *call) (arrow.Array, error) {
		documents, paths := textsOf(c.args[0]), textsOf(c.args[1])
		var last string
		var steps []string
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			if path := paths.at(i); steps == nil || path != last {
				var ok bool
				if steps, ok = parsePath(path); !ok {
					return nil, event.Errorf(event.CodeInvalidValue, "%q is no path", path).WithHint("as in '{a,0,b}'")
				}
				last = path
			}
			return c.appendPath(dst, i, documents.at(i), steps, form), nil
		})
	}
}

func followSteps(form jsonForm) kernel {
	return func(c *call) (arrow.Array, error) {
		documents := textsOf(c.args[0])
		parts, steps := make([]texts, len(c.args)-1), make([]string, len(c.args)-1)
		for k := range parts {
			parts[k] = textsOf(c.args[k+1])
		}
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			for k := range parts {
				steps[k] = parts[k].at(i)
			}
			return c.appendPath(dst, i, documents.at(i), steps, form), nil
		})
	}
}

// appendPath follows steps into a document and appends what is there, or makes the row NULL.
func (c *call) appendPath(dst []byte, i int, document string, steps []string, form jsonForm) []byte {
	value, ok := strings.TrimSpace(document), true
	for _, step := range steps {
		switch kindOfJSON(value) {
		case jsonObject:
			value, ok = jsonscan.Member(value, step)
		case jsonArray:
			index, err := strconv.ParseInt(step, 10, 64)
			if value, ok = jsonscan.Element(value, index); err != nil {
				ok = false
			}
		default:
			ok = false
		}
		if !ok {
			break
		}
	}
	if ok {
		dst, ok = form(dst, value)
	}
	if !ok {
		c.setNull(i)
	}
	return dst
}

// ParsePath reads the path of #> and #>>, as {a,0,b}; ok is false for what is none.
func ParsePath(path string) (steps []string, ok bool) { return parsePath(path) }

// parsePath reads {step,step}, where a step may stand between double quotes. A path without steps is the whole document.
func parsePath(path string) ([]string, bool) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(path), "{")
	if !ok {
		return nil, false
	}
	if inner, ok = strings.CutSuffix(inner, "}"); !ok {
		return nil, false
	}
	steps := []string{}
	for inner = strings.TrimSpace(inner); inner != ""; {
		var step string
		if inner[0] == '"' {
			end := jsonscan.SkipString(inner, 0)
			step, inner = jsonscan.Unquote(inner[:end]), strings.TrimSpace(inner[end:])
		} else {
			end := strings.IndexByte(inner, ',')
			if end < 0 {
				end = len(inner)
			}
			step, inner = strings.TrimSpace(inner[:end]), inner[end:]
			if step == "" {
				return nil, false
			}
		}
		steps = append(steps, step)
		if inner == "" {
			break
		}
		if inner[0] != ',' || strings.TrimSpace(inner[1:]) == "" {
			return nil, false
		}
		inner = strings.TrimSpace(inner[1:])
	}
	return steps, true
}
