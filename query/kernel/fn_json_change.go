package kernel

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerJSONChange(r arrayRegistry) {
	for name, form := range map[string]jsonForm{"#>": appendJSON, "#>>": appendJSONAsText} {
		r.strict(name+"/jX", func(*plan.Function) kernel { return followArrays(form) })
	}
	r.strict("?|/jX", func(*plan.Function) kernel { return hasKeys(false) })
	r.strict("?&/jX", func(*plan.Function) kernel { return hasKeys(true) })
	r.strict("#-/jX", changeAtPath(always(jsonDelete)))
	r.strict("jsonb_set/jXj", changeAtPath(always(jsonPut)))
	r.strict("jsonb_set/jXjb", changeAtPath(eitherOf(jsonReplace, jsonPut)))
	r.strict("jsonb_insert/jXj", changeAtPath(always(jsonInsertBefore)))
	r.strict("jsonb_insert/jXjb", changeAtPath(eitherOf(jsonInsertBefore, jsonInsertAfter)))
}

// jsonChange is what is done where a path leads.
type jsonChange uint8

const (
	jsonDelete jsonChange = iota
	// jsonReplace leaves the document alone where the path leads nowhere; jsonPut adds a member or an element there.
	jsonReplace
	jsonPut
	// The two insertions never replace a member.
	jsonInsertBefore
	jsonInsertAfter
)

func (o jsonChange) inserts() bool { return o == jsonInsertBefore || o == jsonInsertAfter }

func (o jsonChange) adds() bool { return o == jsonPut || o.inserts() }

// changeOf says for the rows of a call which change is wanted.
type changeOf func(c *call) func(i int) jsonChange

func always(change jsonChange) changeOf {
	return func(*call) func(int) jsonChange { return func(int) jsonChange { return change } }
}

// eitherOf goes by the fourth argument.
func eitherOf(ifFalse, ifTrue jsonChange) changeOf {
	return func(c *call) func(int) jsonChange {
		choices, mask := c.args[3].Array.(*array.Boolean), c.args[3].mask()
		return func(i int) jsonChange {
			if choices.Value(i & mask) {
				return ifTrue
			}
			return ifFalse
		}
	}
}

// changeAtPath makes the kernel of a function that takes a document, a path, and where it does not delete a value.
func changeAtPath(of changeOf) func(f *plan.Function) kernel {
	return func(f *plan.Function) kernel {
		return func(c *call) (arrow.Array, error) {
			documents, paths, change := textsOf(c.args[0]), pathsOf(c.args[1]), of(c)
			values := texts{}
			if len(c.args) > 2 {
				values = textsOf(c.args[2])
			}
			return mapText(c, func(dst []byte, i int) ([]byte, error) {
				e := jsonEdit{name: f.Name, change: change(i)}
				var err error
				if e.steps, err = paths.steps(f.Name, i); err != nil {
					return nil, err
				}
				if len(c.args) > 2 {
					e.value = strings.TrimSpace(values.at(i))
				}
				document := strings.TrimSpace(documents.at(i))
				if kind := kindOfJSON(document); kind < jsonArray {
					return nil, event.Errorf(event.CodeInvalidValue, "%s: a path leads into an object or array, not into %s",
						f.Name, jsonKindNames[kind])
				}
				return e.append(dst, document, 0)
			})
		}
	}
}

// jsonPaths reads paths from a column of TEXT[].
type jsonPaths struct{ lists lists }

func pathsOf(a Operand) jsonPaths { return jsonPaths{listsOf(a)} }

// steps is the path of row i. A step that is NULL leads nowhere anyone could mean.
func (p *jsonPaths) steps(name string, i int) ([]string, error) {
	from, to := p.lists.span(i)
	if to-from > maxJSONDepth {
		return nil, event.Errorf(event.CodeInvalidValue, "%s: a path has at most %d steps, not %d", name, maxJSONDepth, to-from)
	}
	out := make([]string, 0, to-from)
	for at := from; at < to; at++ {
		if p.lists.values.IsNull(at) {
			return nil, event.Errorf(event.CodeInvalidValue, "%s: step %d of the path is NULL", name, at-from+1)
		}
		out = append(out, event.StringAt(p.lists.values, at))
	}
	return out, nil
}

// jsonEdit is one change of one document, with the rules of PostgreSQL: all steps but the last must lead somewhere, or nothing
// changes; the steps into arrays are whole numbers, from the end if negative.
type jsonEdit struct {
	name   string
	change jsonChange
	steps  []string
	value  string
}

// append writes the value at a level of the path, changed.
func (e *jsonEdit) append(dst []byte, at string, level int) ([]byte, error) {
	if level == len(e.steps) {
		return append(dst, at...), nil
	}
	switch kindOfJSON(at) {
	case jsonObject:
		return e.appendObject(dst, at, level)
	case jsonArray:
		return e.appendArray(dst, at, level)
	case jsonNull, jsonString, jsonNumber, jsonBoolean:
	}
	return append(dst, at...), nil
}

func (e *jsonEdit) appendObject(dst []byte, object string, level int) ([]byte, error) {
	step, last := e.steps[level], level == len(e.steps)-1
	// Of members with the same name the last counts, so it is the one that stays.
	old, found := jsonscan.Member(object, step)
	if found && last && e.change.inserts() {
		return nil, event.Errorf(event.CodeInvalidValue, "%s: there is a member %q already", e.name, step).WithHint("jsonb_set replaces it")
	}
	w, written := itemWriter{dst: dst, separator: '{'}, false
	for items := jsonscan.ItemsOf(object); items.Next(); {
		if !jsonscan.KeyIs(items.Key, step) {
			w.member(items.Key, items.Value)
			continue
		}
		if written || last && e.change == jsonDelete {
			continue
		}
		written = true
		if last {
			w.member(items.Key, e.value)
			continue
		}
		w.member(items.Key, "")
		var err error
		if w.dst, err = e.append(w.dst, old, level+1); err != nil {
			return nil, err
		}
	}
	if last && !found && e.change.adds() {
		w.member(string(event.AppendJSONString(nil, step)), e.value)
	}
	return w.end("{", '}'), nil
}

func (e *jsonEdit) appendArray(dst []byte, list string, level int) ([]byte, error) {
	index, err := strconv.ParseInt(e.steps[level], 10, 64)
	if err != nil {
		return nil, event.Errorf(event.CodeInvalidValue, "%s: step %d of the path leads into an array and is no whole number: %q",
			e.name, level+1, e.steps[level])
	}
	last := level == len(e.steps)-1
	if index < 0 {
		for items := jsonscan.ItemsOf(list); items.Next(); {
			index++
		}
	}
	w, place, done := itemWriter{dst: dst, separator: '['}, int64(0), false
	if last && index < 0 && e.change.adds() {
		w.member("", e.value)
		done = true
	}
	for items := jsonscan.ItemsOf(list); items.Next(); place++ {
		if place != index {
			w.member("", items.Value)
			continue
		}
		done = true
		if !last {
			w.member("", "")
			if w.dst, err = e.append(w.dst, items.Value, level+1); err != nil {
				return nil, err
			}
			continue
		}
		e.element(&w, items.Value)
	}
	if last && !done && e.change.adds() {
		w.member("", e.value)
	}
	return w.end("[", ']'), nil
}

// element writes what comes of the element that the path leads to.
func (e *jsonEdit) element(w *itemWriter, old string) {
	switch e.change {
	case jsonDelete:
	case jsonReplace, jsonPut:
		w.member("", e.value)
	case jsonInsertBefore:
		w.member("", e.value)
		w.member("", old)
	case jsonInsertAfter:
		w.member("", old)
		w.member("", e.value)
	}
}

// followArrays is followPaths for paths that are arrays. A step that is NULL leads nowhere.
func followArrays(form jsonForm) kernel {
	return func(c *call) (arrow.Array, error) {
		documents, l := textsOf(c.args[0]), listsOf(c.args[1])
		var steps []string
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			steps = steps[:0]
			from, to := l.span(i)
			for at := from; at < to; at++ {
				if l.values.IsNull(at) {
					c.setNull(i)
					return dst, nil
				}
				steps = append(steps, event.StringAt(l.values, at))
			}
			return c.appendPath(dst, i, documents.at(i), steps, form), nil
		})
	}
}

// hasKeys asks ? for each text of an array, and whether one is there or all are. NULLs among them do not count.
func hasKeys(all bool) kernel {
	return func(c *call) (arrow.Array, error) {
		documents, l := textsOf(c.args[0]), listsOf(c.args[1])
		return mapBooleans(c, func(i int) (bool, error) {
			document := documents.at(i)
			for from, to := l.span(i); from < to; from++ {
				if l.values.IsValid(from) && hasKey(document, event.StringAt(l.values, from)) != all {
					return !all, nil
				}
			}
			return all, nil
		})
	}
}
